#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * s390_regs, Linux 6.12, arch/s390/include/uapi/asm/ptrace.h, and s390_compat_regs,
 * arch/s390/include/asm/compat.h: the PSW, general and (always 32-bit) access
 * registers, and the first argument of a system call.  DWARF: s390x ELF ABI
 * Supplement 1.6.1, "DWARF register numbers".
 */
enum { PSWA = 1, R14 = 2 + 14, SP = 2 + 15, ACR0 = 18, FPR0 = 1 };
#define R(w, n) { "r" #n, 2 * (w) + (w) * (n), (w), (n) }
#define A(w, n) { "acr" #n, 18 * (w) + 4 * (n), 4, 48 + (n) }
#define GREGS(w) \
	{ "pswm", 0, (w), 64 }, { "pswa", (w), (w), 65 }, \
	R(w, 0), R(w, 1), R(w, 2), R(w, 3), R(w, 4), R(w, 5), R(w, 6), R(w, 7), R(w, 8), R(w, 9), R(w, 10), \
	R(w, 11), R(w, 12), R(w, 13), R(w, 14), R(w, 15), \
	A(w, 0), A(w, 1), A(w, 2), A(w, 3), A(w, 4), A(w, 5), A(w, 6), A(w, 7), A(w, 8), A(w, 9), A(w, 10), \
	A(w, 11), A(w, 12), A(w, 13), A(w, 14), A(w, 15), { "orig_r2", 18 * (w) + 64, (w), -1 }
static const struct reg gregs64[] = { GREGS(8) };
static const struct reg gregs31[] = { GREGS(4) };

/* s390_fp_regs, arch/s390/include/uapi/asm/ptrace.h. */
#define F(n, dwarf) { "f" #n, 8 + 8 * (n), 8, (dwarf) }
static const struct reg fpregs[] = {
	{ "fpc", 0, 4, -1 }, F(0, 16), F(1, 20), F(2, 17), F(3, 21), F(4, 18), F(5, 22), F(6, 19), F(7, 23),
	F(8, 24), F(9, 28), F(10, 25), F(11, 29), F(12, 26), F(13, 30), F(14, 27), F(15, 31),
};

static const struct reg system_call[] = { { "system_call", 0, 4, -1 } };
static const struct reg last_break[] = { { "last_break", 0, 8, -1 } };

/* v0 to v15 are f0 to f15 and these. */
#define L(n) { "v" #n "l", 8 * (n), 8, -1 }
static const struct reg vxrs_low[] = {
	L(0), L(1), L(2), L(3), L(4), L(5), L(6), L(7), L(8), L(9), L(10), L(11), L(12), L(13), L(14), L(15),
};
#define V(n, dwarf) { "v" #n, 16 * ((n) - 16), 16, (dwarf) }
static const struct reg vxrs_high[] = {
	V(16, 68), V(17, 72), V(18, 69), V(19, 73), V(20, 70), V(21, 74), V(22, 71), V(23, 75),
	V(24, 76), V(25, 80), V(26, 77), V(27, 81), V(28, 78), V(29, 82), V(30, 79), V(31, 83),
};

/* struct gs_cb, arch/s390/include/uapi/asm/guarded_storage.h. */
static const struct reg gs[] = {
	{ "reserved", 0, 8, -1 }, { "gsd", 8, 8, -1 }, { "gssm", 16, 8, -1 }, { "gsepla", 24, 8, -1 },
};

/* s390_compat_regs_high: the upper halves of the general registers of a 31-bit process. */
#define U(n) { "r" #n "h", 4 * (n), 4, -1 }
static const struct reg high_gprs[] = {
	U(0), U(1), U(2), U(3), U(4), U(5), U(6), U(7), U(8), U(9), U(10), U(11), U(12), U(13), U(14), U(15),
};

/* The kernel's order: arch/s390/kernel/ptrace.c, s390_regsets[]. */
#define SETS \
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 136, REGS(fpregs) }, \
	{ .name = "system_call", .owner = "LINUX", .type = NT_S390_SYSTEM_CALL, .size = 4, REGS(system_call) }, \
	{ .name = "last_break", .owner = "LINUX", .type = NT_S390_LAST_BREAK, .size = 8, REGS(last_break) }, \
	{ .name = "tdb", .owner = "LINUX", .type = NT_S390_TDB, .size = 256 }, \
	{ .name = "vxrs_low", .owner = "LINUX", .type = NT_S390_VXRS_LOW, .size = 128, REGS(vxrs_low) }, \
	{ .name = "vxrs_high", .owner = "LINUX", .type = NT_S390_VXRS_HIGH, .size = 256, REGS(vxrs_high) }, \
	{ .name = "gs_cb", .owner = "LINUX", .type = NT_S390_GS_CB, .size = 32, REGS(gs) }, \
	{ .name = "gs_bc", .owner = "LINUX", .type = NT_S390_GS_BC, .size = 32, REGS(gs) }, \
	{ .name = "ri_cb", .owner = "LINUX", .type = NT_S390_RI_CB, .size = 64 }
static const struct regset sets64[] = { SETS };
static const struct regset sets31[] = {
	SETS, { .name = "high_gprs", .owner = "LINUX", .type = NT_S390_HIGH_GPRS, .size = 64, REGS(high_gprs) },
};

/*
 * arch/s390/kernel/signal.c: struct sigframe and rt_sigframe; _sigregs in them,
 * arch/s390/include/uapi/asm/sigcontext.h: PSW, general, access and floating-point
 * registers.
 * compat_signal.c has the same with 32-bit members.
 */
static const struct saved_regs saved64[] = {
	{ .reg = 0, .n = ACR0 }, { .reg = ACR0, .n = 16, .off = 144, .size = 4 },
	{ .set = &sets64[0], .reg = FPR0, .n = 16, .off = 216, .size = 8 },
};
static const struct saved_regs saved31[] = {
	{ .reg = 0, .n = ACR0 + 16 }, { .set = &sets31[0], .reg = FPR0, .n = 16, .off = 144, .size = 8 },
};
#define SIGNALS_OF(sigreturn_, sregs_, rt_info_, rt_sigreturn_, saved_, w) \
	/* svc 119; svc 173 */ \
	{ "sigreturn", .code = { 0x0a, 0x77 }, .code_len = 2, .context = (sigreturn_), .signo = (sigreturn_) + (sregs_), \
	  SAVED(saved_), .where = CODE_ANYWHERE }, \
	{ "rt_sigreturn", .code = { 0x0a, 0xad }, .code_len = 2, .context = (rt_sigreturn_), .signo = (rt_info_), \
	  SAVED(saved_), .where = CODE_ANYWHERE, ALT_STACK((rt_info_) + 128 + 2 * (w), (w)) }
static const struct signal_frame signals64[] = { SIGNALS_OF(160 + 16, 344, 160 + 8, 160 + 8 + 128 + 40, saved64, 8) };
static const struct signal_frame signals31[] = { SIGNALS_OF(96 + 16, 272, 96 + 8, 96 + 8 + 128 + 24, saved31, 4) };

const struct arch arch_s390x = {
	.name = "s390x",
	.machine = EM_S390,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2MSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 216, REGS(gregs64) },
	.pc = PSWA,
	.sp = SP,
	.sets = sets64,
	.n_sets = ARRAY_SIZE(sets64),
	/* ELF ABI s390x Supplement, 1.2.2: the CFA is above the register save area. */
	.frame = { .lr = R14, .fp_saves = true, .cfa_above_sp = 160, SIGNALS(signals64) },
};

/* The PSW is aligned to 8; bit 31 of its address is the addressing mode. */
const struct arch arch_s390 = {
	.name = "s390",
	.machine = EM_S390,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2MSB },
	.word = 4,
	.ugid_size = 2,
	.regs_align = 8,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 144, REGS(gregs31) },
	.pc = PSWA,
	.sp = SP,
	.pc_mask = 0x7fffffff,
	.sets = sets31,
	.n_sets = ARRAY_SIZE(sets31),
	.frame = { .lr = R14, .fp_saves = true, .cfa_above_sp = 96, SIGNALS(signals31) },
};
