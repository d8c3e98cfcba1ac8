#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * Linux 6.12, arch/parisc/include/asm/elf.h: ELF_CORE_COPY_REGS, in room for 80
 * (ELF_NGREG).  The kernel keeps the PSW in gr0.  DWARF: gcc,
 * gcc/config/pa/pa32-regs.h: r0 to r31, then halves of f4 to f31, sar at 88.
 */
enum { RP = 2, SP = 30, PC = 40 };
#define R(n) { "r" #n, 4 * (n), 4, (n) }
#define S(i, name_) { name_, 4 * (i), 4, -1 }
static const struct reg gregs[] = {
	S(0, "psw"), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10), R(11), R(12), R(13), R(14),
	R(15), R(16), R(17), R(18), R(19), R(20), R(21), R(22), R(23), R(24), R(25), R(26), R(27), R(28),
	R(29), { "sp", 120, 4, 30 }, R(31),
	S(32, "sr0"), S(33, "sr1"), S(34, "sr2"), S(35, "sr3"), S(36, "sr4"), S(37, "sr5"), S(38, "sr6"),
	S(39, "sr7"), S(40, "pcoqh"), S(41, "pcoqt"), S(42, "pcsqh"), S(43, "pcsqt"), { "sar", 176, 4, 88 },
	S(45, "iir"), S(46, "isr"), S(47, "ior"), S(48, "ipsw"), S(49, "cr0"), S(50, "cr24"), S(51, "cr25"),
	S(52, "cr26"), S(53, "cr27"), S(54, "cr28"), S(55, "cr29"), S(56, "cr30"), S(57, "cr31"), S(58, "cr8"),
	S(59, "cr9"), S(60, "cr12"), S(61, "cr13"), S(62, "ccr"), S(63, "eiem"),
};

/* Same file: elf_fpregset_t. */
#define F(n) { "fr" #n, 8 * (n), 8, -1 }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), F(31),
};

static const struct regset sets[] = {
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 256, REGS(fpregs) },
};

/* The low bits of an instruction address are the privilege level. */
const struct arch arch_parisc = {
	.name = "parisc",
	.machine = EM_PARISC,
	.fmt = { .class = ELFCLASS32, .data = ELFDATA2MSB },
	.word = 4,
	.ugid_size = 4,
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 320, REGS(gregs) },
	.pc = PC,
	.sp = SP,
	.pc_mask = ~3u,
	.sets = sets,
	.n_sets = ARRAY_SIZE(sets),
	/* PA-RISC Procedure Calling Conventions, "Register Usage": r3 to r18, dp, sp. */
	.frame = { .lr = RP, .kept = 0x4807fff8 },
};
