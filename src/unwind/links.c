#include <string.h>

#include "elf/linkmap.h"
#include "unwind/unwind_priv.h"

/*
 * What the dynamic linker had loaded, for cores whose segments and FILE note do
 * not tell: gdb's leave unchanged code out.  A module that is known already stays
 * as it is; another ends with its data, which its dynamic section is part of.
 */
static int add_link(const struct link *l, void *arg, struct err *e)
{
	struct unwind *u = arg;
	const struct core_area *a = core_area_find(u->core, l->ld);
	struct core_module m = { .start = l->base, .path = { .p = l->name, .len = strlen(l->name) } };

	if (!*l->name || !a || a->start > l->ld || l->ld < l->base || module_at(u, l->ld) || module_at(u, l->base))
		return 0;
	m.end = a->end;
	return modules_add(u, &m, e);
}

static bool read_space(void *arg, u64 addr, void *buf, size_t len)
{
	return space_read(arg, addr, buf, len);
}

int links_load(struct unwind *u, struct err *e)
{
	struct linkmap_reader r = { .fmt = u->core->fmt, .word = u->core->layout.word, .read = read_space, .arg = u };
	u64 phdr, phnum;

	if (!u->core->arch || !core_auxv(u->core, AT_PHDR, &phdr) || !core_auxv(u->core, AT_PHNUM, &phnum))
		return 0;
	return linkmap_walk(&r, phdr, phnum, add_link, u, e);
}
