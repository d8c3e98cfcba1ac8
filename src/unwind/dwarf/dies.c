#include <dwarf.h>

#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"

bool die_down(struct die_walk *w)
{
	if (w->depth == DIES_DEPTH_MAX || dwarf_child(&w->v[w->depth - 1], &w->v[w->depth]))
		return false;
	w->depth++;
	return true;
}

bool die_next(struct die_walk *w)
{
	for (; w->depth > w->floor; w->depth--) {
		Dwarf_Die *at = &w->v[w->depth - 1], sibling;

		if (!dwarf_siblingof(at, &sibling)) {
			*at = sibling;
			return true;
		}
	}
	return false;
}

const char *die_linkage(struct unwind *u, Dwarf_Die *die)
{
	static const unsigned names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name };
	const char *name = NULL;
	Dwarf_Attribute attr;

	for (size_t i = 0; !name && i < ARRAY_SIZE(names); i++)
		name = text_of_attr(u, dwarf_attr_integrate(die, names[i], &attr));
	return name;
}
