/* arches.h - the machines, for the list in arch.c. */
#pragma once

#include "arch/arch.h"
#include "base/util.h"

/* In a struct regset: its registers. */
#define REGS(table) .regs = (table), .n_regs = ARRAY_SIZE(table)
/* In a struct frame_abi: frames of signals; in a row of these: what is saved. */
#define SIGNALS(table) .signals = (table), .n_signals = ARRAY_SIZE(table)
#define SAVED_AT(reg_, off_) { .reg = (reg_), .n = 1, .off = (off_) }
/* In a row of these: stack_t of include/uapi/asm-generic/signal.h, ss_flags with its padding between. */
#define ALT_STACK(at, word) .alt_stack = (at), .alt_size = (at) + 2 * (word)
#define SAVED(table) .saved = (table), .n_saved = ARRAY_SIZE(table)

extern const struct arch arch_aarch64;
extern const struct arch arch_aarch64_be;
extern const struct arch arch_alpha;
extern const struct arch arch_arm;
extern const struct arch arch_armeb;
extern const struct arch arch_i386;
extern const struct arch arch_loongarch64;
extern const struct arch arch_m68k;
extern const struct arch arch_mips;
extern const struct arch arch_mipsel;
extern const struct arch arch_mipsn32;
extern const struct arch arch_mipsn32el;
extern const struct arch arch_mips64;
extern const struct arch arch_mips64el;
extern const struct arch arch_parisc;
extern const struct arch arch_ppc;
extern const struct arch arch_ppc64;
extern const struct arch arch_ppc64le;
extern const struct arch arch_riscv32;
extern const struct arch arch_riscv64;
extern const struct arch arch_s390;
extern const struct arch arch_s390x;
extern const struct arch arch_sparc;
extern const struct arch arch_sparc64;
extern const struct arch arch_x32;
extern const struct arch arch_x86_64;
