#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * struct user_regs_struct, Linux 6.12, arch/m68k/include/asm/user.h, and
 * ELF_CORE_COPY_REGS in elf.h there.  DWARF: gcc, gcc/config/m68k/m68k.h, as the
 * System V ABI m68k supplement says nothing: d0 to d7, a0 to a7, fp0 to fp7, pc.
 */
enum { D1 = 0, A0 = 7, A1 = 8, FP = 13, D0 = 14, SP = 15, PC = 18 };
#define R(i, name_, dwarf) { name_, 4 * (i), 4, (dwarf) }
static const struct reg gregs[] = {
	R(0, "d1", 1), R(1, "d2", 2), R(2, "d3", 3), R(3, "d4", 4), R(4, "d5", 5), R(5, "d6", 6), R(6, "d7", 7),
	R(7, "a0", 8), R(8, "a1", 9), R(9, "a2", 10), R(10, "a3", 11), R(11, "a4", 12), R(12, "a5", 13),
	R(13, "fp", 14), R(14, "d0", 0), R(15, "sp", 15), R(16, "orig_d0", -1), R(17, "sr", -1), R(18, "pc", 24),
	R(19, "fmtvec", -1),
};

/* struct user_m68kfp_struct, same file: a float's 96 bits have 16 unused ones after the exponent. */
#define F(n) { "fp" #n, 12 * (n), 12, 16 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), { "fpcr", 96, 4, -1 }, { "fpsr", 100, 4, -1 },
	{ "fpiar", 104, 4, -1 },
};

static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 108, REGS(fpregs) },
};

/*
 * arch/m68k/kernel/signal.c: struct sigframe and rt_sigframe, without the return
 * address; struct sigcontext, arch/m68k/include/uapi/asm/sigcontext.h, which has
 * only what a call may change; gregs of struct mcontext, asm/ucontext.h.
 */
static const struct saved_regs sigcontext[] = {
	SAVED_AT(SP, 4), SAVED_AT(D0, 8), SAVED_AT(D1, 12), SAVED_AT(A0, 16), SAVED_AT(A1, 20), SAVED_AT(PC, 26),
};
static const struct saved_regs mcontext[] = {
	SAVED_AT(D0, 0), { .reg = D1, .n = 7, .off = 4 }, { .reg = A0, .n = 7, .off = 32 }, SAVED_AT(SP, 60),
	SAVED_AT(PC, 64),
};
static const struct signal_frame signals[] = {
	/* moveq #119, %d0; trap #0.  QEMU has it elsewhere since 6.2, and then no room for it in the frame. */
	{ "sigreturn", .code = { 0x70, 0x77, 0x4e, 0x40 }, .code_len = 4, .context = 24, SAVED(sigcontext),
	  .where = CODE_IN_FRAME, .rest_kept = true },
	{ "sigreturn of QEMU", .code = { 0x70, 0x77, 0x4e, 0x40 }, .code_len = 4, .context = 16, SAVED(sigcontext),
	  .rest_kept = true },
	/* moveq #~173, %d0; not.b %d0; trap #0 */
	{ "rt_sigreturn", .code = { 0x70, 0x52, 0x46, 0, 0x4e, 0x40 }, .code_len = 6, .context = 172, SAVED(mcontext),
	  .where = CODE_IN_FRAME, ALT_STACK(156, 4) },
	{ "rt_sigreturn of QEMU", .code = { 0x70, 0x52, 0x46, 0, 0x4e, 0x40 }, .code_len = 6, .context = 164,
	  SAVED(mcontext), ALT_STACK(148, 4) },
	/* ColdFire: move.l #173, %d0; trap #0 */
	{ "rt_sigreturn of ColdFire", .code = { 0x20, 0x3c, 0, 0, 0, 0xad, 0x4e, 0x40 }, .code_len = 8, .context = 172,
	  SAVED(mcontext), .where = CODE_IN_FRAME, ALT_STACK(156, 4) },
};

const struct arch arch_m68k = {
	.name = "m68k",
	.machine = EM_68K,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2MSB },
	.word = 4,
	.ugid_size = 2,
	.max_align = 2,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 80, REGS(gregs) },
	.pc = PC,
	.sp = SP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	/* System V ABI m68k supplement, "The Stack Frame": link pushes %fp after the return address. */
	.frame = { .known = true, .fp = FP, .lr = -1, .saved_fp = 0, .saved_ret = 1, .caller_sp = 2, SIGNALS(signals) },
};
