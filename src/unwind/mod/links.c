#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/linkmap.h"
#include "unwind/mod/mod.h"

/*
 * What the dynamic linker had loaded, for cores whose segments and FILE note do
 * not tell: gdb's leave unchanged code out, and old kernels' have no such note.
 */

/* Its dynamic section must be where the list says. */
static bool place(const struct unwind *u, struct module *m, const struct link *l)
{
	size_t n = 0;
	GElf_Phdr p;
	u64 lo, hi;

	if (elf_getphdrnum(m->elf, &n) || !module_span(m->elf, &lo, &hi))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(m->elf, (int)i, &p) && p.p_type == PT_DYNAMIC &&
		    u64_of_word(u, p.p_vaddr + l->base) == l->ld) {
			m->start = u64_of_word(u, lo + l->base);
			m->end = u64_of_word(u, hi + l->base);
			return m->start < m->end;
		}
	return false;
}

/*
 * Without its file: from where it was moved to, which is its first byte but for
 * prelinked ones, to the end of its data, which its dynamic section is part of.
 */
static bool guess(const struct unwind *u, struct module *m, const struct link *l)
{
	const struct core_area *a = core_area_find(u->core, l->ld);

	if (!a || a->start > l->ld || l->ld < l->base)
		return false;
	m->start = l->base ? l->base : a->start;
	m->end = a->end;
	return true;
}

/* By the list itself, which may go in a circle: those are sorted in later. */
static bool is_added(const struct unwind *u, u64 ld)
{
	for (size_t i = u->n_sorted; i < u->n_mods; i++)
		if (ld >= u->mods[i].start && ld < u->mods[i].end)
			return true;
	return false;
}

static int add_link(const struct link *l, void *arg, struct err *e)
{
	struct unwind *u = arg;
	struct module m scoped(module_fini) = { .u = u, .fd = -1 };
	struct module *known = module_at(u, l->ld);

	if (!*l->name || is_added(u, l->ld))
		return 0;
	m.path = strdup(l->name);
	if (!m.path)
		return err_set(e, -ENOMEM, "modules");
	if (!known && l->base)
		known = module_at(u, l->base);
	if (known) {
		if (!known->path)
			known->path = take_ptr(m.path);
		return 0;
	}
	modfile_find(u, &m);
	if (m.elf && !place(u, &m, l))
		modfile_refuse(&m, "its dynamic section is elsewhere");
	return m.elf || guess(u, &m, l) ? modules_take(u, &m, e) : 0;
}

static bool read_space(void *arg, u64 addr, void *buf, size_t len)
{
	return space_read(arg, addr, buf, len);
}

int links_load(struct unwind *u, struct err *e)
{
	struct linkmap_reader r = { .fmt = u->core->fmt, .word = u->core->layout.word, .read = read_space, .arg = u };
	u64 phdr, phnum;

	if (!u->core->arch || !program_headers(u, &phdr, &phnum))
		return 0;
	return linkmap_walk(&r, phdr, phnum, add_link, u, e);
}
