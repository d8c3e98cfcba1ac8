#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"

/*
 * Functions by name, of a module's symbol tables: libdw looks up addresses only.
 * The index is made when it is needed, once for each module.
 */
struct name_row {
	const char *name;	/* libdw's: "read@@GLIBC_2.2.5", "parse.constprop.0" */
	u64 addr;
	bool is_global;
	bool is_resolver;	/* STT_GNU_IFUNC: it chooses the function */
};
struct names {
	struct name_row *v;
	size_t n, cap;
};

enum { NAME_ROWS_MAX = 1 << 21, NAME_LEN_MAX = 1024 };

static bool add(struct unwind *u, struct names *names, Dwfl_Module *mod, int at)
{
	u64 mode = u->core->arch ? u->core->arch->frame.ret_mode : 0;
	struct name_row row = { 0 };
	GElf_Sym sym;
	Elf *elf = NULL;
	int type;

	row.name = dwfl_module_getsym_info(mod, at, &sym, &row.addr, NULL, &elf, NULL);
	if (!row.name)
		return true;
	row.name = text_of_symbol(u, mod, elf, row.name);
	type = GELF_ST_TYPE(sym.st_info);
	if (!row.name || !*row.name || sym.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC))
		return true;
	row.addr &= ~mode;
	row.is_global = GELF_ST_BIND(sym.st_info) != STB_LOCAL;
	row.is_resolver = type == STT_GNU_IFUNC;
	if (names->n == NAME_ROWS_MAX ||
	    array_grow((void **)&names->v, names->n, &names->cap, sizeof(*names->v), "names", NULL))
		return false;
	names->v[names->n++] = row;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct name_row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* On ENOMEM, treated as not found. */
static struct names *names_make(struct unwind *u, Dwfl_Module *mod)
{
	struct names *names = calloc(1, sizeof(*names));
	int n = dwfl_module_getsymtab(mod);

	for (int i = 1; names && i < n && add(u, names, mod, i); i++)
		;
	if (names && names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return names;
}

void names_free(struct names *names)
{
	if (names)
		free(names->v);
	free(names);
}

/* The first row that is not before @key. */
static size_t lower_bound(const struct names *names, const char *key)
{
	return search_first(i, 0, names->n, strcmp(names->v[i].name, key) >= 0);
}

static void put(struct found_names *out, const struct name_row *row, bool is_part)
{
	for (size_t i = 0; i < min(out->n, (size_t)FOUND_NAMES_MAX); i++)
		if (out->v[i].addr == row->addr)
			return;
	if (out->n < FOUND_NAMES_MAX)
		out->v[out->n] = (struct found_name){
			.addr = row->addr, .is_global = row->is_global, .is_resolver = row->is_resolver,
			.is_clone = is_part,
		};
	out->n++;
}

/* All that begin with @name and @mark. */
static void find_marked(const struct names *names, const char *name, const char *mark, struct found_names *out)
{
	size_t len = strlen(name) + strlen(mark);
	char key[NAME_LEN_MAX];

	if (len >= sizeof(key))
		return;
	stpcpy(stpcpy(key, name), mark);
	for (size_t i = lower_bound(names, key); i < names->n && !strncmp(names->v[i].name, key, len); i++)
		/* A part that is jumped to is no function. */
		if (!strstr(names->v[i].name + len, "cold"))
			put(out, &names->v[i], *mark == '.');
}

static const struct names *names_of(struct unwind *u, struct module *m)
{
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), m->start);

	if (!m->names && mod)
		m->names = names_make(u, mod);
	return m->names;
}

void names_find(struct unwind *u, struct module *m, const char *name, struct found_names *out)
{
	const struct names *names = names_of(u, m);

	out->n = 0;
	for (size_t i = names ? lower_bound(names, name) : 0; names && i < names->n && !strcmp(names->v[i].name, name); i++)
		put(out, &names->v[i], false);
	if (names) {
		find_marked(names, name, "@", out);
		find_marked(names, name, ".", out);
	}
}
