/* walk.h - from frame to frame: the unwinders, and where a stack begins. */
#pragma once

#include "unwind/frame/frame.h"

/* ---- the backends */

/*
 * Appends the frames from @r on, by tables only; the first one is @r itself and
 * was found by @by.  Ends with s->end, and @r as it is in the last frame.
 */
struct unwinder_ops {
	const char *name;
	/* What it needs of its own; NULL: nothing.  After an error is_open() is false, and it is not used. */
	int (*open)(struct unwind *u, struct err *e);
	bool (*is_open)(const struct unwind *u);
	int (*walk)(struct unwind *u, struct cpu_regs *r, enum frame_by by, struct stack *s, struct err *e);
};
extern const struct unwinder_ops unwinder_dw_ops;
extern const struct unwinder_ops unwinder_uw_ops;

void uw_close(struct uw *uw);

/* ---- next.c */

/*
 * Adds the frame @f, which is at @r and for which the table has @row or NULL: 1 when its caller is
 * to be looked for, 0 when s->end is set.
 */
int walk_add(struct unwind *u, struct stack *s, const struct frame *f, const struct cpu_regs *r, Dwarf_Frame *row,
	     struct err *e) must_check;

/* ---- called.c */

enum { RELOCATIONS_MAX = 1 << 26 };

/* ---- first.c */

/* It is the thread's first function: by the machine's convention, by where the program begins, or as makecontext(3) has it. */
bool step_is_first(struct unwind *u, const struct cpu_regs *r);
/* @pc is in the function at the program's entry point. */
bool step_is_entry(struct unwind *u, u64 pc, bool exact);
/*
 * The last frame of @s, which is at @r, is the first of its stack whatever a table says of it: s->end is set then.
 * @has_row: there is a row for the instruction before it.
 */
bool first_ends(struct unwind *u, const struct cpu_regs *r, bool has_row, struct stack *s);
