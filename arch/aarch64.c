#include <elf.h>

#include <tagcore/arch.h>

#include "arch.h"
#include "base/uapi.h"
#include "base/util.h"

#define X(n) { "x" #n, 8 * (n), 8, (n) }

/* struct user_pt_regs, Linux 6.12, arch/arm64/include/uapi/asm/ptrace.h; DWARF: AADWARF64, section 4.1. */
enum { X0 = 0, X8 = 8, SP = 31, PC = 32 };
static const struct reg gregs[] = {
	X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14),
	X(15), X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28),
	X(29), X(30), { "sp", 248, 8, 31 }, { "pc", 256, 8, 32 }, { "pstate", 264, 8, -1 },
};

/* The kernel's order: arch/arm64/kernel/ptrace.c, enum aarch64_regset. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 528 },
	{ .name = "tls", .owner = "LINUX", .type = NT_ARM_TLS },
	{ .name = "hw_break", .owner = "LINUX", .type = NT_ARM_HW_BREAK, .size = 264 },
	{ .name = "hw_watch", .owner = "LINUX", .type = NT_ARM_HW_WATCH, .size = 264 },
	{ .name = "system_call", .owner = "LINUX", .type = NT_ARM_SYSTEM_CALL, .size = 4 },
	{ .name = "fpmr", .owner = "LINUX", .type = NT_ARM_FPMR, .size = 8 },
	{ .name = "sve", .owner = "LINUX", .type = NT_ARM_SVE, .sized = true },
	{ .name = "ssve", .owner = "LINUX", .type = NT_ARM_SSVE, .sized = true },
	{ .name = "za", .owner = "LINUX", .type = NT_ARM_ZA, .sized = true },
	{ .name = "zt", .owner = "LINUX", .type = NT_ARM_ZT },
	{ .name = "pac_mask", .owner = "LINUX", .type = NT_ARM_PAC_MASK, .size = 16 },
	{ .name = "pac_enabled_keys", .owner = "LINUX", .type = NT_ARM_PAC_ENABLED_KEYS, .size = 8 },
	{ .name = "paca_keys", .owner = "LINUX", .type = NT_ARM_PACA_KEYS, .size = 64 },
	{ .name = "pacg_keys", .owner = "LINUX", .type = NT_ARM_PACG_KEYS, .size = 16 },
	{ .name = "tagged_addr_ctrl", .owner = "LINUX", .type = NT_ARM_TAGGED_ADDR_CTRL, .size = 8 },
	{ .name = "poe", .owner = "LINUX", .type = NT_ARM_POE, .size = 8 },
	{ .name = "gcs", .owner = "LINUX", .type = NT_ARM_GCS, .size = 24 },
};

/* As for x86_64: include/uapi/asm-generic/unistd.h. */
static const u16 restartable[] = {
	4 /* io_getevents */, 22 /* epoll_pwait */, 63 /* read */, 64 /* write */, 65 /* readv */,
	66 /* writev */, 137 /* rt_sigtimedwait */, 182 /* mq_timedsend */, 183 /* mq_timedreceive */,
	192 /* semtimedop */, 193 /* semop */, 202 /* accept */, 203 /* connect */, 206 /* sendto */,
	207 /* recvfrom */, 211 /* sendmsg */, 212 /* recvmsg */, 242 /* accept4 */, 243 /* recvmmsg */,
	269 /* sendmmsg */, 292 /* io_pgetevents */, 426 /* io_uring_enter */, 441 /* epoll_pwait2 */,
};

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.machine = EM_AARCH64,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2LSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 272,
		   .regs = gregs, .n_regs = ARRAY_SIZE(gregs) },
	.pc = PC,
	.sp = SP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	/* x0 is argument and result: the first argument comes from /proc/TID/syscall, read before the stop. */
	.syscall = { .insn_len = 4, .nr_reg = X8, .ret_reg = X0, .orig_reg = -1,
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable) },
	.top_byte_ignored = true,
};
