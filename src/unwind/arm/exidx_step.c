#include "base/util.h"
#include "unwind/arm/exidx.h"
#include "unwind/code/code.h"

/*
 * A step by the table for exceptions, which is exact at calls only (EHABI, 5.2):
 * elsewhere, where a signal or the end of the process met it, a function may be
 * building its frame or have taken it down.  Then the code is followed from the
 * function's start, and where both agree the table holds.  The code alone is
 * followed where a function has no table: those of C have none unless they were
 * compiled with -funwind-tables.
 */

/* A try at the caller, and whether it can be one. */
struct attempt {
	struct cpu_regs r;
	bool done;
	bool fits;	/* it returns to the address after a call, or to where signal handlers do */
};

static void check(struct unwind *u, struct attempt *a)
{
	u64 sp = a->r.have[ARM_SP] ? a->r.v[ARM_SP] : 0;

	a->fits = a->done && (step_is_signal(u, a->r.pc, sp) || step_is_like_signal(u, a->r.pc, sp) ||
			      (space_is_code(u, a->r.pc - 1) && code_has_call(u, &a->r)));
}

/* Where the function begins, by symbol or table, or as the program's first one; *end is 0 where that is not known. */
static bool bounds(struct unwind *u, u64 at, const struct exidx *x, u64 *start, u64 *end)
{
	u64 entry, first = 0, last = UINT64_MAX;
	bool known = symbol_bounds(u, at, &first, &last);

	/* Functions without a description have one entry together: where it begins, another of them may. */
	if (!known && (!x || x->cantunwind))
		return false;
	if (!known || (x && x->start > first))
		first = x->start;
	if (x)
		last = min(last, x->end);
	if (program_entry(u, &entry) && (entry & ~1ULL) > first && (entry & ~1ULL) <= at)
		first = entry & ~1ULL;
	*start = first;
	*end = last == UINT64_MAX ? 0 : last;
	return true;
}

static enum code_step by_code(struct unwind *u, const struct frame *f, const struct exidx *x,
			      const struct cpu_regs *r, struct attempt *out)
{
	enum code_step res;
	u64 start, end;

	out->r = *r;
	if (!bounds(u, f->exact ? f->pc : f->pc - 1, x, &start, &end))
		return CODE_LOST;
	res = step_code_from(u, start, end, &out->r);
	out->done = res == CODE_FOUND;
	check(u, out);
	return res;
}

static void by_table(struct unwind *u, const struct exidx *x, const struct cpu_regs *r, struct attempt *out)
{
	out->r = *r;
	out->done = x && !x->cantunwind && exidx_run(u, x->ops, x->n_ops, &out->r);
	if (out->done)
		check(u, out);
}

static enum cfi_step take(const struct attempt *a, enum frame_by found, struct cpu_regs *r, enum frame_by *by)
{
	if (!a->r.pc)
		return CFI_NO_RETURN;
	*by = found;
	*r = a->r;
	return CFI_STEPPED;
}

static bool are_same(const struct attempt *a, const struct attempt *b)
{
	return a->done && b->done && a->r.pc == b->r.pc && a->r.v[ARM_SP] == b->r.v[ARM_SP];
}

/* At a call the table is as exact as call frame information. */
static enum cfi_step at_call(struct unwind *u, const struct exidx *x, struct cpu_regs *r, enum frame_by *by)
{
	struct attempt table = { 0 };

	u->fault.is_set = false;
	by_table(u, x, r, &table);
	return table.done ? take(&table, FRAME_BY_EXIDX, r, by) : CFI_FAILED;
}

static enum cfi_step between(struct unwind *u, const struct frame *f, const struct exidx *x, struct cpu_regs *r,
			     enum frame_by *by)
{
	struct attempt table = { 0 }, code = { 0 };
	enum code_step res = by_code(u, f, x, r, &code);

	u->fault.is_set = false;
	by_table(u, x, r, &table);
	if (are_same(&table, &code))
		return take(&table, FRAME_BY_EXIDX, r, by);
	if (code.fits)
		return take(&code, FRAME_BY_CODE, r, by);
	if (table.fits)
		return take(&table, FRAME_BY_CODE, r, by);
	/* "Cannot be unwound" is what first functions say, but also all that were compiled without tables. */
	if (res == CODE_NO_CALLER && (!x || x->cantunwind))
		return x ? CFI_OUTERMOST : CFI_NO_TABLE;
	return x && !x->cantunwind ? CFI_FAILED : CFI_NO_TABLE;
}

enum cfi_step exidx_step(struct unwind *u, const struct frame *f, struct cpu_regs *r, enum frame_by *by)
{
	struct exidx x;
	bool found;

	if (u->core->ehdr.e_machine != EM_ARM || f->signal)
		return CFI_NO_TABLE;
	found = exidx_find(u, f->exact ? f->pc : f->pc - 1, &x);
	if (found && !f->exact && !x.cantunwind)
		return at_call(u, &x, r, by);
	return between(u, f, found ? &x : NULL, r, by);
}
