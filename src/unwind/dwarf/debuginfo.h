/* debuginfo.h - debug information of modules: symbols, units, scopes. */
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "unwind/mod/mod.h"

/* ---- dw.c, dwfl.c: libdw on these modules */

int dw_open(struct unwind *u, struct err *e) must_check;
/* And all that this room has kept of the modules. */
void dw_close(struct unwind *u);
Dwfl *dw_dwfl(const struct unwind *u);

/* The symbol at an address: threads wait in the same places, and libdw looks at every symbol of a module anew. */
struct symbol_slot {
	u64 at;
	bool is_set;
	u8 type;		/* STT_FUNC and so on */
	const char *name;	/* NULL: none; libdw's */
	u64 start;
	u64 size;		/* 0: unknown */
};

/* ---- symbols.c */

/* The symbol that has the code at @at, or begins before it.  Kept until some other one is looked up. */
const struct symbol_slot *symbol_at(struct unwind *u, u64 at);
/* The function at @at by its symbol: [*start, *end), of which the end may not be known and UINT64_MAX. */
bool symbol_bounds(struct unwind *u, u64 at, u64 *start, u64 *end);

/* ---- demangle.c */

/* @name as its language writes it, or @name itself.  Borrowed until the next call. */
const char *demangle(struct unwind *u, const char *name);

/* ---- dw_text.c: no string of libelf's and libdw's is used that does not end in its section */

/* @name, of a symbol that libdw found in the file @elf of @mod; NULL when it does not end. */
const char *text_of_symbol(struct unwind *u, Dwfl_Module *mod, Elf *elf, const char *name);
/* The string of @attr, which may be NULL; NULL when it has none, or one that does not end. */
const char *text_of_attr(struct unwind *u, Dwarf_Attribute *attr);
/* To be asked before libdw is for lines and files of @unit, or for its split unit: else it reads on beyond a section. */
bool text_of_unit_ends(struct unwind *u, Dwarf_Die *unit);

/* ---- units.c */

/* The compilation unit that has the code at @addr, and what its addresses are moved by; or NULL.  It is libdw's. */
Dwarf_Die *unit_at(struct unwind *u, Dwfl_Module *mod, u64 addr, u64 *bias);
void units_free(struct units *us);

/* ---- dies.c: a tree of entries, in order and without recursion */

enum { DIES_DEPTH_MAX = 64 };
struct die_walk {
	Dwarf_Die *v;	/* [DIES_DEPTH_MAX], from the root down to where the walk is */
	size_t depth;	/* of which so many are used, at least one */
	size_t floor;	/* the first ones of them, which the walk does not leave; at least one */
};
/* Goes to the first child; false if it has no children. */
bool die_down(struct die_walk *w);
/* To the next beside it, or beside one above; false when that would leave the floor. */
bool die_next(struct die_walk *w);
/* The name in symbol tables of what the entry is for, or the source's; NULL when it has none. */
const char *die_linkage(struct unwind *u, Dwarf_Die *die);

/* ---- scopes.c */

/* The entries of debug information that have an address: a unit first, in it a function, blocks and inlined functions. */
struct scopes {
	Dwarf_Die v[DIES_DEPTH_MAX];
	size_t n;
};
/* A hostile tree may go round in circles: DW_AT_sibling says where the next one is. */
enum { DIES_MAX = 1 << 22 };
/* @addr as in the file.  At least the unit itself is found.  Looks at *left entries at most, and takes them off. */
void scopes_find(struct scopes *s, Dwfl_Module *mod, Dwarf_Die *unit, u64 addr, u64 *left);

/* ---- split.c */

/* May libdw open the files that the skeleton @unit names?  Says why not in the module's note. */
bool split_may_be_opened(Dwfl_Module *mod, Dwarf_Die *unit);
void splits_free(struct splits *s);

/* ---- debugfile.c */

/* libdw's callback find_debuginfo. */
int debugfile_find(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base, const char *of, const char *link,
		   GElf_Word crc, char **name);

/* ---- names.c: functions by the name in the symbol tables of a module */

enum { FOUND_NAMES_MAX = 8 };
struct found_name {
	u64 addr;
	bool is_global;		/* other modules may call it */
	bool is_resolver;	/* it only chooses the function: STT_GNU_IFUNC */
	bool is_clone;		/* "name.constprop.0": made of the function of that name */
};
struct found_names {
	struct found_name v[FOUND_NAMES_MAX];
	size_t n;		/* may be more than there is room for */
};
/* Those of @name, whatever their version, and what the compiler made of them. */
void names_find(struct unwind *u, struct module *m, const char *name, struct found_names *out);
void names_free(struct names *names);
