#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/* struct user_regs_struct, Linux 6.12, arch/x86/include/asm/user_32.h; DWARF: psABI i386 1.1, table 2.14. */
enum { EBX = 0, ECX, EDX, ESI, EDI, EBP, EAX, ORIG_EAX = 11, EIP = 12, ESP = 15 };
static const struct reg gregs[] = {
	{ "ebx", 0, 4, 3 }, { "ecx", 4, 4, 1 }, { "edx", 8, 4, 2 }, { "esi", 12, 4, 6 }, { "edi", 16, 4, 7 },
	{ "ebp", 20, 4, 5 }, { "eax", 24, 4, 0 }, { "ds", 28, 4, 43 }, { "es", 32, 4, 40 }, { "fs", 36, 4, 44 },
	{ "gs", 40, 4, 45 }, { "orig_eax", 44, 4, -1 }, { "eip", 48, 4, 8 }, { "cs", 52, 4, 41 },
	{ "eflags", 56, 4, 9 }, { "esp", 60, 4, 4 }, { "ss", 64, 4, 42 },
};

/* The same in x86_64's table: rbx, rcx, … */
static const u16 wide_regs[] = { 5, 11, 12, 13, 14, 4, 10, 23, 24, 25, 26, 15, 16, 17, 18, 19, 20 };

/* struct user_i387_ia32_struct, arch/x86/include/asm/user32.h: what FSAVE stores, with 16-bit registers in longs. */
#define FSAVE_ST(n) { "st" #n, 28 + 10 * (n), 10, 11 + (n) }
static const struct reg fpregs[] = {
	{ "fcw", 0, 2, 37 }, { "fsw", 4, 2, 38 }, { "ftw", 8, 2, -1 }, { "fip", 12, 4, -1 }, { "fcs", 16, 2, -1 },
	{ "fop", 18, 2, -1 }, { "foo", 20, 4, -1 }, { "fos", 24, 2, -1 },
	FSAVE_ST(0), FSAVE_ST(1), FSAVE_ST(2), FSAVE_ST(3),
	FSAVE_ST(4), FSAVE_ST(5), FSAVE_ST(6), FSAVE_ST(7),
};

/* struct user32_fxsr_struct, same file: what FXSAVE stores; XSAVE begins with the same. */
#define ST(n) { "st" #n, 32 + 16 * (n), 10, 11 + (n) }
#define XMM(n) { "xmm" #n, 160 + 16 * (n), 16, 21 + (n) }
#define FXSAVE \
	{ "fcw", 0, 2, 37 }, { "fsw", 2, 2, 38 }, { "ftw", 4, 2, -1 }, { "fop", 6, 2, -1 }, \
	{ "fip", 8, 4, -1 }, { "fcs", 12, 4, -1 }, { "foo", 16, 4, -1 }, { "fos", 20, 4, -1 }, \
	{ "mxcsr", 24, 4, 39 }, ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), \
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7)
static const struct reg xfpregs[] = { FXSAVE };

/* As for x86_64. */
#define YMMH(n) { "ymm" #n "h", 576 + 16 * (n), 16, -1 }
static const struct reg xstate[] = {
	FXSAVE, { "xcr0", 464, 8, -1 }, { "xstate_bv", 512, 8, -1 }, { "xcomp_bv", 520, 8, -1 },
	YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6), YMMH(7),
};

/* struct user_desc of the three slots, arch/x86/include/uapi/asm/ldt.h. */
#define TLS(n) \
	{ "entry_number" #n, 16 * (n), 4, -1 }, { "base_addr" #n, 16 * (n) + 4, 4, -1 }, \
	{ "limit" #n, 16 * (n) + 8, 4, -1 }, { "flags" #n, 16 * (n) + 12, 4, -1 }
static const struct reg tls[] = { TLS(0), TLS(1), TLS(2) };

/*
 * Three empty slots, for which the kernel writes no note: regset_tls_active().  As
 * x86_64's kernel numbers them (GDT_ENTRY_TLS_MIN); read_exec_only, seg_not_present.
 */
static const u8 no_tls[48] = {
	[0] = 12, [12] = 0x28, [16] = 13, [28] = 0x28, [32] = 14, [44] = 0x28,
};

/* The kernel's order: arch/x86/kernel/ptrace.c, x86_32_regsets[]. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 108, REGS(fpregs) },
	{ .name = "xfpregs", .owner = "LINUX", .type = NT_PRXFPREG, .size = 512, REGS(xfpregs) },
	{ .name = "xstate", .owner = "LINUX", .type = NT_X86_XSTATE, REGS(xstate) },
	{ .name = "tls", .owner = "LINUX", .type = NT_386_TLS, .size = 48, REGS(tls), .unused = no_tls },
	{ .name = "ioperm", .owner = "LINUX", .type = NT_386_IOPERM },
};

/* As for x86_64.  All that socketcall and ipc can wait for is either like these, or restarted by the kernel. */
static const u16 restartable[] = {
	3 /* read */, 4 /* write */, 102 /* socketcall */, 117 /* ipc */, 145 /* readv */, 146 /* writev */,
	177 /* rt_sigtimedwait */, 187 /* sendfile */, 239 /* sendfile64 */, 247 /* io_getevents */,
	256 /* epoll_wait */, 279 /* mq_timedsend */, 280 /* mq_timedreceive */, 313 /* splice */,
	319 /* epoll_pwait */, 324 /* fallocate */, 337 /* recvmmsg */, 345 /* sendmmsg */,
	362 /* connect */, 364 /* accept4 */, 369 /* sendto */, 370 /* sendmsg */, 371 /* recvfrom */,
	372 /* recvmsg */, 378 /* preadv2 */, 379 /* pwritev2 */, 385 /* io_pgetevents */,
	416 /* io_pgetevents_time64 */, 417 /* recvmmsg_time64 */,
	418 /* mq_timedsend_time64 */, 419 /* mq_timedreceive_time64 */, 420 /* semtimedop_time64 */,
	421 /* rt_sigtimedwait_time64 */, 426 /* io_uring_enter */, 441 /* epoll_pwait2 */,
};

/*
 * struct sigcontext_32, arch/x86/include/uapi/asm/sigcontext.h; struct
 * sigframe_ia32 and rt_sigframe_ia32, arch/x86/include/asm/sigframe.h, without the
 * return address.  The code is the same in the vdso, in glibc, musl and QEMU.
 * sp_at_signal has esp again; the older frame has no ucontext.
 */
static const struct saved_regs saved[] = {
	SAVED_AT(EDI, 16), SAVED_AT(ESI, 20), SAVED_AT(EBP, 24), SAVED_AT(ESP, 28), SAVED_AT(EBX, 32), SAVED_AT(EDX, 36),
	SAVED_AT(ECX, 40), SAVED_AT(EAX, 44), SAVED_AT(EIP, 56),
};
static const struct signal_frame signals[] = {
	/* pop %eax; mov $119, %eax; int $0x80 */
	{ "sigreturn", .code = { 0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80 }, .code_len = 8, .context = 4, SAVED(saved),
	  .where = CODE_ANYWHERE, .sp_again = 4 + 68 },
	/* mov $173, %eax; int $0x80 */
	{ "rt_sigreturn", .code = { 0xb8, 0xad, 0, 0, 0, 0xcd, 0x80 }, .code_len = 7, .context = 160, SAVED(saved),
	  .where = CODE_ANYWHERE, ALT_STACK(148, 4) },
};

/*
 * A call by sysenter or syscall returns to after an int $0x80 in the vdso, of two bytes as well:
 * arch/x86/entry/vdso/vdso32/system_call.S, int80_landing_pad.
 */
const struct arch arch_i386 = {
	.name = "i386",
	.machine = EM_386,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2LSB },
	.word = 4,
	.ugid_size = 2,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 68, REGS(gregs) },
	.pc = EIP,
	.sp = ESP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	.syscall = { .insn_len = 2, .nr_reg = EAX, .ret_reg = EAX, .orig_reg = ORIG_EAX,
		     .args = { EBX, ECX, EDX, ESI, EDI, EBP }, .futex = { 240, 422 },
		     .restartable = restartable, .n_restartable = ARRAY_SIZE(restartable) },
	.wide_regs = wide_regs,
	/* psABI i386, 2.2.2. */
	.frame = { .known = true, .fp = EBP, .lr = -1, .saved_fp = 0, .saved_ret = 1, .caller_sp = 2,
		   SIGNALS(signals) },
};
