#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * struct user_pt_regs, Linux 6.12, arch/loongarch/include/uapi/asm/ptrace.h, in
 * room for 45 (ELF_NGREG).  DWARF: LoongArch ABIs 2.30, "DWARF register numbers".
 */
enum { RA = 1, SP = 3, FP = 22, PC = 33 };
#define R(n) { "r" #n, 8 * (n), 8, (n) }
static const struct reg gregs[] = {
	R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10), R(11), R(12), R(13), R(14),
	R(15), R(16), R(17), R(18), R(19), R(20), R(21), R(22), R(23), R(24), R(25), R(26), R(27), R(28),
	R(29), R(30), R(31), { "orig_a0", 256, 8, -1 }, { "pc", 264, 8, -1 }, { "badv", 272, 8, -1 },
};

/* struct user_fp_state, same file. */
#define F(n) { "f" #n, 8 * (n), 8, 32 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), F(31), { "fcc", 256, 8, -1 }, { "fcsr", 264, 4, -1 },
};

/* struct user_lsx_state, user_lasx_state, user_lbt_state, user_watch_state, same file. */
#define VR(n) { "vr" #n, 16 * (n), 16, -1 }
static const struct reg lsx[] = {
	VR(0), VR(1), VR(2), VR(3), VR(4), VR(5), VR(6), VR(7), VR(8), VR(9), VR(10), VR(11), VR(12),
	VR(13), VR(14), VR(15), VR(16), VR(17), VR(18), VR(19), VR(20), VR(21), VR(22), VR(23), VR(24),
	VR(25), VR(26), VR(27), VR(28), VR(29), VR(30), VR(31),
};
#define XR(n) { "xr" #n, 32 * (n), 32, -1 }
static const struct reg lasx[] = {
	XR(0), XR(1), XR(2), XR(3), XR(4), XR(5), XR(6), XR(7), XR(8), XR(9), XR(10), XR(11), XR(12),
	XR(13), XR(14), XR(15), XR(16), XR(17), XR(18), XR(19), XR(20), XR(21), XR(22), XR(23), XR(24),
	XR(25), XR(26), XR(27), XR(28), XR(29), XR(30), XR(31),
};
static const struct reg lbt[] = {
	{ "scr0", 0, 8, -1 }, { "scr1", 8, 8, -1 }, { "scr2", 16, 8, -1 }, { "scr3", 24, 8, -1 },
	{ "eflags", 32, 4, -1 }, { "ftop", 36, 4, -1 },
};
#define SLOT(n) \
	{ "addr" #n, 8 + 24 * (n), 8, -1 }, { "mask" #n, 16 + 24 * (n), 8, -1 }, { "ctrl" #n, 24 + 24 * (n), 4, -1 }
static const struct reg debug[] = {
	{ "info", 0, 8, -1 }, SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5), SLOT(6), SLOT(7),
	SLOT(8), SLOT(9), SLOT(10), SLOT(11), SLOT(12), SLOT(13),
};

/*
 * The kernel's order: arch/loongarch/kernel/ptrace.c, enum loongarch_regset.
 * Breakpoints are 8, and 14 since v6.13.
 */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 268, REGS(fpregs) },
	{ .name = "cpucfg", .owner = "LINUX", .type = NT_LOONGARCH_CPUCFG },
	{ .name = "lsx", .owner = "LINUX", .type = NT_LOONGARCH_LSX, .size = 512, REGS(lsx) },
	{ .name = "lasx", .owner = "LINUX", .type = NT_LOONGARCH_LASX, .size = 1024, REGS(lasx) },
	{ .name = "lbt", .owner = "LINUX", .type = NT_LOONGARCH_LBT, .size = 40, REGS(lbt) },
	{ .name = "hw_break", .owner = "LINUX", .type = NT_LOONGARCH_HW_BREAK, REGS(debug) },
	{ .name = "hw_watch", .owner = "LINUX", .type = NT_LOONGARCH_HW_WATCH, REGS(debug) },
	{ .name = "csr", .owner = "LINUX", .type = NT_LOONGARCH_CSR },
};

/* arch/loongarch/kernel/signal.c: struct rt_sigframe; sc_pc and sc_regs of struct sigcontext, asm/sigcontext.h. */
static const struct saved_regs saved[] = { { .reg = 0, .n = 32, .off = 8 }, SAVED_AT(PC, 0) };
static const struct signal_frame signals[] = {
	/* The vdso's: li.w $a7, 139; syscall 0 */
	{ "rt_sigreturn", .code = { 0x0b, 0x2c, 0x82, 0x03, 0, 0, 0x2b, 0 }, .code_len = 8, .context = 128 + 176,
	  SAVED(saved), ALT_STACK(128 + 16, 8) },
};

const struct arch arch_loongarch64 = {
	.name = "loongarch64",
	.machine = EM_LOONGARCH,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2LSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 360, REGS(gregs) },
	.pc = PC,
	.sp = SP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	/* LoongArch psABI: the frame record is below fp; calls keep tp, sp, fp and s0 to s8. */
	.frame = { .known = true, .fp = FP, .lr = RA, .saved_fp = -2, .saved_ret = -1, .caller_sp = 0,
		   .kept = 0xffc0000c, SIGNALS(signals) },
};
