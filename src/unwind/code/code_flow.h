/* code_flow.h - what code_read.c and code_flow.c share: instructions, and the places where paths meet. */
#pragma once

#include "unwind/code/insn.h"

enum {
	FLOW_INSNS_MAX = 8192, FLOW_HEADS_MAX = 2048, FLOW_WINDOW = 512, FLOW_NONE = -1,
	FLOW_FREE_MAX = 2048,	/* where no bounds are known: what is farther away is not looked at */
	FLOW_APPLIED_MAX = 200000,	/* instructions, counted each time one is gone through */
	FLOW_RESTARTS_MAX = 64,
	FLOW_TABLE_MAX = 2048,	/* entries of a table */
};

struct node {
	struct code_insn in;
	s32 head;		/* index of its state, where paths meet, or FLOW_NONE */
	bool no_return;		/* a call that does not return to the next instruction */
	size_t to, n_to;	/* where the table leads, in flow.to */
};

struct head {
	s32 node;
	s32 via;		/* the call before it, if no other path leads here; or FLOW_NONE */
	bool is_set;
	bool queued;
	struct code_state s;
};

struct flow {
	struct unwind *u;
	const struct code_walk *w;
	const struct code_machine *m;
	struct code_reader *c;
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	s32 *hash;		/* of nodes by address; 2 * FLOW_INSNS_MAX */
	struct head *heads;
	size_t n_heads, cap_heads;
	u64 *to;		/* all that tables lead to */
	size_t n_to, cap_to;
	u64 *todo;		/* addresses to be read */
	size_t n_todo, cap_todo;
	s32 *seeds;		/* nodes that an indirect jump may lead to */
	size_t n_seeds;
	u64 window_at;
	size_t window_len;
	u8 window[FLOW_WINDOW];
	size_t applied;
	bool seeding;
	bool failed;		/* too long, or against itself */
	bool restart;
	bool is_cut;		/* a path was not followed */
	bool is_short;		/* what a path leads to could not be read */
};

/* ---- code_table.c */

/* Reads the table of the jump at @n. */
void flow_table(struct flow *f, struct node *n);
/* @addr is in the function; where no bounds are known, all are. */
bool flow_is_inside(const struct flow *f, u64 addr);

/* ---- code_read.c: what can be reached */

/* The instruction at @addr, or FLOW_NONE. */
s32 flow_find(const struct flow *f, u64 addr);
/* All that can be reached from @from. */
void flow_read(struct flow *f, u64 from);
/* Fills f->seeds. */
void flow_seeds(struct flow *f);
void flow_todo(struct flow *f, u64 what);
/* Paths meet at @node. */
void flow_head(struct flow *f, s32 node);
/* No bounds are known: tail calls are followed, and so is code after the last call. */
bool flow_is_free(const struct flow *f);
/* A jump that is followed. */
bool flow_is_followed(const struct flow *f, const struct code_insn *in);
/* To the next instruction, if that is in the same function. */
bool flow_falls_through(const struct flow *f, const struct code_insn *in);
/* What is done when @in is goes on with @next under the same condition: either both are, or neither is. */
bool flow_is_run(const struct code_insn *in, const struct code_insn *next);
/* Where the caller wants to know the state. */
bool flow_is_wanted(const struct flow *f, const struct code_insn *in);
/* Some jumps have unknown targets. */
bool flow_has_jumps(const struct flow *f);
