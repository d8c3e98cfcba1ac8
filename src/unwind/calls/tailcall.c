#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/calls/calls.h"

/*
 * Frames of functions that have ended in a tail call: they jumped to another one,
 * which returns to their caller.  The call site in the caller has the function that was
 * called; if that is not the function of the frame below, tail calls led to it: the
 * debug information has those of each function.  A function on every path from the one
 * to the other was called.  GDB has this by J. Kratochvil (2011), for one path
 * only, in gdb/dwarf2/frame-tailcall.c; so has LLDB (StackFrameList.cpp).
 */
enum { NODES_MAX = 64, EDGES_MAX = 256, CHAIN_MAX = 32 };

/* A function, and a tail call in it: the targets are indices of functions. */
struct edge {
	struct frame f;
	u8 from;
	u8 n;
	u8 to[CALL_TARGETS_MAX];
	bool is_known;
};
struct graph {
	struct unwind *u;
	u64 below;		/* the function of the frame below */
	u64 nodes[NODES_MAX];
	size_t n_nodes;
	size_t n_first;		/* those that the call may have called are the first of them */
	struct edge edges[EDGES_MAX];
	size_t n_edges;
	u8 reading;		/* the node whose calls are being read */
	bool is_full;
};

/* ---- making it */

/* The index of the function at @start; false when there are too many. */
static bool node_of(struct graph *g, u64 start, u8 *out)
{
	size_t i = 0;

	while (i < g->n_nodes && g->nodes[i] != start)
		i++;
	if (i == NODES_MAX)
		return false;
	g->nodes[i] = start;
	g->n_nodes += i == g->n_nodes;
	*out = (u8)i;
	return true;
}

static int add_edge(const struct call_site *s, void *arg)
{
	struct graph *g = arg;
	struct edge *e = &g->edges[g->n_edges];

	if (g->n_edges == EDGES_MAX) {
		g->is_full = true;
		return 1;
	}
	*e = (struct edge){ .f = { .pc = s->pc, .exact = s->exact }, .from = g->reading, .is_known = s->is_known };
	for (; e->n < s->n; e->n++)
		if (!node_of(g, s->targets[e->n], &e->to[e->n])) {
			g->is_full = true;
			return 1;
		}
	g->n_edges++;
	return 0;
}

/* From what the call may have called to all that tail calls lead to; false when that is too much to look at. */
static bool make(struct graph *g, const struct call_site *first)
{
	static const struct call_site any = { 0 };
	u8 at;

	for (size_t i = 0; i < first->n; i++)
		if (!node_of(g, first->targets[i], &at))
			return false;
	g->n_first = g->n_nodes;
	for (size_t i = 0; i < g->n_nodes && !g->is_full; i++) {
		if (g->nodes[i] == g->below)
			continue;
		g->reading = (u8)i;
		/* There may be more than are listed: to anywhere. */
		if (!call_tails(g->u, g->nodes[i], g->below, add_edge, g) && !g->is_full)
			add_edge(&any, g);
	}
	return !g->is_full;
}

/* ---- ways through it */

/* What can be reached, and by which edge; what the call itself may have called has none. */
struct reach {
	bool is_reached[NODES_MAX];
	s32 by[NODES_MAX];
	u8 queue[NODES_MAX];
	size_t n;
	bool is_open;		/* by a call of unknown target, anything */
};

static void reach_node(struct reach *r, u8 node, s32 by)
{
	if (r->is_reached[node])
		return;
	r->is_reached[node] = true;
	r->by[node] = by;
	r->queue[r->n++] = node;
}

static void reach_by(const struct graph *g, struct reach *r, s32 k)
{
	for (u8 t = 0; t < g->edges[k].n; t++)
		reach_node(r, g->edges[k].to[t], k);
	r->is_open |= !g->edges[k].is_known;
}

/* Goes on from what @r has reached, but not by @without, and not from the function below. */
static void reach_on(const struct graph *g, struct reach *r, const struct edge *without)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; g->nodes[r->queue[i]] != g->below && k < g->n_edges; k++)
			if (g->edges[k].from == r->queue[i] && &g->edges[k] != without)
				reach_by(g, r, (s32)k);
}

static void reach_from_call(const struct graph *g, struct reach *r, const struct edge *without)
{
	*r = (struct reach){ 0 };
	for (size_t i = 0; i < g->n_first; i++)
		reach_node(r, (u8)i, -1);
	reach_on(g, r, without);
}

/* The node of the function below, or -1 when it was not reached. */
static int end_of(const struct graph *g, const struct reach *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (g->nodes[r->queue[i]] == g->below)
			return r->queue[i];
	return -1;
}

/* Do tail calls lead from the function at @node back to it? */
static bool is_in_circle(const struct graph *g, u8 node)
{
	struct reach r = { 0 };

	for (size_t k = 0; k < g->n_edges; k++)
		if (g->edges[k].from == node)
			reach_by(g, &r, (s32)k);
	reach_on(g, &r, NULL);
	return r.is_reached[node];
}

/* ---- the frames */

/* Nothing can be between the call of @e, or of the caller where that is NULL, and the function at @node. */
static bool is_next(const struct graph *g, const struct edge *e, u8 node)
{
	bool leads = e ? e->n == 1 && e->to[0] == node : g->n_first == 1 && node == 0;

	return leads && (g->nodes[node] == g->below || !is_in_circle(g, node));
}

struct link {
	const struct edge *e;
	bool is_sure;		/* no call of unknown target can be the way instead */
};

/* The edges that all ways have, the innermost first: of the way that @r found to the node @end. */
static size_t choose(const struct graph *g, const struct reach *r, int end, struct link out[CHAIN_MAX])
{
	struct reach other;
	size_t n = 0;

	for (s32 k = r->by[end]; k >= 0 && n < CHAIN_MAX; k = r->by[g->edges[k].from]) {
		reach_from_call(g, &other, &g->edges[k]);
		if (end_of(g, &other) < 0)
			out[n++] = (struct link){ .e = &g->edges[k], .is_sure = !other.is_open };
	}
	return n;
}

/* The frames to be shown, the innermost first; how many there are. */
static size_t find_frames(const struct graph *g, struct frame out[CHAIN_MAX])
{
	struct link chain[CHAIN_MAX + 1] = { 0 };
	bool is_open, was_open;
	struct reach r;
	size_t n;

	reach_from_call(g, &r, NULL);
	if (end_of(g, &r) < 0)
		return 0;
	n = choose(g, &r, end_of(g, &r), chain);
	is_open = n && !is_next(g, chain[0].e, (u8)end_of(g, &r));
	for (size_t i = 0; i < n; i++) {
		was_open = is_open;
		is_open = !is_next(g, chain[i + 1].e, chain[i].e->from);
		out[i] = chain[i].e->f;
		out[i].by = chain[i].is_sure ? FRAME_BY_TAIL_CALL : FRAME_BY_LIKELY_TAIL_CALL;
		out[i].gap = was_open || is_open;
	}
	return n;
}

/* ---- where they are put */

/* Many threads stand in the same places. */
struct tail_memo {
	u64 at;			/* in the function below */
	u64 pc;			/* of the caller */
	u64 called;
	bool is_set;
	size_t n;
	struct frame frames[CHAIN_MAX];
};
enum { TAIL_MEMOS = 256 };

void tailcall_free(struct tail_memo *memos)
{
	free(memos);
}

static bool may_call(const struct call_site *s, u64 start)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->targets[i] == start)
			return true;
	return false;
}

/* main() is called by what starts programs, and by nothing else. */
static bool is_main(struct unwind *u, u64 at)
{
	const struct symbol_slot *s = symbol_at(u, at);

	return s->name && !strcmp(s->name, "main");
}

static bool is_plain(struct unwind *u, const struct cpu_regs *caller, u64 at, u64 start)
{
	return is_main(u, at) || code_call_is_plain(u, caller, start);
}

/* From what @call may have called to the code at @at, of which the symbol's start is @below, or 0. */
static size_t find_between(struct unwind *u, const struct call_site *call, u64 at, u64 below,
			   struct frame out[CHAIN_MAX])
{
	struct graph g = { .u = u, .below = below };

	if ((!call_function(u, at, &g.below) && !g.below) || may_call(call, g.below) || !make(&g, call))
		return 0;
	return find_frames(&g, out);
}

/* The same, as it was found for another thread; NULL when there is no memory for it. */
static const struct tail_memo *between(struct unwind *u, const struct call_site *call, u64 at, u64 below)
{
	u64 called = call->targets[0];
	struct tail_memo *m;

	if (!u->tails)
		u->tails = calloc(TAIL_MEMOS, sizeof(*u->tails));
	if (!u->tails)
		return NULL;
	m = &u->tails[(at ^ at >> 8 ^ call->pc << 1 ^ called >> 3) % TAIL_MEMOS];
	if (m->is_set && m->at == at && m->pc == call->pc && m->called == called)
		return m;
	*m = (struct tail_memo){ .at = at, .pc = call->pc, .called = called, .is_set = true };
	m->n = find_between(u, call, at, below, m->frames);
	return m;
}

/* By the cheapest first: the code of the call, symbols, and the debug information of the function below. */
static int add_between(struct unwind *u, struct stack *s, const struct call_frame *caller, struct err *e)
{
	const struct frame *f = &s->frames[s->n - 1];
	u64 at = f->exact ? f->pc : f->pc - 1, below = 0, end;
	const struct tail_memo *m;
	struct call_site call;
	int r = 0;

	if (symbol_bounds(u, at, &below, &end) && is_plain(u, caller->r, at, below))
		return 0;
	/* What begins a thread is written by hand. */
	if (cfi_is_outermost(u, caller->row, caller->r))
		return 0;
	if (!call_before_pc(u, caller, below, &call) || !call.is_known || may_call(&call, below))
		return 0;
	m = between(u, &call, at, below);
	for (size_t i = 0; m && !r && i < m->n && !stack_is_full(u, s); i++)
		r = stack_add(s, &m->frames[i], e);
	return r;
}

/* Exactly the caller, at a call. */
static bool is_sure(const struct stack *s, const struct frame *f)
{
	return s->n && !s->frames[s->n - 1].signal && !f->signal && !f->exact &&
	       (f->by == FRAME_BY_CFI || f->by == FRAME_BY_EXIDX);
}

int tailcall_add(struct unwind *u, struct stack *s, const struct frame *f, const struct cpu_regs *r, Dwarf_Frame *row,
		 struct err *e)
{
	struct call_frame caller = { .r = r, .row = row };
	int ret = !u->opts.no_tail_calls && is_sure(s, f) ? add_between(u, s, &caller, e) : 0;

	return ret ? ret : stack_add(s, f, e);
}
