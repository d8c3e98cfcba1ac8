/* code.h - what the code of a function says of its frame, for machines of the table in code.c. */
#pragma once

#include "unwind/frame/frame.h"

/* Goes to the caller of @r by reading the code. */
bool step_code(struct unwind *u, struct cpu_regs *r);
/*
 * The code before @ret calls the function at @start itself, perhaps through an entry
 * of a procedure linkage table; or nothing is left of what it called.
 */
bool code_call_is_plain(struct unwind *u, u64 ret, u64 start);
/* False when the code can be read and there is no call before @ret. */
bool code_is_after_call(struct unwind *u, u64 ret);
/* All paths from @pc on could be read, and none leads to a return or to an unknown target. */
bool code_never_returns(struct unwind *u, u64 pc);
/* Before each thread. */
void code_refill(struct code_reader *c);
void code_close(struct code_reader *c);
/* What could not be done, as a sentence; or NULL. */
const char *code_left_out(const struct code_reader *c);
