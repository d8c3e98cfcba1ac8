#include <elf.h>

#include <tagcore/arch.h>

#include "arch.h"
#include "base/uapi.h"

/* struct user_regs_struct, Linux 6.12, arch/x86/include/asm/user_32.h; DWARF: psABI i386 1.1, table 2.14. */
enum { EIP = 12, ESP = 15 };
static const struct reg gregs[] = {
	{ "ebx", 0, 4, 3 }, { "ecx", 4, 4, 1 }, { "edx", 8, 4, 2 }, { "esi", 12, 4, 6 }, { "edi", 16, 4, 7 },
	{ "ebp", 20, 4, 5 }, { "eax", 24, 4, 0 }, { "ds", 28, 4, 43 }, { "es", 32, 4, 40 }, { "fs", 36, 4, 44 },
	{ "gs", 40, 4, 45 }, { "orig_eax", 44, 4, -1 }, { "eip", 48, 4, 8 }, { "cs", 52, 4, 41 },
	{ "eflags", 56, 4, 9 }, { "esp", 60, 4, 4 }, { "ss", 64, 4, 42 },
};

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

/* The kernel's order: arch/x86/kernel/ptrace.c, x86_32_regsets[]. */
static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 108, REGS(fpregs) },
	{ .name = "xfpregs", .owner = "LINUX", .type = NT_PRXFPREG, .size = 512, REGS(xfpregs) },
	{ .name = "xstate", .owner = "LINUX", .type = NT_X86_XSTATE, REGS(xstate) },
	{ .name = "tls", .owner = "LINUX", .type = NT_386_TLS, .size = 48, REGS(tls) },
	{ .name = "ioperm", .owner = "LINUX", .type = NT_386_IOPERM },
};

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
};
