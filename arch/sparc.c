#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * Linux 6.12, arch/sparc/kernel/ptrace_64.c: genregs64_get(), and genregs32_get()
 * there and in ptrace_32.c: the globals and outs, then the locals and ins from the
 * stack.  DWARF: SPARC Compliance Definition 2.4.1 (64-bit) and gcc,
 * gcc/config/sparc/sysv4.h: the integer registers, then f0.
 */
enum { SP = 14, O7 = 15, PC = 33 };
#define R(w, n, name_) { name_, (w) * (n), (w), (n) }
#define WINDOW(w) \
	R(w, 0, "g0"), R(w, 1, "g1"), R(w, 2, "g2"), R(w, 3, "g3"), R(w, 4, "g4"), R(w, 5, "g5"), \
	R(w, 6, "g6"), R(w, 7, "g7"), R(w, 8, "o0"), R(w, 9, "o1"), R(w, 10, "o2"), R(w, 11, "o3"), \
	R(w, 12, "o4"), R(w, 13, "o5"), R(w, 14, "sp"), R(w, 15, "o7"), R(w, 16, "l0"), R(w, 17, "l1"), \
	R(w, 18, "l2"), R(w, 19, "l3"), R(w, 20, "l4"), R(w, 21, "l5"), R(w, 22, "l6"), R(w, 23, "l7"), \
	R(w, 24, "i0"), R(w, 25, "i1"), R(w, 26, "i2"), R(w, 27, "i3"), R(w, 28, "i4"), R(w, 29, "i5"), \
	R(w, 30, "fp"), R(w, 31, "i7")
/*
 * sp and fp of a 64-bit process are biased: the frame is at 2047 above
 * (arch/sparc/include/uapi/asm/ptrace.h: STACK_BIAS).
 */
static const struct reg gregs64[] = {
	WINDOW(8), { "state", 256, 8, -1 }, { "pc", 264, 8, -1 }, { "npc", 272, 8, -1 }, { "y", 280, 8, -1 },
};
static const struct reg gregs32[] = {
	WINDOW(4), { "psr", 128, 4, -1 }, { "pc", 132, 4, -1 }, { "npc", 136, 4, -1 }, { "y", 140, 4, -1 },
	{ "wim", 144, 4, -1 }, { "tbr", 148, 4, -1 },
};

/* fpregs64_get(): 32 single and 16 double registers, which only doubles name. */
#define F(n) { "f" #n, 4 * (n), 4, 32 + (n) }
#define SINGLES \
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14), \
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28), \
	F(29), F(30), F(31)
#define D(n) { "f" #n, 4 * (n), 8, -1 }
static const struct reg fpregs64[] = {
	SINGLES, D(32), D(34), D(36), D(38), D(40), D(42), D(44), D(46), D(48), D(50), D(52), D(54), D(56),
	D(58), D(60), D(62), { "fsr", 256, 8, -1 }, { "gsr", 264, 8, -1 }, { "fprs", 272, 8, -1 },
};
/* elf_fpregset_t, arch/sparc/include/asm/elf_32.h; the queue of an FPU that nobody has is left out. */
static const struct reg fpregs32[] = { SINGLES, { "fsr", 132, 4, -1 } };

static const struct regset sets64[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 280, REGS(fpregs64) },
};
static const struct regset sets32[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 396, REGS(fpregs32) },
};

/*
 * arch/sparc/kernel/signal_64.c: struct rt_signal_frame, a copy of the window, then
 * struct pt_regs after struct sparc_stackf and siginfo.  signal_32.c: struct
 * signal_frame and rt_signal_frame have either after their sparc_stackf.
 * stack_t is after the registers, fpu_save, and in signal_32.c mask and insns.  A
 * handler returns to 8 bytes after the restorer that it was called with.
 */
enum { G0 = 0, L0 = 16, REGS64 = 192 + 128, REGS32 = 96, RT_REGS32 = 96 + 128 };
static const struct saved_regs saved64[] = {
	{ .reg = L0, .n = 16 }, { .reg = G0, .n = 16, .off = REGS64 }, SAVED_AT(PC, REGS64 + 136),
};
static const struct saved_regs saved32[] = {
	{ .reg = L0, .n = 16 }, SAVED_AT(PC, REGS32 + 4), { .reg = G0, .n = 16, .off = REGS32 + 16 },
};
static const struct saved_regs rt_saved32[] = {
	{ .reg = L0, .n = 16 }, SAVED_AT(PC, RT_REGS32 + 4), { .reg = G0, .n = 16, .off = RT_REGS32 + 16 },
};
static const struct signal_frame signals64[] = {
	/* mov 101, %g1; ta 0x6d */
	{ "rt_sigreturn", .code = { 0x82, 0x10, 0x20, 0x65, 0x91, 0xd0, 0x20, 0x6d }, .code_len = 8, .context = 2047,
	  .signo = 2047 + 192, SAVED(saved64), ALT_STACK(2047 + REGS64 + 160 + 8, 8) },
};
static const struct signal_frame signals32[] = {
	/* mov 216, %g1; ta 0x10 */
	{ "sigreturn", .code = { 0x82, 0x10, 0x20, 0xd8, 0x91, 0xd0, 0x20, 0x10 }, .code_len = 8, .signo = -1,
	  SAVED(saved32), .where = CODE_ANYWHERE },
	/* mov 101, %g1; ta 0x10 */
	{ "rt_sigreturn", .code = { 0x82, 0x10, 0x20, 0x65, 0x91, 0xd0, 0x20, 0x10 }, .code_len = 8, .signo = 96,
	  SAVED(rt_saved32), .where = CODE_ANYWHERE, ALT_STACK(RT_REGS32 + 80 + 8 + 4 + 8, 4) },
};

/* tv_usec is an int there: include/uapi/linux/time_types.h, struct __kernel_old_timeval. */
const struct arch arch_sparc64 = {
	.name = "sparc64",
	.machine = EM_SPARCV9,
	.fmt = { .class = ELFCLASS64, .data = ELFDATA2MSB },
	.word = 8,
	.ugid_size = 4,
	.usec_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 288, REGS(gregs64) },
	.pc = PC,
	.sp = SP,
	.sp_bias = 2047,
	.sets = sets64,
	.n_sets = ARRAY_SIZE(sets64),
	/*
	 * %o7 has the address of the call; a function returns to after it and its
	 * delay slot.  SPARC Compliance Definition 2.4.1, 3P: the window of a frame, with
	 * %i6 and %i7, is saved at its stack pointer.
	 */
	.frame = { .known = true, .fp = SP, .lr = O7, .saved_fp = 14, .saved_ret = 15, .back_chain = true,
		   .ret_in_frame = true, .ret_offset = 8, SIGNALS(signals64) },
};

const struct arch arch_sparc = {
	.name = "sparc",
	.machine = EM_SPARC,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2MSB },
	.word = 4,
	.ugid_size = 2,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 152, REGS(gregs32) },
	.pc = PC,
	.sp = SP,
	.sets = sets32,
	.n_sets = ARRAY_SIZE(sets32),
	/* As there; System V ABI SPARC supplement, "The Stack Frame". */
	.frame = { .known = true, .fp = SP, .lr = O7, .saved_fp = 14, .saved_ret = 15, .back_chain = true,
		   .ret_in_frame = true, .ret_offset = 8, SIGNALS(signals32) },
};
