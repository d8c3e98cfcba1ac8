/* code.h - what the code of a function says of its frame, for machines of the table in code.c. */
#pragma once

#include "unwind/frame/frame.h"

/* Goes to the caller of @r by reading the code. */
bool step_code(struct unwind *u, struct cpu_regs *r);
/* To the caller of @r by what the code does from @start on, where its function begins, to pc, and by nothing else. */
enum code_step {
	CODE_FOUND,
	CODE_NO_CALLER,	/* the return address is kept nowhere */
	CODE_LOST,	/* the code cannot be followed so far */
};
enum code_step step_code_from(struct unwind *u, u64 start, u64 end /* or 0 */, struct cpu_regs *r);
/*
 * The code before @caller's pc calls the function at @start itself, perhaps through an entry
 * of a procedure linkage table; or nothing is left of what it called.
 */
bool code_call_is_plain(struct unwind *u, const struct cpu_regs *caller, u64 start);
/*
 * Where the call that returns to @ret_pc leads, as the code says: to @start, 0 if not known; by the word at @slot, which a
 * dynamic linker fills in, or 0.
 */
bool code_called(struct unwind *u, u64 ret_pc, u64 *start, u64 *slot);
/* False when the code can be read and there is no call before @caller's pc. */
bool code_is_after_call(struct unwind *u, const struct cpu_regs *caller);
/* The code can be read, and a call is before @caller's pc. */
bool code_has_call(struct unwind *u, const struct cpu_regs *caller);
/* All paths from @r's pc on could be read, and none leads to a return or to an unknown target. */
bool code_never_returns(struct unwind *u, const struct cpu_regs *r);
/* Before each thread. */
void code_refill(struct code_reader *c);
void code_close(struct code_reader *c);
/* What could not be done, as a sentence; or NULL. */
const char *code_left_out(const struct code_reader *c);
