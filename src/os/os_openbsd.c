#include <elf.h>

#include "base/util.h"
#include "elf/note.h"
#include "os/os.h"

/* OpenBSD 7, sys/sys/exec_elf.h: struct elfcore_procinfo. */
static const struct os_field_at fields[] = {
	{ OS_PID, NT_OPENBSD_PROCINFO, 32, .len = 4 },
	{ OS_UID, NT_OPENBSD_PROCINFO, 48, .len = 4 },
	{ OS_NAME, NT_OPENBSD_PROCINFO, 72, .len = 32 },
	{ OS_SIGNO, NT_OPENBSD_PROCINFO, 8, .len = 4 },
	{ OS_SI_CODE, NT_OPENBSD_PROCINFO, 12, .len = 4 },
	{ OS_RET_COOKIE, NT_OPENBSD_WCOOKIE, 0, 8, .word = 8 }, { OS_RET_COOKIE, NT_OPENBSD_WCOOKIE, 0, 4, .word = 4 },
};

#define GENERAL(machine_, word_, regs_) { "general", machine_, word_, NT_OPENBSD_REGS, .regs = (regs_) }
#define FLOAT(machine_, word_, regs_) { "fpregs", machine_, word_, NT_OPENBSD_FPREGS, .regs = (regs_) }

#define SPARC OS_8("g", "") " o0 o1 o2 o3 o4 o5 sp o7 " OS_8("l", "") " i0 i1 i2 i3 i4 i5 fp i7"

/* Registers: sys/arch/.../include/reg.h; gdb 13, *-obsd-tdep.c, *-bsd-tdep.c. */
static const struct os_set sets[] = {
	GENERAL(EM_X86_64, 8, "rdi rsi rdx rcx r8 r9 r10 r11 r12 r13 r14 r15 rbp rbx rax rsp rip eflags "
			      "cs ss ds es fs gs"),
	FLOAT(EM_X86_64, 8, NULL),

	GENERAL(EM_386, 4, "eax ecx edx ebx esp ebp esi edi eip eflags cs ss ds es fs gs"),
	FLOAT(EM_386, 4, NULL),
	{ "xfpregs", EM_386, 4, .type = NT_OPENBSD_XFPREGS },

	GENERAL(EM_AARCH64, 8, OS_31("x", "") " sp pc pstate"),
	{ "tls", EM_AARCH64, 8, NT_OPENBSD_REGS, 34 * 8, .regs = "tpidr" },
	FLOAT(EM_AARCH64, 8, NULL),
	/* sys/arch/arm64/arm64/process_machdep.c: coredump_note_elf_md(): two words, of one value: process_get_pacmask(). */
	{ "pac_mask", EM_AARCH64, 8, .type = NT_OPENBSD_PACMASK },

	GENERAL(EM_ARM, 4, OS_8("r", "") " r8 r9 r10 r11 r12 sp lr pc cpsr"),

	/* The floating-point registers follow: sys/arch/mips64/include/regnum.h. */
	GENERAL(EM_MIPS, 8, "zero at v0 v1 a0 a1 a2 a3 a4 a5 a6 a7 t0 t1 t2 t3 s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 "
			    "gp sp s8 ra status lo hi badvaddr cause pc"),
	{ "fpregs", EM_MIPS, 8, NT_OPENBSD_REGS, 38 * 8, .regs = OS_32("f", "") " fcsr" },

	GENERAL(EM_PPC, 4, OS_32("r", "") " -:256 pc msr cr lr ctr xer mq"),
	GENERAL(EM_PPC64, 8, OS_32("r", "") " lr cr xer ctr pc msr"),

	GENERAL(EM_RISCV, 8, "ra sp gp tp t0 t1 t2 t3 t4 t5 t6 s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 "
			     OS_8("a", "") " pc"),
	FLOAT(EM_RISCV, 8, OS_32("f", ":8") " fcsr"),

	GENERAL(EM_ALPHA, 8, "v0 t0 t1 t2 t3 t4 t5 t6 t7 s0 s1 s2 s3 s4 s5 fp a0 a1 a2 a3 a4 a5 t8 t9 t10 t11 "
			     "ra t12 at gp sp pc"),
	FLOAT(EM_ALPHA, 8, OS_31("f", "") " - fpcr"),

	/* In old cores the trap frame itself, and the floating-point registers after it. */
	{ "general", EM_SPARCV9, 8, NT_OPENBSD_REGS, .size = 832, .regs = "state pc npc - - y:4 -:4 " SPARC },
	GENERAL(EM_SPARCV9, 8, "state pc npc y:4 -:4 " SPARC),
	FLOAT(EM_SPARCV9, 8, OS_32("f", ":4") " f32 f34 f36 f38 f40 f42 f44 f46 f48 f50 f52 f54 f56 f58 f60 f62 fsr gsr:4"),

	{ "general", EM_PARISC, 4, NT_OPENBSD_REGS, .size = 34 * 4,
	  .regs = "sar r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 "
		  "r27 r28 r29 sp r31 pcoqh pcoqt" },
	GENERAL(EM_PARISC, 4, "ipsw r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 "
			      "r23 r24 r25 r26 r27 r28 r29 sp r31 sar pcsqh pcsqt pcoqh pcoqt "
			      OS_8("sr", "") " cr26 cr27"),
};

static const char *const signals[] = { OS_BSD_SIGNALS, "THR" };

/* sys/sys/siginfo.h. */
static const struct os_code codes[] = {
	{ NULL, 0, "SI_USER", "sent by kill(2)" },
	{ NULL, -1, "SI_LWP", "sent by thrkill(2), as raise(3) and abort(3) do" },
	{ NULL, -2, "SI_QUEUE", "sent by sigqueue(3)" },
	{ NULL, -3, "SI_TIMER", "a timer expired" },
	{ NULL, 32767, "SI_NOINFO", "nothing is known of the reason" },
	{ "ILL", 9, "ILL_BTCFI", "a jump to no landing pad" },
};

/* sys/sys/exec_elf.h: enum AuxID, with AT_ for AUX_; 2000 and 2002 are the effective ids. */
static const struct os_auxv auxv_names[] = {
	{ 25, 'x', 0, "AT_HWCAP" }, { 26, 'x', 0, "AT_HWCAP2" }, { 2000, 'n', 0, "AT_SUN_UID" },
	{ 2001, 'n', 0, "AT_SUN_RUID" }, { 2002, 'n', 0, "AT_SUN_GID" }, { 2003, 'n', 0, "AT_SUN_RGID" },
	{ 4000, 'x', 0, "AT_OPENBSD_TIMEKEEP" }, { 4001, 's', AT_EXECFN, "AT_OPENBSD_EXECPATH" },
};

const struct os os_openbsd = {
	.name = "OpenBSD",
	.owner = "OpenBSD",
	.tid_in_owner = true,
	/* Before threads had notes of their own, of the owner without a number. */
	.begins = { NT_OPENBSD_REGS },
	.auxv = { NT_OPENBSD_AUXV, .type_size = 4 },
	OS_ROWS(signals, signals),
	OS_ROWS(fields, fields),
	OS_ROWS(sets, sets),
	OS_ROWS(codes, codes),
	OS_ROWS(auxv_names, auxv_names),
};
