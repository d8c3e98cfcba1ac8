#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/code/capstone.h"
#include "unwind/code/insn.h"

/* The machines whose code can be read, and where it can: functions, kept, and the calls before return addresses. */
static const struct code_machine *const machines[] = {
	&code_x86_64, &code_i386, &code_aarch64, &code_mips_o32, &code_mips_n32, &code_mips_n64, &code_riscv64, &code_riscv32,
	&code_arm, &code_thumb,
};

enum { BUDGET_THREAD = 256 << 10, BUDGET_ALL = 64 << 20, MEMO_SLOTS = 256 };

struct code_at code_at_return(const struct unwind *u, u64 ret)
{
	struct cpu_regs r;

	regs_return(u, &r, ret);
	return (struct code_at){ .pc = r.pc, .mode = r.mode };
}

struct code_at code_at_pc(const struct cpu_regs *r)
{
	return (struct code_at){ .pc = r->pc, .mode = r->mode };
}

static const struct code_machine *machine_of(const struct unwind *u, u64 mode)
{
	const struct arch *a = &u->core->layout;

	for (size_t i = 0; u->core->arch && i < ARRAY_SIZE(machines); i++)
		if (machines[i]->machine == u->core->ehdr.e_machine && machines[i]->word == a->word &&
		    machines[i]->reg == a->gregs.regs[a->sp].size && machines[i]->mode == mode)
			return machines[i];
	return NULL;
}

/* Some cores have no e_flags, and a library's may be others. */
static void find_flags(struct unwind *u, u64 pc)
{
	struct module *m = module_at(u, pc);
	Elf *elf = m ? module_elf(u, m) : NULL;
	GElf_Ehdr eh;

	u->code->has_file = elf && gelf_getehdr(elf, &eh);
	u->code->flags = u->code->has_file ? eh.e_flags : u->core->ehdr.e_flags;
}

static bool open_reader(struct unwind *u, const struct code_machine *m)
{
	if (u->code)
		return u->code->memo != NULL;
	u->code = calloc(1, sizeof(*u->code));
	if (!u->code)
		return false;
	*u->code = (struct code_reader){ .m = m, .fmt = u->core->fmt, .budget = BUDGET_THREAD, .left = BUDGET_ALL };
	u->code->memo = calloc(MEMO_SLOTS, sizeof(*u->code->memo));
	return u->code->memo != NULL;
}

bool code_begin_at(struct unwind *u, const struct code_at *at, bool exact)
{
	const struct code_machine *m = machine_of(u, at->mode);

	if (!m || !open_reader(u, m))
		return false;
	u->code->m = m;
	find_flags(u, exact ? at->pc : at->pc - 1);
	return true;
}

void code_close(struct code_reader *c)
{
	if (!c)
		return;
	capstone_close(c->capstone);
	free(c->memo);
	free(c);
}

const char *code_left_out(const struct code_reader *c)
{
	return c && c->no_capstone ? "capstone could not be loaded (" CAPSTONE_SONAME "): code that has no unwind tables is not read" : NULL;
}

void code_refill(struct code_reader *c)
{
	u64 more;

	if (!c)
		return;
	more = min(BUDGET_THREAD - c->budget, c->left);
	c->budget += more;
	c->left -= more;
}

/* ---- rows, kept */

static bool same_walk(const struct code_walk *a, const struct code_walk *b)
{
	return a->start == b->start && a->lo == b->lo && a->hi == b->hi && a->pc == b->pc && a->exact == b->exact &&
	       a->any_return == b->any_return;
}

const struct code_memo *code_rows(struct unwind *u, const struct code_walk *w)
{
	struct code_memo *memo = &u->code->memo[(w->pc ^ w->pc >> 8 ^ w->start << 1 ^ w->exact) % MEMO_SLOTS];

	if (memo->m == u->code->m && same_walk(&memo->w, w))
		return memo;
	*memo = (struct code_memo){ .m = u->code->m, .w = *w };
	if (w->start)
		memo->end = code_row_of(u, w, memo->rows, &memo->n);
	else
		memo->end = code_rows_to(u, w->pc, w->exact, w->lo, w->hi, memo->rows, &memo->n);
	return memo;
}

/* ---- the call before a return address */

/* By bit: how long it may be. */
static u32 lengths_before(struct unwind *u, const struct code_machine *m, u64 ret)
{
	u8 before[CALL_BYTES];

	return m->calls && space_read(u, ret - sizeof(before), before, sizeof(before)) ? m->calls(before) : UINT32_MAX;
}

/* By the machine of the reader. */
static bool call_at(struct unwind *u, u64 ret, struct code_insn *in)
{
	const struct code_machine *m = u->code->m;
	u32 lengths = lengths_before(u, m, ret);
	u8 code[16];

	for (size_t i = 0; i < ARRAY_SIZE(m->call_len) && m->call_len[i]; i++) {
		if (!(lengths >> m->call_len[i] & 1))
			continue;
		*in = (struct code_insn){ .addr = ret - m->call_len[i] };
		if (!space_read(u, in->addr, code, m->call_len[i]))
			return true;
		if (m->decode(u->code, code, m->call_len[i], in) && in->len == m->call_len[i] && in->flow == CODE_CALL)
			return true;
	}
	return false;
}

/* False when it is not valid; where the code cannot be read, *in is an instruction without meaning. */
static bool call_before(struct unwind *u, const struct code_at *ret, struct code_insn *in)
{
	const struct code_machine *m = u->code->m, *there = machine_of(u, ret->mode);
	bool found;

	if (!there)
		return false;
	u->code->m = there;
	found = call_at(u, ret->pc, in);
	u->code->m = m;
	return found;
}

bool code_call_target(struct unwind *u, const struct code_at *ret, u64 *out)
{
	struct code_insn in;

	if (!call_before(u, ret, &in) || !in.has_target || in.is_other_mode == (ret->mode == u->code->m->mode))
		return false;
	*out = in.target;
	return !in.is_slot;
}

/* The word by which an entry of the procedure linkage table at @addr jumps; false where no such entry is. */
static bool plt_slot(struct unwind *u, u64 addr, u64 *slot)
{
	const struct code_machine *m = u->code->m;
	u8 code[PLT_BYTES];
	struct code_insn in;

	if (m->plt_slot)
		return space_read(u, addr, code, sizeof(code)) && m->plt_slot(code, addr, slot);
	/* ENDBR64 may come before the jump. */
	for (int i = 0; i < 2 && code_insn_at(u, addr, &in); i++) {
		*slot = in.target;
		if (in.flow == CODE_JUMP)
			return in.has_target && in.is_slot;
		if (in.flow != CODE_NEXT || in.n_ops || in.clobbers)
			return false;
		addr += in.len;
	}
	return false;
}

/* Where a call with a target leads: *slot has the address, or is 0; *start is 0 where that word cannot be read. */
static void leads_to(struct unwind *u, const struct code_insn *in, u64 *start, u64 *slot)
{
	*start = *slot = 0;
	if (in->is_slot)
		*slot = in->target;
	else if (in->is_other_mode || !plt_slot(u, in->target, slot))
		*start = in->target;
	if (*slot && !space_word(u, *slot, start))
		*start = 0;
}

bool code_call_is_plain(struct unwind *u, const struct cpu_regs *caller, u64 start)
{
	const struct code_at ret = code_at_pc(caller);
	struct code_insn in;
	u64 to, slot;

	if (!code_begin_at(u, &ret, false) || !call_before(u, &ret, &in))
		return false;
	if (!in.has_target)
		return in.is_lost;
	leads_to(u, &in, &to, &slot);
	return to == start || (!in.is_slot && in.target == start);
}

/* A signal handler was called from nowhere. */
enum step_return code_return(struct unwind *u, const struct code_at *ret, u64 sp)
{
	enum step_return found = step_return(u, ret->pc);
	struct code_insn in;

	if (found >= RETURN_UNKNOWN && !step_is_signal(u, ret->pc, 0) && !call_before(u, ret, &in))
		found = RETURN_DOUBT;
	return found < RETURN_UNKNOWN && step_is_like_signal(u, ret->pc, sp) ? RETURN_GOOD : found;
}

bool code_is_after_call(struct unwind *u, const struct cpu_regs *caller)
{
	enum step_return found = step_return(u, caller->pc);
	const struct code_at ret = code_at_pc(caller);
	struct code_insn in;

	if (found != RETURN_UNKNOWN || !code_begin_at(u, &ret, false))
		return found != RETURN_DOUBT;
	return u->code->flags & u->code->m->other_code || call_before(u, &ret, &in);
}

bool code_has_call(struct unwind *u, const struct cpu_regs *caller)
{
	const struct code_at ret = code_at_pc(caller);
	struct code_insn in;

	return code_begin_at(u, &ret, false) && call_before(u, &ret, &in) && in.flow == CODE_CALL;
}

bool code_called(struct unwind *u, u64 ret_pc, u64 *start, u64 *slot)
{
	const struct code_at ret = { .pc = ret_pc };
	struct code_insn in;

	/* Which of its two instruction sets a frame of 32-bit Arm is in is not kept. */
	if (u->core->ehdr.e_machine == EM_ARM || !code_begin_at(u, &ret, false) || !call_before(u, &ret, &in) ||
	    !in.has_target || in.is_other_mode)
		return false;
	leads_to(u, &in, start, slot);
	return true;
}
