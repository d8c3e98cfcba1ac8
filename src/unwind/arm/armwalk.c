#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/arm/armcode.h"
#include "unwind/arm/exidx.h"

/*
 * Follows the code of a function from its start, and knows at each instruction
 * where the stack pointer is and where registers were saved, in terms of what they
 * were when the function was called.  An instruction is looked at once: compilers
 * ensure that all paths to it leave the stack alike.  Paths that go on after a
 * call come last, since not all calls return.
 */

/* What a register is: what another one was at the start, and a bit more; a number; or not known. */
enum { NUMBER = 16, UNKNOWN = 17 };
struct val {
	u8 base;
	u32 off;
};

enum { SLOTS_MAX = 24, WAYS_MAX = 256, CODE_MAX = 1 << 19, TABLE_MAX = 2048 };
/* So many reads of code for all frames of a core: a hostile one could have every frame follow the longest. */
enum { READS_MAX = 1 << 24 };
struct state {
	u32 at;
	u32 it;			/* so many instructions more are conditional */
	struct val r[16];
	struct { u32 off; u8 reg; } slots[SLOTS_MAX];	/* that have a register as it was, from the first stack pointer on */
	u32 n_slots;
};

struct walk {
	struct unwind *u;
	const struct walk_ask *ask;
	struct state *ways;	/* WAYS_MAX to be followed, then as many that begin after calls */
	u32 n_ways, n_calls;
	u8 *seen;		/* a bit for each halfword */
	struct state found;
	bool is_found;
};

static bool is_inside(const struct walk *w, u32 at)
{
	return at >= w->ask->start && at < w->ask->end;
}

static bool was_seen(const struct walk *w, u32 at)
{
	u32 i = (at - w->ask->start) / 2;

	return w->seen[i / 8] >> i % 8 & 1;
}

static void see(struct walk *w, u32 at)
{
	u32 i = (at - w->ask->start) / 2;

	w->seen[i / 8] |= (u8)(1 << i % 8);
}

/* ---- the code */

static bool read_code(struct unwind *u, bool swapped, u32 at, unsigned size, u32 *out)
{
	u8 raw[4];

	if (!space_read(u, at, raw, size))
		return false;
	*out = (u32)uint_get((struct elffmt){ .class = ELFCLASS32, .data = swapped ? ELFDATA2MSB : ELFDATA2LSB }, raw, size);
	return true;
}

static bool read_insn(struct walk *w, u32 at, struct insn *out)
{
	const struct walk_ask *a = w->ask;
	u32 first, second = 0;

	if (w->u->code_reads++ > READS_MAX)
		return false;
	if (!a->thumb) {
		if (!read_code(w->u, a->swapped, at, 4, &first))
			return false;
		*out = arm_insn(at, first);
		return true;
	}
	if (!read_code(w->u, a->swapped, at, 2, &first) ||
	    (thumb_is_wide(first) && !read_code(w->u, a->swapped, at + 2, 2, &second)))
		return false;
	*out = thumb_insn(at, first << 16 | second);
	return true;
}

/* ---- what an instruction does */

static struct val get(const struct state *s, unsigned reg)
{
	return s->r[reg];
}

static void set(struct state *s, unsigned reg, struct val v)
{
	s->r[reg] = v;
	/* Memory below the stack pointer is not in use. */
	if (reg != ARM_SP || v.base != ARM_SP)
		return;
	for (u32 i = 0; i < s->n_slots;)
		if ((s32)(s->slots[i].off - v.off) < 0)
			s->slots[i] = s->slots[--s->n_slots];
		else
			i++;
}

static void drop_slot(struct state *s, u32 off)
{
	for (u32 i = 0; i < s->n_slots; i++)
		if (s->slots[i].off == off) {
			s->slots[i] = s->slots[--s->n_slots];
			return;
		}
}

static void store(struct state *s, u32 off, struct val v)
{
	drop_slot(s, off);
	if (v.base < NUMBER && !v.off && s->n_slots < SLOTS_MAX) {
		s->slots[s->n_slots].off = off;
		s->slots[s->n_slots++].reg = v.base;
	}
}

static struct val load(const struct state *s, u32 off)
{
	for (u32 i = 0; i < s->n_slots; i++)
		if (s->slots[i].off == off)
			return (struct val){ .base = s->slots[i].reg };
	return (struct val){ .base = UNKNOWN };
}

static struct val literal(struct walk *w, u32 at, s32 imm)
{
	u32 pc = w->ask->thumb ? (at + 4) & ~3u : at + 8, v;
	u64 word;

	if (!space_uint(w->u, pc + (u32)imm, 4, &word))
		return (struct val){ .base = UNKNOWN };
	v = (u32)word;
	return (struct val){ .base = NUMBER, .off = v };
}

static void transfer(struct walk *w, struct state *s, const struct insn *i)
{
	struct val base = i->rn == ARM_PC ? (struct val){ .base = UNKNOWN } : get(s, i->rn), new[16];
	bool on_stack = base.base == ARM_SP;

	for (unsigned k = 0; k < i->n_regs; k++) {
		u32 off = base.off + (u32)i->imm + 4 * k;

		if (i->kind == CODE_STORE && on_stack)
			store(s, off, get(s, i->regs[k]));
		else if (i->kind == CODE_LOAD)
			new[k] = i->rn == ARM_PC ? literal(w, s->at, i->imm) : on_stack ? load(s, off) :
				 (struct val){ .base = UNKNOWN };
	}
	base.off += (u32)i->wb;
	if (i->wb)
		set(s, i->rn, base);
	for (unsigned k = 0; i->kind == CODE_LOAD && k < i->n_regs; k++)
		set(s, i->regs[k], new[k]);
}

static struct val sum(struct val a, struct val b, bool less)
{
	if (b.base == NUMBER && a.base != UNKNOWN)
		return (struct val){ .base = a.base, .off = less ? a.off - b.off : a.off + b.off };
	if (a.base == NUMBER && b.base != UNKNOWN && !less)
		return (struct val){ .base = b.base, .off = a.off + b.off };
	return (struct val){ .base = UNKNOWN };
}

static void called(struct state *s)
{
	static const u8 lost[] = { 0, 1, 2, 3, 12, ARM_LR };

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		s->r[lost[i]].base = UNKNOWN;
}

static bool moves_sp(const struct insn *i)
{
	return i->kind == CODE_STORE || i->kind == CODE_LOAD ? i->rn == ARM_SP : i->rd == ARM_SP;
}

static void apply(struct walk *w, struct state *s, const struct insn *i)
{
	/* A return that is passed over has its registers popped only where it is not. */
	if (i->cond && moves_sp(i))
		return;
	switch (i->kind) {
	case CODE_ADD:
		set(s, i->rd, sum(get(s, i->rn), (struct val){ .base = NUMBER, .off = (u32)i->imm }, false));
		break;
	case CODE_ADD_REG:
		set(s, i->rd, sum(get(s, i->rn), get(s, i->rm), i->imm < 0));
		break;
	case CODE_CONST:
		set(s, i->rd, (struct val){ .base = NUMBER, .off = (u32)i->imm });
		break;
	case CODE_CLOBBER:
		set(s, i->rd, (struct val){ .base = UNKNOWN });
		break;
	case CODE_STORE:
	case CODE_LOAD:
		transfer(w, s, i);
		break;
	case CODE_CALL:
		called(s);
		break;
	default:
		break;
	}
	/* May have been done, or not. */
	if (i->cond && (i->kind == CODE_ADD || i->kind == CODE_ADD_REG || i->kind == CODE_CONST))
		s->r[i->rd].base = UNKNOWN;
}

/* ---- where it goes */

static void add_way(struct walk *w, const struct state *s, u32 to)
{
	if (w->n_ways == WAYS_MAX || !is_inside(w, to) || was_seen(w, to))
		return;
	w->ways[w->n_ways] = *s;
	w->ways[w->n_ways].it = 0;
	w->ways[w->n_ways++].at = to;
}

static void add_call(struct walk *w, const struct state *s)
{
	if (w->n_calls < WAYS_MAX && is_inside(w, s->at))
		w->ways[WAYS_MAX + w->n_calls++] = *s;
}

/* A table is before the first address in it. */
static void add_table(struct walk *w, const struct state *s, const struct insn *i)
{
	u32 end = w->ask->end, size = (u32)i->imm;

	for (u32 n = 0, at = i->target; n < TABLE_MAX && at < end; n++, at += size) {
		u64 v;
		u32 to;

		if (w->u->code_reads++ > READS_MAX || !space_uint(w->u, at, size, &v))
			return;
		to = size == 4 ? (u32)v & ~1u : i->target + 2 * (u32)v;
		if (!is_inside(w, to))
			return;
		add_way(w, s, to);
		if (to > i->target)
			end = min(end, to);
	}
}

/* Each of the jumps is itself a place that it goes to. */
static void add_branches(struct walk *w, const struct state *s, u32 at)
{
	struct insn i;

	for (u32 n = 0; n < TABLE_MAX && is_inside(w, at) && read_insn(w, at, &i) && i.kind == CODE_JUMP; n++, at += 4) {
		add_way(w, s, i.target);
		add_way(w, s, at);
	}
}

/* True when execution continues after @i. */
static bool go_on(struct walk *w, const struct state *s, const struct insn *i)
{
	switch (i->kind) {
	case CODE_JUMP:
	case CODE_BRANCH:
		add_way(w, s, i->target);
		break;
	case CODE_TABLE:
		add_table(w, s, i);
		break;
	case CODE_BRANCHES:
		add_branches(w, s, i->target);
		break;
	case CODE_CALL:
		add_call(w, s);
		return i->cond;
	default:
		break;
	}
	return i->cond || (i->kind != CODE_JUMP && i->kind != CODE_TABLE && i->kind != CODE_BRANCHES && i->kind != CODE_END);
}

static bool is_wanted(const struct walk *w, u32 at, const struct insn *i)
{
	const struct walk_ask *a = w->ask;

	return a->after_call ? i->kind == CODE_CALL && at + i->len == a->pc : at == a->pc;
}

static void follow(struct walk *w, struct state *s)
{
	bool more = true, linked = false;

	while (more && is_inside(w, s->at) && !was_seen(w, s->at)) {
		struct insn i;
		u32 at = s->at;

		if (!read_insn(w, at, &i))
			return;
		if (linked && i.kind == CODE_END)
			i.kind = CODE_CALL;
		linked = i.kind == CODE_LINK;
		if (is_wanted(w, at, &i)) {
			w->found = *s;
			w->is_found = true;
			return;
		}
		see(w, at);
		if (s->it) {
			s->it--;
			i.cond = true;
		}
		if (i.kind == CODE_IT)
			s->it = (u32)i.imm;
		if (i.kind != CODE_CALL || !i.cond)
			apply(w, s, &i);
		s->at = at + i.len;
		more = go_on(w, s, &i);
	}
}

static void follow_all(struct walk *w)
{
	struct state s = { .at = w->ask->start };

	for (u8 i = 0; i < 16; i++)
		s.r[i].base = i;
	s.r[ARM_PC].base = UNKNOWN;
	follow(w, &s);
	while (!w->is_found && (w->n_ways || w->n_calls)) {
		s = w->n_ways ? w->ways[--w->n_ways] : w->ways[WAYS_MAX + --w->n_calls];
		follow(w, &s);
	}
}

/* ---- back to the caller */

/* The stack pointer at the start: by its own way, or where that is lost, by that of a frame pointer. */
static bool first_sp(const struct walk *w, const struct cpu_regs *r, u64 *out)
{
	static const u8 thumb[] = { ARM_SP, 7, 11, 6 }, arm[] = { ARM_SP, 11, 7, 6 };
	const u8 *order = w->ask->thumb ? thumb : arm;

	for (size_t i = 0; i < ARRAY_SIZE(arm); i++) {
		struct val v = w->found.r[order[i]];

		if (v.base != ARM_SP || !r->have[order[i]])
			continue;
		*out = (u32)(r->v[order[i]] - v.off);
		return true;
	}
	return false;
}

static bool saved_at(const struct state *s, unsigned reg, u32 *off)
{
	for (u32 i = 0; i < s->n_slots; i++)
		if (s->slots[i].reg == reg) {
			*off = s->slots[i].off;
			return true;
		}
	return false;
}

/* Callees save r4 to r11 before they change them (AAPCS32, 6.1.1): what was not saved is as it was. */
static void restore(struct walk *w, const struct cpu_regs *r, u64 sp, struct cpu_regs *out)
{
	u32 off;

	for (unsigned i = 4; i <= 11; i++) {
		out->v[i] = r->v[i];
		out->have[i] = r->have[i];
		if (saved_at(&w->found, i, &off))
			out->have[i] = space_word(w->u, (u32)(sp + off), &out->v[i]);
	}
	out->v[ARM_SP] = sp;
	out->have[ARM_SP] = true;
}

static enum walk_result finish(struct walk *w, struct cpu_regs *r)
{
	struct val lr = w->found.r[ARM_LR];
	struct cpu_regs caller = { 0 };
	u64 sp, ret = r->v[ARM_LR];
	u32 off;

	if (!w->is_found || !first_sp(w, r, &sp))
		return WALK_LOST;
	if (saved_at(&w->found, ARM_LR, &off)) {
		if (!space_word(w->u, (u32)(sp + off), &ret))
			return WALK_LOST;
	} else if (lr.base != ARM_LR || lr.off) {
		return WALK_NO_RETURN;
	} else if (!r->have[ARM_LR] || w->ask->after_call) {
		/* A call has been made since. */
		return w->ask->after_call ? WALK_NO_RETURN : WALK_LOST;
	}
	regs_return(w->u, &caller, ret);
	restore(w, r, sp, &caller);
	*r = caller;
	return WALK_FOUND;
}

enum walk_result arm_walk(struct unwind *u, const struct walk_ask *ask, struct cpu_regs *r)
{
	struct state *ways auto_free = calloc(2 * WAYS_MAX, sizeof(*ways));
	u8 *seen auto_free = NULL;
	struct walk_ask a = *ask;
	struct walk w = { .u = u, .ask = &a, .ways = ways };

	if (a.end - a.start > CODE_MAX || a.end <= a.start)
		a.end = a.start + CODE_MAX;
	seen = calloc(1, CODE_MAX / 16 + 1);
	if (!ways || !seen || a.end < a.start)
		return WALK_LOST;
	w.seen = seen;
	follow_all(&w);
	return finish(&w, r);
}

/* ---- calls */

bool arm_is_after_call(struct unwind *u, u32 pc, bool thumb, bool swapped)
{
	u32 w, first;

	if (!thumb && read_code(u, swapped, pc - 4, 4, &w) && arm_insn(pc - 4, w).kind == CODE_CALL)
		return true;
	if (!thumb)
		return read_code(u, swapped, pc - 8, 4, &w) && arm_insn(pc - 8, w).kind == CODE_LINK;
	if (!read_code(u, swapped, pc - 2, 2, &w))
		return false;
	if (!thumb_is_wide(w) && thumb_insn(pc - 2, w << 16).kind == CODE_CALL)
		return true;
	return read_code(u, swapped, pc - 4, 2, &first) && thumb_is_wide(first) &&
	       thumb_insn(pc - 4, first << 16 | w).kind == CODE_CALL;
}
