#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/calls/calls.h"

/* A function's entry, and what its addresses are moved by. */
struct function {
	struct module *m;
	Dwarf_Die die;
	u64 bias;
	u64 below;	/* the function that its calls led to at last */
};

enum { ROOT_STEPS_MAX = 8, OPS_MAX = 16 };

/* ---- functions */

static bool function_at(struct unwind *u, u64 at, struct function *out)
{
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), at);
	struct scopes s;
	Dwarf_Die *unit;

	out->m = module_at(u, at);
	unit = mod && out->m ? unit_at(u, mod, at, &out->bias) : NULL;
	if (!unit)
		return false;
	scopes_find(&s, mod, unit, at - out->bias, &u->dies_left);
	for (size_t i = s.n; i-- > 1;)
		if (dwarf_tag(&s.v[i]) == DW_TAG_subprogram) {
			out->die = s.v[i];
			return true;
		}
	return false;
}

/* Where a function that is in parts begins: its first range, unless DW_AT_entry_pc says otherwise (DWARF 5, 2.18). */
static bool start_of(Dwarf_Die *die, u64 bias, u64 *out)
{
	Dwarf_Addr base, start, end;

	if (dwarf_entrypc(die, &start) && dwarf_ranges(die, 0, &base, &start, &end) <= 0)
		return false;
	*out = start + bias;
	return true;
}

bool call_function(struct unwind *u, u64 at, u64 *start)
{
	struct function f;

	return function_at(u, at, &f) && start_of(&f.die, f.bias, start);
}

/* What declares the function: its copies refer to it, each through others. */
static Dwarf_Die root_of(Dwarf_Die die)
{
	static const unsigned refer[] = { DW_AT_abstract_origin, DW_AT_specification };
	Dwarf_Attribute attr;
	Dwarf_Die next;

	for (int i = 0; i < ROOT_STEPS_MAX; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(refer) && !dwarf_formref_die(dwarf_attr(&die, refer[k], &attr), &next))
			k++;
		if (k == ARRAY_SIZE(refer))
			break;
		die = next;
	}
	return die;
}

static bool is_copy_of(struct unwind *u, u64 addr, const Dwarf_Die *root)
{
	struct function f;

	return function_at(u, addr, &f) && root_of(f.die).addr == root->addr;
}

static bool flag(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	bool v = false;

	return !dwarf_formflag(dwarf_attr(die, name, &attr), &v) && v;
}

/* ---- what a call may lead to */

static void put(struct call_site *s, u64 addr)
{
	if (s->n == CALL_TARGETS_MAX)
		s->is_known = false;
	else
		s->targets[s->n++] = addr;
}

/* What a call refers to: a function, by its entry. */
struct origin {
	const char *name;
	Dwarf_Die root;
	bool is_declared;	/* only: any function of that name is it */
};

/* Those of a name that are the function at @o. */
static void put_names(struct unwind *u, const struct found_names *names, const struct origin *o, bool only_global,
		      struct call_site *s)
{
	s->is_known &= names->n <= FOUND_NAMES_MAX;
	for (size_t i = 0; i < min(names->n, (size_t)FOUND_NAMES_MAX); i++) {
		const struct found_name *name = &names->v[i];

		if (only_global && !name->is_global)
			continue;
		if (!(o->is_declared && !name->is_clone) && !is_copy_of(u, name->addr, &o->root))
			continue;
		s->is_known &= !name->is_resolver;
		put(s, name->addr);
	}
}

/* Looks in @m without marking it as needed: faults of its file need not be reported. */
static void find_in(struct unwind *u, struct module *m, const struct origin *o, struct call_site *s)
{
	struct found_names names;
	bool needed = m->needed;

	if (module_elf(u, m)) {
		names_find(u, m, o->name, &names);
		put_names(u, &names, o, true, s);
	}
	m->needed = needed;
}

/*
 * A function of another module: the one that the call led to has it, or any other.
 * If two others have it, it is not known which one is called.
 */
static void find_elsewhere(struct unwind *u, const struct function *f, const struct origin *o, struct call_site *s)
{
	struct module *there = module_at(u, f->below);

	if (there && there != f->m)
		find_in(u, there, o, s);
	if (s->n)
		return;
	for (size_t i = 0; i < u->n_sorted && s->n < 2; i++)
		if (&u->mods[i] != f->m && &u->mods[i] != there)
			find_in(u, &u->mods[i], o, s);
	s->is_known &= s->n == 1;
}

/* A function that is declared without code here: found by its name. */
static void find_named(struct unwind *u, const struct function *f, Dwarf_Die *origin, struct call_site *s)
{
	struct origin o = { .name = die_linkage(u, origin), .root = root_of(*origin) };
	struct found_names names;

	if (!o.name)
		return;
	/* After link time optimization it is a copy of the declaration that is referred to. */
	o.is_declared = flag(&o.root, DW_AT_declaration);
	names_find(u, f->m, o.name, &names);
	put_names(u, &names, &o, true, s);
	if (!s->n)
		put_names(u, &names, &o, false, s);
	if (!s->n && o.is_declared)
		find_elsewhere(u, f, &o, s);
}

/* The frame base of a function's variables; false unless it is the canonical frame address. */
static bool base_of(struct unwind *u, struct function *f, const struct call_frame *frame, u64 *out)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	return frame->row && !dwarf_getlocation(dwarf_attr(&f->die, DW_AT_frame_base, &attr), &ops, &n) && n == 1 &&
	       ops[0].atom == DW_OP_call_frame_cfa && cfi_cfa(u, frame->row, frame->r, out);
}

/* As call frame information could have it: addresses where they are, and the frame's own as numbers. */
static bool move(struct unwind *u, struct function *f, const struct call_frame *frame, const Dwarf_Op *op, Dwarf_Op *out)
{
	u64 base;

	*out = *op;
	switch (op->atom) {
	case DW_OP_addr:
		out->number += f->bias;
		return true;
	case DW_OP_fbreg:
		if (!base_of(u, f, frame, &base))
			return false;
		out->atom = DW_OP_constu;
		out->number += base;
		return true;
	default:
		return op->atom != DW_OP_call_frame_cfa;
	}
}

/* The value of an expression, as where the call returns to. */
static bool evaluate(struct unwind *u, struct function *f, Dwarf_Attribute *attr, const struct call_frame *frame,
		     u64 *out)
{
	Dwarf_Op *ops, moved[OPS_MAX];
	size_t n;

	if (dwarf_getlocation(attr, &ops, &n) || !n || n > OPS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!move(u, f, frame, &ops[i], &moved[i]))
			return false;
	/* LLVM has the register itself, which is no value by the letter of DWARF 5, 3.4.1. */
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		moved[0] = (Dwarf_Op){ .atom = (u8)(ops[0].atom - DW_OP_reg0 + DW_OP_breg0) };
	return expr_eval(u, frame->r, 0, moved, n, out);
}

/* @frame: the one that made the call, or NULL when it is gone. */
static void find_targets(struct unwind *u, struct function *f, Dwarf_Die *call, const struct call_frame *frame,
			 struct call_site *s)
{
	static const unsigned origins[] = { DW_AT_call_origin, DW_AT_abstract_origin };
	static const unsigned targets[] = { DW_AT_call_target, DW_AT_GNU_call_site_target };
	bool is_gnu = dwarf_tag(call) == DW_TAG_GNU_call_site;
	u64 mode = u->core->arch ? u->core->arch->frame.ret_mode : 0, addr;
	Dwarf_Attribute attr;
	Dwarf_Die origin;

	s->is_known = true;
	if (dwarf_formref_die(dwarf_attr(call, origins[is_gnu], &attr), &origin)) {
		if (start_of(&origin, f->bias, &addr))
			put(s, addr);
		else
			find_named(u, f, &origin, s);
	} else if (frame && dwarf_attr(call, targets[is_gnu], &attr) && evaluate(u, f, &attr, frame, &addr)) {
		put(s, space_strip(u, addr) & ~mode);
	}
	s->is_known &= s->n > 0;
}

/* ---- the calls of a function */

static bool place_of(Dwarf_Die *call, u64 bias, struct call_site *s)
{
	bool is_gnu = dwarf_tag(call) == DW_TAG_GNU_call_site;
	Dwarf_Attribute attr;
	Dwarf_Addr pc;

	*s = (struct call_site){ 0 };
	if (dwarf_formaddr(dwarf_attr(call, is_gnu ? DW_AT_low_pc : DW_AT_call_return_pc, &attr), &pc)) {
		if (dwarf_formaddr(dwarf_attr(call, DW_AT_call_pc, &attr), &pc))
			return false;
		s->exact = true;
	}
	s->pc = pc + bias;
	return true;
}

static bool is_call(int tag)
{
	return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

/* Calls are below the blocks and the inlined functions that they are in. */
static bool is_inside(int tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine;
}

/* The next call of the function that @w is in, whose first entry is its own. */
static Dwarf_Die *next_call(struct die_walk *w, u64 *left)
{
	for (; *left; (*left)--) {
		int tag = dwarf_tag(&w->v[w->depth - 1]);

		if (!((w->depth == 1 || is_inside(tag)) && die_down(w)) && !die_next(w))
			return NULL;
		if (is_call(dwarf_tag(&w->v[w->depth - 1])))
			return &w->v[w->depth - 1];
	}
	return NULL;
}

static bool find_call(struct unwind *u, u64 pc, struct function *f, Dwarf_Die *out)
{
	Dwarf_Die v[DIES_DEPTH_MAX], *call;
	struct die_walk w = { .v = v, .depth = 1, .floor = 1 };
	struct call_site s;

	if (!function_at(u, pc - 1, f))
		return false;
	v[0] = f->die;
	while ((call = next_call(&w, &u->dies_left)))
		if (place_of(call, f->bias, &s) && !s.exact && s.pc == pc) {
			*out = *call;
			return true;
		}
	return false;
}

/* The entries of the call that returns to @pc, and of the function that it is in. */
struct call_memo {
	u64 pc;
	bool is_set;
	bool is_call;		/* there is one */
	Dwarf_Die call, function;
	u64 bias;
};
enum { CALL_MEMOS = 1024 };

/* NULL when there is no memory for it. */
static struct call_memo *memo_of(struct unwind *u, u64 pc)
{
	if (!u->calls)
		u->calls = calloc(CALL_MEMOS, sizeof(*u->calls));
	return u->calls ? &u->calls[(pc ^ pc >> 8) % CALL_MEMOS] : NULL;
}

void calls_free(struct call_memo *memos)
{
	free(memos);
}

bool call_before_pc(struct unwind *u, const struct call_frame *frame, u64 below, struct call_site *out)
{
	u64 pc = frame->r->pc;
	struct call_memo *memo = memo_of(u, pc), here = { 0 };
	struct function f = { 0 };

	if (!memo)
		memo = &here;
	if (!memo->is_set || memo->pc != pc) {
		*memo = (struct call_memo){ .is_set = true, .pc = pc };
		memo->is_call = find_call(u, pc, &f, &memo->call);
		memo->function = f.die;
		memo->bias = f.bias;
	}
	if (!memo->is_call)
		return false;
	f = (struct function){ .m = module_at(u, pc - 1), .die = memo->function, .bias = memo->bias, .below = below };
	*out = (struct call_site){ .pc = pc };
	find_targets(u, &f, &memo->call, frame, out);
	return true;
}

/* Does the function tell of all its tail calls?  DW_AT_call_all_calls is of these, too. */
static bool is_whole(Dwarf_Die *function)
{
	static const unsigned flags[] = {
		DW_AT_call_all_calls, DW_AT_call_all_source_calls, DW_AT_call_all_tail_calls, DW_AT_GNU_all_call_sites,
		DW_AT_GNU_all_source_call_sites, DW_AT_GNU_all_tail_call_sites,
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flag(function, flags[i]))
			return true;
	return false;
}

bool call_tails(struct unwind *u, u64 start, u64 below, call_fn *fn, void *arg)
{
	Dwarf_Die v[DIES_DEPTH_MAX], *call;
	struct die_walk w = { .v = v, .depth = 1, .floor = 1 };
	struct call_site s;
	struct function f;
	u64 begin;

	if (!function_at(u, start, &f) || !start_of(&f.die, f.bias, &begin) || begin != start)
		return false;
	v[0] = f.die;
	f.below = below;
	while ((call = next_call(&w, &u->dies_left))) {
		if (!flag(call, DW_AT_call_tail_call) && !flag(call, DW_AT_GNU_tail_call))
			continue;
		if (!place_of(call, f.bias, &s))
			return false;
		find_targets(u, &f, call, NULL, &s);
		if (fn(&s, arg))
			return false;
	}
	return u->dies_left && is_whole(&f.die);
}
