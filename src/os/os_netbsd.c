#include <elf.h>

#include "base/util.h"
#include "elf/note.h"
#include "os/os.h"

/*
 * NetBSD 10, sys/sys/exec_elf.h: struct netbsd_elfcore_procinfo; cpi_siglwp is of
 * version 1's end.  sys/sys/ptrace.h: struct ptrace_lwpstatus.
 */
static const struct os_field_at fields[] = {
	{ OS_PID, NT_NETBSD_PROCINFO, 80, .len = 4 },
	{ OS_UID, NT_NETBSD_PROCINFO, 96, .len = 4 },
	{ OS_NAME, NT_NETBSD_PROCINFO, 124, .len = 32 },
	{ OS_SIGNO, NT_NETBSD_PROCINFO, 8, .len = 4 },
	{ OS_SIGNO_TID, NT_NETBSD_PROCINFO, 156, .len = 4 },
	{ OS_SI_CODE, NT_NETBSD_PROCINFO, 12, .len = 4 },
	{ OS_THREAD_NAME, NT_NETBSD_LWPSTATUS, 36, .len = 20 },
};

/*
 * The types of registers are requests of ptrace(2), PT_GETREGS and PT_GETFPREGS,
 * counted from PT_FIRSTMACH, 32, in each machine's own way: sys/arch/.../include/ptrace.h;
 * BFD 2.40, elf.c: elfcore_grok_netbsd_note().
 */
enum { FIRST = 32, XMM = FIRST + 5 };
#define GENERAL(machine_, word_, n, regs_) { "general", machine_, word_, FIRST + (n), .regs = (regs_) }
#define FLOAT(machine_, word_, n, regs_) { "fpregs", machine_, word_, FIRST + (n), .regs = (regs_) }

#define MIPS(r8_to_r15) "zero at v0 v1 a0 a1 a2 a3 " r8_to_r15 " s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp s8 ra " \
	"status lo hi badvaddr cause pc"
#define PPC OS_32("r", "") " lr cr xer ctr pc"
/* x1 to x31, then pc. */
#define RISCV "ra sp gp tp t0 t1 t2 s0 s1 " OS_8("a", "") " s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 pc"
#define SPARC_GO OS_8("g", "") " o0 o1 o2 o3 o4 o5 sp o7"

/* Registers: sys/arch/.../include/reg.h, amd64's in frame_regs.h; gdb 13, *-netbsd-tdep.c, *-bsd-tdep.c. */
static const struct os_set sets[] = {
	GENERAL(EM_X86_64, 8, 1, "rdi rsi rdx rcx r8 r9 r10 r11 r12 r13 r14 r15 rbp rbx rax gs fs es ds - - "
				 "rip cs eflags rsp ss"),
	FLOAT(EM_X86_64, 8, 3, NULL),

	GENERAL(EM_386, 4, 1, "eax ecx edx ebx esp ebp esi edi eip eflags cs ss ds es fs gs"),
	FLOAT(EM_386, 4, 3, NULL),
	{ "xfpregs", EM_386, 4, .type = XMM },

	GENERAL(EM_AARCH64, 8, 0, OS_31("x", "") " sp pc pstate"),
	{ "tls", EM_AARCH64, 8, FIRST, 34 * 8, .regs = "tpidr" },
	FLOAT(EM_AARCH64, 8, 2, OS_32("v", ":16") " fpcr:4 fpsr:4"),

	GENERAL(EM_ARM, 4, 1, OS_8("r", "") " r8 r9 r10 r11 r12 sp lr pc cpsr"),

	GENERAL(EM_MIPS, 4, 1, MIPS("t0 t1 t2 t3 t4 t5 t6 t7")),
	GENERAL(EM_MIPS, 8, 1, MIPS("a4 a5 a6 a7 t0 t1 t2 t3")),
	FLOAT(EM_MIPS, 4, 3, OS_32("f", "") " fcsr"),
	FLOAT(EM_MIPS, 8, 3, OS_32("f", "") " fcsr"),

	GENERAL(EM_PPC, 4, 1, PPC),
	FLOAT(EM_PPC, 4, 3, OS_32("f", ":8") " fpscr:4"),

	/* BFD takes 33 for riscv, too; nothing else has that number. */
	GENERAL(EM_RISCV, 8, 0, RISCV),
	GENERAL(EM_RISCV, 8, 1, RISCV),
	GENERAL(EM_RISCV, 4, 0, RISCV),
	GENERAL(EM_RISCV, 4, 1, RISCV),
	FLOAT(EM_RISCV, 8, 2, OS_32("f", ":8") " fcsr"),
	FLOAT(EM_RISCV, 4, 2, OS_32("f", ":8") " fcsr:8"),

	GENERAL(EM_ALPHA, 8, 0, "v0 t0 t1 t2 t3 t4 t5 t6 t7 s0 s1 s2 s3 s4 s5 fp a0 a1 a2 a3 a4 a5 t8 t9 t10 t11 "
				"ra t12 at gp sp pc"),
	FLOAT(EM_ALPHA, 8, 2, OS_31("f", "") " - fpcr"),

	GENERAL(EM_SPARC, 4, 0, "psr pc npc y " SPARC_GO),
	FLOAT(EM_SPARC, 4, 2, OS_32("f", "") " fsr"),
	GENERAL(EM_SPARCV9, 8, 0, "state pc npc y:4 -:4 " SPARC_GO),
	FLOAT(EM_SPARCV9, 8, 2, OS_32("f", ":4") " f32 f34 f36 f38 f40 f42 f44 f46 f48 f50 f52 f54 f56 f58 f60 f62 fsr"),

	GENERAL(EM_68K, 4, 1, "d0 d1 d2 d3 d4 d5 d6 d7 a0 a1 a2 a3 a4 a5 fp sp sr pc"),
	FLOAT(EM_68K, 4, 3, NULL),

	GENERAL(EM_PARISC, 4, 1, "ipsw r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 "
				 "r23 r24 r25 r26 r27 r28 r29 sp r31 sar pcsqh pcsqt pcoqh pcoqt "
				 OS_8("sr", "") " cr26 cr27"),
};

static const char *const signals[] = { OS_BSD_SIGNALS, "PWR" };

/* sys/sys/siginfo.h. */
static const struct os_code codes[] = {
	{ NULL, 0, "SI_USER", "sent by kill(2)" },
	{ NULL, -1, "SI_QUEUE", "sent by sigqueue(2)" },
	{ NULL, -2, "SI_TIMER", "a timer expired" },
	{ NULL, -3, "SI_ASYNCIO", "asynchronous I/O ended" },
	{ NULL, -4, "SI_MESGQ", "a message came on an empty queue" },
	{ NULL, -5, "SI_LWP", "sent by _lwp_kill(2), as raise(3) and abort(3) do" },
	{ NULL, 32767, "SI_NOINFO", "nothing is known of the reason" },
	{ "TRAP", 3, "TRAP_EXEC", "execve(2) of a traced process" },
	{ "TRAP", 4, "TRAP_CHLD", "a traced process has a child" },
	{ "TRAP", 5, "TRAP_LWP", "a traced process has a new thread, or lost one" },
	{ "TRAP", 6, "TRAP_DBREG", "hardware breakpoint or watchpoint" },
	{ "TRAP", 7, "TRAP_SCE", "a traced system call begins" },
	{ "TRAP", 8, "TRAP_SCX", "a traced system call ends" },
};

/* sys/sys/exec_elf.h. */
static const struct os_auxv auxv_names[] = {
	{ 10, 'n', 0, "AT_DCACHEBSIZE" }, { 11, 'n', 0, "AT_ICACHEBSIZE" }, { 12, 'n', 0, "AT_UCACHEBSIZE" },
	{ 13, 'x', 0, "AT_STACKBASE" }, { 2000, 'n', 0, "AT_EUID" }, { 2001, 'n', 0, "AT_RUID" },
	{ 2002, 'n', 0, "AT_EGID" }, { 2003, 'n', 0, "AT_RGID" }, { 2014, 's', AT_EXECFN, "AT_SUN_EXECNAME" },
};

const struct os os_netbsd = {
	.name = "NetBSD",
	.owner = "NetBSD-CORE",
	.tid_in_owner = true,
	.auxv = { NT_NETBSD_AUXV, .type_size = 4 },
	OS_ROWS(signals, signals),
	OS_ROWS(fields, fields),
	OS_ROWS(sets, sets),
	OS_ROWS(codes, codes),
	OS_ROWS(auxv_names, auxv_names),
};
