#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/search.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/*
 * The largest programs have some hundreds.  If many share one page of a core, libdw
 * walks a list of all of them for each: 1.4 s for 16,000.
 */
enum { MODULES_MAX = 8192 };

int modules_take(struct unwind *u, struct module *m, struct err *e)
{
	u64 entry;
	int r;

	if (u->n_mods == MODULES_MAX) {
		u->too_many = true;
		return 0;
	}
	r = array_grow((void **)&u->mods, u->n_mods, &u->cap_mods, sizeof(*u->mods), "modules", e);
	if (r)
		return r;
	m->is_main = program_entry(u, &entry) && entry >= m->start && entry < m->end;
	if (m->elf)
		module_set_bias(m);
	u->mods[u->n_mods++] = *m;
	*m = (struct module){ .fd = -1 };
	return 0;
}

void modules_close(struct unwind *u)
{
	for (size_t i = 0; i < u->n_mods; i++)
		module_fini(&u->mods[i]);
	free(u->mods);
	u->mods = NULL;
	u->n_mods = 0;
}

struct module *module_at(const struct unwind *u, u64 addr)
{
	size_t n = search_first(i, 0, u->n_sorted, u->mods[i].start > addr);

	return n && addr < u->mods[n - 1].end ? &u->mods[n - 1] : NULL;
}

Elf *module_elf(struct unwind *u, struct module *m)
{
	m->needed = true;
	if (m->looked)
		return m->elf;
	modfile_find(u, m);
	if (!m->elf && !modfile_from_memory(u, m))
		return NULL;
	module_set_bias(m);
	return m->elf;
}
