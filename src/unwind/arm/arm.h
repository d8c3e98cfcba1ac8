/* arm.h - a step by 32-bit Arm's own tables, and by its code where those say too little. */
#pragma once

#include "unwind/frame/frame.h"

/*
 * As cfi_step(), by 32-bit Arm's tables for exceptions; CFI_NO_TABLE when they have no
 * entry for it.  *by is how the caller was found.
 */
enum cfi_step exidx_step(struct unwind *u, const struct frame *f, struct cpu_regs *r, enum frame_by *by);
