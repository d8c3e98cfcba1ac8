#include "cli/note_show.h"

#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "cli/view_text.h"

enum { ANY_TYPE = 0xffffffff };

/* What a kind of note is shown by.  Register sets that need no words of their own are in the machine's tables. */
static const struct {
	const char *owner;
	u32 type;
	u16 machine;	/* EM_*, or 0: any */
	note_show_fn *show;
} rows[] = {
	{ "CORE", NT_PRSTATUS, 0, note_show_prstatus },
	{ "CORE", NT_PRPSINFO, 0, note_show_prpsinfo },
	{ "CORE", NT_SIGINFO, 0, note_show_siginfo },
	{ "CORE", NT_AUXV, 0, note_show_auxv },
	{ "CORE", NT_FILE, 0, note_show_file },
	{ "LINUX", NT_X86_XSTATE, 0, note_show_xstate },
	{ "LINUX", NT_X86_XSAVE_LAYOUT, 0, note_show_xsave_layout },
	{ "LINUX", NT_386_IOPERM, 0, note_show_ioperm },
	{ "LINUX", NT_ARM_SVE, 0, note_show_sve },
	{ "LINUX", NT_ARM_SSVE, 0, note_show_sve },
	{ "LINUX", NT_ARM_ZA, 0, note_show_sve },
	{ "LINUX", NT_ARM_HW_BREAK, EM_AARCH64, note_show_debug },
	{ "LINUX", NT_ARM_HW_WATCH, EM_AARCH64, note_show_debug },
	{ "LINUX", NT_ARM_SYSTEM_CALL, 0, note_show_call },
	{ "LINUX", NT_S390_SYSTEM_CALL, 0, note_show_call },
	{ "LINUX", NT_ARM_TAGGED_ADDR_CTRL, 0, note_show_tag_ctrl },
	{ "LINUX", NT_ARM_PAC_ENABLED_KEYS, 0, note_show_pac_keys },
	{ "LINUX", NT_RISCV_TAGGED_ADDR_CTRL, EM_RISCV, note_show_riscv_tag_ctrl },
	{ "LINUX", NT_RISCV_USER_CFI, EM_RISCV, note_show_riscv_cfi },
	{ "LINUX", NT_LOONGARCH_CPUCFG, 0, note_show_cpucfg },
	{ "LINUX", NT_VMCOREDD, 0, note_show_vmcoredd },
	{ TAGCORE_OWNER, NT_TAGCORE_INFO, 0, note_show_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_THREADS, 0, note_show_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_AREAS, 0, note_show_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_MISSING, 0, note_show_lines },
	{ "GDB", NT_GDB_TDESC, 0, note_show_lines },
	{ "VMCOREINFO", ANY_TYPE, 0, note_show_lines },
	{ "VMCOREINFO_XEN", ANY_TYPE, 0, note_show_lines },
	{ "ERASEINFO", ANY_TYPE, 0, note_show_lines },
	{ "QEMU", ANY_TYPE, EM_X86_64, note_show_qemu },
	{ "QEMU", ANY_TYPE, EM_386, note_show_qemu },
	{ "FreeBSD", NT_PRSTATUS, 0, note_show_freebsd_prstatus },
	{ "FreeBSD", NT_PRPSINFO, 0, note_show_freebsd_prpsinfo },
	{ "FreeBSD", NT_FREEBSD_THRMISC, 0, note_show_freebsd_name },
	{ "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV, 0, note_show_freebsd_auxv },
	{ "OpenBSD", NT_OPENBSD_PROCINFO, 0, note_show_openbsd_procinfo },
	{ "OpenBSD", NT_OPENBSD_AUXV, 0, note_show_auxv },
	{ "NetBSD-CORE", NT_NETBSD_PROCINFO, 0, note_show_netbsd_procinfo },
	{ "NetBSD-CORE", NT_NETBSD_AUXV, 0, note_show_auxv },
	{ "FreeBSD", NT_FREEBSD_PROCSTAT_VMMAP, 0, note_show_freebsd_vmmap },
	{ "NetBSD-CORE", NT_NETBSD_LWPSTATUS, 0, note_show_netbsd_lwpstatus },
	{ "CORE", NT_SOLARIS_PLATFORM, 0, note_show_word },
	{ "CORE", NT_SOLARIS_ZONENAME, 0, note_show_word },
	{ "CORE", NT_SOLARIS_LWPNAME, 0, note_show_solaris_name },
	{ "CORE", NT_SOLARIS_PSINFO, 0, note_show_solaris_process },
	{ "CORE", NT_SOLARIS_PSTATUS, 0, note_show_solaris_process },
	{ "CORE", NT_SOLARIS_UTSNAME, 0, note_show_solaris_utsname },
};

int note_show_regset(struct note_ctx *n, struct err *e)
{
	const struct core *c = n->core;
	const struct view_set set = { .arch = c->arch, .set = arch_regset(c->arch, n->note->owner, n->note->type),
				      .desc = n->note->desc };
	char buf[VIEW_REG_MAX];

	(void)e;
	/* Kernels that know of fewer registers write shorter sets. */
	if (!view_set_value(&set, 0, buf))
		return 0;
	show_regs(n->s, &set);
	return 1;
}

note_show_fn *note_show_find(const struct core *c, enum core_kind kind, const struct note *note)
{
	const struct regset *set;

	/* Solaris has structs of its own under the same owner and those numbers that Linux has, too. */
	bool is_own = kind == CORE_SOLARIS && note->type < NT_SOLARIS_PLATFORM;

	for (size_t i = 0; !is_own && i < ARRAY_SIZE(rows); i++)
		if ((rows[i].type == note->type || rows[i].type == ANY_TYPE) && note_owner_is(note->owner, rows[i].owner) &&
		    (!rows[i].machine || rows[i].machine == c->ehdr.e_machine))
			return rows[i].show;
	if (c->os)
		return note_show_os_regs;
	set = c->arch ? arch_regset(c->arch, note->owner, note->type) : NULL;
	return set && set->n_regs ? note_show_regset : NULL;
}
