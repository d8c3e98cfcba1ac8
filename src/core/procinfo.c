#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

static void of_linux(const struct core *c, struct core_procinfo *out)
{
	struct prpsinfo ps;

	if (core_prpsinfo(c, &ps, NULL))
		return;
	out->has_pid = out->has_uid = out->has_name = out->has_args = true;
	out->pid = ps.pid;
	out->uid = ps.uid;
	memcpy(out->name, ps.fname, sizeof(ps.fname));
	memcpy(out->args, ps.psargs, sizeof(ps.psargs));
}

static bool text(const struct core *c, enum os_field field, char *out, size_t size)
{
	struct bytes b;

	if (!core_os_field(c, NULL, field, &b))
		return false;
	core_text_copy((struct core_text){ .p = (const char *)b.p, .len = b.len }, out, size);
	return true;
}

static bool number(const struct core *c, enum os_field field, s64 *out)
{
	u64 v;

	if (!core_os_number(c, NULL, field, &v))
		return false;
	*out = (s32)v;
	return true;
}

void core_procinfo(const struct core *c, struct core_procinfo *out)
{
	u64 signo;

	*out = (struct core_procinfo){ 0 };
	if (!c->os) {
		of_linux(c, out);
		return;
	}
	out->has_pid = number(c, OS_PID, &out->pid);
	out->has_uid = number(c, OS_UID, &out->uid);
	out->has_signo = core_os_signal(c, &signo);
	if (out->has_signo)
		out->signo = (s32)signo;
	out->has_name = text(c, OS_NAME, out->name, sizeof(out->name));
	out->has_args = text(c, OS_ARGS, out->args, sizeof(out->args));
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
