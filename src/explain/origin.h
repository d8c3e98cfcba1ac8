/* origin.h - which function has returned the value that an instruction uses. */
#pragma once

#include "explain/crash.h"

/* A value that a register has at an instruction. */
struct origin {
	char function[64];	/* that has returned it, without what libraries put before its name: "malloc", not "__libc_malloc" */
	u64 call;		/* where it returned to */
	bool is_tested;		/* a conditional jump is between */
};

/*
 * By the code before @pc, of which frame @frame is: the register @reg, a whole one of x86-64's, has what one of the
 * functions @names returned, perhaps with a number added.  That the code came by the call is likely and no more: a jump
 * may lead to after it.
 */
bool origin_find(struct crash *c, u64 pc, const char *reg, const char *const names[], size_t n, struct origin *out);
