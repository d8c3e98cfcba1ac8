#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * Linux 6.12, arch/mips/kernel/ptrace.c: mips_dump_regs32(), which begins with
 * room for six arguments, and mips_dump_regs64(); each in room for 45 (ELF_NGREG).
 * Names of r8 to r15 differ by ABI: System V ABI MIPS supplement; MIPSpro N32 ABI
 * Handbook, table 2-1.  DWARF: gcc, gcc/config/mips/mips.h, as the ABIs say
 * nothing: r0 to r31, f0 to f31, hi, lo.
 */
enum { SP = 29, RA = 31, PC = 34 };
#define R(w, pad, n, name_, dwarf) { name_, (w) * ((pad) + (n)), (w), (dwarf) }
#define GREGS(w, pad, r8, r9, r10, r11, r12, r13, r14, r15) \
	R(w, pad, 0, "zero", 0), R(w, pad, 1, "at", 1), R(w, pad, 2, "v0", 2), R(w, pad, 3, "v1", 3), \
	R(w, pad, 4, "a0", 4), R(w, pad, 5, "a1", 5), R(w, pad, 6, "a2", 6), R(w, pad, 7, "a3", 7), \
	R(w, pad, 8, r8, 8), R(w, pad, 9, r9, 9), R(w, pad, 10, r10, 10), R(w, pad, 11, r11, 11), \
	R(w, pad, 12, r12, 12), R(w, pad, 13, r13, 13), R(w, pad, 14, r14, 14), R(w, pad, 15, r15, 15), \
	R(w, pad, 16, "s0", 16), R(w, pad, 17, "s1", 17), R(w, pad, 18, "s2", 18), R(w, pad, 19, "s3", 19), \
	R(w, pad, 20, "s4", 20), R(w, pad, 21, "s5", 21), R(w, pad, 22, "s6", 22), R(w, pad, 23, "s7", 23), \
	R(w, pad, 24, "t8", 24), R(w, pad, 25, "t9", 25), R(w, pad, 26, "k0", 26), R(w, pad, 27, "k1", 27), \
	R(w, pad, 28, "gp", 28), R(w, pad, 29, "sp", 29), R(w, pad, 30, "s8", 30), R(w, pad, 31, "ra", 31), \
	R(w, pad, 32, "lo", 65), R(w, pad, 33, "hi", 64), R(w, pad, 34, "pc", -1), R(w, pad, 35, "badvaddr", -1), \
	R(w, pad, 36, "status", -1), R(w, pad, 37, "cause", -1)
static const struct reg gregs_o32[] = { GREGS(4, 6, "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7") };
static const struct reg gregs_new[] = { GREGS(8, 0, "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3") };

/* arch/mips/kernel/ptrace.c: fpr_get(), in all ABIs. */
#define F(n) { "f" #n, 8 * (n), 8, 32 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), F(31), { "fcsr", 256, 4, -1 }, { "fir", 260, 4, -1 },
};

/* Same file: dsp32_get(), dsp64_get(), msa_get(). */
#define DSP(w) \
	{ "hi1", 0, (w), -1 }, { "lo1", (w), (w), -1 }, { "hi2", 2 * (w), (w), -1 }, { "lo2", 3 * (w), (w), -1 }, \
	{ "hi3", 4 * (w), (w), -1 }, { "lo3", 5 * (w), (w), -1 }, { "dspcontrol", 6 * (w), (w), -1 }
static const struct reg dsp_o32[] = { DSP(4) };
static const struct reg dsp_new[] = { DSP(8) };
static const struct reg fp_mode[] = { { "fp_mode", 0, 4, -1 } };
#define W(n) { "w" #n, 16 * (n), 16, -1 }
static const struct reg msa[] = {
	W(0), W(1), W(2), W(3), W(4), W(5), W(6), W(7), W(8), W(9), W(10), W(11), W(12), W(13), W(14),
	W(15), W(16), W(17), W(18), W(19), W(20), W(21), W(22), W(23), W(24), W(25), W(26), W(27), W(28),
	W(29), W(30), W(31), { "fir", 512, 4, -1 }, { "fcsr", 516, 4, -1 }, { "msair", 520, 4, -1 },
	{ "msacsr", 524, 4, -1 },
};

/* The kernel's order: arch/mips/kernel/ptrace.c, enum mips_regset. */
#define SETS(w, dsp_) \
	{ .name = "dsp", .owner = "LINUX", .type = NT_MIPS_DSP, .size = 7 * (w), REGS(dsp_) }, \
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 264, REGS(fpregs) }, \
	{ .name = "fp_mode", .owner = "LINUX", .type = NT_MIPS_FP_MODE, .size = 4, REGS(fp_mode) }, \
	{ .name = "msa", .owner = "LINUX", .type = NT_MIPS_MSA, .size = 528, REGS(msa) }
static const struct regset sets_o32[] = { SETS(4, dsp_o32) };
static const struct regset sets_new[] = { SETS(8, dsp_new) };

/*
 * struct sigcontext, arch/mips/include/uapi/asm/sigcontext.h; struct sigframe and
 * rt_sigframe, arch/mips/kernel/signal.c, signal_n32.c and signal_o32.c.  Before
 * v2.6.34 the code was in the frame itself, since then it is in the vdso.
 */
enum { SC_PC_O32 = 8, SC_REGS_O32 = 16, SC_PC = 576 };
static const struct saved_regs saved_o32[] = {
	{ .reg = 0, .n = 32, .off = SC_REGS_O32, .size = 8 }, { .reg = PC, .n = 1, .off = SC_PC_O32, .size = 8 },
};
static const struct saved_regs saved_new[] = {
	{ .reg = 0, .n = 32, .size = 8 }, { .reg = PC, .n = 1, .off = SC_PC, .size = 8 },
};
/* uc_stack in the ucontext at 152, whose stack_t has its size before its flags: arch/mips/include/uapi/asm/signal.h. */
#define UC_STACK(word) .alt_stack = 24 + 128 + 2 * (word), .alt_size = 24 + 128 + 3 * (word)
#define SIGNAL_BE(name_, nr, context_, signo_, saved_, ...) \
	/* li v0, nr; syscall */ \
	{ (name_), .code = { 0x24, 0x02, (nr) >> 8, (nr) & 0xff, 0, 0, 0, 0x0c }, .code_len = 8, .context = (context_), \
	  .signo = (signo_), SAVED(saved_), .where = CODE_ANYWHERE, __VA_ARGS__ }
#define SIGNAL_LE(name_, nr, context_, signo_, saved_, ...) \
	{ (name_), .code = { (nr) & 0xff, (nr) >> 8, 0x02, 0x24, 0x0c, 0, 0, 0 }, .code_len = 8, .context = (context_), \
	  .signo = (signo_), SAVED(saved_), .where = CODE_ANYWHERE, __VA_ARGS__ }
#define SIGNALS_O32(row) { \
	row("sigreturn", 4119, 24, -1, saved_o32), row("rt_sigreturn", 4193, 24 + 128 + 24, 24, saved_o32, UC_STACK(4)), \
}
static const struct signal_frame signals_o32[] = SIGNALS_O32(SIGNAL_BE);
static const struct signal_frame signals_o32el[] = SIGNALS_O32(SIGNAL_LE);
static const struct signal_frame signals_n32[] = {
	SIGNAL_BE("rt_sigreturn", 6211, 24 + 128 + 24, 24, saved_new, UC_STACK(4)),
};
static const struct signal_frame signals_n32el[] = {
	SIGNAL_LE("rt_sigreturn", 6211, 24 + 128 + 24, 24, saved_new, UC_STACK(4)),
};
static const struct signal_frame signals_n64[] = {
	SIGNAL_BE("rt_sigreturn", 5211, 24 + 128 + 40, 24, saved_new, UC_STACK(8)),
};
static const struct signal_frame signals_n64el[] = {
	SIGNAL_LE("rt_sigreturn", 5211, 24 + 128 + 40, 24, saved_new, UC_STACK(8)),
};

/* n32 has the registers of n64 in the structures of o32: arch/mips/kernel/binfmt_elfn32.c. */
#define MIPS(name_, class_, data_, flags_, w, greg, gregs_, sets_, signals_) { \
	.name = (name_), \
	.machine = EM_MIPS, \
	.fmt = { .class = (class_), .data = (data_) }, \
	.flags_mask = (class_) == ELFCLASS32 ? EF_MIPS_ABI2 : 0, \
	.flags = (flags_), \
	.word = (w), \
	.ugid_size = 4, \
	.regs_align = (greg), \
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 45 * (greg), REGS(gregs_) }, \
	.pc = PC, \
	.sp = SP, \
	.sets = (sets_), \
	.n_sets = ARRAY_SIZE(sets_), \
	/* System V ABI MIPS supplement, figure 3-18: s0 to s7, gp, sp, s8. */ \
	.frame = { .lr = RA, .kept = 0x70ff0000, SIGNALS(signals_) }, \
}

const struct arch arch_mips = MIPS("mips", ELFCLASS32, ELFDATA2MSB, 0, 4, 4, gregs_o32, sets_o32, signals_o32);
const struct arch arch_mipsel = MIPS("mipsel", ELFCLASS32, ELFDATA2LSB, 0, 4, 4, gregs_o32, sets_o32, signals_o32el);
const struct arch arch_mipsn32 = MIPS("mipsn32", ELFCLASS32, ELFDATA2MSB, EF_MIPS_ABI2, 4, 8, gregs_new, sets_new,
				      signals_n32);
const struct arch arch_mipsn32el = MIPS("mipsn32el", ELFCLASS32, ELFDATA2LSB, EF_MIPS_ABI2, 4, 8, gregs_new, sets_new,
					signals_n32el);
const struct arch arch_mips64 = MIPS("mips64", ELFCLASS64, ELFDATA2MSB, 0, 8, 8, gregs_new, sets_new, signals_n64);
const struct arch arch_mips64el = MIPS("mips64el", ELFCLASS64, ELFDATA2LSB, 0, 8, 8, gregs_new, sets_new,
				       signals_n64el);
