#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/code/code_flow.h"

/*
 * Where code leads: first all instructions that can be reached, then what is known
 * at each place where paths meet, until that changes no more.  What is known only
 * ever becomes less, so that it ends.
 */
static void flow_fini(struct flow *f)
{
	free(f->nodes);
	free(f->hash);
	free(f->heads);
	free(f->todo);
	free(f->to);
	free(f->seeds);
}

/* ---- what is known */

static void enqueue(struct flow *f, s32 head)
{
	struct head *h = &f->heads[head];

	if (h->queued)
		return;
	h->queued = true;
	flow_todo(f, (u64)head);
}

static bool contradicts(const struct flow *f, const struct code_state *a, const struct code_state *b)
{
	const struct code_val *x = &a->r[f->m->sp], *y = &b->r[f->m->sp];

	return x->kind != CODE_UNKNOWN && y->kind != CODE_UNKNOWN && !code_same(x, y);
}

/*
 * A path reaches a place that others reach, too.  If only the one that comes
 * from after a call has another stack pointer, that call does not return, and
 * is the last instruction before something else.
 */
static void arrive(struct flow *f, s32 node, const struct code_state *s, s32 via)
{
	s32 head = f->nodes[node].head;
	struct head *h = &f->heads[head];

	if (!h->is_set) {
		h->is_set = true;
		h->s = *s;
		h->via = via;
		enqueue(f, head);
		return;
	}
	if (contradicts(f, s, &h->s)) {
		s32 call = via != FLOW_NONE ? via : h->via;

		if (call != FLOW_NONE)
			f->nodes[call].no_return = true;
		if (call == FLOW_NONE && f->seeding)
			f->failed = true;
		f->restart |= call != FLOW_NONE && via == FLOW_NONE;
		f->is_cut |= call == FLOW_NONE && flow_is_free(f) && s->called;
		/*
		 * Without bounds such a path may have been through another function
		 * and come back by its tail call: the one that was here first counts.
		 */
		if (call != FLOW_NONE || (flow_is_free(f) && s->called))
			return;
	}
	if (via == FLOW_NONE)
		h->via = FLOW_NONE;
	if (code_join(&h->s, s))
		enqueue(f, head);
}

/*
 * Behind a call that does not return another function begins: it saves the address
 * that it was called from, of which nothing is known here.
 */
static bool is_other_function(const struct flow *f, const struct code_insn *in, const struct code_state *s)
{
	return f->m->has_prologues && flow_is_free(f) && s->r[f->m->ra].kind == CODE_UNKNOWN && code_saves_ra(f->m, in);
}

/* ---- what a condition decides */

/* Not done, and so is nothing of the run that begins there: on to what comes after it. */
static void pass_over(struct flow *f, s32 n, const struct code_state *s)
{
	bool more = true;

	while (more && flow_falls_through(f, &f->nodes[n].in)) {
		const struct code_insn *in = &f->nodes[n].in;

		n = flow_find(f, in->addr + in->len);
		if (n == FLOW_NONE || f->applied++ >= FLOW_APPLIED_MAX)
			return;
		more = flow_is_run(in, &f->nodes[n].in);
		if (more)
			continue;
		flow_head(f, n);
		if (!f->failed)
			arrive(f, n, s, FLOW_NONE);
	}
}

/* Does the instruction at @at, and goes where it jumps to. */
static void do_insn(struct flow *f, const struct node *at, struct code_state *s)
{
	s32 to;

	s->cond = 0;
	code_apply(f->m, &at->in, s);
	if (flow_is_followed(f, &at->in) && (to = flow_find(f, at->in.target)) != FLOW_NONE)
		arrive(f, to, s, FLOW_NONE);
	f->applied += at->n_to;
	for (size_t i = 0; i < at->n_to; i++)
		if ((to = flow_find(f, f->to[at->to + i])) != FLOW_NONE)
			arrive(f, to, s, FLOW_NONE);
}

static bool ends_path(const struct code_insn *in)
{
	return in->flow == CODE_JUMP || in->flow == CODE_RETURN || in->flow == CODE_STOP;
}

/*
 * One instruction; false when the path ends there.  One that depends on a condition
 * parts it.  A call that does is only passed over: what it leaves is less.
 */
static bool run_insn(struct flow *f, s32 n, struct code_state *s)
{
	const struct node *at = &f->nodes[n];
	bool known = !at->in.cond || at->in.cond == s->cond, ends = ends_path(&at->in);

	if (at->in.cond && at->in.flow == CODE_CALL)
		return !known;
	if (!known && ends) {
		struct code_state done = *s;

		do_insn(f, at, &done);
		return true;
	}
	if (!known)
		pass_over(f, n, s);
	do_insn(f, at, s);
	s->cond = at->in.cond;
	return !ends;
}

/*
 * From @in to @next.  At the end of a run, what was passed over has arrived there: a stack
 * pointer that only the run has moved is one for a return, further on.
 */
static bool goes_to(struct flow *f, const struct code_insn *in, s32 next, struct code_state *s)
{
	const struct node *to = &f->nodes[next];
	const struct head *h = to->head == FLOW_NONE ? NULL : &f->heads[to->head];

	if (!s->cond || flow_is_run(in, &to->in))
		return true;
	s->cond = 0;
	if (!h || !h->is_set || !contradicts(f, s, &h->s))
		return true;
	f->is_cut = true;
	return false;
}

/* One block, from where paths meet to where they part. */
static void run_block(struct flow *f, s32 n)
{
	struct code_state s = f->heads[f->nodes[n].head].s;
	s32 via = FLOW_NONE;

	for (;;) {
		const struct code_insn *in = &f->nodes[n].in;

		if (f->applied++ >= FLOW_APPLIED_MAX || !f->c->budget) {
			f->failed = true;
			return;
		}
		if (is_other_function(f, in, &s)) {
			f->is_cut = true;
			return;
		}
		if (!run_insn(f, n, &s) || f->nodes[n].no_return || !flow_falls_through(f, in))
			return;
		if (in->flow == CODE_CALL && !in->cond)
			via = n;
		else if (!in->is_nop)
			via = FLOW_NONE;
		n = flow_find(f, in->addr + in->len);
		if (n == FLOW_NONE || !goes_to(f, in, n, &s))
			return;
		if (f->nodes[n].head != FLOW_NONE) {
			arrive(f, n, &s, via);
			return;
		}
	}
}

static void run_queue(struct flow *f)
{
	while (f->n_todo && !f->failed && !f->restart) {
		s32 head = (s32)f->todo[--f->n_todo];

		f->heads[head].queued = false;
		run_block(f, f->heads[head].node);
	}
}

/* What all jumps with unknown targets have in common; false when there are none. */
static bool join_jumps(const struct flow *f, struct code_state *out)
{
	bool any = false;

	for (size_t i = 0; i < f->n_heads; i++) {
		const struct head *h = &f->heads[i];
		const struct code_insn *in = &f->nodes[h->node].in;

		if (!h->is_set || in->flow != CODE_JUMP || in->has_target || in->table)
			continue;
		if (any)
			code_join(out, &h->s);
		else
			*out = h->s;
		any = true;
	}
	return any;
}

static void run_seeds(struct flow *f)
{
	struct code_state s = { 0 };

	if (!f->n_seeds || f->failed || f->restart || !join_jumps(f, &s))
		return;
	f->seeding = true;
	for (size_t i = 0; i < f->n_seeds; i++)
		if (!f->heads[f->nodes[f->seeds[i]].head].is_set)
			arrive(f, f->seeds[i], &s, FLOW_NONE);
	run_queue(f);
	f->seeding = false;
}

static void run_once(struct flow *f, const struct code_state *first, s32 start)
{
	f->restart = false;
	f->n_todo = 0;
	for (size_t i = 0; i < f->n_heads; i++)
		f->heads[i].is_set = f->heads[i].queued = false;
	arrive(f, start, first, FLOW_NONE);
	run_queue(f);
	run_seeds(f);
}

static void run_all(struct flow *f)
{
	struct code_state first;
	s32 start = flow_find(f, f->w->start);
	size_t n = 0;

	if (start == FLOW_NONE) {
		f->failed = true;
		return;
	}
	code_begin(f->m, f->w->from_pc, &first);
	if (f->w->from_pc && !f->w->exact)
		code_forget(&first, ~(f->m->saved | 1ULL << f->m->sp));
	do {
		run_once(f, &first, start);
	} while (f->restart && !f->failed && n++ < FLOW_RESTARTS_MAX);
	f->failed |= f->restart;
}

/* ---- results */

/* A path that returns to elsewhere than the function was called from shows that this is not what the code does. */
static bool returns_well(const struct flow *f)
{
	const struct code_val ra = { .kind = CODE_VALUE, .base = f->m->ra };
	const struct code_val sp = { .kind = CODE_VALUE, .base = f->m->sp, .add = f->m->pushed };

	for (size_t i = 0; i < f->n_heads; i++) {
		const struct code_insn *in = &f->nodes[f->heads[i].node].in;
		struct code_state s = f->heads[i].s;

		if (!f->heads[i].is_set || in->flow != CODE_RETURN)
			continue;
		code_apply(f->m, in, &s);
		if ((s.r[f->m->sp].kind != CODE_UNKNOWN && !code_same(&s.r[f->m->sp], &sp)) ||
		    (s.r[in->ret].kind != CODE_UNKNOWN && !code_same(&s.r[in->ret], &ra)))
			return false;
	}
	return true;
}

static bool is_reached(const struct flow *f)
{
	for (size_t i = 0; i < f->n_heads; i++)
		if (f->heads[i].is_set && flow_is_wanted(f, &f->nodes[f->heads[i].node].in))
			return true;
	return false;
}

static void report(const struct flow *f, code_found *fn, void *arg)
{
	for (size_t i = 0; i < f->n_heads; i++) {
		const struct head *h = &f->heads[i];
		const struct code_insn *in = &f->nodes[h->node].in;
		struct code_state s = h->s;

		if (!h->is_set || !flow_is_wanted(f, in))
			continue;
		/* At pc itself an instruction may have been done in part, as those of strings are. */
		if (f->w->exact && !f->w->from_pc)
			code_forget(&s, in->clobbers);
		else
			code_apply(f->m, in, &s);
		if (!fn(in, &s, arg))
			return;
	}
}

static bool begin(struct flow *f)
{
	f->hash = malloc(2 * FLOW_INSNS_MAX * sizeof(*f->hash));
	if (!f->hash)
		return false;
	for (size_t i = 0; i < 2 * FLOW_INSNS_MAX; i++)
		f->hash[i] = FLOW_NONE;
	flow_read(f, f->w->start);
	if (!f->failed)
		run_all(f);
	if (!f->failed && !f->w->from_pc && f->w->hi && !is_reached(f) && flow_has_jumps(f)) {
		flow_seeds(f);
		if (!f->failed)
			run_all(f);
	}
	return !f->failed;
}

enum code_end code_follow(struct unwind *u, const struct code_walk *w, code_found *fn, void *arg)
{
	struct flow f scoped(flow_fini) = { .u = u, .w = w, .m = u->code->m, .c = u->code };

	if (!begin(&f) || (!flow_is_free(&f) && !w->any_return && !returns_well(&f)))
		return CODE_FAILED;
	report(&f, fn, arg);
	if (flow_has_jumps(&f) || f.is_cut || f.n_nodes >= FLOW_FREE_MAX)
		return CODE_OPEN;
	return f.is_short ? CODE_ALL : CODE_ENDS;
}
