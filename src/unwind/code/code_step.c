#include <string.h>

#include "base/util.h"
#include "unwind/code/insn.h"

/*
 * Steps to the caller without a table, by reading what the code does
 * with the stack: from the function's start, where that is known, to pc; and from
 * pc to the returns.  What either finds is checked: against the other, against
 * memory, and against what the caller's call calls.
 */
enum { SCAN_WORDS = 4096, SCAN_CALLS = 24 };

static bool is_return(struct unwind *u, const struct code_at *ret)
{
	return code_return(u, ret, 0) >= RETURN_UNKNOWN;
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

/* The caller's registers by @row; false when a word of them is not there, or two say what cannot be. */
static bool fill_caller(struct unwind *u, const struct code_row *row, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_machine *m = u->code->m;
	u64 cfa, again, ra, v;

	if (!r->have[m->sp] || !value_of(u, r, NULL, &row->cfa, &cfa) || !value_of(u, r, &cfa, &row->ra, &ra))
		return false;
	if (value_of(u, r, NULL, &row->again, &again) && again != cfa)
		return false;
	*out = (struct cpu_regs){ 0 };
	regs_return(u, out, ra);
	for (unsigned i = 0; i < CODE_REGS; i++)
		if (value_of(u, r, &cfa, &row->r[i], &v)) {
			out->v[i] = v;
			out->have[i] = true;
		}
	out->v[m->sp] = cfa;
	out->have[m->sp] = true;
	return true;
}

/* The same, perhaps in doubt; false when it cannot be so. */
static bool apply_any(struct unwind *u, const struct code_row *row, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_machine *m = u->code->m;
	struct cpu_regs caller;
	enum step_return found;
	struct code_at ret;
	u64 cfa;

	if (!fill_caller(u, row, r, &caller))
		return false;
	cfa = caller.v[m->sp];
	ret = code_at_pc(&caller);
	found = code_return(u, &ret, cfa);
	if (cfa < r->v[m->sp] + m->pushed || cfa % m->sp_align || found == RETURN_NOWHERE)
		return false;
	*out = caller;
	out->doubt = found == RETURN_DOUBT;
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
static const struct code_memo *proof_of(struct unwind *u, const struct cpu_regs *r, const struct code_at *ret)
{
	struct code_walk w = { .pc = r->pc, .exact = r->exact };

	return code_call_target(u, ret, &w.start) && w.start ? code_rows(u, &w) : NULL;
}

enum proof { PROOF_NONE, PROOF_FOR, PROOF_AGAINST };

/*
 * The function that the caller called must lead to pc, and with that stack: tail
 * calls of known target are followed, and one of unknown target leaves it open.
 */
static enum proof prove(struct unwind *u, const struct cpu_regs *r, const struct cpu_regs *caller)
{
	const struct code_at ret = code_at_pc(caller);
	const struct code_memo *memo = proof_of(u, r, &ret);
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
static bool is_behind_our_call(struct unwind *u, const struct cpu_regs *r, u64 raw, size_t *tried, struct cpu_regs *out)
{
	const struct code_at ret = code_at_return(u, raw);
	const struct code_memo *memo = is_return(u, &ret) ? proof_of(u, r, &ret) : NULL;
	struct cpu_regs caller;

	*tried += memo != NULL;
	if (!memo || !memo->n || !apply(u, &memo->rows[0], r, &caller) || caller.pc != ret.pc)
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

	if (!m->pushed && r->have[m->ra] && is_behind_our_call(u, r, r->v[m->ra], &tried, out))
		return true;
	for (size_t i = 0; r->have[m->sp] && i < SCAN_WORDS && tried < SCAN_CALLS; i++) {
		if (!space_reg(u, r->v[m->sp] + i * m->reg, &ret))
			return false;
		if (is_behind_our_call(u, r, ret, &tried, out))
			return true;
	}
	return false;
}

/* From the function's start: 1 and *out filled, 0 when that does not lead to pc, -1 when it cannot be. */
static int by_start(struct unwind *u, u64 lo, u64 hi, const struct cpu_regs *r, struct cpu_regs *out)
{
	const struct code_walk w = { .start = lo, .lo = lo, .hi = hi, .pc = r->pc, .exact = r->exact };
	const struct code_memo *memo = hi ? code_rows(u, &w) : NULL;

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
	const struct code_walk w = {
		.start = u->code->m->has_prologues && !r->exact ? code_prologue(u, r->pc) : 0, .pc = r->pc,
	};
	const struct code_memo *memo = w.start ? code_rows(u, &w) : NULL;

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
	struct code_walk w = { .pc = r->pc, .exact = r->exact };
	struct code_memo to;
	enum proof proof;
	int n;

	bounds_of(u, r, &w.lo, &w.hi);
	n = by_start(u, w.lo, w.hi, r, out);
	if (n < 0 || (n > 0 && prove(u, r, out) == PROOF_FOR))
		return n > 0;
	to = *code_rows(u, &w);
	if (n > 0)
		return !is_denied(u, &to, r, out);
	proof = by_returns(u, &to, r, out);
	return proof == PROOF_FOR || by_scan(u, r, out) || proof == PROOF_NONE || (!w.hi && by_prologue(u, r, out)) ||
	       by_hand(u, &to, r, out);
}

bool code_never_returns(struct unwind *u, const struct cpu_regs *r)
{
	struct cpu_regs here = { .pc = r->pc, .exact = true };
	struct code_walk w = { .pc = r->pc, .exact = true };
	const struct code_at at = code_at_pc(r);
	const struct code_memo *memo;

	if (!code_begin_at(u, &at, true))
		return false;
	bounds_of(u, &here, &w.lo, &w.hi);
	memo = code_rows(u, &w);
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
	const struct code_at at = code_at_pc(r);

	if (!code_begin_at(u, &at, true))
		return false;
	if (!r->exact)
		return true;
	if (u->code->flags & u->code->m->other_code)
		return false;
	if (u->code->m->slot)
		leave_slot(u, r);
	return true;
}

bool step_code(struct unwind *u, struct cpu_regs *r)
{
	struct cpu_regs here = *r, caller;

	if (!prepare(u, &here) || !find_caller(u, &here, &caller))
		return false;
	*r = caller;
	return true;
}

enum code_step step_code_from(struct unwind *u, u64 start, u64 end, struct cpu_regs *r)
{
	const struct code_walk w = {
		.start = start, .lo = end ? start : 0, .hi = end, .pc = r->pc, .exact = r->exact, .any_return = true,
	};
	const struct code_memo *memo;
	struct cpu_regs here = *r, caller;

	if (!prepare(u, &here))
		return CODE_LOST;
	memo = code_rows(u, &w);
	if (!memo->n)
		return memo->end == CODE_UNSAVED ? CODE_NO_CALLER : CODE_LOST;
	if (!fill_caller(u, &memo->rows[0], &here, &caller))
		return CODE_LOST;
	*r = caller;
	return CODE_FOUND;
}
