#include <elf.h>

#include "base/util.h"
#include "elf/note.h"
#include "os/os.h"

/*
 * Solaris and illumos.  illumos, uts/common/sys/procfs.h: psinfo_t, pstatus_t,
 * lwpstatus_t; prlwpname_t.  Up to Solaris 10 there may be the structures of
 * Solaris 2.5 and before, too, or only them: old_procfs.h: prstatus_t, prpsinfo_t;
 * BFD 2.40, elf.c: elfcore_grok_solaris_note_impl(), which knows them by their sizes.
 * siginfo_t, sys/siginfo.h: signal, code, error, then a union aligned as a pointer.
 */
enum { SPARC32 = 508, SPARC64 = 904, I386 = 432, AMD64 = 824, PRPSINFO32 = 260, PRPSINFO64 = 328 };
#define OLD32(field_, off_, len_) \
	{ field_, NT_PRSTATUS, off_, len_, 4, .size = SPARC32 }, { field_, NT_PRSTATUS, off_, len_, 4, .size = I386 }
#define OLD64(field_, off_, len_) \
	{ field_, NT_PRSTATUS, off_, len_, 8, .size = SPARC64 }, { field_, NT_PRSTATUS, off_, len_, 8, .size = AMD64 }
/* From siginfo_t, which is valid if it has a signal: at 16, or in the old structure at 8. */
#define SI(field_, off_, len_, word_) \
	{ field_, NT_SOLARIS_LWPSTATUS, off_, len_, word_, .flag_off = 16, .flag = ~0u }
#define OLD_SI(field_, off_, len_, word_, size_) \
	{ field_, NT_PRSTATUS, off_, len_, word_, .size = (size_), .flag_off = 8, .flag = ~0u }
#define OLD32_SI(field_, off_, len_) OLD_SI(field_, off_, len_, 4, SPARC32), OLD_SI(field_, off_, len_, 4, I386)
#define OLD64_SI(field_, off_, len_) OLD_SI(field_, off_, len_, 8, SPARC64), OLD_SI(field_, off_, len_, 8, AMD64)
static const struct os_field_at fields[] = {
	{ OS_PID, NT_SOLARIS_PSINFO, 8, .len = 4 }, { OS_PID, NT_SOLARIS_PSTATUS, 8, .len = 4 },
	OLD32(OS_PID, 216, 4), OLD64(OS_PID, 360, 4),
	{ OS_UID, NT_SOLARIS_PSINFO, 24, .len = 4 },
	{ OS_NAME, NT_SOLARIS_PSINFO, 136, 16, .word = 8 }, { OS_NAME, NT_SOLARIS_PSINFO, 88, 16, .word = 4 },
	{ OS_NAME, NT_PRPSINFO, 120, 16, 8, .size = PRPSINFO64 }, { OS_NAME, NT_PRPSINFO, 84, 16, 4, .size = PRPSINFO32 },
	{ OS_ARGS, NT_SOLARIS_PSINFO, 152, 80, .word = 8 }, { OS_ARGS, NT_SOLARIS_PSINFO, 104, 80, .word = 4 },
	{ OS_ARGS, NT_PRPSINFO, 136, 80, 8, .size = PRPSINFO64 }, { OS_ARGS, NT_PRPSINFO, 100, 80, 4, .size = PRPSINFO32 },
	{ OS_TID, NT_SOLARIS_LWPSTATUS, 4, .len = 4 }, OLD32(OS_TID, 308, 4), OLD64(OS_TID, 520, 4),
	{ OS_SIGNO, NT_SOLARIS_LWPSTATUS, 12, .len = 2 }, OLD32(OS_SIGNO, 136, 2), OLD64(OS_SIGNO, 264, 2),
	SI(OS_SI_CODE, 20, 4, 4), OLD32_SI(OS_SI_CODE, 12, 4),
	SI(OS_SI_CODE, 20, 4, 8), OLD64_SI(OS_SI_CODE, 12, 4),
	SI(OS_SI_ADDR, 28, 4, 4), OLD32_SI(OS_SI_ADDR, 20, 4),
	SI(OS_SI_ADDR, 32, 8, 8), OLD64_SI(OS_SI_ADDR, 24, 8),
	{ OS_THREAD_NAME, NT_SOLARIS_LWPNAME, 8, .len = 32 },
};

/* A set of lwpstatus_t, and of the old prstatus_t of @old bytes. */
#define BOTH(machine_, word_, off_, old_, old_off_, regs_) \
	{ "general", machine_, word_, NT_SOLARIS_LWPSTATUS, off_, .regs = (regs_) }, \
	{ "general", machine_, word_, NT_PRSTATUS, old_off_, .size = (old_), .regs = (regs_) }
#define FLOAT(machine_, word_, off_, regs_) { "fpregs", machine_, word_, NT_SOLARIS_LWPSTATUS, off_, .regs = (regs_) }
#define SPARC64_WINDOW OS_8("g", "") " o0 o1 o2 o3 o4 o5 sp o7 " OS_8("l", "") " i0 i1 i2 i3 i4 i5 fp i7"

/*
 * illumos, uts/intel/sys/regset.h, uts/sparc/sys/regset.h, mcontext.h: fpregset_t;
 * places: BFD, as above; gdb 13, *-sol2-tdep.c.
 */
static const struct os_set sets[] = {
	BOTH(EM_X86_64, 8, 544, AMD64, 600, "r15 r14 r13 r12 r11 r10 r9 r8 rdi rsi rbp rbx rdx rcx rax - - "
					    "rip cs eflags rsp ss fs gs es ds fs_base gs_base"),
	FLOAT(EM_X86_64, 8, 768, NULL),

	/* The stack pointer is UESP; ESP is the kernel's. */
	BOTH(EM_386, 4, 344, I386, 356, "gs fs es ds edi esi ebp - ebx edx ecx eax - - eip cs eflags esp ss"),
	FLOAT(EM_386, 4, 420, NULL),

	BOTH(EM_SPARC, 4, 344, SPARC32, 356, NULL),
	FLOAT(EM_SPARC, 4, 496, NULL),

	/* Where Linux has the trap state there is the condition code register. */
	BOTH(EM_SPARCV9, 8, 544, SPARC64, 600, SPARC64_WINDOW " - pc npc y"),
	FLOAT(EM_SPARCV9, 8, 848, OS_32("f", ":4") " f32 f34 f36 f38 f40 f42 f44 f46 f48 f50 f52 f54 f56 f58 f60 f62 - fsr"),
};

/* uts/common/sys/iso/signal_iso.h. */
static const char *const signals[] = {
	"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM", "TERM",
	"USR1", "USR2", "CHLD", "PWR", "WINCH", "URG", "POLL", "STOP", "TSTP", "CONT", "TTIN", "TTOU", "VTALRM", "PROF",
	"XCPU", "XFSZ", "WAITING", "LWP", "FREEZE", "THAW", "CANCEL", "LOST", "XRES", "JVM1", "JVM2", "INFO",
};

/* uts/common/sys/siginfo.h. */
static const struct os_code codes[] = {
	{ NULL, 0, "SI_USER", "sent by kill(2)" },
	{ NULL, -1, "SI_LWP", "sent by _lwp_kill(2), as raise(3) and abort(3) do" },
	{ NULL, -2, "SI_QUEUE", "sent by sigqueue(3)" },
	{ NULL, -3, "SI_TIMER", "a timer expired" },
	{ NULL, -4, "SI_ASYNCIO", "asynchronous I/O ended" },
	{ NULL, -5, "SI_MESGQ", "a message came on an empty queue" },
	{ NULL, 2049, "SI_RCTL", "a resource control was exceeded" },
	{ NULL, 2050, "SI_DTRACE", "sent by DTrace" },
	{ NULL, 32767, "SI_NOINFO", "nothing is known of the reason" },
	{ "EMT", 1, "EMT_TAGOVF", "tag overflow" },
	{ "EMT", 2, "EMT_CPCOVF", "a performance counter overflowed" },
};

/*
 * illumos, uts/common/sys/auxv.h; 2012 and 2013 are of the COFF programs of old Solaris, which NetBSD's
 * exec_elf.h has, too.
 */
static const struct os_auxv auxv_names[] = {
	{ 25, 'x', AT_RANDOM, "AT_RANDOM" },
	{ 2000, 'n', 0, "AT_SUN_UID" }, { 2001, 'n', 0, "AT_SUN_RUID" }, { 2002, 'n', 0, "AT_SUN_GID" },
	{ 2003, 'n', 0, "AT_SUN_RGID" }, { 2004, 'x', 0, "AT_SUN_LDELF" }, { 2005, 'x', 0, "AT_SUN_LDSHDR" },
	{ 2006, 's', 0, "AT_SUN_LDNAME" }, { 2007, 'n', 0, "AT_SUN_LPAGESZ" }, { 2008, 's', 0, "AT_SUN_PLATFORM" },
	{ 2009, 'x', 0, "AT_SUN_HWCAP" }, { 2010, 'x', 0, "AT_SUN_IFLUSH" }, { 2011, 's', 0, "AT_SUN_CPU" },
	{ 2012, 'x', 0, "AT_SUN_EMUL_ENTRY" }, { 2013, 'n', 0, "AT_SUN_EMUL_EXECFD" },
	{ 2014, 's', AT_EXECFN, "AT_SUN_EXECNAME" }, { 2015, 's', 0, "AT_SUN_MMU" }, { 2016, 'x', 0, "AT_SUN_LDDATA" },
	{ 2017, 'x', 0, "AT_SUN_AUXFLAGS" }, { 2018, 's', 0, "AT_SUN_EMULATOR" }, { 2019, 's', 0, "AT_SUN_BRANDNAME" },
	{ 2020, 'x', 0, "AT_SUN_BRAND_AUX1" }, { 2021, 'x', 0, "AT_SUN_BRAND_AUX2" }, { 2022, 'x', 0, "AT_SUN_BRAND_AUX3" },
	{ 2023, 'x', 0, "AT_SUN_HWCAP2" }, { 2024, 's', 0, "AT_SUN_BRAND_NROOT" }, { 2026, 'x', 0, "AT_SUN_COMMPAGE" },
	{ 2027, 'n', 0, "AT_SUN_FPTYPE" }, { 2028, 'n', 0, "AT_SUN_FPSIZE" }, { 2029, 'x', 0, "AT_SUN_HWCAP3" },
};

const struct os os_solaris = {
	.name = "Solaris",
	.owner = "CORE",
	.begins = { NT_SOLARIS_LWPSTATUS, NT_PRSTATUS },
	/* auxv_t: an int, padded. */
	.auxv = { NT_AUXV, .type_size = 4 },
	OS_ROWS(signals, signals),
	OS_ROWS(fields, fields),
	OS_ROWS(sets, sets),
	OS_ROWS(codes, codes),
	OS_ROWS(auxv_names, auxv_names),
};
