/* note_show_os.c - notes of other systems: register sets by their tables, and what is more than a struct. */
#include <string.h>

#include "base/util.h"
#include "cli/note_fields.h"
#include "cli/view_text.h"

/* A note may hold several: general and floating-point registers, or the thread pointer. */
int note_show_os_regs(struct note_ctx *n, struct err *e)
{
	struct core_regset s;
	size_t at = 0;
	int shown = 0;

	(void)e;
	while (core_note_regset(n->core, n->note, &at, &s)) {
		const struct view_set set = { .arch = n->core->arch, .set = s.set, .desc = s.desc };

		show_open(n->s, s.set->name);
		show_regs(n->s, &set);
		show_close(n->s);
		shown = 1;
	}
	return shown;
}

/* Each mapping; those of no file are without a name. */
int note_show_freebsd_vmmap(struct note_ctx *n, struct err *e)
{
	u64 at = CORE_VMMAP_BEGIN;
	struct core_map m;

	(void)e;
	if (n->note->desc.len < at)
		return 0;
	show_list(n->s, "mappings");
	while (core_vmmap_next(n->core, n->note->desc, &at, &m)) {
		show_row(n->s);
		show_hex(n->s, "start", m.start);
		show_hex(n->s, "end", m.end);
		show_hex(n->s, "offset", m.pgoff);
		show_text(n->s, "name", m.name);
		show_row_end(n->s);
	}
	show_list_end(n->s);
	return 1;
}

/* NetBSD 10, sys/sys/ptrace.h: struct ptrace_lwpstatus. */
static const struct note_field netbsd_lwpstatus[] = {
	{ "lwpid", 4, NOTE_S },
	{ "sigpend0", 4, NOTE_X }, { "sigpend1", 4, NOTE_X }, { "sigpend2", 4, NOTE_X }, { "sigpend3", 4, NOTE_X },
	{ "sigmask0", 4, NOTE_X }, { "sigmask1", 4, NOTE_X }, { "sigmask2", 4, NOTE_X }, { "sigmask3", 4, NOTE_X },
	{ "name", 20, NOTE_TEXT }, { "private", NOTE_LONG, NOTE_X },
};
/* illumos, uts/common/sys/procfs.h: prlwpname_t; the beginnings of psinfo_t and pstatus_t; sys/utsname.h. */
static const struct note_field solaris_name[] = { { "lwpid", 8, NOTE_U }, { "name", 32, NOTE_TEXT } };
static const struct note_field solaris_process[] = {
	{ "flags", 4, NOTE_X }, { "nlwp", 4, NOTE_S }, { "pid", 4, NOTE_S }, { "ppid", 4, NOTE_S },
	{ "pgid", 4, NOTE_S }, { "sid", 4, NOTE_S },
};
static const struct note_field solaris_utsname[] = {
	{ "sysname", 257, NOTE_TEXT }, { "nodename", 257, NOTE_TEXT }, { "release", 257, NOTE_TEXT },
	{ "version", 257, NOTE_TEXT }, { "machine", 257, NOTE_TEXT },
};

int note_show_netbsd_lwpstatus(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, netbsd_lwpstatus, ARRAY_SIZE(netbsd_lwpstatus));
}

int note_show_solaris_name(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, solaris_name, ARRAY_SIZE(solaris_name));
}

int note_show_solaris_process(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, solaris_process, ARRAY_SIZE(solaris_process));
}

int note_show_solaris_utsname(struct note_ctx *n, struct err *e)
{
	(void)e;
	return note_fields_show(n, solaris_utsname, ARRAY_SIZE(solaris_utsname));
}

int note_show_word(struct note_ctx *n, struct err *e)
{
	struct bytes d = n->note->desc;

	(void)e;
	if (!d.len)
		return 0;
	show_text(n->s, "text", (struct core_text){ .p = (const char *)d.p, .len = strnlen((const char *)d.p, d.len) });
	return 1;
}
