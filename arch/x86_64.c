#include <elf.h>

#include <tagcore/arch.h>

#include "arch.h"
#include "base/uapi.h"
#include "base/util.h"

/* struct user_regs_struct, Linux 6.12, arch/x86/include/asm/user_64.h; DWARF: psABI x86-64, table 3.36. */
enum { RAX = 10, ORIG_RAX = 15, RIP = 16, RSP = 19 };
static const struct reg gregs[] = {
	{ "r15", 0, 8, 15 }, { "r14", 8, 8, 14 }, { "r13", 16, 8, 13 }, { "r12", 24, 8, 12 },
	{ "rbp", 32, 8, 6 }, { "rbx", 40, 8, 3 }, { "r11", 48, 8, 11 }, { "r10", 56, 8, 10 },
	{ "r9", 64, 8, 9 }, { "r8", 72, 8, 8 }, { "rax", 80, 8, 0 }, { "rcx", 88, 8, 2 },
	{ "rdx", 96, 8, 1 }, { "rsi", 104, 8, 4 }, { "rdi", 112, 8, 5 }, { "orig_rax", 120, 8, -1 },
	{ "rip", 128, 8, 16 }, { "cs", 136, 8, 51 }, { "eflags", 144, 8, 49 }, { "rsp", 152, 8, 7 },
	{ "ss", 160, 8, 52 }, { "fs_base", 168, 8, 58 }, { "gs_base", 176, 8, 59 }, { "ds", 184, 8, 53 },
	{ "es", 192, 8, 50 }, { "fs", 200, 8, 54 }, { "gs", 208, 8, 55 },
};

/* The kernel's order: arch/x86/kernel/ptrace.c, x86_64_regsets[]. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 512 },
	{ .name = "ioperm", .owner = "LINUX", .type = NT_386_IOPERM },
	{ .name = "xstate", .owner = "LINUX", .type = NT_X86_XSTATE },
	{ .name = "shstk", .owner = "LINUX", .type = NT_X86_SHSTK, .size = 8 },
};

/*
 * Calls that return EINTR, not ERESTART*, when a stop wakes them, and that have
 * then done nothing: running them again is what the caller would have done.
 * Never close(2): after EINTR the descriptor is gone, and may be somebody else's.
 */
static const u16 restartable[] = {
	0 /* read */, 1 /* write */, 19 /* readv */, 20 /* writev */, 42 /* connect */,
	43 /* accept */, 44 /* sendto */, 45 /* recvfrom */, 46 /* sendmsg */, 47 /* recvmsg */,
	65 /* semop */, 128 /* rt_sigtimedwait */, 208 /* io_getevents */, 220 /* semtimedop */,
	232 /* epoll_wait */, 242 /* mq_timedsend */, 243 /* mq_timedreceive */,
	281 /* epoll_pwait */, 288 /* accept4 */, 299 /* recvmmsg */, 307 /* sendmmsg */,
	333 /* io_pgetevents */, 426 /* io_uring_enter */, 441 /* epoll_pwait2 */,
};

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.machine = EM_X86_64,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2LSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 216,
		   .regs = gregs, .n_regs = ARRAY_SIZE(gregs) },
	.pc = RIP,
	.sp = RSP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	.syscall = { .insn_len = 2, .nr_reg = RAX, .ret_reg = RAX, .orig_reg = ORIG_RAX,
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable) },
};
