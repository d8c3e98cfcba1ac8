#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/code/capstone.h"
#include "unwind/code/insn.h"

/*
 * Steps to the caller without a table, by reading what the code does
 * with the stack: from the function's start, where that is known, to pc; and from
 * pc to the returns.  What either finds is checked: against the other, against
 * memory, and against what the caller's call calls.
 */
static const struct code_machine *const machines[] = {
	&code_x86_64, &code_i386, &code_aarch64, &code_mips_o32, &code_mips_n32, &code_mips_n64, &code_riscv64, &code_riscv32,
};

enum { BUDGET_THREAD = 256 << 10, BUDGET_ALL = 64 << 20, MEMO_SLOTS = 256, SCAN_WORDS = 4096, SCAN_CALLS = 24 };

/* Many threads stand in the same places. */
struct code_memo {
	u64 start;		/* 0: from pc to the returns */
	u64 lo, hi;
	u64 pc;
	bool exact;
	bool is_set;
	enum code_end end;
	size_t n;
	struct code_row rows[CODE_ROWS_MAX];
};

static const struct code_machine *machine_of(const struct unwind *u)
{
	const struct arch *a = &u->core->layout;

	for (size_t i = 0; u->core->arch && i < ARRAY_SIZE(machines); i++)
		if (machines[i]->machine == u->core->ehdr.e_machine && machines[i]->word == a->word &&
		    machines[i]->reg == a->gregs.regs[a->sp].size)
			return machines[i];
	return NULL;
}

/* Some cores have no e_flags, and a library's may be others. */
static u32 flags_at(struct unwind *u, u64 pc)
{
	struct module *m = module_at(u, pc);
	Elf *elf = m ? module_elf(u, m) : NULL;
	GElf_Ehdr eh;

	return elf && gelf_getehdr(elf, &eh) ? eh.e_flags : u->core->ehdr.e_flags;
}

static bool open_reader(struct unwind *u)
{
	const struct code_machine *m = machine_of(u);

	if (!m)
		return false;
	if (u->code)
		return u->code->memo != NULL;
	u->code = calloc(1, sizeof(*u->code));
	if (!u->code)
		return false;
	*u->code = (struct code_reader){ .m = m, .fmt = u->core->fmt, .budget = BUDGET_THREAD, .left = BUDGET_ALL };
	u->code->memo = calloc(MEMO_SLOTS, sizeof(*u->code->memo));
	return u->code->memo != NULL;
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

static const struct code_memo *rows_of(struct unwind *u, u64 start, u64 lo, u64 hi, u64 pc, bool exact)
{
	struct code_memo *memo = &u->code->memo[(pc ^ pc >> 8 ^ start << 1 ^ exact) % MEMO_SLOTS];

	if (memo->is_set && memo->start == start && memo->lo == lo && memo->hi == hi && memo->pc == pc &&
	    memo->exact == exact)
		return memo;
	*memo = (struct code_memo){ .start = start, .lo = lo, .hi = hi, .pc = pc, .exact = exact, .is_set = true };
	if (start)
		memo->end = code_row_from(u, start, lo, hi, pc, exact, memo->rows, &memo->n);
	else
		memo->end = code_rows_to(u, pc, exact, lo, hi, memo->rows, &memo->n);
	return memo;
}

/* ---- the call before a return address */

/* By bit: how long it may be. */
static u32 lengths_before(struct unwind *u, u64 ret)
{
	const struct code_machine *m = u->code->m;
	u8 before[CALL_BYTES];

	return m->calls && space_read(u, ret - sizeof(before), before, sizeof(before)) ? m->calls(before) : UINT32_MAX;
}

/* False when it is not valid; where the code cannot be read, *in is an instruction without meaning. */
static bool call_before(struct unwind *u, u64 ret, struct code_insn *in)
{
	const struct code_machine *m = u->code->m;
	u32 lengths = lengths_before(u, ret);
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

static bool target_of_call(struct unwind *u, u64 ret, u64 *out)
{
	struct code_insn in;

	if (!call_before(u, ret, &in) || !in.has_target)
		return false;
	*out = in.target;
	return !in.is_slot;
}

/*
 * What an entry of the procedure linkage table leads to, by the word that the
 * dynamic linker has filled in; @addr itself, where no such entry is.
 */
static u64 behind_plt(struct unwind *u, u64 addr)
{
	struct code_insn in;
	u64 at = addr, to;

	/* ENDBR64 may come before the jump. */
	for (int i = 0; i < 2 && code_insn_at(u, at, &in); i++) {
		if (in.flow == CODE_JUMP)
			return in.has_target && in.is_slot && space_word(u, in.target, &to) ? to : addr;
		if (in.flow != CODE_NEXT || in.n_ops || in.clobbers)
			return addr;
		at += in.len;
	}
	return addr;
}

bool code_call_is_plain(struct unwind *u, u64 ret, u64 start)
{
	struct code_insn in;
	u64 to;

	if (!open_reader(u))
		return false;
	u->code->flags = flags_at(u, ret - 1);
	if (!call_before(u, ret, &in))
		return false;
	if (!in.has_target)
		return in.is_lost;
	if (in.is_slot)
		return space_word(u, in.target, &to) && to == start;
	return in.target == start || behind_plt(u, in.target) == start;
}

/* A signal handler was called from nowhere; @sp is the caller's stack pointer, or 0. */
static enum step_return return_of(struct unwind *u, u64 ret, u64 sp)
{
	enum step_return found = step_return(u, ret);
	struct code_insn in;

	if (found >= RETURN_UNKNOWN && !step_is_signal(u, ret, 0) && !call_before(u, ret, &in))
		found = RETURN_DOUBT;
	return found < RETURN_UNKNOWN && step_is_like_signal(u, ret, sp) ? RETURN_GOOD : found;
}

static bool is_return(struct unwind *u, u64 ret)
{
	return return_of(u, ret, 0) >= RETURN_UNKNOWN;
}

bool code_is_after_call(struct unwind *u, u64 ret)
{
	enum step_return found = step_return(u, ret);
	struct code_insn in;

	if (found != RETURN_UNKNOWN || !open_reader(u))
		return found != RETURN_DOUBT;
	u->code->flags = flags_at(u, ret - 1);
	return u->code->flags & u->code->m->other_code || call_before(u, ret, &in);
}

/* ---- a row's values */

static bool value_of(struct unwind *u, const struct cpu_regs *r, const u64 *cfa, const struct code_val *v, u64 *out)
{
	u64 base = 0;

	if (v->kind == CODE_UNKNOWN)
		return false;
	if (v->base == CODE_CFA && cfa)
		base = *cfa;
	else if (v->base < CODE_REGS && r->have[v->base])
		base = r->v[v->base];
	else if (v->base != CODE_CONST)
		return false;
	if (v->kind == CODE_MEM && !space_reg(u, u64_of_word(u, base + (u64)(s64)v->off), &base))
		return false;
	*out = u64_of_word(u, base + (u64)(s64)v->add);
	return true;
}

/* The caller's registers by @row, perhaps in doubt; false when it cannot be so. */
static bool apply_any(struct unwind *u, const struct code_row *row, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_machine *m = u->code->m;
	enum step_return found;
	u64 cfa, again, ra, v;

	if (!r->have[m->sp] || !value_of(u, r, NULL, &row->cfa, &cfa) || !value_of(u, r, &cfa, &row->ra, &ra))
		return false;
	if (value_of(u, r, NULL, &row->again, &again) && again != cfa)
		return false;
	ra = space_strip(u, ra);
	found = return_of(u, ra, cfa);
	if (cfa < r->v[m->sp] + m->pushed || cfa % m->sp_align || found == RETURN_NOWHERE)
		return false;
	*out = (struct cpu_regs){ .pc = ra, .doubt = found == RETURN_DOUBT };
	for (unsigned i = 0; i < CODE_REGS; i++)
		if (value_of(u, r, &cfa, &row->r[i], &v)) {
			out->v[i] = v;
			out->have[i] = true;
		}
	out->v[m->sp] = cfa;
	out->have[m->sp] = true;
	return true;
}

static bool apply(struct unwind *u, const struct code_row *row, const struct cpu_regs *r, struct cpu_regs *out)
{
	struct cpu_regs caller;

	if (!apply_any(u, row, r, &caller) || caller.doubt)
		return false;
	*out = caller;
	return true;
}

static bool same_caller(const struct unwind *u, const struct cpu_regs *a, const struct cpu_regs *b)
{
	u8 sp = u->code->m->sp;

	return a->pc == b->pc && a->v[sp] == b->v[sp];
}

/* The way from the function that is called before @ret to pc; NULL when it is not known which that is. */
static const struct code_memo *proof_of(struct unwind *u, const struct cpu_regs *r, u64 ret)
{
	u64 start;

	return target_of_call(u, ret, &start) && start ? rows_of(u, start, 0, 0, r->pc, r->exact) : NULL;
}

enum proof { PROOF_NONE, PROOF_FOR, PROOF_AGAINST };

/*
 * The function that the caller called must lead to pc, and with that stack: tail
 * calls of known target are followed, and one of unknown target leaves it open.
 */
static enum proof prove(struct unwind *u, const struct cpu_regs *r, const struct cpu_regs *caller)
{
	const struct code_memo *memo = proof_of(u, r, caller->pc);
	struct cpu_regs again;

	if (!memo)
		return PROOF_NONE;
	if (!memo->n)
		return memo->end >= CODE_ALL ? PROOF_AGAINST : PROOF_NONE;
	return apply(u, &memo->rows[0], r, &again) && same_caller(u, &again, caller) ? PROOF_FOR : PROOF_AGAINST;
}

/* ---- the choice */

/* What the symbol table says of the function at @r; its size may be unknown. */
static void bounds_of(struct unwind *u, const struct cpu_regs *r, u64 *lo, u64 *hi)
{
	u64 at = r->exact ? r->pc : r->pc - 1;
	const struct symbol_slot *s = symbol_at(u, at);

	/* A part that was split off is no function: it begins in the middle of one. */
	if (!s->name || s->type != STT_FUNC || s->size <= at - s->start || strstr(s->name, ".cold"))
		return;
	*lo = s->start;
	*hi = s->start + s->size;
}

/*
 * By the returns: one that the caller's call proves, or the only possible one.
 * Others are found after calls that do not return, where another function begins.
 */
static enum proof by_returns(struct unwind *u, const struct code_memo *memo, const struct cpu_regs *r,
			     struct cpu_regs *out)
{
	struct cpu_regs caller;
	size_t n = 0;

	for (size_t i = 0; i < min(memo->n, (size_t)CODE_ROWS_MAX); i++) {
		enum proof proof = PROOF_AGAINST;

		if (apply(u, &memo->rows[i], r, &caller))
			proof = prove(u, r, &caller);
		if (proof == PROOF_AGAINST)
			continue;
		*out = caller;
		if (proof == PROOF_FOR)
			return PROOF_FOR;
		n++;
	}
	return memo->n <= CODE_ROWS_MAX && n == 1 ? PROOF_NONE : PROOF_AGAINST;
}

/* Is @ret where the function returns to: does the call before it lead to pc with the stack as it is? */
static bool is_behind_our_call(struct unwind *u, const struct cpu_regs *r, u64 ret, size_t *tried, struct cpu_regs *out)
{
	const struct code_memo *memo = is_return(u, ret) ? proof_of(u, r, ret) : NULL;
	struct cpu_regs caller;

	*tried += memo != NULL;
	if (!memo || !memo->n || !apply(u, &memo->rows[0], r, &caller) || caller.pc != ret)
		return false;
	/* Not before: *out may have what counts where there is no such call. */
	*out = caller;
	return true;
}

/*
 * Code that does not return says nothing about its caller.  But the link register or
 * a word above the stack pointer has the address after the call that led here.
 */
static bool by_scan(struct unwind *u, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_machine *m = u->code->m;
	size_t tried = 0;
	u64 ret;

	if (!m->pushed && r->have[m->ra] && is_behind_our_call(u, r, space_strip(u, r->v[m->ra]), &tried, out))
		return true;
	for (size_t i = 0; r->have[m->sp] && i < SCAN_WORDS && tried < SCAN_CALLS; i++) {
		if (!space_reg(u, r->v[m->sp] + i * m->reg, &ret))
			return false;
		if (is_behind_our_call(u, r, space_strip(u, ret), &tried, out))
			return true;
	}
	return false;
}

/* From the function's start: 1 and *out filled, 0 when that does not lead to pc, -1 when it cannot be. */
static int by_start(struct unwind *u, u64 lo, u64 hi, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_memo *memo = hi ? rows_of(u, lo, lo, hi, r->pc, r->exact) : NULL;

	if (!memo || !memo->n)
		return 0;
	return apply(u, &memo->rows[0], r, out) ? 1 : -1;
}

/* Do the returns lead to elsewhere than to @caller?  If they differ from each other, they tell nothing. */
static bool is_denied(struct unwind *u, const struct code_memo *to, const struct cpu_regs *r,
		      const struct cpu_regs *caller)
{
	struct cpu_regs other;

	return to->n == 1 && apply(u, &to->rows[0], r, &other) && !same_caller(u, &other, caller);
}

/*
 * By what looks like the function's start, if no symbol gives it; it must
 * save the return address, and the function has called what we came from.
 */
static bool by_prologue(struct unwind *u, const struct cpu_regs *r, struct cpu_regs *out)
{
	u64 at = u->code->m->has_prologues && !r->exact ? code_prologue(u, r->pc) : 0;
	const struct code_memo *memo = at ? rows_of(u, at, 0, 0, r->pc, false) : NULL;

	return memo && memo->n && memo->rows[0].ra.kind == CODE_MEM && apply(u, &memo->rows[0], r, out) &&
	       prove(u, r, out) != PROOF_AGAINST;
}

/*
 * Compiled code may be called by an interpreter, which pushed the return address itself.
 * Compilers of programs make no such calls, and have what does not return in their code.
 */
static bool by_hand(struct unwind *u, const struct code_memo *memo, const struct cpu_regs *r, struct cpu_regs *out)
{
	struct cpu_regs caller;

	if (module_at(u, r->pc) || memo->n != 1 || !apply_any(u, &memo->rows[0], r, &caller) || !caller.doubt)
		return false;
	*out = caller;
	return true;
}

static bool find_caller(struct unwind *u, const struct cpu_regs *r, struct cpu_regs *out)
{
	struct code_memo to;
	enum proof proof;
	u64 lo = 0, hi = 0;
	int n;

	bounds_of(u, r, &lo, &hi);
	n = by_start(u, lo, hi, r, out);
	if (n < 0 || (n > 0 && prove(u, r, out) == PROOF_FOR))
		return n > 0;
	to = *rows_of(u, 0, lo, hi, r->pc, r->exact);
	if (n > 0)
		return !is_denied(u, &to, r, out);
	proof = by_returns(u, &to, r, out);
	return proof == PROOF_FOR || by_scan(u, r, out) || proof == PROOF_NONE || (!hi && by_prologue(u, r, out)) ||
	       by_hand(u, &to, r, out);
}

bool code_never_returns(struct unwind *u, u64 pc)
{
	const struct cpu_regs r = { .pc = pc, .exact = true };
	const struct code_memo *memo;
	u64 lo = 0, hi = 0;

	if (!open_reader(u))
		return false;
	u->code->flags = flags_at(u, pc);
	bounds_of(u, &r, &lo, &hi);
	memo = rows_of(u, 0, lo, hi, pc, true);
	return memo->end == CODE_ENDS && !memo->n;
}

/* ---- what the machines differ in */

static bool jump_at(struct unwind *u, u64 addr, struct code_insn *in)
{
	return code_insn_at(u, addr, in) && in->len > u->code->m->slot;
}

/*
 * A fault in a delay slot is one of the jump: kernels tell the jump's address, some
 * emulators the slot's.  Where it is a call's, the link register has changed
 * already, and all is as it is when the call returns.
 */
static void leave_slot(struct unwind *u, struct cpu_regs *r)
{
	const struct code_machine *m = u->code->m;
	struct code_insn in;
	bool in_slot = jump_at(u, r->pc - m->slot, &in);

	if (!in_slot && !jump_at(u, r->pc, &in))
		return;
	if (in.flow == CODE_CALL && (in_slot || (r->have[m->ra] && r->v[m->ra] == in.addr + in.len))) {
		r->exact = false;
		r->pc = in.addr + in.len;
	} else if (in_slot) {
		r->pc = in.addr;
	}
}

/* False where the code at @r may be of an encoding that is not read here. */
static bool prepare(struct unwind *u, struct cpu_regs *r)
{
	const struct code_machine *m = u->code->m;

	u->code->flags = flags_at(u, r->pc);
	if (!r->exact)
		return true;
	if (u->code->flags & m->other_code)
		return false;
	if (m->slot)
		leave_slot(u, r);
	return true;
}

bool step_code(struct unwind *u, struct cpu_regs *r)
{
	struct cpu_regs here = *r, caller;

	if (!open_reader(u) || !prepare(u, &here) || !find_caller(u, &here, &caller))
		return false;
	*r = caller;
	return true;
}
