#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/unwind_priv.h"

void module_fini(struct module *m)
{
	elf_end(m->elf);
	if (m->fd >= 0)
		close(m->fd);
	free(m->path);
	free(m->note);
	free(m->file);
	free(m->image);
	units_free(m->units);
	names_free(m->names);
	splits_free(m->splits);
	*m = (struct module){ .fd = -1 };
}

/*
 * The largest programs have some hundreds.  Of many that share one page of a core
 * libdw makes a list whose length it goes along for each: 1.4 s for 16,000 of them.
 */
enum { PAGE = 4096, MODULES_MAX = 8192 };

static char *text_dup(struct core_text t)
{
	return t.p ? strndup(t.p, strnlen(t.p, t.len)) : NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

bool module_span(Elf *elf, u64 *lo, u64 *hi)
{
	size_t n = 0;
	GElf_Phdr p;
	u64 end;

	*lo = UINT64_MAX;
	*hi = 0;
	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD || add_overflow(p.p_vaddr, p.p_memsz, &end) ||
		    end > UINT64_MAX - PAGE)
			continue;
		*lo = min(*lo, align_down(p.p_vaddr, PAGE));
		*hi = max(*hi, align_up(end, PAGE));
	}
	return *lo < *hi;
}

/* As core_modules() placed it: the page of the lowest PT_LOAD is at m->start. */
void module_set_bias(struct module *m)
{
	GElf_Ehdr eh;
	u64 lo, hi;

	m->bias = 0;
	if (gelf_getehdr(m->elf, &eh) && eh.e_type != ET_EXEC && module_span(m->elf, &lo, &hi))
		m->bias = m->start - lo;
}

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

int modules_add(struct unwind *u, const struct core_module *m, struct err *e)
{
	struct module mod scoped(module_fini) = {
		.u = u, .start = m->start, .end = m->end, .fd = -1, .build_id_len = m->build_id_len,
	};

	memcpy(mod.build_id, m->build_id, m->build_id_len);
	mod.path = text_dup(m->path);
	if (m->path.p && !mod.path)
		return err_set(e, -ENOMEM, "modules");
	return modules_take(u, &mod, e);
}

static void sort(struct unwind *u)
{
	if (u->n_mods)
		qsort(u->mods, u->n_mods, sizeof(*u->mods), by_start);
	u->n_sorted = u->n_mods;
}

static int add_module(const struct core_module *m, void *arg, struct err *e)
{
	return modules_add(arg, m, e);
}

int modules_load(struct unwind *u, struct err *e)
{
	int r = core_modules(u->core, add_module, u, e);

	sort(u);
	if (!r && u->opts.exe)
		r = exe_load(u, e);
	sort(u);
	if (!r)
		r = program_load(u, e);
	sort(u);
	if (!r)
		r = links_load(u, e);
	sort(u);
	return r;
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
	size_t lo = 0, hi = u->n_sorted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->mods[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && addr < u->mods[lo - 1].end ? &u->mods[lo - 1] : NULL;
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
