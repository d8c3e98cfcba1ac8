/* debuginfo.h - what the debug information of modules tells: units, scopes, calls. */
#pragma once

#include "unwind/unwind_priv.h"

/* ---- units.c */

/* The compilation unit that has the code at @addr, and what its addresses are moved by; or NULL.  It is libdw's. */
Dwarf_Die *unit_at(Dwfl_Module *mod, u64 addr, u64 *bias);

/* ---- dies.c: a tree of entries, in order and without recursion */

enum { DIES_DEPTH_MAX = 64 };
struct die_walk {
	Dwarf_Die *v;	/* [DIES_DEPTH_MAX], from the root down to where the walk is */
	size_t depth;	/* of which so many are used, at least one */
	size_t floor;	/* the first ones of them, which the walk does not leave; at least one */
};
/* Goes to the first entry below; false when there is none. */
bool die_down(struct die_walk *w);
/* To the next beside it, or beside one above; false when that would leave the floor. */
bool die_next(struct die_walk *w);

/* ---- scopes.c */

/* The entries of debug information that have an address: a unit first, in it a function, blocks and inlined functions. */
struct scopes {
	Dwarf_Die v[DIES_DEPTH_MAX];
	size_t n;
};
/* A hostile tree may go round in circles: DW_AT_sibling says where the next one is. */
enum { DIES_MAX = 1 << 22 };
/* @addr as in the file.  At least the unit itself is found.  Looks at *left entries at most, and takes them off. */
void scopes_find(struct scopes *s, Dwarf_Die *unit, u64 addr, u64 *left);
