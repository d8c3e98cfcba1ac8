#include <dwarf.h>

#include "unwind/debuginfo.h"

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

const char *die_linkage(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attr));

	if (!name)
		name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr));
	return name ? name : dwarf_diename(die);
}
