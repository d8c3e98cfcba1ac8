#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/open.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"

/*
 * Split DWARF: a unit names the file that its entries are in (DWARF 5, 7.3.5), and
 * libdw opens it by that name, whatever it is (elfutils 0.188,
 * libdw/libdw_find_split_unit.c).  Every name that it would try is looked at before.
 */
enum { NAME_SIZE = 4096, UNITS_MAX = 1 << 16 };

struct split_unit {
	const Dwarf_CU *cu;
	bool may;
};
struct splits {
	struct split_unit *v;
	size_t n, cap;
};

void splits_free(struct splits *s)
{
	if (s)
		free(s->v);
	free(s);
}

static const char *text(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) ? dwarf_formstring(&attr) : NULL;
}

/* With --sysroot, files outside of it are not opened; libdw does not know of that root. */
static bool is_in_root(const struct unwind *u, int fd)
{
	const char *root = u->opts.sysroot;
	char real[NAME_SIZE];
	size_t len;

	if (!root)
		return true;
	if (!modfile_real(fd, real, sizeof(real)))
		return false;
	len = strlen(root);
	return !strcmp(root, "/") || (!strncmp(real, root, len) && real[len] == '/');
}

/* Where a broker opens files, it opens those of libdw, too, and by the same rules. */
static int open_as_libdw(const struct unwind *u, const char *path, struct err *e)
{
	return u->opts.open_file ? modfile_open(u, path, e) : open_regular(path, e);
}

/* Nothing is there; or a file that can be opened, and does not take too much memory or lead on to another one. */
static bool is_good(struct module *m, const char *path)
{
	char note[NAME_SIZE + 64];
	struct err e = { 0 };
	int fd auto_close = open_as_libdw(m->u, path, &e);
	Elf *elf = NULL;
	bool good;

	/* What we cannot open, libdw cannot either. */
	if (fd < 0 && !modfile_is_odd(fd))
		return true;
	if (fd >= 0)
		elf = elf_begin(fd, ELF_C_READ, NULL);
	good = fd >= 0 && is_in_root(m->u, fd) &&
	       (elf_kind(elf) != ELF_K_ELF || (!section_find(elf, ".gnu_debugaltlink") && sections_fit(m->u, elf)));
	elf_end(elf);
	if (good)
		return true;
	snprintf(note, sizeof(note), fd < 0 ? "%s; not used" : "%s is elsewhere, refers to other files, or is too large; not used",
		 fd < 0 ? e.msg : path);
	modfile_add_note(m, note);
	return false;
}

/* As __libdw_filepath() puts it together: libdw/dwarf_getalt.c. */
static bool path_is_good(struct module *m, const char *at, const char *dir, const char *file)
{
	char path[2 * NAME_SIZE];
	int n;

	if (file[0] == '/')
		n = snprintf(path, sizeof(path), "%s", file);
	else if (dir && dir[0] == '/')
		n = snprintf(path, sizeof(path), "%s/%s", dir, file);
	else if (at)
		n = snprintf(path, sizeof(path), "%s/%s%s%s", at, dir ? dir : "", dir && *dir ? "/" : "", file);
	else
		return true;
	return n < (int)sizeof(path) && is_good(m, path);
}

/* The unit's file, beside the file @of that the unit is in, or where it was compiled; or, since elfutils 0.192, OF.dwp. */
static bool are_good(struct module *m, char *of, Dwarf_Die *unit)
{
	const char *file = text(unit, DW_AT_dwo_name), *dir = text(unit, DW_AT_comp_dir);
	char packed[NAME_SIZE + 8], *slash;

	if (!file)
		file = text(unit, DW_AT_GNU_dwo_name);
	snprintf(packed, sizeof(packed), "%s.dwp", of);
	if (*of && !is_good(m, packed))
		return false;
	slash = strrchr(of, '/');
	if (slash)
		*slash = 0;
	return !file || (path_is_good(m, slash ? of : NULL, NULL, file) &&
			 (!dir || path_is_good(m, slash ? of : NULL, dir, file)));
}

/* It may be in the program itself or in its debug file. */
static bool look(Dwfl_Module *mod, struct module *m, Dwarf_Die *unit)
{
	const char *debug = NULL;
	char of[NAME_SIZE] = "";
	bool good;

	modfile_real(m->fd, of, sizeof(of));
	good = are_good(m, of, unit);
	dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, &debug);
	if (good && debug) {
		char *real auto_free = realpath(debug, NULL);

		snprintf(of, sizeof(of), "%s", real ? real : "");
		good = are_good(m, of, unit);
	}
	return good;
}

bool split_may_be_opened(Dwfl_Module *mod, Dwarf_Die *unit)
{
	struct split_unit one = { .cu = unit->cu };
	struct module *m;
	void **userdata;

	dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	m = *userdata;
	if (!m || (!m->splits && !(m->splits = calloc(1, sizeof(*m->splits)))))
		return false;
	for (size_t i = 0; i < m->splits->n; i++)
		if (m->splits->v[i].cu == unit->cu)
			return m->splits->v[i].may;
	/* libdw asks once for each unit, and so do we. */
	if (m->splits->n == UNITS_MAX ||
	    array_grow((void **)&m->splits->v, m->splits->n, &m->splits->cap, sizeof(one), "units", NULL))
		return false;
	one.may = look(mod, m, unit);
	m->splits->v[m->splits->n++] = one;
	return one.may;
}
