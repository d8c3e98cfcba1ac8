#include <string.h>

#include "base/util.h"
#include "unwind/code/insn.h"

/* ---- values */

bool code_same(const struct code_val *a, const struct code_val *b)
{
	return a->kind == b->kind &&
	       (a->kind == CODE_UNKNOWN || (a->base == b->base && a->off == b->off && a->add == b->add));
}

struct code_val code_plus(struct code_val v, s64 add)
{
	s64 sum;

	if (v.kind == CODE_UNKNOWN || add_overflow((s64)v.add, add, &sum) || sum != (s32)sum)
		return (struct code_val){ 0 };
	v.add = (s32)sum;
	return v;
}

static struct code_val value(u8 base, s64 add)
{
	return code_plus((struct code_val){ .kind = CODE_VALUE, .base = base }, add);
}

static struct code_val reg(const struct code_state *s, u8 n)
{
	if (n == CODE_CONST)
		return value(CODE_CONST, 0);
	return n < CODE_REGS ? s->r[n] : (struct code_val){ 0 };
}

static void set(struct code_state *s, u8 n, struct code_val v)
{
	if (n < CODE_REGS)
		s->r[n] = v;
}

void code_begin(const struct code_machine *m, bool from_pc, struct code_state *s)
{
	*s = (struct code_state){ .from_pc = from_pc };
	for (unsigned i = 0; i < CODE_REGS; i++)
		s->r[i] = value((u8)i, 0);
	if (m->pushed)
		s->r[m->ra].kind = CODE_UNKNOWN;
	if (m->pushed && !from_pc)
		s->slots[s->n_slots++] = (struct code_slot){ .base = m->sp, .size = m->reg, .v = value(m->ra, 0) };
}

/* ---- the stack */

static void drop_slot(struct code_state *s, size_t i)
{
	memmove(&s->slots[i], &s->slots[i + 1], (s->n_slots - i - 1) * sizeof(s->slots[0]));
	s->n_slots--;
}

static bool overlaps(const struct code_slot *slot, const struct code_val *at, u8 size)
{
	return slot->base == at->base && (s64)slot->off < (s64)at->add + size && (s64)at->add < (s64)slot->off + slot->size;
}

/* What overlaps the @size bytes at @at is gone. */
static void erase(struct code_state *s, const struct code_val *at, u8 size)
{
	for (size_t i = s->n_slots; i-- > 0;)
		if (overlaps(&s->slots[i], at, size))
			drop_slot(s, i);
}

/*
 * From a function's start only words that hold something known are of interest;
 * from pc on, all that are no more as the core has them.
 */
static void put(struct code_state *s, const struct code_val *at, u8 size, struct code_val v)
{
	if (v.kind == CODE_UNKNOWN && !s->from_pc)
		return;
	if (s->n_slots == CODE_SLOTS_MAX) {
		s->lossy = true;
		return;
	}
	s->slots[s->n_slots++] = (struct code_slot){ .base = at->base, .size = size, .off = at->add, .v = v };
}

/*
 * A store to an unknown address is assumed to leave the saved registers alone,
 * as it does in a correct program.  What is at a fixed place is
 * no part of a frame: others may have stored there since.
 */
static void store(const struct code_machine *m, struct code_state *s, const struct code_op *op)
{
	struct code_val at = code_plus(reg(s, op->dst), op->imm), v = reg(s, op->src);

	if (at.kind != CODE_VALUE || at.base == CODE_CONST)
		return;
	erase(s, &at, op->size);
	put(s, &at, op->size, op->size == m->reg ? v : (struct code_val){ 0 });
}

static struct code_val load(const struct code_machine *m, const struct code_state *s, const struct code_op *op)
{
	struct code_val at = code_plus(reg(s, op->src), op->imm);

	if (at.kind != CODE_VALUE || op->size != m->reg)
		return (struct code_val){ 0 };
	for (size_t i = 0; i < s->n_slots; i++) {
		const struct code_slot *slot = &s->slots[i];

		if (slot->base == at.base && slot->off == at.add && slot->size == m->reg)
			return slot->v;
		if (overlaps(slot, &at, m->reg))
			return (struct code_val){ 0 };
	}
	if (!s->from_pc || s->lossy || at.base >= CODE_REGS)
		return (struct code_val){ 0 };
	return (struct code_val){ .kind = CODE_MEM, .base = at.base, .off = at.add };
}

/* ---- instructions */

static void forget_base(struct code_state *s, u8 base)
{
	for (size_t i = 0; i < CODE_REGS; i++)
		if (s->r[i].kind != CODE_UNKNOWN && s->r[i].base == base)
			s->r[i].kind = CODE_UNKNOWN;
	for (size_t i = s->n_slots; i-- > 0;)
		if (s->slots[i].base == base || (s->slots[i].v.kind != CODE_UNKNOWN && s->slots[i].v.base == base))
			drop_slot(s, i);
}

/* What is rounded down has a base of its own, by its register: the one before is no more the same. */
static void align(const struct code_machine *m, struct code_state *s, const struct code_op *op)
{
	u8 base = (u8)(CODE_ALIGNED + (op->dst == m->sp ? 0 : 1 + op->dst % 3));

	forget_base(s, base);
	set(s, op->dst, value(base, 0));
}

static struct code_val sum(const struct code_state *s, const struct code_op *op)
{
	struct code_val a = reg(s, op->src), b = reg(s, op->other);

	if (b.kind == CODE_VALUE && b.base == CODE_CONST)
		return code_plus(a, b.add * op->imm);
	if (a.kind == CODE_VALUE && a.base == CODE_CONST && op->imm == 1)
		return code_plus(b, a.add);
	/* The difference of two places in one frame. */
	if (a.kind == CODE_VALUE && b.kind == CODE_VALUE && a.base == b.base && op->imm == -1)
		return value(CODE_CONST, (s64)a.add - b.add);
	return (struct code_val){ 0 };
}

static struct code_val either(const struct code_state *s, const struct code_op *op)
{
	struct code_val a = reg(s, op->src);

	return a.kind == CODE_VALUE && a.base == CODE_CONST ? value(CODE_CONST, a.add | op->imm) : (struct code_val){ 0 };
}

void code_forget(struct code_state *s, u64 regs)
{
	for (unsigned i = 0; i < CODE_REGS; i++)
		if (regs >> i & 1)
			s->r[i].kind = CODE_UNKNOWN;
}

void code_apply(const struct code_machine *m, const struct code_insn *in, struct code_state *s)
{
	for (size_t i = 0; i < in->n_ops && i < CODE_OPS_MAX; i++) {
		const struct code_op *op = &in->ops[i];

		switch (op->what) {
		case CODE_SET:
			set(s, op->dst, code_plus(reg(s, op->src), op->imm));
			break;
		case CODE_ADD:
			set(s, op->dst, sum(s, op));
			break;
		case CODE_LOAD:
			set(s, op->dst, load(m, s, op));
			break;
		case CODE_STORE:
			store(m, s, op);
			break;
		case CODE_ALIGN:
			align(m, s, op);
			break;
		case CODE_OR:
			set(s, op->dst, either(s, op));
			break;
		default:
			break;
		}
	}
	code_forget(s, in->clobbers);
	if (in->flow != CODE_CALL)
		return;
	code_forget(s, ~(m->saved | 1ULL << m->sp));
	s->called = true;
}

/* ---- where paths meet */

static const struct code_slot *same_slot(const struct code_state *s, const struct code_slot *like)
{
	for (size_t i = 0; i < s->n_slots; i++)
		if (s->slots[i].base == like->base && s->slots[i].off == like->off && s->slots[i].size == like->size)
			return &s->slots[i];
	return NULL;
}

static bool join_slots(struct code_state *into, const struct code_state *from)
{
	bool changed = false;

	for (size_t i = into->n_slots; i-- > 0;) {
		const struct code_slot *b = same_slot(from, &into->slots[i]);

		if (into->slots[i].v.kind == CODE_UNKNOWN || (b && code_same(&into->slots[i].v, &b->v)))
			continue;
		if (into->from_pc)
			into->slots[i].v.kind = CODE_UNKNOWN;
		else
			drop_slot(into, i);
		changed = true;
	}
	return changed;
}

/* From pc on, a word that either path has stored to is no more as it was. */
static bool add_slots(struct code_state *into, const struct code_state *from)
{
	bool changed = false;

	for (size_t i = 0; into->from_pc && !into->lossy && i < from->n_slots; i++) {
		const struct code_slot *b = &from->slots[i];

		if (same_slot(into, b))
			continue;
		put(into, &(struct code_val){ .base = b->base, .add = b->off }, b->size, (struct code_val){ 0 });
		changed = true;
	}
	return changed;
}

bool code_join(struct code_state *into, const struct code_state *from)
{
	bool changed = from->lossy && !into->lossy;

	into->lossy |= from->lossy;
	if (into->cond && into->cond != from->cond) {
		into->cond = 0;
		changed = true;
	}
	for (size_t i = 0; i < CODE_REGS; i++)
		if (into->r[i].kind != CODE_UNKNOWN && !code_same(&into->r[i], &from->r[i])) {
			into->r[i].kind = CODE_UNKNOWN;
			changed = true;
		}
	changed |= join_slots(into, from);
	changed |= add_slots(into, from);
	return changed;
}

bool code_saves_ra(const struct code_machine *m, const struct code_insn *in)
{
	for (size_t i = 0; i < in->n_ops; i++)
		if (in->ops[i].what == CODE_STORE && in->ops[i].src == m->ra && in->ops[i].size == m->reg)
			return true;
	return false;
}
