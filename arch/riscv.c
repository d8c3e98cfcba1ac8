#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * struct user_regs_struct, Linux 6.12, arch/riscv/include/uapi/asm/ptrace.h: pc,
 * then x1 to x31, each of a long.  DWARF: RISC-V ELF psABI, "DWARF register numbers".
 */
enum { PC = 0, RA = 1, SP = 2, S0 = 8 };
#define X(w, n, name_) { name_, (w) * (n), (w), (n) }
#define GREGS(w) \
	{ "pc", 0, (w), -1 }, X(w, 1, "ra"), X(w, 2, "sp"), X(w, 3, "gp"), X(w, 4, "tp"), X(w, 5, "t0"), \
	X(w, 6, "t1"), X(w, 7, "t2"), X(w, 8, "s0"), X(w, 9, "s1"), X(w, 10, "a0"), X(w, 11, "a1"), \
	X(w, 12, "a2"), X(w, 13, "a3"), X(w, 14, "a4"), X(w, 15, "a5"), X(w, 16, "a6"), X(w, 17, "a7"), \
	X(w, 18, "s2"), X(w, 19, "s3"), X(w, 20, "s4"), X(w, 21, "s5"), X(w, 22, "s6"), X(w, 23, "s7"), \
	X(w, 24, "s8"), X(w, 25, "s9"), X(w, 26, "s10"), X(w, 27, "s11"), X(w, 28, "t3"), X(w, 29, "t4"), \
	X(w, 30, "t5"), X(w, 31, "t6")
static const struct reg gregs64[] = { GREGS(8) };
static const struct reg gregs32[] = { GREGS(4) };

/* struct __riscv_d_ext_state, same file, on either. */
#define F(n) { "f" #n, 8 * (n), 8, 32 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), F(31), { "fcsr", 256, 4, -1 },
};

/* struct __riscv_v_regset_state, same file; v0 to v31 of vlenb bytes each follow.  DWARF: CSRs are 4096 + number. */
#define VECTOR(w) \
	{ "vstart", 0, (w), 4096 + 0x8 }, { "vl", (w), (w), 4096 + 0xc20 }, { "vtype", 2 * (w), (w), 4096 + 0xc21 }, \
	{ "vcsr", 3 * (w), (w), 4096 + 0xf }, { "vlenb", 4 * (w), (w), 4096 + 0xc22 }
static const struct reg vector64[] = { VECTOR(8) };
static const struct reg vector32[] = { VECTOR(4) };
static const struct reg tagged64[] = { { "tagged_addr_ctrl", 0, 8, -1 } };
static const struct reg tagged32[] = { { "tagged_addr_ctrl", 0, 4, -1 } };
/* struct user_cfi_state, same file, Linux 7.0; of 64 bits on either. */
static const struct reg user_cfi[] = { { "cfi_state", 0, 8, -1 }, { "shstk_ptr", 8, 8, -1 } };

/* The kernel's order: arch/riscv/kernel/ptrace.c, riscv_user_regset[]; the CSRs are not written by it. */
#define SETS(vector_, tagged_, w) \
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 264, REGS(fpregs) }, \
	{ .name = "vector", .owner = "LINUX", .type = NT_RISCV_VECTOR, REGS(vector_), .unwind = true }, \
	{ .name = "tagged_addr_ctrl", .owner = "LINUX", .type = NT_RISCV_TAGGED_ADDR_CTRL, .size = (w), \
	  REGS(tagged_) }, \
	{ .name = "user_cfi", .owner = "LINUX", .type = NT_RISCV_USER_CFI, .size = 16, REGS(user_cfi) }, \
	{ .name = "csr", .owner = "LINUX", .type = NT_RISCV_CSR }
static const struct regset sets64[] = { SETS(vector64, tagged64, 8) };
static const struct regset sets32[] = { SETS(vector32, tagged32, 4) };
enum { SET_VECTOR = 1, VLENB = 4 };
#define VECTORS(sets_) { { .set = &(sets_)[SET_VECTOR], .reg = VLENB, .unit = 1, .dwarf = 4096 + 0xc22 } }
static const struct vector_length vectors64[] = VECTORS(sets64);
static const struct vector_length vectors32[] = VECTORS(sets32);

/*
 * arch/riscv/kernel/signal.c: struct rt_sigframe; sc_regs of struct sigcontext in
 * struct ucontext, which is aligned to 16.  The code is the vdso's, rt_sigreturn.S.
 */
static const struct saved_regs saved[] = { { .reg = 0, .n = 32 } };
#define SIGNALS_OF(context_, w) { \
	/* li a7, 139; ecall */ \
	{ "rt_sigreturn", .code = { 0x93, 0x08, 0xb0, 0x08, 0x73, 0, 0, 0 }, .code_len = 8, .context = (context_), \
	  SAVED(saved), .where = CODE_ANYWHERE, ALT_STACK(128 + 2 * (w), (w)) }, \
}
static const struct signal_frame signals64[] = SIGNALS_OF(128 + 176, 8);
static const struct signal_frame signals32[] = SIGNALS_OF(128 + 160, 4);

#define RISCV(name_, class_, w, gregs_, sets_, signals_, vectors_) { \
	.name = (name_), \
	.machine = EM_RISCV, \
	.fmt = { .class = (class_), .data = ELFDATA2LSB }, \
	.word = (w), \
	.ugid_size = 4, \
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 32 * (w), REGS(gregs_) }, \
	.pc = PC, \
	.sp = SP, \
	.sets = (sets_), \
	.n_sets = ARRAY_SIZE(sets_), \
	/* RISC-V psABI, "Frame Pointer Convention": the frame record is below fp. */ \
	.frame = { .known = true, .fp = S0, .lr = RA, .saved_fp = -2, .saved_ret = -1, .caller_sp = 0, \
		   SIGNALS(signals_), .vectors = (vectors_), .n_vectors = ARRAY_SIZE(vectors_) }, \
}

const struct arch arch_riscv64 = RISCV("riscv64", ELFCLASS64, 8, gregs64, sets64, signals64, vectors64);
const struct arch arch_riscv32 = RISCV("riscv32", ELFCLASS32, 4, gregs32, sets32, signals32, vectors32);
