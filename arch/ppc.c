#include <elf.h>

#include "arch/arch.h"
#include "base/uapi.h"

#include "arches.h"

/*
 * struct user_pt_regs, Linux 6.12, arch/powerpc/include/uapi/asm/ptrace.h, each
 * of a long, in room for 48 (ELF_NGREG).  DWARF: 64-bit ELF V2 ABI 1.5, section
 * 2.4, table 2.22.  Power Architecture 32-bit ABI Supplement 1.0, table 3-30,
 * gives 108 to lr, 109 to ctr and 101 to xer; but gcc names the return address 65
 * in the frames of either, which is what a number is wanted for: lr is 65.
 */
enum { SP = 1, NIP = 32, CTR = 35, LR = 36 };
#define G(w, n) { "r" #n, (w) * (n), (w), (n) }
#define S(w, n, name_, dwarf) { name_, (w) * (n), (w), dwarf }
#define GREGS(w, ctr, xer, cr, mq) \
	G(w, 0), G(w, 1), G(w, 2), G(w, 3), G(w, 4), G(w, 5), G(w, 6), G(w, 7), G(w, 8), G(w, 9), G(w, 10), \
	G(w, 11), G(w, 12), G(w, 13), G(w, 14), G(w, 15), G(w, 16), G(w, 17), G(w, 18), G(w, 19), G(w, 20), \
	G(w, 21), G(w, 22), G(w, 23), G(w, 24), G(w, 25), G(w, 26), G(w, 27), G(w, 28), G(w, 29), G(w, 30), \
	G(w, 31), S(w, 32, "pc", -1), S(w, 33, "msr", -1), S(w, 34, "orig_r3", -1), S(w, 35, "ctr", ctr), \
	S(w, 36, "lr", 65), S(w, 37, "xer", xer), S(w, 38, "cr", cr), S(w, 39, mq, -1), S(w, 40, "trap", -1), \
	S(w, 41, "dar", -1), S(w, 42, "dsisr", -1), S(w, 43, "result", -1)
static const struct reg gregs64[] = { GREGS(8, 66, 76, -1, "softe") };
static const struct reg gregs32[] = { GREGS(4, 109, 101, 64, "mq") };

/* arch/powerpc/kernel/ptrace/ptrace-fpu.c: fpr_get(). */
#define F(n) { "f" #n, 8 * (n), 8, 32 + (n) }
static const struct reg fpregs[] = {
	F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11), F(12), F(13), F(14),
	F(15), F(16), F(17), F(18), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), F(28),
	F(29), F(30), F(31), { "fpscr", 256, 8, -1 },
};

/* ptrace-altivec.c: vr_get(); vscr is a word at the end of its quadword that the byte order chooses. */
#define V(v0, n) { "v" #n, 16 * (n), 16, (v0) + (n) }
#define VMX(v0) \
	V(v0, 0), V(v0, 1), V(v0, 2), V(v0, 3), V(v0, 4), V(v0, 5), V(v0, 6), V(v0, 7), V(v0, 8), V(v0, 9), \
	V(v0, 10), V(v0, 11), V(v0, 12), V(v0, 13), V(v0, 14), V(v0, 15), V(v0, 16), V(v0, 17), V(v0, 18), \
	V(v0, 19), V(v0, 20), V(v0, 21), V(v0, 22), V(v0, 23), V(v0, 24), V(v0, 25), V(v0, 26), V(v0, 27), \
	V(v0, 28), V(v0, 29), V(v0, 30), V(v0, 31), { "vscr", 512, 16, -1 }, { "vrsave", 528, 4, -1 }
static const struct reg vmx64[] = { VMX(77) };
static const struct reg vmx32[] = { VMX(1124) };

/* ptrace-vsx.c: vsr_get(): the halves of vs0 to vs31 that are not f0 to f31. */
#define H(n) { "vs" #n "h", 8 * (n), 8, -1 }
static const struct reg vsx[] = {
	H(0), H(1), H(2), H(3), H(4), H(5), H(6), H(7), H(8), H(9), H(10), H(11), H(12), H(13), H(14),
	H(15), H(16), H(17), H(18), H(19), H(20), H(21), H(22), H(23), H(24), H(25), H(26), H(27), H(28),
	H(29), H(30), H(31),
};

/* ptrace-spe.c: evr_get(): the upper halves of r0 to r31. */
#define E(n) { "ev" #n "h", 4 * (n), 4, -1 }
static const struct reg spe[] = {
	E(0), E(1), E(2), E(3), E(4), E(5), E(6), E(7), E(8), E(9), E(10), E(11), E(12), E(13), E(14),
	E(15), E(16), E(17), E(18), E(19), E(20), E(21), E(22), E(23), E(24), E(25), E(26), E(27), E(28),
	E(29), E(30), E(31), { "acc", 128, 8, -1 }, { "spefscr", 136, 4, -1 },
};

/* ptrace-view.c and ptrace-tm.c, in the order of their functions' user_regset_copyout(). */
static const struct reg ppr[] = { { "ppr", 0, 8, -1 } };
static const struct reg dscr[] = { { "dscr", 0, 8, -1 } };
static const struct reg tar[] = { { "tar", 0, 8, -1 } };
static const struct reg ebb[] = { { "ebbrr", 0, 8, -1 }, { "ebbhr", 8, 8, -1 }, { "bescr", 16, 8, -1 } };
static const struct reg pmu[] = {
	{ "siar", 0, 8, -1 }, { "sdar", 8, 8, -1 }, { "sier", 16, 8, -1 }, { "mmcr2", 24, 8, -1 },
	{ "mmcr0", 32, 8, -1 },
};
static const struct reg tm_spr[] = { { "tfhar", 0, 8, -1 }, { "texasr", 8, 8, -1 }, { "tfiar", 16, 8, -1 } };
static const struct reg dexcr[] = { { "dexcr", 0, 8, -1 }, { "hdexcr", 8, 8, -1 } };
static const struct reg hashkeyr[] = { { "hashkeyr", 0, 8, -1 } };
static const struct reg pkey[] = { { "amr", 0, 8, -1 }, { "iamr", 8, 8, -1 }, { "uamor", 16, 8, -1 } };

/* The kernel's order: arch/powerpc/kernel/ptrace/ptrace-decl.h, enum powerpc_regset. */
#define SETS(w, gregs_, vmx_) \
	{ .name = "fpregs", .owner = "CORE", .type = NT_PRFPREG, .size = 264, REGS(fpregs) }, \
	{ .name = "vmx", .owner = "LINUX", .type = NT_PPC_VMX, .size = 544, REGS(vmx_) }, \
	{ .name = "vsx", .owner = "LINUX", .type = NT_PPC_VSX, .size = 256, REGS(vsx) }, \
	{ .name = "spe", .owner = "LINUX", .type = NT_PPC_SPE, .size = 140, REGS(spe) }, \
	{ .name = "tm_cgpr", .owner = "LINUX", .type = NT_PPC_TM_CGPR, .size = 48 * (w), REGS(gregs_) }, \
	{ .name = "tm_cfpr", .owner = "LINUX", .type = NT_PPC_TM_CFPR, .size = 264, REGS(fpregs) }, \
	{ .name = "tm_cvmx", .owner = "LINUX", .type = NT_PPC_TM_CVMX, .size = 544, REGS(vmx_) }, \
	{ .name = "tm_cvsx", .owner = "LINUX", .type = NT_PPC_TM_CVSX, .size = 256, REGS(vsx) }, \
	{ .name = "tm_spr", .owner = "LINUX", .type = NT_PPC_TM_SPR, .size = 24, REGS(tm_spr) }, \
	{ .name = "tm_ctar", .owner = "LINUX", .type = NT_PPC_TM_CTAR, .size = 8, REGS(tar) }, \
	{ .name = "tm_cppr", .owner = "LINUX", .type = NT_PPC_TM_CPPR, .size = 8, REGS(ppr) }, \
	{ .name = "tm_cdscr", .owner = "LINUX", .type = NT_PPC_TM_CDSCR, .size = 8, REGS(dscr) }, \
	{ .name = "ppr", .owner = "LINUX", .type = NT_PPC_PPR, .size = 8, REGS(ppr) }, \
	{ .name = "dscr", .owner = "LINUX", .type = NT_PPC_DSCR, .size = 8, REGS(dscr) }, \
	{ .name = "tar", .owner = "LINUX", .type = NT_PPC_TAR, .size = 8, REGS(tar) }, \
	{ .name = "ebb", .owner = "LINUX", .type = NT_PPC_EBB, .size = 24, REGS(ebb) }, \
	{ .name = "pmu", .owner = "LINUX", .type = NT_PPC_PMU, .size = 40, REGS(pmu) }, \
	{ .name = "dexcr", .owner = "LINUX", .type = NT_PPC_DEXCR, .size = 16, REGS(dexcr) }, \
	{ .name = "hashkeyr", .owner = "LINUX", .type = NT_PPC_HASHKEYR, .size = 8, REGS(hashkeyr) }, \
	{ .name = "pkey", .owner = "LINUX", .type = NT_PPC_PKEY, .size = 24, REGS(pkey) }
static const struct regset sets64[] = { SETS(8, gregs64, vmx64) };
static const struct regset sets32[] = { SETS(4, gregs32, vmx32) };

/* elf_gregset_t, as PRSTATUS has it, but for what is not restored. */
static const struct saved_regs saved[] = { { .reg = 0, .n = 33 }, { .reg = CTR, .n = 4, .off = 35 * 8 } };
static const struct saved_regs saved32[] = { { .reg = 0, .n = 33 }, { .reg = CTR, .n = 4, .off = 35 * 4 } };

/*
 * arch/powerpc/kernel/signal_64.c: struct rt_sigframe, __SIGNAL_FRAMESIZE (128)
 * above the handler's caller's stack pointer; in it struct ucontext,
 * arch/powerpc/include/uapi/asm/ucontext.h, with gp_regs of struct sigcontext.
 * QEMU has 16 bytes more between, as a 32-bit kernel, and no addi
 * (linux-user/ppc/signal.c: setup_rt_frame(), setup_sigtramp(); seen in 7.2).
 */
static const struct signal_frame signals_le[] = {
	/* addi r1, r1, 128; li r0, 172; sc */
	{ "rt_sigreturn", .code = { 0x80, 0, 0x21, 0x38, 0xac, 0, 0, 0x38, 0x02, 0, 0, 0x44 }, .code_len = 12,
	  .context = 128 + 168 + 64, .signo = 128 + 168 + 32, SAVED(saved), .where = CODE_ANYWHERE,
	  ALT_STACK(128 + 16, 8) },
	/* li r0, 172; sc */
	{ "rt_sigreturn of QEMU", .code = { 0xac, 0, 0, 0x38, 0x02, 0, 0, 0x44 }, .code_len = 8,
	  .context = 128 + 16 + 168 + 64, .signo = 128 + 16 + 168 + 32, SAVED(saved),
	  ALT_STACK(128 + 16 + 16, 8) },
};
static const struct signal_frame signals_be[] = {
	{ "rt_sigreturn", .code = { 0x38, 0x21, 0, 0x80, 0x38, 0, 0, 0xac, 0x44, 0, 0, 0x02 }, .code_len = 12,
	  .context = 128 + 168 + 64, .signo = 128 + 168 + 32, SAVED(saved), .where = CODE_ANYWHERE,
	  ALT_STACK(128 + 16, 8) },
	{ "rt_sigreturn of QEMU", .code = { 0x38, 0, 0, 0xac, 0x44, 0, 0, 0x02 }, .code_len = 8,
	  .context = 128 + 16 + 168 + 64, .signo = 128 + 16 + 168 + 32, SAVED(saved),
	  ALT_STACK(128 + 16 + 16, 8) },
};

/*
 * arch/powerpc/kernel/signal_32.c: struct sigframe (before 5.12: sigcontext and
 * struct sigregs), __SIGNAL_FRAMESIZE (64) above; struct rt_sigframe 16 more; in
 * either mc_gregs of struct mcontext, arch/powerpc/include/uapi/asm/ucontext.h.
 */
static const struct signal_frame signals32[] = {
	/* li r0, 119; sc */
	{ "sigreturn", .code = { 0x38, 0, 0, 0x77, 0x44, 0, 0, 0x02 }, .code_len = 8, .context = 64 + 32,
	  .signo = 64 + 16, SAVED(saved32), .where = CODE_ANYWHERE },
	/* li r0, 172; sc */
	{ "rt_sigreturn", .code = { 0x38, 0, 0, 0xac, 0x44, 0, 0, 0x02 }, .code_len = 8, .context = 64 + 16 + 128 + 192,
	  .signo = 64 + 16, SAVED(saved32), .where = CODE_ANYWHERE, ALT_STACK(64 + 16 + 128 + 8, 4) },
};

#define PPC(name_, machine_, class_, data_, w, gregs_, sets_, signals_) { \
	.name = (name_), \
	.machine = (machine_), \
	.fmt = { .class = (class_), .data = (data_) }, \
	.word = (w), \
	.ugid_size = 4, \
	.gregs = { .name = "general", .owner = "CORE", .type = NT_PRSTATUS, .size = 48 * (w), REGS(gregs_) }, \
	.pc = NIP, \
	.sp = SP, \
	.sets = (sets_), \
	.n_sets = ARRAY_SIZE(sets_), \
	/* 64-bit ELF V2 ABI 1.5, section 2.2.2.1: LR save doubleword at 16; 32-bit: LR save word at 4. */ \
	.frame = { .known = true, .fp = SP, .lr = LR, .saved_ret = (w) / 4, .back_chain = true, \
		   SIGNALS(signals_) }, \
}

const struct arch arch_ppc64 = PPC("ppc64", EM_PPC64, ELFCLASS64, ELFDATA2MSB, 8, gregs64, sets64, signals_be);
const struct arch arch_ppc64le = PPC("ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB, 8, gregs64, sets64, signals_le);
const struct arch arch_ppc = PPC("ppc", EM_PPC, ELFCLASS32, ELFDATA2MSB, 4, gregs32, sets32, signals32);
