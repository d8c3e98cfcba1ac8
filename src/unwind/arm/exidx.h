/* exidx.h - 32-bit Arm's tables for exceptions, .ARM.exidx and .ARM.extab, and the code that they are short of. */
#pragma once

#include "unwind/arm/arm.h"

/*
 * "EHABI" in what follows: Exception Handling ABI for the Arm Architecture,
 * IHI 0038, 2023Q3.
 */

/* The longest description: a byte counts further words of four (EHABI, 7.2 and 9.3). */
enum { EXIDX_OPS_MAX = 3 + 255 * 4 };

/* What the table says of the function at an address. */
struct exidx {
	u64 start;	/* what the entry is for; the linker makes one of equal ones in a row */
	u64 end;	/* the next entry's start, or UINT64_MAX */
	bool cantunwind;
	u8 ops[EXIDX_OPS_MAX];
	size_t n_ops;
};

/* The entry for @at; false when there is no readable one. */
bool exidx_find(struct unwind *u, u64 at, struct exidx *out);
/* The entry for @at in the @n entries at @table; for exidx_find(). */
bool exidx_search(struct unwind *u, u64 table, u64 n, u64 at, struct exidx *out);

/* Does what the description says: from @r to its caller.  False, and @r as it was, when that cannot be. */
bool exidx_run(struct unwind *u, const u8 *ops, size_t n, struct cpu_regs *r);

/*
 * What the code from @start to @pc did, found by following it: armwalk.c.
 * @after_call: @pc is the address after a call, else the next instruction to run.
 */
struct walk_ask {
	u32 start, end;		/* of the function */
	u32 pc;
	bool thumb;
	bool swapped;		/* instructions are big-endian */
	bool after_call;
};
enum walk_result {
	WALK_FOUND,		/* *r is the caller's */
	WALK_NO_RETURN,		/* the return address is kept nowhere: there is no caller */
	WALK_LOST,		/* the code cannot be followed so far */
};
enum walk_result arm_walk(struct unwind *u, const struct walk_ask *ask, struct cpu_regs *r);
/* An instruction of a kind that a call is one of could be before @pc. */
bool arm_is_after_call(struct unwind *u, u32 pc, bool thumb, bool swapped);

/* DWARF's numbers of the registers are the machine's. */
enum { ARM_R4 = 4, ARM_SP = 13, ARM_LR = 14, ARM_PC = 15 };
