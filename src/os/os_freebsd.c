#include <elf.h>

#include "base/util.h"
#include "elf/note.h"
#include "os/os.h"

/*
 * FreeBSD 14, sys/sys/procfs.h: prstatus, prpsinfo, thrmisc; sys/kern/imgact_elf.c:
 * note_ptlwpinfo(): an int, the size, then struct ptrace_lwpinfo of sys/sys/ptrace.h,
 * whose pl_siginfo counts with PL_FLAG_SI.  pr_pid of prstatus is a thread's id.
 */
enum { PL_FLAGS = 4 + 8, PL_FLAG_SI = 0x20 };
#define SI(field_, off_, len_, word_) \
	{ field_, NT_FREEBSD_PTLWPINFO, .off = (off_), .len = (len_), .word = (word_), \
	  .flag_off = PL_FLAGS, .flag = PL_FLAG_SI }
static const struct os_field_at fields[] = {
	{ OS_PID, NT_PRPSINFO, 116, 4, .word = 8 }, { OS_PID, NT_PRPSINFO, 108, 4, .word = 4 },
	{ OS_NAME, NT_PRPSINFO, 16, 17, .word = 8 }, { OS_NAME, NT_PRPSINFO, 8, 17, .word = 4 },
	{ OS_ARGS, NT_PRPSINFO, 33, 81, .word = 8 }, { OS_ARGS, NT_PRPSINFO, 25, 81, .word = 4 },
	{ OS_TID, NT_PRSTATUS, 40, 4, .word = 8 }, { OS_TID, NT_PRSTATUS, 24, 4, .word = 4 },
	{ OS_SIGNO, NT_PRSTATUS, 36, 4, .word = 8 }, { OS_SIGNO, NT_PRSTATUS, 20, 4, .word = 4 },
	{ OS_THREAD_NAME, NT_FREEBSD_THRMISC, 0, .len = 20 },
	SI(OS_SI_CODE, 60, 4, 8), SI(OS_SI_CODE, 56, 4, 4),
	SI(OS_SI_ADDR, 76, 8, 8), SI(OS_SI_ADDR, 72, 4, 4),
};

/* Where pr_reg is in struct prstatus. */
enum { REG32 = 28, REG64 = 48 };
#define GENERAL(machine_, word_, regs_) \
	{ "general", machine_, word_, NT_PRSTATUS, (word_) == 8 ? REG64 : REG32, .regs = (regs_) }
#define LIKE(name_, machine_, word_, type_) { name_, machine_, word_, .type = (type_) }

/* sys/powerpc/include/reg.h; sys/riscv/include/reg.h: sixteen bytes for each of fp_x. */
#define PPC OS_32("r", "") " lr cr xer ctr pc"
#define PPC_VMX OS_32("v", ":16") " -:8 vrsave:4 vscr:4"
#define RISCV "ra sp gp tp t0 t1 t2 t3 t4 t5 t6 s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 " OS_8("a", "") " pc -"
/* sys/mips/include/regnum.h, up to FreeBSD 13. */
#define MIPS(r8_to_r15) "zero at v0 v1 a0 a1 a2 a3 " r8_to_r15 " s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp s8 ra " \
	"status lo hi badvaddr cause pc"

/*
 * Registers: sys/amd64/include/reg.h, sys/i386/..., sys/arm64/..., sys/arm/...,
 * struct reg and fpreg; gdb 13, *-fbsd-tdep.c.
 */
static const struct os_set sets[] = {
	GENERAL(EM_X86_64, 8, "r15 r14 r13 r12 r11 r10 r9 r8 rdi rsi rbp rbx rdx rcx rax -:4 fs:2 gs:2 -:4 es:2 ds:2 "
			      "rip cs eflags rsp ss"),
	{ "segbases", EM_X86_64, 8, NT_FREEBSD_X86_SEGBASES, .regs = "fs_base gs_base" },
	LIKE("fpregs", EM_X86_64, 8, NT_FPREGSET),
	LIKE("xstate", EM_X86_64, 8, NT_FREEBSD_X86_XSTATE),

	GENERAL(EM_386, 4, "fs es ds edi esi ebp - ebx edx ecx eax - - eip cs eflags esp ss gs"),
	{ "segbases", EM_386, 4, NT_FREEBSD_X86_SEGBASES, .regs = "fs_base gs_base" },
	LIKE("fpregs", EM_386, 4, NT_FPREGSET),
	LIKE("xstate", EM_386, 4, NT_FREEBSD_X86_XSTATE),

	GENERAL(EM_AARCH64, 8, OS_31("x", "") " sp pc pstate:4"),
	LIKE("fpregs", EM_AARCH64, 8, NT_FPREGSET),
	{ "tls", EM_AARCH64, 8, NT_FREEBSD_ARM_TLS, .regs = "tpidr" },
	/* sys/arm64/include/reg.h: struct arm64_addr_mask, code before data; Linux has them the other way round. */
	{ "pac_mask", EM_AARCH64, 8, NT_FREEBSD_ARM_ADDR_MASK, .regs = "insn_mask data_mask" },

	GENERAL(EM_ARM, 4, OS_8("r", "") " r8 r9 r10 r11 r12 sp lr pc cpsr"),
	LIKE("vfp", EM_ARM, 4, NT_FREEBSD_ARM_VFP),
	LIKE("tls", EM_ARM, 4, NT_FREEBSD_ARM_TLS),

	GENERAL(EM_RISCV, 8, RISCV),
	{ "fpregs", EM_RISCV, 8, NT_FPREGSET, .regs = OS_32("f", ":8 -") " fcsr" },

	GENERAL(EM_MIPS, 4, MIPS("t0 t1 t2 t3 t4 t5 t6 t7")),
	GENERAL(EM_MIPS, 8, MIPS("a4 a5 a6 a7 t0 t1 t2 t3")),
	{ "fpregs", EM_MIPS, 4, NT_FPREGSET, .regs = OS_32("f", "") " fcsr fir" },
	{ "fpregs", EM_MIPS, 8, NT_FPREGSET, .regs = OS_32("f", "") " fcsr fir" },

	GENERAL(EM_PPC, 4, PPC),
	LIKE("fpregs", EM_PPC, 4, NT_FPREGSET),
	{ "vmx", EM_PPC, 4, NT_FREEBSD_PPC_VMX, .regs = PPC_VMX },
	GENERAL(EM_PPC64, 8, PPC),
	LIKE("fpregs", EM_PPC64, 8, NT_FPREGSET),
	{ "vmx", EM_PPC64, 8, NT_FREEBSD_PPC_VMX, .regs = PPC_VMX },
	LIKE("vsx", EM_PPC64, 8, NT_FREEBSD_PPC_VSX),

	GENERAL(EM_SPARCV9, 8, OS_8("g", "") " o0 o1 o2 o3 o4 o5 sp o7 - - - - - - - - npc pc state - y"),
};

static const char *const signals[] = { OS_BSD_SIGNALS, "THR", "LIBRT" };

/* sys/sys/signal.h: TRAP_*, FPE_*, SI_*. */
static const struct os_code codes[] = {
	{ NULL, 0, "SI_NOINFO", "nothing is known of the reason" },
	{ NULL, 0x10001, "SI_USER", "sent by kill(2)" },
	{ NULL, 0x10002, "SI_QUEUE", "sent by sigqueue(2)" },
	{ NULL, 0x10003, "SI_TIMER", "a timer expired" },
	{ NULL, 0x10004, "SI_ASYNCIO", "asynchronous I/O ended" },
	{ NULL, 0x10005, "SI_MESGQ", "a message came on an empty queue" },
	{ NULL, 0x10006, "SI_KERNEL", "sent by the kernel" },
	{ NULL, 0x10007, "SI_LWP", "sent by thr_kill(2), as raise(3) and abort(3) do" },
	{ "FPE", 1, "FPE_INTOVF", "integer overflow" },
	{ "FPE", 2, "FPE_INTDIV", "integer division by zero" },
	{ "FPE", 9, "FPE_FLTIDO", "input denormal operation" },
	{ "SEGV", 100, "SEGV_PKUERR", "refused by the protection key" },
	{ "BUS", 100, "BUS_OOMERR", "out of memory" },
	{ "TRAP", 3, "TRAP_DTRACE", "trap of DTrace" },
	{ "TRAP", 4, "TRAP_CAP", "capability violation" },
};

/* FreeBSD 15, sys/sys/elf_common.h; up to 12 powerpc had others from 13 on. */
static const struct os_auxv auxv_names[] = {
	{ 10, 'n', 0, "AT_NOTELF" }, { 11, 'n', 0, "AT_UID" }, { 12, 'n', 0, "AT_EUID" }, { 13, 'n', 0, "AT_GID" },
	{ 14, 'n', 0, "AT_EGID" }, { 15, 's', AT_EXECFN, "AT_EXECPATH" }, { 16, 'x', 0, "AT_CANARY" },
	{ 17, 'n', 0, "AT_CANARYLEN" }, { 18, 'n', 0, "AT_OSRELDATE" }, { 19, 'n', 0, "AT_NCPUS" },
	{ 20, 'x', 0, "AT_PAGESIZES" }, { 21, 'n', 0, "AT_PAGESIZESLEN" }, { 22, 'x', 0, "AT_TIMEKEEP" },
	{ 23, 'x', 0, "AT_STACKPROT" }, { 24, 'x', 0, "AT_EHDRFLAGS" }, { 25, 'x', 0, "AT_HWCAP" },
	{ 26, 'x', 0, "AT_HWCAP2" }, { 27, 'x', 0, "AT_BSDFLAGS" }, { 28, 'n', 0, "AT_ARGC" }, { 29, 'x', 0, "AT_ARGV" },
	{ 30, 'n', 0, "AT_ENVC" }, { 31, 'x', 0, "AT_ENVV" }, { 32, 'x', 0, "AT_PS_STRINGS" }, { 33, 'x', 0, "AT_FXRNG" },
	{ 34, 'x', AT_SYSINFO_EHDR, "AT_KPRELOAD" }, { 35, 'x', 0, "AT_USRSTACKBASE" },
	{ 36, 'x', 0, "AT_USRSTACKLIM" }, { 37, 'x', 0, "AT_CHERI_STATS" }, { 38, 'x', 0, "AT_HWCAP3" },
	{ 39, 'x', 0, "AT_HWCAP4" },
};

const struct os os_freebsd = {
	.name = "FreeBSD",
	.owner = "FreeBSD",
	.begins = { NT_PRSTATUS },
	/* note_procstat_auxv(), note_procstat_vmmap(): an int, the size of an entry, comes first. */
	.auxv = { NT_FREEBSD_PROCSTAT_AUXV, .skip = 4 },
	.vmmap = NT_FREEBSD_PROCSTAT_VMMAP,
	OS_ROWS(signals, signals),
	OS_ROWS(fields, fields),
	OS_ROWS(sets, sets),
	OS_ROWS(codes, codes),
	OS_ROWS(auxv_names, auxv_names),
};
