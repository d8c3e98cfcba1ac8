#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

#define R(n) { "r" #n, 4 * (n), 4, (n) }

/* struct pt_regs, Linux 6.12, arch/arm/include/uapi/asm/ptrace.h; DWARF: AADWARF32, section 4.1. */
enum { R0 = 0, R7 = 7, SP = 13, LR = 14, PC = 15, CPSR = 16 };
static const struct reg gregs[] = {
	R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10), R(11), R(12),
	{ "sp", 52, 4, 13 }, { "lr", 56, 4, 14 }, { "pc", 60, 4, 15 }, { "cpsr", 64, 4, -1 },
	{ "orig_r0", 68, 4, -1 },
};

/* struct user_fp, arch/arm/include/asm/user.h: the FPA, which hardly any machine has. */
#define F(n) { "f" #n, 12 * (n), 12, 96 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), { "fps", 96, 4, -1 }, { "fpc", 100, 4, -1 },
};

/* struct user_vfp, same file, without its end: arch/arm/include/asm/ptrace.h, ARM_VFPREGS_SIZE. */
#define D(n) { "d" #n, 8 * (n), 8, 256 + (n) }
static const struct reg vfp[] = {
	D(0), D(1), D(2), D(3), D(4), D(5), D(6), D(7), D(8), D(9), D(10), D(11), D(12), D(13), D(14),
	D(15), D(16), D(17), D(18), D(19), D(20), D(21), D(22), D(23), D(24), D(25), D(26), D(27), D(28),
	D(29), D(30), D(31), { "fpscr", 256, 4, -1 },
};

/*
 * The kernel's order: arch/arm/kernel/ptrace.c, arm_regsets[]; arm64's
 * aarch32_regsets[] has no FPA.  tls: arm64, for a tracer only, and gdb.
 */
static const struct reg tls[] = { { "tpidruro", 0, 4, -1 } };
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 116, REGS(fpregs) },
	{ .name = "vfp", .owner = "LINUX", .type = NT_ARM_VFP, .size = 260, REGS(vfp) },
	{ .name = "tls", .owner = "LINUX", .type = NT_ARM_TLS, .size = 4, REGS(tls) },
};

/* As for x86_64: arch/arm/tools/syscall.tbl.  There is no socketcall and no ipc in the EABI. */
static const u16 restartable[] = {
	3 /* read */, 4 /* write */, 145 /* readv */, 146 /* writev */, 177 /* rt_sigtimedwait */,
	187 /* sendfile */, 239 /* sendfile64 */, 245 /* io_getevents */, 252 /* epoll_wait */,
	276 /* mq_timedsend */, 277 /* mq_timedreceive */, 283 /* connect */, 285 /* accept */,
	289 /* send */, 290 /* sendto */, 291 /* recv */, 292 /* recvfrom */, 296 /* sendmsg */,
	297 /* recvmsg */, 298 /* semop */, 312 /* semtimedop */, 340 /* splice */, 346 /* epoll_pwait */,
	352 /* fallocate */, 365 /* recvmmsg */, 366 /* accept4 */, 374 /* sendmmsg */, 392 /* preadv2 */,
	393 /* pwritev2 */, 399 /* io_pgetevents */, 416 /* io_pgetevents_time64 */,
	417 /* recvmmsg_time64 */, 418 /* mq_timedsend_time64 */, 419 /* mq_timedreceive_time64 */,
	420 /* semtimedop_time64 */, 421 /* rt_sigtimedwait_time64 */, 426 /* io_uring_enter */,
	441 /* epoll_pwait2 */,
};
static const struct begun_call begun[] = {
	{ 252 /* epoll_wait */, TAKES_EPOLL }, { 346 /* epoll_pwait */, TAKES_EPOLL }, { 441 /* epoll_pwait2 */, TAKES_EPOLL },
	{ 3 /* read */, TAKES_SOCKET }, { 4 /* write */, TAKES_SOCKET }, { 145 /* readv */, TAKES_SOCKET },
	{ 146 /* writev */, TAKES_SOCKET }, { 283 /* connect */, TAKES_SOCKET }, { 285 /* accept */, TAKES_SOCKET },
	{ 289 /* send */, TAKES_SOCKET }, { 290 /* sendto */, TAKES_SOCKET }, { 291 /* recv */, TAKES_SOCKET },
	{ 292 /* recvfrom */, TAKES_SOCKET }, { 296 /* sendmsg */, TAKES_SOCKET }, { 297 /* recvmsg */, TAKES_SOCKET },
	{ 365 /* recvmmsg */, TAKES_SOCKET }, { 366 /* accept4 */, TAKES_SOCKET }, { 374 /* sendmmsg */, TAKES_SOCKET },
	{ 417 /* recvmmsg_time64 */, TAKES_SOCKET }, { 187 /* sendfile */, TAKES_SOCKET }, { 239 /* sendfile64 */, TAKES_SOCKET },
	{ 340 /* splice */, TAKES_SOCKET }, { 392 /* preadv2 */, TAKES_SOCKET }, { 393 /* pwritev2 */, TAKES_SOCKET },
	{ 426 /* io_uring_enter */, TAKES_RING }, { 245 /* io_getevents */, TAKES_AIO }, { 399 /* io_pgetevents */, TAKES_AIO },
	{ 416 /* io_pgetevents_time64 */, TAKES_AIO }, { 177 /* rt_sigtimedwait */, TAKES_VARIABLE },
	{ 421 /* rt_sigtimedwait_time64 */, TAKES_VARIABLE },
};
/* PSR_T_BIT: svc is of two bytes in Thumb code. */
enum { THUMB = 0x20 };

/*
 * arch/arm/kernel/signal.c: struct sigframe is a struct ucontext, whose struct
 * sigcontext begins at 20; in struct rt_sigframe a siginfo_t of 128 is before it.
 * Before v2.6.18 there was no ucontext: not for us.  uc_stack, at 8, is set in the latter
 * alone; the former has a number for uc_flags that distinguishes it from older frames: setup_frame(),
 * and arch/arm64/kernel/signal32.c: compat_setup_frame().
 */
enum { SIGFRAME = 20, RT_SIGFRAME = 128 + SIGFRAME };
static const struct saved_regs saved[] = { { .reg = R0, .n = CPSR + 1, .off = 12 } };
#define FORM(name_, context_, signo_, ...) { \
	.name = (name_), .code = { __VA_ARGS__ }, .code_len = sizeof((const u8[]){ __VA_ARGS__ }), \
	.context = (context_), .signo = (signo_), SAVED(saved), \
	.magic = (context_) == SIGFRAME ? 0x5ac3c35a : 0, \
	.alt_stack = (context_) == SIGFRAME ? 0 : 128 + 8, .alt_size = (context_) == SIGFRAME ? 0 : 128 + 16 }
/*
 * The kernel's own (arch/arm/kernel/sigreturn_codes.S; for programs on arm64
 * arch/arm64/kernel/vdso32/sigreturn.S has the same but the call's number in the old ABI) and
 * glibc's, which in Thumb code has the wide mov.  Code is little-endian on armeb,
 * too, since BE8; before it, as data.
 */
static const struct signal_frame signals[] = {
	/* mov r7, #119; svc #0, and svc #0x900077 */
	FORM("sigreturn", SIGFRAME, -1, 0x77, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef),
	FORM("sigreturn", SIGFRAME, -1, 0x77, 0x70, 0xa0, 0xe3, 0x77, 0, 0x90, 0xef),
	FORM("sigreturn", SIGFRAME, -1, 0xe3, 0xa0, 0x70, 0x77, 0xef, 0, 0, 0),
	FORM("sigreturn", SIGFRAME, -1, 0xe3, 0xa0, 0x70, 0x77, 0xef, 0x90, 0, 0x77),
	/* movs r7, #119; svc #0, and with mov.w */
	FORM("sigreturn", SIGFRAME, -1, 0x77, 0x27, 0, 0xdf),
	FORM("sigreturn", SIGFRAME, -1, 0x4f, 0xf0, 0x77, 0x07, 0, 0xdf),
	/* The same with 173. */
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0xad, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef),
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0xad, 0x70, 0xa0, 0xe3, 0xad, 0, 0x90, 0xef),
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0xe3, 0xa0, 0x70, 0xad, 0xef, 0, 0, 0),
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0xe3, 0xa0, 0x70, 0xad, 0xef, 0x90, 0, 0xad),
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0xad, 0x27, 0, 0xdf),
	FORM("rt_sigreturn", RT_SIGFRAME, 0, 0x4f, 0xf0, 0xad, 0x07, 0, 0xdf),
};

/* r0 as on arm64; orig_r0 keeps the first argument, too, but not whether there was a call. */
#define ARM(name_, data_) { \
	.name = (name_), \
	.machine = EM_ARM, \
	.fmt = { .class = ELFCLASS32, .data = (data_) }, \
	.word = 4, \
	.ugid_size = 2, \
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 72, REGS(gregs) }, \
	.pc = PC, \
	.sp = SP, \
	.sets = sets, \
	.n_sets = ARRAY_SIZE(sets), \
	/* AAPCS32, 6.1.2.1 (2020Q4 on) has a frame chain, but compilers have others, and in Thumb code none. */ \
	.frame = { .known = true, .fp = -1, .lr = LR, .lr_is_scratch = true, .ret_mode = 1, SIGNALS(signals) }, \
	.syscall = { .insn_len = 4, .insn = 0xef000000 /* svc #0 */, \
		     .mode_reg = CPSR, .mode_mask = THUMB, .mode_insn_len = 2, .mode_insn = 0xdf00, \
		     .nr_reg = R7, .ret_reg = R0, .orig_reg = -1, \
		     .args = { R0, R0 + 1, R0 + 2, R0 + 3, R0 + 4, R0 + 5 }, .futex = { 240, 422 }, \
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable), \
		     .begun = begun, .n_begun = ARRAY_SIZE(begun) }, \
}

const struct arch arch_arm = ARM("arm", ELFDATA2LSB);
const struct arch arch_armeb = ARM("armeb", ELFDATA2MSB);
