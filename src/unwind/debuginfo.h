/* debuginfo.h - what the debug information of modules tells: units, scopes, calls. */
#pragma once

#include "unwind/unwind_priv.h"

/* ---- text.c: no string of libelf's and libdw's is used that does not end in its section */

/* @name, of a symbol that libdw found in the file @elf of @mod; NULL when it does not end. */
const char *text_of_symbol(struct unwind *u, Dwfl_Module *mod, Elf *elf, const char *name);
/* The string of @attr, which may be NULL; NULL when it has none, or one that does not end. */
const char *text_of_attr(struct unwind *u, Dwarf_Attribute *attr);
/* To be asked before libdw is for lines and files of @unit, or for its split unit: else it reads on beyond a section. */
bool text_of_unit_ends(struct unwind *u, Dwarf_Die *unit);

/* ---- units.c */

/* The compilation unit that has the code at @addr, and what its addresses are moved by; or NULL.  It is libdw's. */
Dwarf_Die *unit_at(struct unwind *u, Dwfl_Module *mod, u64 addr, u64 *bias);

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

/* ---- calls.c: DW_TAG_call_site (DWARF 5, 3.4), or GNU's of before; functions go by the address where they begin */

enum { CALL_TARGETS_MAX = 4 };
struct call_site {
	u64 pc;			/* behind the call, or @exact: of the call itself */
	bool exact;
	bool is_known;		/* it calls one of the @targets, nothing else */
	u8 n;
	u64 targets[CALL_TARGETS_MAX];
};
/* Where the function that has the code at @at begins, by the debug information; false when that does not tell. */
bool call_function(struct unwind *u, u64 at, u64 *start);
/* A frame that waits for a call: its registers, and the row for them, or NULL. */
struct call_frame {
	const struct cpu_regs *r;
	Dwarf_Frame *row;
};
/*
 * The call that returns to f->r->pc; false when none is told of.  @below: the
 * function that it led to, at last: its module is asked first for a name that this
 * one does not have.
 */
bool call_before_pc(struct unwind *u, const struct call_frame *f, u64 below, struct call_site *out);
/*
 * Calls @fn for each tail call in the function at @start; not 0 ends.  True when
 * these are all that it has.
 */
typedef int call_fn(const struct call_site *s, void *arg);
bool call_tails(struct unwind *u, u64 start, u64 below, call_fn *fn, void *arg);

/* ---- tailcall.c */

/*
 * Puts @f, which the registers @r are of and the @row, or NULL, is for, behind the
 * last one of @s; before it the tail calls that must lie between.
 */
int tailcall_add(struct unwind *u, struct stack *s, const struct frame *f, const struct cpu_regs *r, Dwarf_Frame *row,
		 struct err *e) must_check;
