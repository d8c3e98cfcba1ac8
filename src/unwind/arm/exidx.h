/* exidx.h - 32-bit Arm's tables for exceptions, .ARM.exidx and .ARM.extab. */
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

/* DWARF's numbers of the registers are the machine's. */
enum { ARM_R4 = 4, ARM_SP = 13, ARM_LR = 14, ARM_PC = 15 };
