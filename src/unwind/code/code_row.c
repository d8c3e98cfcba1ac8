#include <string.h>

#include "base/util.h"
#include "unwind/code/insn.h"

/* What is known at pc, or at a return, turned into rules of how to get to the caller. */

static const struct code_val unknown = { 0 };

static struct code_val from_reg(u8 reg, s64 add)
{
	return code_plus((struct code_val){ .kind = CODE_VALUE, .base = reg }, add);
}

/* The word at @v, plus @add. */
static struct code_val word_at(struct code_val v, s64 add)
{
	if (v.kind != CODE_VALUE)
		return unknown;
	return code_plus((struct code_val){ .kind = CODE_MEM, .base = v.base, .off = v.add }, add);
}

/* A register that holds @base + *k now; the register itself before others. */
static bool holder(const struct code_state *s, u8 base, u8 first, u8 *reg, s32 *k)
{
	for (unsigned i = 0; i <= CODE_REGS; i++) {
		u8 n = i ? (u8)(i - 1) : first;

		if (n >= CODE_REGS || s->r[n].kind != CODE_VALUE || s->r[n].base != base)
			continue;
		*reg = n;
		*k = s->r[n].add;
		return true;
	}
	return false;
}

/* Where the word at @base + @off of the function's view is. */
static struct code_val place(const struct code_machine *m, const struct code_state *s, u8 base, s64 off)
{
	u8 reg;
	s32 k;

	if (base == m->sp)
		return from_reg(CODE_CFA, off - m->pushed);
	return holder(s, base, m->sp, &reg, &k) ? from_reg(reg, off - k) : unknown;
}

/* The caller's stack pointer by a word on the stack, where it was put before the stack was aligned. */
static struct code_val cfa_saved(const struct code_machine *m, const struct code_state *s)
{
	for (size_t i = 0; i < s->n_slots; i++) {
		const struct code_slot *slot = &s->slots[i];

		if (slot->base != m->sp && slot->v.kind == CODE_VALUE && slot->v.base == m->sp)
			return word_at(place(m, s, slot->base, slot->off), (s64)m->pushed - slot->v.add);
	}
	return unknown;
}

static void find_cfa(const struct code_machine *m, const struct code_state *s, struct code_row *row)
{
	u8 reg;
	s32 k;

	if (!holder(s, m->sp, m->sp, &reg, &k)) {
		row->cfa = cfa_saved(m, s);
		return;
	}
	row->cfa = from_reg(reg, (s64)m->pushed - k);
	for (unsigned i = 0; i < CODE_REGS; i++)
		if (i != reg && s->r[i].kind == CODE_VALUE && s->r[i].base == m->sp)
			row->again = from_reg((u8)i, (s64)m->pushed - s->r[i].add);
}

/* Is it still in use?  What is below the stack pointer, a signal may have overwritten. */
static bool is_in_frame(const struct code_machine *m, const struct code_state *s, const struct code_slot *slot)
{
	const struct code_val *sp = &s->r[m->sp];

	return slot->base == m->sp && (sp->kind == CODE_UNKNOWN || (sp->base == m->sp && slot->off >= sp->add));
}

static struct code_val saved_value(const struct code_machine *m, const struct code_state *s, u8 n, bool in_frame)
{
	for (size_t i = 0; i < s->n_slots; i++) {
		const struct code_slot *slot = &s->slots[i];

		if (slot->v.kind == CODE_VALUE && slot->v.base == n && slot->size == m->reg &&
		    (!in_frame || is_in_frame(m, s, slot)))
			return word_at(place(m, s, slot->base, slot->off), -(s64)slot->v.add);
	}
	return unknown;
}

/*
 * The value that register @n had at the function's start.  A jump whose targets are
 * not known may lead here from where the register was changed: where it was saved
 * on the way to both, it still is.
 */
static struct code_val entry_value(const struct code_machine *m, const struct code_state *s, u8 n)
{
	struct code_val v = saved_value(m, s, n, true);
	u8 reg;
	s32 k;

	if (v.kind != CODE_UNKNOWN)
		return v;
	return holder(s, n, n, &reg, &k) ? from_reg(reg, -(s64)k) : saved_value(m, s, n, false);
}

struct rows {
	const struct code_machine *m;
	struct code_row *out;
	size_t n;
	bool is_lost;	/* pc was reached, but nothing is known there */
	bool has_cfa;	/* but for where the frame is */
};

static bool found_pc(const struct code_insn *in, const struct code_state *s, void *arg)
{
	struct rows *rows = arg;
	const struct code_machine *m = rows->m;
	struct code_row row = { 0 };

	(void)in;
	find_cfa(m, s, &row);
	row.ra = entry_value(m, s, m->ra);
	for (unsigned i = 0; i < CODE_REGS; i++)
		if (m->saved >> i & 1)
			row.r[i] = entry_value(m, s, (u8)i);
	rows->has_cfa = row.cfa.kind != CODE_UNKNOWN;
	rows->is_lost = row.cfa.kind == CODE_UNKNOWN || row.ra.kind == CODE_UNKNOWN;
	if (!rows->is_lost)
		*rows->out = row;
	rows->n = !rows->is_lost;
	return false;
}

enum code_end code_row_of(struct unwind *u, const struct code_walk *w, struct code_row *out, size_t *n)
{
	struct rows rows = { .m = u->code->m, .out = out };
	enum code_end end = code_follow(u, w, found_pc, &rows);

	*n = end == CODE_FAILED ? 0 : rows.n;
	if (!rows.is_lost)
		return end;
	return rows.has_cfa ? CODE_UNSAVED : CODE_FAILED;
}

enum code_end code_row_from(struct unwind *u, u64 start, u64 lo, u64 hi, u64 pc, bool exact, struct code_row *out,
			    size_t *n)
{
	struct code_walk w = { .start = start, .lo = lo, .hi = hi, .pc = pc, .exact = exact };

	return code_row_of(u, &w, out, n);
}

static void join_row(struct code_row *into, const struct code_row *from)
{
	for (size_t i = 0; i < CODE_REGS; i++)
		if (!code_same(&into->r[i], &from->r[i]))
			into->r[i] = unknown;
}

static bool found_return(const struct code_insn *in, const struct code_state *s, void *arg)
{
	struct rows *rows = arg;
	struct code_row row = { .cfa = s->r[rows->m->sp], .ra = s->r[in->ret] };

	for (unsigned i = 0; i < CODE_REGS; i++)
		if (rows->m->saved >> i & 1)
			row.r[i] = s->r[i];
	for (size_t i = 0; i < rows->n; i++)
		if (code_same(&rows->out[i].cfa, &row.cfa) && code_same(&rows->out[i].ra, &row.ra)) {
			join_row(&rows->out[i], &row);
			return true;
		}
	if (rows->n < CODE_ROWS_MAX)
		rows->out[rows->n] = row;
	rows->n++;
	return rows->n <= CODE_ROWS_MAX;
}

enum code_end code_rows_to(struct unwind *u, u64 pc, bool exact, u64 lo, u64 hi, struct code_row out[CODE_ROWS_MAX],
			   size_t *n)
{
	struct code_walk w = { .start = pc, .lo = lo, .hi = hi, .pc = pc, .exact = exact, .from_pc = true };
	struct rows rows = { .m = u->code->m, .out = out };
	enum code_end end = code_follow(u, &w, found_return, &rows);

	*n = end == CODE_FAILED ? 0 : rows.n;
	return end;
}
