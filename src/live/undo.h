/*
 * undo.h - what puts a thread's registers back if we die while it makes a call for us: it returns from a signal that never came.
 *
 * Where the first thread stands still, too, a frame as the kernel makes it for a signal's handler is written below its
 * stack pointer, where a handler's would be: nothing there is in use.  The thread makes its call with the stack pointer
 * at that frame, and goes on at code that calls rt_sigreturn(2).  Then it makes its own call once more, and runs on.
 * A process that the call makes has a frame of its own, by which it ends.
 */
#pragma once

#include "live/area.h"
#include "live/target.h"

struct undo {
	u64 pc;		/* of code that calls rt_sigreturn(2); 0: there is no way back, and all else is unused */
	u64 end;	/* of that code, whose last instruction is the call */
	u64 sp;		/* with which it is called */
	u64 child_sp;
	u64 addr;	/* what was there before */
	u8 *saved;
	size_t len;
};

/* Where the target has such code; 0: it is not known. */
u64 undo_find_code(const struct target *t, const struct areas *areas);

/*
 * @regs: with which @th is to go on, in the form of t->arch.  @code as undo_find_code() gave it, @ender is a system
 * call instruction in the target.  u->pc is 0 if there is no place for it.
 */
void undo_begin(struct undo *u, const struct target *t, const struct thread *th, const u8 *regs, u64 code, u64 ender);

/* When the registers are back: so is the memory.  Accepts a zeroed one. */
void undo_end(struct undo *u, const struct target *t);
