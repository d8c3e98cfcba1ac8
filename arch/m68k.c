#include <elf.h>

#include <tagcore/arch.h>

#include "arch.h"
#include "base/uapi.h"

/*
 * struct user_regs_struct, Linux 6.12, arch/m68k/include/asm/user.h, and
 * ELF_CORE_COPY_REGS in elf.h there.  DWARF: gcc, gcc/config/m68k/m68k.h, as the
 * System V ABI m68k supplement says nothing: d0 to d7, a0 to a7, fp0 to fp7, pc.
 */
enum { SP = 15, PC = 18 };
#define R(i, name_, dwarf) { name_, 4 * (i), 4, (dwarf) }
static const struct reg gregs[] = {
	R(0, "d1", 1), R(1, "d2", 2), R(2, "d3", 3), R(3, "d4", 4), R(4, "d5", 5), R(5, "d6", 6), R(6, "d7", 7),
	R(7, "a0", 8), R(8, "a1", 9), R(9, "a2", 10), R(10, "a3", 11), R(11, "a4", 12), R(12, "a5", 13),
	R(13, "fp", 14), R(14, "d0", 0), R(15, "sp", 15), R(16, "orig_d0", -1), R(17, "sr", -1), R(18, "pc", 24),
	R(19, "fmtvec", -1),
};

/* struct user_m68kfp_struct, same file: a float's 96 bits have 16 unused ones after the exponent. */
#define F(n) { "fp" #n, 12 * (n), 12, 16 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), { "fpcr", 96, 4, -1 }, { "fpsr", 100, 4, -1 },
	{ "fpiar", 104, 4, -1 },
};

static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 108, REGS(fpregs) },
};

const struct arch arch_m68k = {
	.name = "m68k",
	.machine = EM_68K,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2MSB },
	.word = 4,
	.ugid_size = 2,
	.max_align = 2,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 80, REGS(gregs) },
	.pc = PC,
	.sp = SP,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
};
