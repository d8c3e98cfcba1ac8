#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <elfutils/libdw.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/dwarf/dw.h"

typedef int symbol_fn(const struct symbol *s, void *arg, struct err *e);

/* A place in the source. */
struct place {
	const char *file;
	u32 line, column;
};

static void fill_module(const struct unwind *u, const struct frame *f, struct symbol *s)
{
	const struct module *m = module_at(u, f->exact ? f->pc : f->pc - 1);

	if (!m)
		return;
	s->module = m->path;
	s->module_start = m->start;
	s->build_id = m->build_id;
	s->build_id_len = m->build_id_len;
}

/* Without the version that libdw appends: "read@@GLIBC_2.2.5". */
static const char *function_name(struct unwind *u, const char *linkage)
{
	size_t len = strcspn(linkage, "@");

	if (!linkage[len] || !len || len >= sizeof(u->dw->unversioned))
		return demangle(u, linkage);
	memcpy(u->dw->unversioned, linkage, len);
	u->dw->unversioned[len] = 0;
	return demangle(u, u->dw->unversioned);
}

/*
 * The symbol of a function of Thumb code is odd, and libdw takes it as it is: it is
 * looked up with that bit, which no other symbol minds.
 */
static struct symbol_slot look_up(struct unwind *u, u64 at)
{
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), at);
	u64 mode = u->core->arch ? u->core->arch->frame.ret_mode : 0;
	struct symbol_slot slot = { .at = at, .is_set = true };
	const struct module *m = module_at(u, at);
	GElf_Off off = 0;
	GElf_Sym sym;
	Elf *elf = NULL;
	const char *name = mod ? dwfl_module_addrinfo(mod, at | mode, &off, &sym, NULL, &elf, NULL) : NULL;

	name = text_of_symbol(u, mod, elf, name);
	slot.start = ((at | mode) - off) & ~mode;
	/* A damaged table may have anything in it: a function begins in its module. */
	if (!name || !*name || !m || slot.start > at || slot.start < m->start)
		return slot;
	slot.name = name;
	slot.size = sym.st_size;
	slot.type = GELF_ST_TYPE(sym.st_info);
	return slot;
}

const struct symbol_slot *symbol_at(struct unwind *u, u64 at)
{
	struct symbol_slot *slot = &u->dw->symbols[(at ^ at >> 10) % SYMBOL_SLOTS];

	if (!slot->is_set || slot->at != at)
		*slot = look_up(u, at);
	return slot;
}

bool symbol_bounds(struct unwind *u, u64 at, u64 *start, u64 *end)
{
	const struct symbol_slot *s = symbol_at(u, at);

	/* "$a", "$t": what the code there is (AAELF32, 5.5.5); ".cold": a part of a function, which is jumped to. */
	if (!s->name || *s->name == '$' || strstr(s->name, ".cold") || s->type == STT_SECTION)
		return false;
	if (s->size && at - s->start >= s->size)
		return false;
	*start = s->start;
	*end = s->size ? s->start + s->size : UINT64_MAX;
	return true;
}

static void fill_function(struct unwind *u, u64 at, u64 pc, struct symbol *s)
{
	const struct symbol_slot *symbol = symbol_at(u, at);

	if (!symbol->name)
		return;
	s->linkage = symbol->name;
	s->function = function_name(u, symbol->name);
	s->offset = pc - symbol->start;
}

static void fill_place(const struct place *p, struct symbol *s)
{
	s->file = p->file;
	s->line = p->line;
	s->column = p->column;
}

static struct place place_in(Dwarf_Die *unit, u64 addr)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, addr);
	struct place p = { 0 };
	int n = 0, column = 0;

	if (!line)
		return p;
	p.file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &n))
		p.line = (u32)n;
	if (!dwarf_linecol(line, &column))
		p.column = (u32)column;
	return p;
}

/* Where the inlined function at @die was called. */
static struct place place_of_call(struct unwind *u, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word file = 0, line = 0, column = 0;
	struct place p = { 0 };
	Dwarf_Die cu;
	size_t n;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &line) ||
	    dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &file) || !dwarf_diecu(die, &cu, NULL, NULL) ||
	    !text_of_unit_ends(u, &cu) || dwarf_getsrcfiles(&cu, &files, &n))
		return p;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_column, &attr), &column))
		column = 0;
	p.file = dwarf_filesrc(files, (size_t)file, NULL, NULL);
	p.line = (u32)line;
	p.column = (u32)column;
	return p;
}

/* What walks the inlined functions outwards: each was called at the place of the next. */
struct inlines {
	struct unwind *u;
	const struct frame *f;
	symbol_fn *fn;
	void *arg;
};

static int one_inline(struct inlines *w, Dwarf_Die *die, struct place *p, struct err *e)
{
	struct symbol s = { .is_inline = true };

	fill_module(w->u, w->f, &s);
	s.linkage = die_linkage(w->u, die);
	s.function = demangle(w->u, s.linkage);
	fill_place(p, &s);
	*p = place_of_call(w->u, die);
	return w->fn(&s, w->arg, e);
}

/* *p goes from the innermost place to that in the function itself; *name is that function, if a scope has it. */
static int all_inlines(struct inlines *w, const struct scopes *scopes, struct place *p, const char **name, struct err *e)
{
	int r = 0;

	for (size_t i = scopes->n; !r && i-- > 1;) {
		Dwarf_Die die = scopes->v[i];
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine && w->fn)
			r = one_inline(w, &die, p, e);
		else if (tag == DW_TAG_inlined_subroutine)
			*p = place_of_call(w->u, &die);
		if (tag == DW_TAG_subprogram) {
			*name = die_linkage(w->u, &die);
			break;
		}
	}
	return r;
}

/* What the debug information says, if there is any. */
static int in_source(struct inlines *w, Dwfl_Module *mod, u64 at, struct place *p, const char **name, struct err *e)
{
	struct scopes scopes;
	u64 bias, left = DIES_MAX;
	Dwarf_Die *unit;

	unit = unit_at(w->u, mod, at, &bias);
	if (!unit)
		return 0;
	*p = place_in(unit, at - bias);
	scopes_find(&scopes, mod, unit, at - bias, &left);
	return all_inlines(w, &scopes, p, name, e);
}

int unwind_symbols(struct unwind *u, const struct frame *f, unsigned want, symbol_fn *fn, void *arg, struct err *e)
{
	u64 at = f->exact ? f->pc : f->pc - 1;
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), at);
	struct inlines w = { .u = u, .f = f, .fn = want & SYMBOL_INLINES ? fn : NULL, .arg = arg };
	struct symbol s = { 0 };
	struct place p = { 0 };
	const char *name = NULL;
	int r = 0;

	if (mod && want)
		r = in_source(&w, mod, at, &p, &name, e);
	if (r)
		return r;
	fill_module(u, f, &s);
	fill_function(u, at, f->pc, &s);
	if (!s.function && name) {
		s.linkage = name;
		s.function = demangle(u, name);
	}
	fill_place(&p, &s);
	return fn(&s, arg, e);
}
