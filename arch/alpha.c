#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * Linux 6.12, arch/alpha/kernel/process.c: dump_elf_thread().  DWARF: gcc,
 * gcc/config/alpha/alpha.h: r0 to r30, f0 to f30 from 32, and pc where it says
 * DWARF_ALT_FRAME_RETURN_COLUMN, 64.  Names: Alpha Calling Standard.
 */
enum { RA = 26, SP = 30, PC = 31 };
#define R(n, name_) { name_, 8 * (n), 8, (n) }
static const struct reg gregs[] = {
	R(0, "v0"), R(1, "t0"), R(2, "t1"), R(3, "t2"), R(4, "t3"), R(5, "t4"), R(6, "t5"), R(7, "t6"),
	R(8, "t7"), R(9, "s0"), R(10, "s1"), R(11, "s2"), R(12, "s3"), R(13, "s4"), R(14, "s5"), R(15, "fp"),
	R(16, "a0"), R(17, "a1"), R(18, "a2"), R(19, "a3"), R(20, "a4"), R(21, "a5"), R(22, "t8"), R(23, "t9"),
	R(24, "t10"), R(25, "t11"), R(26, "ra"), R(27, "t12"), R(28, "at"), R(29, "gp"), R(30, "sp"),
	{ "pc", 248, 8, 64 }, { "unique", 256, 8, -1 },
};

/* Same file: dump_elf_task_fp(). */
#define F(n) { "f" #n, 8 * (n), 8, 32 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), { "fpcr", 248, 8, -1 },
};

static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 256, REGS(fpregs) },
};

/*
 * arch/alpha/kernel/signal.c: struct sigframe and rt_sigframe; struct sigcontext,
 * arch/alpha/include/uapi/asm/sigcontext.h.  The code is glibc's, or in the frame.
 */
static const struct saved_regs saved[] = { { .reg = 0, .n = 31, .off = 32 }, SAVED_AT(PC, 16) };
static const struct signal_frame signals[] = {
	/* mov $sp, $a0; ldi $v0, 103; callsys */
	{ "sigreturn", .code = { 0x10, 0x04, 0xfe, 0x47, 0x67, 0, 0x1f, 0x20, 0x83, 0, 0, 0 }, .code_len = 12,
	  .context = 0, .signo = -1, SAVED(saved), .where = CODE_ANYWHERE },
	/* mov $sp, $a0; ldi $v0, 351; callsys */
	{ "rt_sigreturn", .code = { 0x10, 0x04, 0xfe, 0x47, 0x5f, 0x01, 0x1f, 0x20, 0x83, 0, 0, 0 }, .code_len = 12,
	  .context = 176, SAVED(saved), .where = CODE_ANYWHERE, ALT_STACK(128 + 24, 8) },
};

const struct arch arch_alpha = {
	.name = "alpha",
	.machine = EM_ALPHA,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2LSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 264, REGS(gregs) },
	.pc = PC,
	.sp = SP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	/* Alpha Calling Standard, 2.1.6: s0 to s5, fp, sp; and gp, which a caller sets anew. */
	.frame = { .lr = RA, .kept = 0x6000fe00, SIGNALS(signals) },
};
