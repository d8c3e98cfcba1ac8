#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

#define X(n) { "x" #n, 8 * (n), 8, (n) }

/* struct user_pt_regs, Linux 6.12, arch/arm64/include/uapi/asm/ptrace.h; DWARF: AADWARF64, section 4.1. */
enum { X0 = 0, X8 = 8, X29 = 29, X30 = 30, SP = 31, PC = 32, PSTATE = 33 };
static const struct reg gregs[] = {
	X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14),
	X(15), X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28),
	X(29), X(30), { "sp", 248, 8, 31 }, { "pc", 256, 8, 32 }, { "pstate", 264, 8, -1 },
};

/* struct user_fpsimd_state, same file. */
#define V(n) { "v" #n, 16 * (n), 16, 64 + (n) }
static const struct reg fpregs[] = {
	V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13), V(14),
	V(15), V(16), V(17), V(18), V(19), V(20), V(21), V(22), V(23), V(24), V(25), V(26), V(27), V(28),
	V(29), V(30), V(31), { "fpsr", 512, 4, -1 }, { "fpcr", 516, 4, -1 },
};
static const struct reg tls[] = { { "tpidr", 0, 8, -1 }, { "tpidr2", 8, 8, -1 } };
/* struct user_hwdebug_state, same file; the kernel has 16 slots. */
#define SLOT(n) { "addr" #n, 8 + 16 * (n), 8, -1 }, { "ctrl" #n, 16 + 16 * (n), 4, -1 }
static const struct reg debug[] = {
	{ "info", 0, 4, -1 }, SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5), SLOT(6), SLOT(7),
	SLOT(8), SLOT(9), SLOT(10), SLOT(11), SLOT(12), SLOT(13), SLOT(14), SLOT(15),
};
static const struct reg system_call[] = { { "system_call", 0, 4, -1 } };
static const struct reg fpmr[] = { { "fpmr", 0, 8, -1 } };
/* struct user_sve_header, and user_za_header: the registers after it depend on flags and vector length. */
static const struct reg sve[] = {
	{ "size", 0, 4, -1 }, { "max_size", 4, 4, -1 }, { "vl", 8, 2, -1 }, { "max_vl", 10, 2, -1 },
	{ "flags", 12, 2, -1 },
};
static const struct reg zt[] = { { "zt0", 0, 64, -1 } };
static const struct reg pac_mask[] = { { "data_mask", 0, 8, -1 }, { "insn_mask", 8, 8, -1 } };
static const struct reg pac_enabled_keys[] = { { "enabled_keys", 0, 8, -1 } };
static const struct reg paca_keys[] = {
	{ "apiakey", 0, 16, -1 }, { "apibkey", 16, 16, -1 }, { "apdakey", 32, 16, -1 }, { "apdbkey", 48, 16, -1 },
};
static const struct reg pacg_keys[] = { { "apgakey", 0, 16, -1 } };
static const struct reg tagged_addr_ctrl[] = { { "tagged_addr_ctrl", 0, 8, -1 } };
static const struct reg poe[] = { { "por_el0", 0, 8, -1 } };
static const struct reg gcs[] = {
	{ "features_enabled", 0, 8, -1 }, { "features_locked", 8, 8, -1 }, { "gcspr_el0", 16, 8, -1 },
};

/* The kernel's order: arch/arm64/kernel/ptrace.c, enum aarch64_regset. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 528, REGS(fpregs) },
	{ .name = "tls", .owner = "LINUX", .type = NT_ARM_TLS, REGS(tls) },
	{ .name = "hw_break", .owner = "LINUX", .type = NT_ARM_HW_BREAK, .size = 264, REGS(debug) },
	{ .name = "hw_watch", .owner = "LINUX", .type = NT_ARM_HW_WATCH, .size = 264, REGS(debug) },
	{ .name = "fpmr", .owner = "LINUX", .type = NT_ARM_FPMR, .size = 8, REGS(fpmr) },
	{ .name = "system_call", .owner = "LINUX", .type = NT_ARM_SYSTEM_CALL, .size = 4, REGS(system_call) },
	{ .name = "sve", .owner = "LINUX", .type = NT_ARM_SVE, .sized = true, REGS(sve), .unwind = true },
	{ .name = "ssve", .owner = "LINUX", .type = NT_ARM_SSVE, .sized = true, REGS(sve), .unwind = true },
	{ .name = "za", .owner = "LINUX", .type = NT_ARM_ZA, .sized = true, REGS(sve) },
	{ .name = "zt", .owner = "LINUX", .type = NT_ARM_ZT, REGS(zt) },
	{ .name = "pac_mask", .owner = "LINUX", .type = NT_ARM_PAC_MASK, .size = 16, REGS(pac_mask),
	  .unwind = true },
	{ .name = "pac_enabled_keys", .owner = "LINUX", .type = NT_ARM_PAC_ENABLED_KEYS, .size = 8,
	  REGS(pac_enabled_keys) },
	{ .name = "paca_keys", .owner = "LINUX", .type = NT_ARM_PACA_KEYS, .size = 64, REGS(paca_keys) },
	{ .name = "pacg_keys", .owner = "LINUX", .type = NT_ARM_PACG_KEYS, .size = 16, REGS(pacg_keys) },
	{ .name = "tagged_addr_ctrl", .owner = "LINUX", .type = NT_ARM_TAGGED_ADDR_CTRL, .size = 8,
	  REGS(tagged_addr_ctrl) },
	{ .name = "poe", .owner = "LINUX", .type = NT_ARM_POE, .size = 8, REGS(poe) },
	{ .name = "gcs", .owner = "LINUX", .type = NT_ARM_GCS, .size = 24, REGS(gcs) },
};

/*
 * VG: vectors in units of 64 bits (AADWARF64, section 4.1).  In streaming mode
 * NT_ARM_SSVE has SVE_PT_REGS_SVE in its flags (Linux 6.12, arch/arm64/kernel/ptrace.c:
 * sve_init_header_from_task()).
 */
enum { SET_SVE = 6, SET_SSVE = 7, SVE_VL = 2, SVE_FLAGS = 4 };
static const struct vector_length vectors[] = {
	{ .set = &sets[SET_SSVE], .reg = SVE_VL, .flags = SVE_FLAGS, .flag = 1, .unit = 8, .dwarf = 46 },
	{ .set = &sets[SET_SVE], .reg = SVE_VL, .unit = 8, .dwarf = 46 },
};

/* As for x86_64: include/uapi/asm-generic/unistd.h. */
static const u16 restartable[] = {
	4 /* io_getevents */, 22 /* epoll_pwait */, 47 /* fallocate */, 63 /* read */, 64 /* write */,
	65 /* readv */, 66 /* writev */, 71 /* sendfile */, 76 /* splice */, 137 /* rt_sigtimedwait */,
	182 /* mq_timedsend */, 183 /* mq_timedreceive */, 192 /* semtimedop */, 193 /* semop */,
	202 /* accept */, 203 /* connect */, 206 /* sendto */, 207 /* recvfrom */, 211 /* sendmsg */,
	212 /* recvmsg */, 242 /* accept4 */, 243 /* recvmmsg */, 269 /* sendmmsg */, 286 /* preadv2 */,
	287 /* pwritev2 */, 292 /* io_pgetevents */, 426 /* io_uring_enter */, 441 /* epoll_pwait2 */,
};

static const struct begun_call begun[] = {
	{ 22 /* epoll_pwait */, TAKES_EPOLL }, { 441 /* epoll_pwait2 */, TAKES_EPOLL },
	{ 63 /* read */, TAKES_SOCKET }, { 64 /* write */, TAKES_SOCKET }, { 65 /* readv */, TAKES_SOCKET },
	{ 66 /* writev */, TAKES_SOCKET }, { 202 /* accept */, TAKES_SOCKET }, { 203 /* connect */, TAKES_SOCKET },
	{ 206 /* sendto */, TAKES_SOCKET }, { 207 /* recvfrom */, TAKES_SOCKET }, { 211 /* sendmsg */, TAKES_SOCKET },
	{ 212 /* recvmsg */, TAKES_SOCKET }, { 242 /* accept4 */, TAKES_SOCKET }, { 243 /* recvmmsg */, TAKES_SOCKET },
	{ 269 /* sendmmsg */, TAKES_SOCKET }, { 71 /* sendfile */, TAKES_SOCKET }, { 76 /* splice */, TAKES_SOCKET },
	{ 286 /* preadv2 */, TAKES_SOCKET }, { 287 /* pwritev2 */, TAKES_SOCKET }, { 426 /* io_uring_enter */, TAKES_RING },
	{ 4 /* io_getevents */, TAKES_AIO }, { 292 /* io_pgetevents */, TAKES_AIO }, { 137 /* rt_sigtimedwait */, TAKES_VARIABLE },
};

/*
 * arch/arm64/kernel/signal.c: do_signal() has set the registers back when the thread stops, but does what
 * setup_restart_syscall() does only after that.  kernel/time/hrtimer.c: hrtimer_nanosleep(); kernel/futex/waitwake.c:
 * futex_wait().  The limit of FUTEX_WAIT_BITSET is absolute.
 */
static const struct timed_call timed[] = {
	{ .nr = 98 /* futex */, .limit_reg = X0 + 3, .flags_reg = X0 + 1, .mask = ~384ull & UINT32_MAX },
	{ .nr = 101 /* nanosleep */ },
	{ .nr = 115 /* clock_nanosleep */, .limit_reg = X0 + 2, .flags_reg = X0 + 1, .mask = 1 /* TIMER_ABSTIME */ },
};

/* arch/arm64/kernel/signal.c: struct rt_sigframe; struct sigcontext from 304 on: fault_address, regs, sp, pc. */
static const struct saved_regs saved[] = { { .reg = X0, .n = 33, .off = 8 } };
static const struct signal_frame signals[] = {
	/* mov x8, #139; svc #0: instructions are little-endian on either */
	{ "rt_sigreturn", .code = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 }, .code_len = 8, .context = 304, SAVED(saved),
	  ALT_STACK(128 + 16, 8) },
};

static const struct inject_code calls[] = { { { 0x01, 0, 0, 0xd4, 0xc0, 0x03, 0x5f, 0xd6 }, 8 } /* svc #0; ret */ };
/* arch/arm64/kernel/syscall.c: fp_user_discard(); include/uapi/asm/ptrace.h: struct user_sve_header, SVE_PT_REGS_SVE. */
static const struct volatile_set volatile_sets[] = { { NT_ARM_SVE, 12, 1 }, { NT_ARM_SSVE, 12, 1 } };
/* struct rt_sigframe: siginfo, and struct ucontext from 128 on; of its sigcontext, __reserved has the records. */
static const struct saved_regs undone[] = { SAVED_AT(PSTATE, 272) };
static const struct undo_abi undo = {
	.len = 304 + 288, .flags_off = 128, .mask_off = 128 + 40, SAVED(undone), .exit_call = 94,
};
/* The link register leads on, too.  BTYPE: Arm ARM, D24.2 (PSTATE), bits 10 and 11. */
static const struct inject_abi inject = {
	.codes = calls, .n_codes = ARRAY_SIZE(calls),
	.poison = { SP, X29, X30 }, .n_poison = 3,
	.clear_reg = PSTATE, .clear = 3u << 10,
	.volatile_sets = volatile_sets, .n_volatile = ARRAY_SIZE(volatile_sets),
	.number_set = NT_ARM_SYSTEM_CALL,
	.numbers = { [INJECT_CLONE] = 220, [INJECT_WAIT4] = 260, [INJECT_MUNMAP] = 215, [INJECT_CLOSE_RANGE] = 436,
		     [INJECT_USERFAULTFD] = 282, [INJECT_CLOSE] = 57 },
	.waitid = 95,
	.undo = &undo,
};

/* x0 is argument and result: the first argument comes from /proc/TID/syscall, read before the stop. */
#define AARCH64(name_, data_, compat_) { \
	.name = (name_), \
	.machine = EM_AARCH64, \
	.fmt = { .class = ELFCLASS64, .data = (data_) }, \
	.word = 8, \
	.ugid_size = 4, \
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 272, REGS(gregs) }, \
	.pc = PC, \
	.sp = SP, \
	.sets = sets, \
	.n_sets = ARRAY_SIZE(sets), \
	.tp = { &sets[1], 0, true }, \
	/* AAPCS64, 6.4.6. */ \
	.frame = { .known = true, .fp = X29, .lr = X30, .saved_fp = 0, .saved_ret = 1, .record_anywhere = true, \
		   SIGNALS(signals), .vectors = vectors, .n_vectors = ARRAY_SIZE(vectors) }, \
	.syscall = { .insn_len = 4, .insn = 0xd4000001 /* svc #0 */, .nr_reg = X8, .ret_reg = X0, .orig_reg = -1, \
		     .args = { X0, X0 + 1, X0 + 2, X0 + 3, X0 + 4, X0 + 5 }, .futex = { 98 }, \
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable), \
		     .begun = begun, .n_begun = ARRAY_SIZE(begun), \
		     .timed = timed, .n_timed = ARRAY_SIZE(timed), .restart_call = 128 }, \
	.inject = &inject, \
	.top_byte_ignored = true, \
	.compat = (compat_), \
}

const struct arch arch_aarch64 = AARCH64("aarch64", ELFDATA2LSB, &arch_arm);
const struct arch arch_aarch64_be = AARCH64("aarch64_be", ELFDATA2MSB, &arch_armeb);
