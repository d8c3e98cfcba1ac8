#include <dwarf.h>

#include "unwind/unwind_priv.h"

/*
 * The scopes of an address, by the tree of its unit.  libdw's dwarf_getscopes()
 * gives up where an inlined function is of another unit, as all are after link
 * time optimization.
 */

/* A hostile tree may go round in circles: DW_AT_sibling says where the next one is. */
enum { ENTRIES_MAX = 1 << 22 };

/* With split DWARF the unit's tree is in a .dwo file, and a skeleton stands for it. */
static Dwarf_Die whole_unit(Dwarf_Die *unit)
{
	Dwarf_Die split;
	uint8_t type;

	if (!dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) && type == DW_UT_skeleton &&
	    split.cu)
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

/* Where a walk over the tree is: s->v are the entries down to it, of which the first @found have the address. */
struct walk {
	struct scopes *s;
	u64 addr;
	size_t depth, found;
	unsigned left;
};

/* Goes to the first entry below; false when there is none. */
static bool down(struct walk *w)
{
	Dwarf_Die *v = w->s->v;

	if (w->depth == SCOPES_MAX || dwarf_child(&v[w->depth - 1], &v[w->depth]))
		return false;
	w->depth++;
	return true;
}

/* To the next beside it, or beside one above; false when that would leave what has the address. */
static bool next(struct walk *w)
{
	for (; w->depth > w->found; w->depth--) {
		Dwarf_Die *at = &w->s->v[w->depth - 1], sibling;

		if (!dwarf_siblingof(at, &sibling)) {
			*at = sibling;
			return true;
		}
	}
	return false;
}

/* True to go below the entry. */
static bool enter(struct walk *w)
{
	Dwarf_Die *at = &w->s->v[w->depth - 1];
	int tag = dwarf_tag(at);

	if (is_scope(tag) && dwarf_haspc(at, w->addr) > 0) {
		w->found = w->depth;
		return true;
	}
	return is_container(tag) && dwarf_haschildren(at) > 0;
}

void scopes_find(struct scopes *s, Dwarf_Die *unit, u64 addr)
{
	struct walk w = { .s = s, .addr = addr, .depth = 1, .found = 1, .left = ENTRIES_MAX };

	s->v[0] = whole_unit(unit);
	if (!down(&w)) {
		s->n = 1;
		return;
	}
	while (w.left--)
		if (!(enter(&w) && down(&w)) && !next(&w))
			break;
	s->n = w.found;
}
