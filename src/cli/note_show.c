#include "cli/note_show.h"

#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "cli/view_text.h"

enum { ANY_TYPE = 0xffffffff };

/* Register sets that need no words of their own are in the machine's tables. */
static const struct note_show_row rows[] = {
	{ "CORE", NT_PRSTATUS, .show = note_show_prstatus, .summary = note_summary_prstatus },
	{ "CORE", NT_PRPSINFO, .show = note_show_prpsinfo, .summary = note_summary_prpsinfo },
	{ "CORE", NT_SIGINFO, .show = note_show_siginfo, .summary = note_summary_siginfo },
	{ "CORE", NT_AUXV, .show = note_show_auxv, .summary = note_summary_auxv },
	{ "CORE", NT_FILE, .show = note_show_file, .summary = note_summary_file },
	{ "LINUX", NT_X86_XSTATE, .show = note_show_xstate },
	{ "LINUX", NT_X86_XSAVE_LAYOUT, .show = note_show_xsave_layout },
	{ "LINUX", NT_386_IOPERM, .show = note_show_ioperm },
	{ "LINUX", NT_ARM_SVE, .show = note_show_sve },
	{ "LINUX", NT_ARM_SSVE, .show = note_show_sve },
	{ "LINUX", NT_ARM_ZA, .show = note_show_sve },
	{ "LINUX", NT_ARM_HW_BREAK, .machine = EM_AARCH64, .show = note_show_debug },
	{ "LINUX", NT_ARM_HW_WATCH, .machine = EM_AARCH64, .show = note_show_debug },
	{ "LINUX", NT_ARM_SYSTEM_CALL, .show = note_show_call },
	{ "LINUX", NT_S390_SYSTEM_CALL, .show = note_show_call },
	{ "LINUX", NT_ARM_TAGGED_ADDR_CTRL, .show = note_show_tag_ctrl },
	{ "LINUX", NT_ARM_PAC_ENABLED_KEYS, .show = note_show_pac_keys },
	{ "LINUX", NT_RISCV_TAGGED_ADDR_CTRL, .machine = EM_RISCV, .show = note_show_riscv_tag_ctrl },
	{ "LINUX", NT_RISCV_USER_CFI, .machine = EM_RISCV, .show = note_show_riscv_cfi },
	{ "LINUX", NT_LOONGARCH_CPUCFG, .show = note_show_cpucfg },
	{ "LINUX", NT_VMCOREDD, .show = note_show_vmcoredd },
	{ TAGCORE_OWNER, NT_TAGCORE_INFO, .show = note_show_lines, .summary = note_summary_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_THREADS, .show = note_show_lines, .summary = note_summary_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_AREAS, .show = note_show_lines, .summary = note_summary_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_MISSING, .show = note_show_lines, .summary = note_summary_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_PAUSE, .show = note_show_lines, .summary = note_summary_lines },
	{ TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS, .show = note_show_sums, .summary = note_summary_sums },
	{ "GDB", NT_GDB_TDESC, .show = note_show_lines, .summary = note_summary_lines },
	{ "VMCOREINFO", ANY_TYPE, .show = note_show_lines, .summary = note_summary_lines },
	{ "VMCOREINFO_XEN", ANY_TYPE, .show = note_show_lines, .summary = note_summary_lines },
	{ "ERASEINFO", ANY_TYPE, .show = note_show_lines, .summary = note_summary_lines },
	{ "QEMU", ANY_TYPE, .machine = EM_X86_64, .show = note_show_qemu },
	{ "QEMU", ANY_TYPE, .machine = EM_386, .show = note_show_qemu },
	{ "FreeBSD", NT_PRSTATUS, .show = note_show_freebsd_prstatus },
	{ "FreeBSD", NT_PRPSINFO, .show = note_show_freebsd_prpsinfo },
	{ "FreeBSD", NT_FREEBSD_THRMISC, .show = note_show_freebsd_name },
	{ "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV, .show = note_show_freebsd_auxv },
	{ "OpenBSD", NT_OPENBSD_PROCINFO, .show = note_show_openbsd_procinfo },
	{ "OpenBSD", NT_OPENBSD_AUXV, .show = note_show_auxv, .summary = note_summary_auxv },
	{ "NetBSD-CORE", NT_NETBSD_PROCINFO, .show = note_show_netbsd_procinfo },
	{ "NetBSD-CORE", NT_NETBSD_AUXV, .show = note_show_auxv, .summary = note_summary_auxv },
	{ "FreeBSD", NT_FREEBSD_PROCSTAT_VMMAP, .show = note_show_freebsd_vmmap },
	{ "NetBSD-CORE", NT_NETBSD_LWPSTATUS, .show = note_show_netbsd_lwpstatus },
	{ "CORE", NT_SOLARIS_PLATFORM, .show = note_show_word },
	{ "CORE", NT_SOLARIS_ZONENAME, .show = note_show_word },
	{ "CORE", NT_SOLARIS_LWPNAME, .show = note_show_solaris_name },
	{ "CORE", NT_SOLARIS_PSINFO, .show = note_show_solaris_process },
	{ "CORE", NT_SOLARIS_PSTATUS, .show = note_show_solaris_process },
	{ "CORE", NT_SOLARIS_UTSNAME, .show = note_show_solaris_utsname },
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

const struct note_show_row *note_show_find(const struct core *c, enum core_kind kind, const struct note *note)
{
	static const struct note_show_row os_regs = { .show = note_show_os_regs };
	static const struct note_show_row regset = { .show = note_show_regset };
	const struct regset *set;

	/* Solaris has structs of its own under the same owner and those numbers that Linux has, too. */
	bool is_solaris = kind == CORE_SOLARIS && note->type < NT_SOLARIS_PLATFORM;

	for (size_t i = 0; !is_solaris && i < ARRAY_SIZE(rows); i++)
		if ((rows[i].type == note->type || rows[i].type == ANY_TYPE) && note_owner_is(note->owner, rows[i].owner) &&
		    (!rows[i].machine || rows[i].machine == c->ehdr.e_machine))
			return &rows[i];
	if (c->os)
		return &os_regs;
	set = c->arch ? arch_regset(c->arch, note->owner, note->type) : NULL;
	return set && set->n_regs ? &regset : NULL;
}
