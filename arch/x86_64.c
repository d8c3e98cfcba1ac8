#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * struct user_regs_struct, Linux 6.12, arch/x86/include/asm/user_64.h; DWARF:
 * psABI x86-64, table 3.36.  Flags and selectors are longs there, but of 32 and 16
 * bits, and cores exist with something else in the upper half: gdb takes 32, too.
 */
enum {
	R15 = 0, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, ORIG_RAX, RIP, CS, EFLAGS, RSP, SS,
	FS_BASE,
};
static const struct reg gregs[] = {
	{ "r15", 0, 8, 15 }, { "r14", 8, 8, 14 }, { "r13", 16, 8, 13 }, { "r12", 24, 8, 12 },
	{ "rbp", 32, 8, 6 }, { "rbx", 40, 8, 3 }, { "r11", 48, 8, 11 }, { "r10", 56, 8, 10 },
	{ "r9", 64, 8, 9 }, { "r8", 72, 8, 8 }, { "rax", 80, 8, 0 }, { "rcx", 88, 8, 2 },
	{ "rdx", 96, 8, 1 }, { "rsi", 104, 8, 4 }, { "rdi", 112, 8, 5 }, { "orig_rax", 120, 8, -1 },
	{ "rip", 128, 8, 16 }, { "cs", 136, 4, 51 }, { "eflags", 144, 4, 49 }, { "rsp", 152, 8, 7 },
	{ "ss", 160, 4, 52 }, { "fs_base", 168, 8, 58 }, { "gs_base", 176, 8, 59 }, { "ds", 184, 4, 53 },
	{ "es", 192, 4, 50 }, { "fs", 200, 4, 54 }, { "gs", 208, 4, 55 },
};

/* struct user_i387_struct, same file: what FXSAVE64 stores; XSAVE begins with the same. */
#define ST(n) { "st" #n, 32 + 16 * (n), 10, 33 + (n) }
#define XMM(n) { "xmm" #n, 160 + 16 * (n), 16, 17 + (n) }
#define FXSAVE \
	{ "fcw", 0, 2, 65 }, { "fsw", 2, 2, 66 }, { "ftw", 4, 2, -1 }, { "fop", 6, 2, -1 }, \
	{ "fip", 8, 8, -1 }, { "fdp", 16, 8, -1 }, { "mxcsr", 24, 4, 64 }, { "mxcsr_mask", 28, 4, -1 }, \
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), \
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), \
	XMM(11), XMM(12), XMM(13), XMM(14), XMM(15)
static const struct reg fpregs[] = { FXSAVE };

/*
 * The standard format: Intel SDM volume 1, 13.4; xcr0 in the software bytes,
 * arch/x86/include/uapi/asm/sigcontext.h.  After AVX, whose place never varies,
 * components are where this processor's CPUID says.
 */
#define YMMH(n) { "ymm" #n "h", 576 + 16 * (n), 16, -1 }
static const struct reg xstate[] = {
	FXSAVE, { "xcr0", 464, 8, -1 }, { "xstate_bv", 512, 8, -1 }, { "xcomp_bv", 520, 8, -1 },
	YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6), YMMH(7), YMMH(8), YMMH(9),
	YMMH(10), YMMH(11), YMMH(12), YMMH(13), YMMH(14), YMMH(15),
};
static const struct reg shstk[] = { { "ssp", 0, 8, -1 } };

/*
 * PTRACE_GETREGSET answers as the thread's mode is, and so does CS decide: 64-bit
 * programs that run 32-bit code exist (Wine).  These older requests answer as the
 * tracer's is: arch/x86/kernel/ptrace.c, task_user_regset_view(), arch_ptrace().
 */
enum { GETREGS = 12, SETREGS = 13, GETFPREGS = 14 };

/* The kernel's order: arch/x86/kernel/ptrace.c, x86_64_regsets[]. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 512, REGS(fpregs), .request = GETFPREGS },
	{ .name = "ioperm", .owner = "LINUX", .type = NT_386_IOPERM },
	{ .name = "xstate", .owner = "LINUX", .type = NT_X86_XSTATE, REGS(xstate) },
	{ .name = "shstk", .owner = "LINUX", .type = NT_X86_SHSTK, .size = 8, REGS(shstk) },
};

/*
 * Calls that return EINTR, not ERESTART*, when a stop wakes them, and that have
 * then done nothing: running them again is what the caller would have done.
 * Never close(2): after EINTR the descriptor is gone, and may be somebody else's.
 * preadv2(2), splice(2) and their kin wait as read(2) does where a socket has a time
 * limit (include/net/sock.h: sock_intr_errno()); fallocate(2), which may be done twice,
 * ends early on hugetlbfs, and in older kernels, v6.1 among them, in shared memory.
 */
static const u16 restartable[] = {
	0 /* read */, 1 /* write */, 19 /* readv */, 20 /* writev */, 40 /* sendfile */, 42 /* connect */,
	43 /* accept */, 44 /* sendto */, 45 /* recvfrom */, 46 /* sendmsg */, 47 /* recvmsg */,
	65 /* semop */, 128 /* rt_sigtimedwait */, 208 /* io_getevents */, 220 /* semtimedop */,
	232 /* epoll_wait */, 242 /* mq_timedsend */, 243 /* mq_timedreceive */, 275 /* splice */,
	281 /* epoll_pwait */, 285 /* fallocate */, 288 /* accept4 */, 299 /* recvmmsg */,
	307 /* sendmmsg */, 327 /* preadv2 */, 328 /* pwritev2 */, 333 /* io_pgetevents */,
	426 /* io_uring_enter */, 441 /* epoll_pwait2 */,
};

/* struct ucontext, arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_64 from 40 on. */
static const struct saved_regs saved[] = {
	SAVED_AT(R8, 0), SAVED_AT(R9, 8), SAVED_AT(R10, 16), SAVED_AT(R11, 24), SAVED_AT(R12, 32), SAVED_AT(R13, 40),
	SAVED_AT(R14, 48), SAVED_AT(R15, 56), SAVED_AT(RDI, 64), SAVED_AT(RSI, 72), SAVED_AT(RBP, 80),
	SAVED_AT(RBX, 88), SAVED_AT(RDX, 96), SAVED_AT(RAX, 104), SAVED_AT(RCX, 112), SAVED_AT(RSP, 120),
	SAVED_AT(RIP, 128),
};
static const struct signal_frame signals[] = {
	/* mov $15, %rax; syscall */
	{ "rt_sigreturn", .code = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 }, .code_len = 9, .context = 40,
	  .signo = 304, SAVED(saved), ALT_STACK(16, 8) },
};

/* The call and an epilogue's first instruction, of those that compilers make. */
static const struct inject_code calls[] = {
	{ { 0x0f, 0x05, 0xc9 }, 3 } /* leave */, { { 0x0f, 0x05, 0xc3 }, 3 } /* ret */,
	{ { 0x0f, 0x05, 0x5d }, 3 } /* pop %rbp */, { { 0x0f, 0x05, 0x5b }, 3 } /* pop %rbx */,
	{ { 0x0f, 0x05, 0x48, 0x8d, 0x65 }, 5 } /* lea N(%rbp), %rsp */,
	{ { 0x0f, 0x05, 0x48, 0x83, 0xc4 }, 5 } /* add $N, %rsp */,
};
/* struct ucontext and sigcontext_64, as above; uc_flags: UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS. */
static const struct saved_regs undone[] = {
	SAVED_AT(EFLAGS, 136), { .reg = CS, .n = 1, .off = 144, .size = 2 }, { .reg = SS, .n = 1, .off = 150, .size = 2 },
};
static const struct undo_abi undo = {
	.len = 304, .flags_off = 0, .flags = 7, .mask_off = 296, .fp_pointer = 184, SAVED(undone), .exit_call = 231,
};
/* psABI x86-64, A.2.1. */
static const struct inject_abi inject = {
	.codes = calls, .n_codes = ARRAY_SIZE(calls),
	.poison = { RSP, RBP }, .n_poison = 2,
	.numbers = { [INJECT_CLONE] = 56, [INJECT_WAIT4] = 61, [INJECT_MUNMAP] = 11, [INJECT_CLOSE_RANGE] = 436,
		     [INJECT_USERFAULTFD] = 323, [INJECT_CLOSE] = 3 },
	.waitid = 247,
	.undo = &undo,
};

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.machine = EM_X86_64,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2LSB },
	.word = 8,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 216, REGS(gregs),
		   .request = GETREGS, .set_request = SETREGS },
	.pc = RIP,
	.sp = RSP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	.tp = { &arch_x86_64.gregs, FS_BASE, false },
	/* psABI x86-64, 3.2.2. */
	.frame = { .known = true, .fp = RBP, .lr = -1, .saved_fp = 0, .saved_ret = 1, .caller_sp = 2,
		   SIGNALS(signals) },
	.syscall = { .insn_len = 2, .nr_reg = RAX, .ret_reg = RAX, .orig_reg = ORIG_RAX,
		     .args = { RDI, RSI, RDX, R10, R8, R9 }, .futex = { 202 },
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable) },
	.inject = &inject,
	.compat = &arch_i386,
};

/*
 * The registers of x86_64 in a 32-bit core: arch/x86/include/asm/elf.h (v5.8 and
 * before: compat.h, PRSTATUS_SIZE 296), struct x32_elf_prstatus; user ids are
 * compat's 16 bits.  Its system calls have other numbers: they are left alone.
 */
const struct arch arch_x32 = {
	.name = "x32",
	.machine = EM_X86_64,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2LSB },
	.word = 4,
	.ugid_size = 2,
	.regs_align = 8,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 216, REGS(gregs) },
	.pc = RIP,
	.sp = RSP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
};
