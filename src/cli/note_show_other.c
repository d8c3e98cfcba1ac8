#include "base/util.h"
#include "cli/note_fields.h"

/* FreeBSD 14, sys/sys/procfs.h: struct prstatus up to pr_reg, struct prpsinfo of version 1. */
static const struct note_field freebsd_prstatus[] = {
	{ "version", 4, NOTE_S }, { "statussz", NOTE_LONG, NOTE_U }, { "gregsetsz", NOTE_LONG, NOTE_U },
	{ "fpregsetsz", NOTE_LONG, NOTE_U }, { "osreldate", 4, NOTE_S }, { "cursig", 4, NOTE_S },
	{ "pid", 4, NOTE_S },
};
static const struct note_field freebsd_prpsinfo[] = {
	{ "version", 4, NOTE_S }, { "psinfosz", NOTE_LONG, NOTE_U }, { "fname", 17, NOTE_TEXT },
	{ "psargs", 81, NOTE_TEXT }, { "pid", 4, NOTE_S },
};
/* sys/sys/procfs.h: struct thrmisc. */
static const struct note_field freebsd_thrmisc[] = { { "name", 20, NOTE_TEXT } };

/* OpenBSD 7, sys/sys/exec_elf.h: struct elfcore_procinfo. */
static const struct note_field openbsd_procinfo[] = {
	{ "version", 4, NOTE_U }, { "size", 4, NOTE_U }, { "signo", 4, NOTE_U }, { "sigcode", 4, NOTE_S },
	{ "sigpend", 4, NOTE_X }, { "sigmask", 4, NOTE_X }, { "sigignore", 4, NOTE_X }, { "sigcatch", 4, NOTE_X },
	{ "pid", 4, NOTE_S }, { "ppid", 4, NOTE_S }, { "pgrp", 4, NOTE_S }, { "sid", 4, NOTE_S },
	{ "ruid", 4, NOTE_U }, { "euid", 4, NOTE_U }, { "svuid", 4, NOTE_U },
	{ "rgid", 4, NOTE_U }, { "egid", 4, NOTE_U }, { "svgid", 4, NOTE_U }, { "name", 32, NOTE_TEXT },
};

/* NetBSD 10, sys/sys/exec_elf.h: struct netbsd_elfcore_procinfo of version 1; a set of signals is four words. */
static const struct note_field netbsd_procinfo[] = {
	{ "version", 4, NOTE_U }, { "size", 4, NOTE_U }, { "signo", 4, NOTE_U }, { "sigcode", 4, NOTE_S },
	{ "sigpend0", 4, NOTE_X }, { "sigpend1", 4, NOTE_X }, { "sigpend2", 4, NOTE_X }, { "sigpend3", 4, NOTE_X },
	{ "sigmask0", 4, NOTE_X }, { "sigmask1", 4, NOTE_X }, { "sigmask2", 4, NOTE_X }, { "sigmask3", 4, NOTE_X },
	{ "sigignore0", 4, NOTE_X }, { "sigignore1", 4, NOTE_X }, { "sigignore2", 4, NOTE_X },
	{ "sigignore3", 4, NOTE_X }, { "sigcatch0", 4, NOTE_X }, { "sigcatch1", 4, NOTE_X },
	{ "sigcatch2", 4, NOTE_X }, { "sigcatch3", 4, NOTE_X },
	{ "pid", 4, NOTE_S }, { "ppid", 4, NOTE_S }, { "pgrp", 4, NOTE_S }, { "sid", 4, NOTE_S },
	{ "ruid", 4, NOTE_U }, { "euid", 4, NOTE_U }, { "svuid", 4, NOTE_U },
	{ "rgid", 4, NOTE_U }, { "egid", 4, NOTE_U }, { "svgid", 4, NOTE_U }, { "nlwps", 4, NOTE_U },
	{ "name", 32, NOTE_TEXT },
};

/* qemu 9, target/i386/arch_dump.c: QEMUCPUState, for 32-bit guests, too. */
#define SEGMENT(name) \
	{ name "_selector", 4, NOTE_X }, { name "_limit", 4, NOTE_X }, { name "_flags", 4, NOTE_X }, \
	{ name "_pad", 4, NOTE_X }, { name "_base", 8, NOTE_X }
static const struct note_field qemu_cpu[] = {
	{ "version", 4, NOTE_U }, { "size", 4, NOTE_U },
	{ "rax", 8, NOTE_X }, { "rbx", 8, NOTE_X }, { "rcx", 8, NOTE_X }, { "rdx", 8, NOTE_X },
	{ "rsi", 8, NOTE_X }, { "rdi", 8, NOTE_X }, { "rsp", 8, NOTE_X }, { "rbp", 8, NOTE_X },
	{ "r8", 8, NOTE_X }, { "r9", 8, NOTE_X }, { "r10", 8, NOTE_X }, { "r11", 8, NOTE_X },
	{ "r12", 8, NOTE_X }, { "r13", 8, NOTE_X }, { "r14", 8, NOTE_X }, { "r15", 8, NOTE_X },
	{ "rip", 8, NOTE_X }, { "rflags", 8, NOTE_X },
	SEGMENT("cs"), SEGMENT("ds"), SEGMENT("es"), SEGMENT("fs"), SEGMENT("gs"), SEGMENT("ss"),
	SEGMENT("ldt"), SEGMENT("tr"), SEGMENT("gdt"), SEGMENT("idt"),
	{ "cr0", 8, NOTE_X }, { "cr1", 8, NOTE_X }, { "cr2", 8, NOTE_X }, { "cr3", 8, NOTE_X }, { "cr4", 8, NOTE_X },
	{ "kernel_gs_base", 8, NOTE_X },
};

int note_show_freebsd_prstatus(struct note_ctx *n, struct err *e)
{
	u64 at = align_up(note_fields_size(n, freebsd_prstatus, ARRAY_SIZE(freebsd_prstatus)), n->core->layout.word);
	struct bytes d = n->note->desc;

	if (d.len < at || !note_fields_show(n, freebsd_prstatus, ARRAY_SIZE(freebsd_prstatus)))
		return 0;
	if (!note_show_os_regs(n, e))
		show_bytes(n->s, "registers_hex", (struct bytes){ .p = d.p + at, .len = d.len - (size_t)at });
	return 1;
}

/* pr_pid came with version "1a": sys/kern/imgact_elf.c. */
int note_show_freebsd_prpsinfo(struct note_ctx *n, struct err *e)
{
	size_t all = ARRAY_SIZE(freebsd_prpsinfo);

	(void)e;
	return note_fields_show(n, freebsd_prpsinfo, all) || note_fields_show(n, freebsd_prpsinfo, all - 1);
}

int note_show_freebsd_name(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, freebsd_thrmisc, ARRAY_SIZE(freebsd_thrmisc));
}

/* An int, the size of an entry, comes first: sys/kern/imgact_elf.c: note_procstat_auxv(). */
int note_show_freebsd_auxv(struct note_ctx *n, struct err *e)
{
	struct bytes d = n->note->desc;

	if (d.len < 4)
		return 0;
	show_u64(n->s, "size", uint_get(n->core->fmt, d.p, 4));
	return note_show_auxv_of(n, (struct bytes){ .p = d.p + 4, .len = d.len - 4, .off = d.off + 4 }, e);
}

int note_show_openbsd_procinfo(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, openbsd_procinfo, ARRAY_SIZE(openbsd_procinfo));
}

int note_show_netbsd_procinfo(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, netbsd_procinfo, ARRAY_SIZE(netbsd_procinfo));
}

int note_show_qemu(struct note_ctx *n, struct err *e)
{
	size_t all = ARRAY_SIZE(qemu_cpu);

	(void)e;
	/* The last came with qemu 2.12. */
	return note_fields_show(n, qemu_cpu, all) || note_fields_show(n, qemu_cpu, all - 1);
}
