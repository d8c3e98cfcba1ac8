#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

enum { NONE = 0xffff };

/*
 * Where a note of another system has what PRPSINFO tells, by the size of a long:
 * file positions in the descriptor.  FreeBSD 14 sys/sys/procfs.h: prpsinfo,
 * prstatus; OpenBSD 7, NetBSD 10 sys/sys/exec_elf.h; illumos
 * uts/common/sys/procfs.h: psinfo_t.
 */
static const struct {
	enum core_kind kind;
	const char *owner;
	u32 type;
	u8 word;	/* 0: any */
	u16 signo, pid, uid, name, name_len, args, args_len;
} rows[] = {
	{ CORE_FREEBSD, "FreeBSD", NT_PRPSINFO, 8, NONE, 116, NONE, 16, 17, 33, 81 },
	{ CORE_FREEBSD, "FreeBSD", NT_PRPSINFO, 4, NONE, 108, NONE, 8, 17, 25, 81 },
	{ CORE_FREEBSD, "FreeBSD", NT_PRSTATUS, 8, 36, NONE, NONE, NONE, 0, NONE, 0 },
	{ CORE_FREEBSD, "FreeBSD", NT_PRSTATUS, 4, 20, NONE, NONE, NONE, 0, NONE, 0 },
	{ CORE_OPENBSD, "OpenBSD", NT_OPENBSD_PROCINFO, 0, 8, 32, 48, 72, 32, NONE, 0 },
	{ CORE_NETBSD, "NetBSD-CORE", NT_NETBSD_PROCINFO, 0, 8, 80, 96, 124, 32, NONE, 0 },
	{ CORE_SOLARIS, "CORE", NT_SOLARIS_PSINFO, 8, NONE, 8, 24, 136, 16, 152, 80 },
	{ CORE_SOLARIS, "CORE", NT_SOLARIS_PSINFO, 4, NONE, 8, 24, 88, 16, 104, 80 },
};

static bool number(const struct core *c, struct bytes d, u16 at, s64 *out)
{
	u64 v;

	if (at == NONE || bytes_uint(d, c->fmt, at, 4, &v, NULL))
		return false;
	*out = (s32)v;
	return true;
}

static void text(struct bytes d, u16 at, u16 len, char *out, size_t size)
{
	struct bytes b;

	if (at != NONE && !bytes_sub(d, at, len, &b, NULL))
		core_text_copy((struct core_text){ .p = (const char *)b.p, .len = b.len }, out, size);
}

static void of_linux(const struct core *c, struct core_procinfo *out)
{
	struct prpsinfo ps;

	if (core_prpsinfo(c, &ps, NULL))
		return;
	out->has_pid = out->has_uid = out->has_args = true;
	out->pid = ps.pid;
	out->uid = ps.uid;
	memcpy(out->name, ps.fname, sizeof(ps.fname));
	memcpy(out->args, ps.psargs, sizeof(ps.psargs));
}

static void of_row(const struct core *c, size_t i, struct core_procinfo *out)
{
	const struct core_note *n = core_note_find(c, 0, rows[i].owner, rows[i].type);
	struct bytes d = n ? n->note.desc : (struct bytes){ 0 };

	if (!n)
		return;
	out->has_pid |= number(c, d, rows[i].pid, &out->pid);
	out->has_uid |= number(c, d, rows[i].uid, &out->uid);
	out->has_signo |= number(c, d, rows[i].signo, &out->signo);
	text(d, rows[i].name, rows[i].name_len, out->name, sizeof(out->name));
	out->has_args |= rows[i].args != NONE;
	text(d, rows[i].args, rows[i].args_len, out->args, sizeof(out->args));
}

void core_procinfo(const struct core *c, struct core_procinfo *out)
{
	*out = (struct core_procinfo){ 0 };
	if (c->kind == CORE_PROCESS || core_kind_is_machine(c->kind)) {
		of_linux(c, out);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == c->kind && (!rows[i].word || rows[i].word == c->layout.word))
			of_row(c, i, out);
}

struct core_text core_vmcoreinfo(const struct core *c, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < c->n_notes; i++) {
		struct line_iter it = { .desc = c->notes[i].note.desc };
		struct core_text line;
		u64 off;

		if (strcmp(c->notes[i].note.owner, "VMCOREINFO"))
			continue;
		while (line_next(&it, &line, &off) > 0)
			if (line.len > len && line.p[len] == '=' && !memcmp(line.p, key, len))
				return (struct core_text){ .p = line.p + len + 1, .len = line.len - len - 1 };
	}
	return (struct core_text){ 0 };
}
