#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/near.h"
#include "base/util.h"
#include "unwind/code/code_flow.h"

/* Reads the instructions that can be reached, and finds where paths meet. */

/* True when there is room for one more of @n; the array grows up to @most, a power of two. */
static bool room(void **p, size_t n, size_t *cap, size_t most, size_t size)
{
	return n < most && !array_grow(p, n, cap, size, "code", NULL);
}

/* ---- reading */

static size_t hash_of(const struct flow *f, u64 addr)
{
	size_t i = (size_t)((addr * 0x9e3779b97f4a7c15ULL) >> 50) % (2 * FLOW_INSNS_MAX);

	while (f->hash[i] != FLOW_NONE && f->nodes[f->hash[i]].in.addr != addr)
		i = (i + 1) % (2 * FLOW_INSNS_MAX);
	return i;
}

s32 flow_find(const struct flow *f, u64 addr)
{
	return f->hash[hash_of(f, addr)];
}

/* The code at @addr, as much as there is of an instruction. */
static size_t code_at(struct flow *f, u64 addr, const u8 **out)
{
	size_t len = FLOW_WINDOW;

	if (addr < f->window_at || addr - f->window_at + f->m->longest > f->window_len) {
		while (len && !space_read(f->u, addr, f->window, len))
			len = len > 16 ? len / 2 : len - 1;
		f->window_at = addr;
		f->window_len = len;
	}
	*out = f->window + (addr - f->window_at);
	return min(f->window_len - (size_t)(addr - f->window_at), (size_t)f->m->longest);
}

/* The code that the word at @addr leads to; false if that is of another mode. */
static bool read_slot(struct flow *f, u64 addr, u64 *to)
{
	struct cpu_regs there;
	u64 word;

	if (!space_word(f->u, addr, &word))
		return false;
	regs_return(f->u, &there, word);
	*to = there.pc;
	return there.mode == f->m->mode;
}

static void read_literal(struct flow *f, struct code_op *op)
{
	u64 v;

	if (op->what != CODE_LITERAL)
		return;
	op->what = CODE_SET;
	op->src = space_word(f->u, (u64)op->imm, &v) ? CODE_CONST : CODE_NONE;
	op->imm = op->src == CODE_CONST ? s64_of_word(f->u, v) : 0;
}

/* What is in memory: numbers, and where a jump goes that takes a word from there, as in a procedure linkage table. */
static void resolve(struct flow *f, struct code_insn *in)
{
	for (size_t i = 0; i < in->n_ops; i++)
		read_literal(f, &in->ops[i]);
	if (!in->has_target || !in->is_slot)
		return;
	in->has_target = !f->w->hi && read_slot(f, in->target, &in->target);
	in->is_slot = false;
}

/* No bounds are known: tail calls are followed, and so is code after the last call. */
bool flow_is_free(const struct flow *f)
{
	return f->w->from_pc || !f->w->hi;
}

/* A core of stacks has no more of the code that is in no file. */
static bool is_near(struct flow *f, u64 addr)
{
	struct module *m;
	bool in_file;

	if (addr + CODE_NEAR - f->w->pc < 2 * CODE_NEAR)
		return true;
	m = module_at(f->u, addr);
	in_file = m && module_elf(f->u, m);
	f->is_cut |= !in_file;
	return in_file;
}

static bool read_insn(struct flow *f, u64 addr, struct code_insn *in)
{
	const u8 *p;
	size_t len;

	if (!f->c->budget || addr % f->m->step || (flow_is_free(f) && f->n_nodes >= FLOW_FREE_MAX) ||
	    !is_near(f, addr) || !space_is_code(f->u, addr))
		return false;
	len = code_at(f, addr, &p);
	return len && f->m->decode(f->c, p, len, in) && in->len && in->len <= len;
}

static s32 decode(struct flow *f, u64 addr)
{
	struct code_insn in = { .addr = addr };
	s32 n = (s32)f->n_nodes;

	if (!read_insn(f, addr, &in)) {
		f->is_short = true;
		return FLOW_NONE;
	}
	if (!room((void **)&f->nodes, f->n_nodes, &f->cap_nodes, FLOW_INSNS_MAX, sizeof(*f->nodes))) {
		f->failed = true;
		return FLOW_NONE;
	}
	f->c->budget--;
	resolve(f, &in);
	f->nodes[f->n_nodes++] = (struct node){ .in = in, .head = FLOW_NONE };
	f->hash[hash_of(f, addr)] = n;
	if (in.table)
		flow_table(f, &f->nodes[n]);
	return n;
}

/* From pc to the returns, a jump is followed wherever it leads: a tail call returns to our caller, too. */
bool flow_is_followed(const struct flow *f, const struct code_insn *in)
{
	return in->has_target && (in->flow == CODE_JUMP || in->flow == CODE_BRANCH) &&
	       (f->w->from_pc || flow_is_inside(f, in->target));
}

bool flow_is_wanted(const struct flow *f, const struct code_insn *in)
{
	if (f->w->from_pc)
		return in->flow == CODE_RETURN;
	return f->w->exact ? in->addr == f->w->pc : in->flow == CODE_CALL && in->addr + in->len == f->w->pc;
}

bool flow_is_run(const struct code_insn *in, const struct code_insn *next)
{
	return in->cond && next->cond == in->cond && !in->sets_cond && in->flow != CODE_CALL &&
	       next->addr == in->addr + in->len;
}

void flow_head(struct flow *f, s32 node)
{
	if (node == FLOW_NONE || f->nodes[node].head != FLOW_NONE)
		return;
	if (!room((void **)&f->heads, f->n_heads, &f->cap_heads, FLOW_HEADS_MAX, sizeof(*f->heads))) {
		f->failed = true;
		return;
	}
	f->heads[f->n_heads] = (struct head){ .node = node, .via = FLOW_NONE };
	f->nodes[node].head = (s32)f->n_heads++;
}

void flow_todo(struct flow *f, u64 addr)
{
	if (room((void **)&f->todo, f->n_todo, &f->cap_todo, 2 * FLOW_INSNS_MAX, sizeof(*f->todo)))
		f->todo[f->n_todo++] = addr;
	else
		f->failed = true;
}

static bool goes_on(const struct code_insn *in)
{
	return in->cond || in->flow == CODE_NEXT || in->flow == CODE_BRANCH || in->flow == CODE_CALL;
}

/* To the next one, if that is in the same function; @hi ends the one that pc is in, not where a tail call led. */
bool flow_falls_through(const struct flow *f, const struct code_insn *in)
{
	u64 next = in->addr + in->len;

	return goes_on(in) && (f->w->from_pc ? next != f->w->hi : flow_is_inside(f, next));
}

static void read_targets(struct flow *f, const struct node *n)
{
	if (flow_is_followed(f, &n->in))
		flow_todo(f, n->in.target);
	for (size_t i = 0; i < n->n_to; i++)
		flow_todo(f, f->to[n->to + i]);
}

/* Straight on from @addr, where some path begins. */
static void read_block(struct flow *f, u64 addr)
{
	s32 n = flow_find(f, addr);

	if (n == FLOW_NONE)
		n = decode(f, addr);
	flow_head(f, n);
	while (n != FLOW_NONE && !f->failed) {
		const struct code_insn *in = &f->nodes[n].in;
		u64 next = in->addr + in->len;
		bool on = flow_falls_through(f, in);

		read_targets(f, &f->nodes[n]);
		if (flow_is_wanted(f, in) || in->flow == CODE_RETURN || in->flow == CODE_JUMP)
			flow_head(f, n);
		if (!on) {
			/* Only a call that does not return is the last instruction of a function. */
			f->is_short |= goes_on(in) && in->flow != CODE_CALL;
			return;
		}
		n = flow_find(f, next);
		if (n != FLOW_NONE) {
			flow_head(f, n);
			return;
		}
		n = decode(f, next);
	}
}

/* From @from on, which may be read itself. */
void flow_read(struct flow *f, u64 from)
{
	f->n_todo = 0;
	read_block(f, from);
	for (size_t i = 0; i < f->n_todo && !f->failed; i++) {
		u64 addr = f->todo[i];
		s32 n = flow_find(f, addr);

		if (n == FLOW_NONE)
			read_block(f, addr);
		else
			flow_head(f, n);
	}
}

/* ---- the branches of a switch: its table is not read, but they are where no other path leads */

/* Behind padding, if nothing is known of what is there. */
static void seed_at(struct flow *f, u64 addr)
{
	s32 n = FLOW_NONE;

	for (size_t i = 0; i < 16 && flow_is_inside(f, addr) && flow_find(f, addr) == FLOW_NONE; i++) {
		n = decode(f, addr);
		if (n == FLOW_NONE || !f->nodes[n].in.is_nop)
			break;
		addr += f->nodes[n].in.len;
		n = FLOW_NONE;
	}
	if (n == FLOW_NONE)
		return;
	flow_read(f, addr);
	f->seeds[f->n_seeds++] = n;
}

void flow_seeds(struct flow *f)
{
	f->seeds = calloc(FLOW_INSNS_MAX + 1, sizeof(*f->seeds));
	f->failed |= !f->seeds;
	for (size_t i = 0; !f->m->has_pools && !f->failed && i < f->n_nodes && f->n_seeds < FLOW_INSNS_MAX; i++)
		if (!goes_on(&f->nodes[i].in))
			seed_at(f, f->nodes[i].in.addr + f->nodes[i].in.len);
}

bool flow_has_jumps(const struct flow *f)
{
	for (size_t i = 0; i < f->n_nodes; i++)
		if (f->nodes[i].in.flow == CODE_JUMP && !f->nodes[i].in.has_target && !f->nodes[i].n_to)
			return true;
	return false;
}

bool code_insn_at(struct unwind *u, u64 addr, struct code_insn *in)
{
	const struct code_machine *m = u->code->m;
	u8 code[16];

	*in = (struct code_insn){ .addr = addr };
	return space_read(u, addr, code, m->longest) && m->decode(u->code, code, m->longest, in);
}
