#include <string.h>

#include <tagcore/note.h>

#include "base/uapi.h"
#include "base/util.h"

/* Linux 6.12, include/uapi/linux/elf.h; names as elf.h has them. */
const struct note_kind note_kinds[] = {
	{ "NT_PRSTATUS", "CORE", NT_PRSTATUS, "thread status and general registers", true },
	{ "NT_PRFPREG", "CORE", NT_PRFPREG, "floating-point registers", true },
	{ "NT_PRPSINFO", "CORE", NT_PRPSINFO, "process information", false },
	{ "NT_TASKSTRUCT", "CORE", NT_TASKSTRUCT, "task structure", false },
	{ "NT_AUXV", "CORE", NT_AUXV, "auxiliary vector", false },
	{ "NT_SIGINFO", "CORE", NT_SIGINFO, "signal information", true },
	{ "NT_FILE", "CORE", NT_FILE, "mapped files", false },
	{ "NT_PRXFPREG", "LINUX", NT_PRXFPREG, "i386 SSE registers", true },
	{ "NT_386_TLS", "LINUX", NT_386_TLS, "i386 TLS slots", true },
	{ "NT_386_IOPERM", "LINUX", NT_386_IOPERM, "x86 I/O permission bitmap", true },
	{ "NT_X86_XSTATE", "LINUX", NT_X86_XSTATE, "x86 extended state (XSAVE)", true },
	{ "NT_X86_SHSTK", "LINUX", NT_X86_SHSTK, "x86 shadow stack pointer", true },
	{ "NT_X86_XSAVE_LAYOUT", "LINUX", NT_X86_XSAVE_LAYOUT, "layout of the XSAVE area", false },
	{ "NT_ARM_VFP", "LINUX", NT_ARM_VFP, "ARM VFP registers", true },
	{ "NT_ARM_TLS", "LINUX", NT_ARM_TLS, "thread pointer", true },
	{ "NT_ARM_HW_BREAK", "LINUX", NT_ARM_HW_BREAK, "hardware breakpoints", true },
	{ "NT_ARM_HW_WATCH", "LINUX", NT_ARM_HW_WATCH, "hardware watchpoints", true },
	{ "NT_ARM_SYSTEM_CALL", "LINUX", NT_ARM_SYSTEM_CALL, "system call number", true },
	{ "NT_ARM_SVE", "LINUX", NT_ARM_SVE, "SVE registers", true },
	{ "NT_ARM_PAC_MASK", "LINUX", NT_ARM_PAC_MASK, "pointer authentication masks", true },
	{ "NT_ARM_PACA_KEYS", "LINUX", NT_ARM_PACA_KEYS, "pointer authentication address keys", true },
	{ "NT_ARM_PACG_KEYS", "LINUX", NT_ARM_PACG_KEYS, "pointer authentication generic keys", true },
	{ "NT_ARM_TAGGED_ADDR_CTRL", "LINUX", NT_ARM_TAGGED_ADDR_CTRL, "tagged address control", true },
	{ "NT_ARM_PAC_ENABLED_KEYS", "LINUX", NT_ARM_PAC_ENABLED_KEYS, "enabled pointer authentication keys", true },
	{ "NT_ARM_SSVE", "LINUX", NT_ARM_SSVE, "streaming SVE registers", true },
	{ "NT_ARM_ZA", "LINUX", NT_ARM_ZA, "SME ZA array", true },
	{ "NT_ARM_ZT", "LINUX", NT_ARM_ZT, "SME2 ZT registers", true },
	{ "NT_ARM_FPMR", "LINUX", NT_ARM_FPMR, "floating-point mode register", true },
	{ "NT_ARM_POE", "LINUX", NT_ARM_POE, "permission overlay register", true },
	{ "NT_ARM_GCS", "LINUX", NT_ARM_GCS, "guarded control stack", true },
	{ "NT_PPC_VMX", "LINUX", NT_PPC_VMX, "PowerPC AltiVec registers", true },
	{ "NT_PPC_VSX", "LINUX", NT_PPC_VSX, "PowerPC VSX registers", true },
	{ "NT_S390_HIGH_GPRS", "LINUX", NT_S390_HIGH_GPRS, "s390 upper register halves", true },
	{ "NT_S390_TIMER", "LINUX", NT_S390_TIMER, "s390 timer", true },
	{ "NT_S390_TODCMP", "LINUX", NT_S390_TODCMP, "s390 TOD clock comparator", true },
	{ "NT_S390_TODPREG", "LINUX", NT_S390_TODPREG, "s390 TOD programmable register", true },
	{ "NT_S390_CTRS", "LINUX", NT_S390_CTRS, "s390 control registers", true },
	{ "NT_S390_PREFIX", "LINUX", NT_S390_PREFIX, "s390 prefix register", true },
	{ "NT_S390_LAST_BREAK", "LINUX", NT_S390_LAST_BREAK, "s390 breaking event address", true },
	{ "NT_S390_SYSTEM_CALL", "LINUX", NT_S390_SYSTEM_CALL, "s390 system call restart data", true },
	{ "NT_S390_TDB", "LINUX", NT_S390_TDB, "s390 transaction diagnostic block", true },
	{ "NT_S390_VXRS_LOW", "LINUX", NT_S390_VXRS_LOW, "s390 vector registers 0-15", true },
	{ "NT_S390_VXRS_HIGH", "LINUX", NT_S390_VXRS_HIGH, "s390 vector registers 16-31", true },
	{ "NT_TAGCORE_INFO", TAGCORE_OWNER, NT_TAGCORE_INFO, "who made this core, and how", false },
	{ "NT_TAGCORE_THREADS", TAGCORE_OWNER, NT_TAGCORE_THREADS, "thread states and names", false },
	{ "NT_TAGCORE_AREAS", TAGCORE_OWNER, NT_TAGCORE_AREAS, "all areas, and what was saved of each", false },
	{ "NT_TAGCORE_MISSING", TAGCORE_OWNER, NT_TAGCORE_MISSING, "ranges that could not be saved", false },
};
const size_t n_note_kinds = ARRAY_SIZE(note_kinds);

const struct note_kind *note_kind_find(const char *owner, u32 type)
{
	for (size_t i = 0; i < n_note_kinds; i++)
		if (note_kinds[i].type == type && !strcmp(note_kinds[i].owner, owner))
			return &note_kinds[i];
	return NULL;
}
