#include <dwarf.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"

/*
 * The compilation unit of an address.  libdw (0.188) finds it by .debug_aranges
 * only, which clang and rustc do not write, and takes what is between two ranges
 * of a unit for the unit's: then the units' own ranges are put into an index, once
 * for each module.
 */
struct unit_range {
	u64 start, end;	/* as in the file */
	Dwarf_Die *unit;	/* libdw's */
};
struct units {
	struct unit_range *v;
	size_t n, cap;
};

enum { RANGES_MAX = 1 << 22 };

static bool add(struct units *us, const struct unit_range *r)
{
	if (us->n == RANGES_MAX || array_grow((void **)&us->v, us->n, &us->cap, sizeof(*us->v), "ranges", NULL))
		return false;
	us->v[us->n++] = *r;
	return true;
}

static bool add_unit(struct units *us, Dwarf_Die *unit)
{
	struct unit_range r = { .unit = unit };
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
		r.start = start;
		r.end = end;
		/* What the linker left out has 0 for an address. */
		if (start && start < end && !add(us, &r))
			return false;
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* On ENOMEM, treated as not found. */
static struct units *units_make(Dwfl_Module *mod)
{
	struct units *us = calloc(1, sizeof(*us));
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	while (us && (unit = dwfl_module_nextcu(mod, unit, &bias)) && add_unit(us, unit))
		;
	if (us && us->n)
		qsort(us->v, us->n, sizeof(*us->v), by_start);
	return us;
}

void units_free(struct units *us)
{
	if (us)
		free(us->v);
	free(us);
}

static Dwarf_Die *units_find(const struct units *us, u64 addr)
{
	size_t n = search_first(i, 0, us->n, us->v[i].start > addr);

	return n && addr < us->v[n - 1].end ? us->v[n - 1].unit : NULL;
}

/* By our own index. */
static Dwarf_Die *indexed(Dwfl_Module *mod, u64 addr, u64 *bias)
{
	struct module *m;
	void **userdata;

	dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	m = *userdata;
	if (!m || !dwfl_module_getdwarf(mod, bias))
		return NULL;
	if (!m->units)
		m->units = units_make(mod);
	return m->units ? units_find(m->units, addr - *bias) : NULL;
}

Dwarf_Die *unit_at(struct unwind *u, Dwfl_Module *mod, u64 addr, u64 *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(mod, addr, bias);

	if (!unit || dwarf_haspc(unit, addr - *bias) <= 0)
		unit = indexed(mod, addr, bias);
	return unit && text_of_unit_ends(u, unit) ? unit : NULL;
}
