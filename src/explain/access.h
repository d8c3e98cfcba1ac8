/* access.h - the instruction that faulted, by machine. */
#pragma once

#include "explain/crash.h"
#include "unwind/code/capstone.h"

/* Fills c->access from the instruction that capstone has decoded; false where no operand fits the address. */
bool access_x86(struct crash *c, const struct capstone *cs);
/* An instruction of AVX-512, which capstone 4 knows only in part; only by an address that the kernel gives. */
bool access_evex(struct crash *c, const u8 *code, size_t len);
bool access_arm64(struct crash *c, const struct capstone *cs);
/* The same from the instruction's bits alone, which capstone may not know. */
bool access_arm64_bits(struct crash *c, u32 insn);
