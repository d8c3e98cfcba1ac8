#include <dwarf.h>

#include "unwind/dwarf/debuginfo.h"

/*
 * The scopes of an address, by the tree of its unit.  libdw's dwarf_getscopes()
 * gives up where an inlined function is of another unit, as all are after link
 * time optimization.
 */

/* With split DWARF the unit's tree is in a .dwo file, and a skeleton stands for it. */
static Dwarf_Die whole_unit(Dwfl_Module *mod, Dwarf_Die *unit)
{
	Dwarf_Die split;
	uint8_t type;

	if (!dwarf_cu_info(unit->cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) && type == DW_UT_skeleton &&
	    split_may_be_opened(mod, unit) &&
	    !dwarf_cu_info(unit->cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) && split.cu)
		return split;
	return *unit;
}

/* May code be below it, though it has no address itself? */
static bool is_container(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return true;
	default:
		return false;
	}
}

static bool is_scope(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block;
}

/* True to go below the entry where the walk is; the floor are those that have the address. */
static bool enter(struct die_walk *w, u64 addr)
{
	Dwarf_Die *at = &w->v[w->depth - 1];
	int tag = dwarf_tag(at);

	if (is_scope(tag) && dwarf_haspc(at, addr) > 0) {
		w->floor = w->depth;
		return true;
	}
	return is_container(tag) && dwarf_haschildren(at) > 0;
}

void scopes_find(struct scopes *s, Dwfl_Module *mod, Dwarf_Die *unit, u64 addr, u64 *left)
{
	struct die_walk w = { .v = s->v, .depth = 1, .floor = 1 };
	bool more;

	s->v[0] = whole_unit(mod, unit);
	for (more = die_down(&w); more && *left; (*left)--)
		more = (enter(&w, addr) && die_down(&w)) || die_next(&w);
	s->n = w.floor;
}
