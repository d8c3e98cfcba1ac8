/* calls.h - what calls what, by the debug information; and frames of functions that are gone by a tail call. */
#pragma once

#include "unwind/code/code.h"

enum { CALL_DIES_MAX = 1 << 26 };

/* ---- calls.c: DW_TAG_call_site (DWARF 5, 3.4), or GNU's of before; functions go by the address where they begin */

enum { CALL_TARGETS_MAX = 4 };
struct call_site {
	u64 pc;			/* the address after the call, or @exact: of the call itself */
	bool exact;
	bool is_known;		/* it calls one of the @targets, nothing else */
	u8 n;
	u64 targets[CALL_TARGETS_MAX];
};
/* Where the function that has the code at @at begins, by the debug information; false when it is not there. */
bool call_function(struct unwind *u, u64 at, u64 *start);
/* A frame that waits for a call: its registers, and the row for them, or NULL. */
struct call_frame {
	const struct cpu_regs *r;
	Dwarf_Frame *row;
};
/*
 * The call that returns to f->r->pc; false when debug information has none.  @below: the
 * function that it led to, at last: its module is asked first for a name that this
 * one does not have.
 */
bool call_before_pc(struct unwind *u, const struct call_frame *f, u64 below, struct call_site *out);
/*
 * Calls @fn for each tail call in the function at @start; not 0 ends.  True when
 * these are all that it has.
 */
typedef int call_fn(const struct call_site *s, void *arg);
bool call_tails(struct unwind *u, u64 start, u64 below, call_fn *fn, void *arg);

/* ---- tailcall.c */

/*
 * Appends @f, with its registers @r and its @row or NULL, to @s, after the tail calls
 * that must be between.
 */
int tailcall_add(struct unwind *u, struct stack *s, const struct frame *f, const struct cpu_regs *r, Dwarf_Frame *row,
		 struct err *e) must_check;
void calls_free(struct call_memo *memos);
void tailcall_free(struct tail_memo *memos);
