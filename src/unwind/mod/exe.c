#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/*
 * The program that the user named with --exe.  It is looked at before anything is
 * unwound: what cannot be the core's program is an error, for the user asked for it.
 */
struct exe {
	struct module m;
	GElf_Ehdr eh;
	const u8 *id;		/* its build-id; libelf's */
	size_t id_len;
};

static void exe_fini(struct exe *x)
{
	module_fini(&x->m);
}

/* ---- the file */

static int check_header(const struct unwind *u, struct exe *x, struct err *e)
{
	const struct elffmt *fmt = &u->core->fmt;
	const char *path = u->opts.exe;

	if (!x->m.elf || elf_kind(x->m.elf) != ELF_K_ELF || !gelf_getehdr(x->m.elf, &x->eh))
		return err_set(e, ERR_INPUT, "--exe: %s is no ELF file", path);
	if (x->eh.e_type != ET_EXEC && x->eh.e_type != ET_DYN)
		return err_set(e, ERR_INPUT, "--exe: %s is no program: its e_type is %u", path, x->eh.e_type);
	if (x->eh.e_machine != u->core->ehdr.e_machine || x->eh.e_ident[EI_CLASS] != fmt->class ||
	    x->eh.e_ident[EI_DATA] != fmt->data)
		return err_set(e, ERR_INPUT, "--exe: %s is of another machine than the core", path);
	return 0;
}

static int open_exe(struct unwind *u, struct exe *x, struct err *e)
{
	const void *id = NULL;
	ssize_t len;
	int r;

	x->m.fd = modfile_open(u, u->opts.exe, e);
	if (x->m.fd < 0)
		return err_wrap(e, "--exe");
	x->m.elf = elf_begin(x->m.fd, ELF_C_READ, NULL);
	r = check_header(u, x, e);
	if (r)
		return r;
	x->m.file = strdup(u->opts.exe);
	if (!x->m.file)
		return err_set(e, -ENOMEM, "--exe");
	len = dwelf_elf_gnu_build_id(x->m.elf, &id);
	x->id = id;
	x->id_len = len > 0 && len <= CORE_BUILD_ID_MAX ? (size_t)len : 0;
	modfile_bound(u, &x->m);
	return 0;
}

/* ---- the module that it is */

static bool has_id(const struct module *m, const struct exe *x)
{
	return x->id_len && m->build_id_len == x->id_len && !memcmp(m->build_id, x->id, x->id_len);
}

static struct module *find_by_id(struct unwind *u, const struct exe *x)
{
	for (size_t i = 0; i < u->n_mods; i++)
		if (has_id(&u->mods[i], x))
			return &u->mods[i];
	return NULL;
}

static int is_another(const struct module *m, const struct exe *x, struct err *e)
{
	char ours[2 * CORE_BUILD_ID_MAX + 1], theirs[2 * CORE_BUILD_ID_MAX + 1] = "none";

	if (x->id_len)
		modfile_hex(x->id, x->id_len, theirs);
	return err_set(e, ERR_INPUT, "--exe: %s is not the program of the core: its build-id is %s, the core has %s",
		       x->m.file, theirs, modfile_hex(m->build_id, m->build_id_len, ours));
}

static void is_unverified(struct exe *x)
{
	modfile_add_note(&x->m, "the program of --exe cannot be verified: the core does not have its build-id");
}

static int contradicted(const struct exe *x, const struct likeness *l, struct err *e)
{
	return err_set(e, ERR_INPUT, "--exe: %s is not the program of the core: %llu of %llu bytes that the core has of it are others, the first one at 0x%llx",
		       x->m.file, (unsigned long long)l->other, (unsigned long long)(l->same + l->other),
		       (unsigned long long)l->first);
}

/* The file's bytes against those that the core has; few others are noted. */
static int compare(struct unwind *u, struct exe *x, u64 bias, struct err *e)
{
	struct likeness l;
	char text[160];

	if (resident_contradicts(u, &x->m, bias, &l))
		return contradicted(x, &l, e);
	snprintf(text, sizeof(text), "the program of --exe may be another: of the core's memory %llu of %llu bytes are others, the first one at 0x%llx",
		 (unsigned long long)l.other, (unsigned long long)(l.same + l.other), (unsigned long long)l.first);
	if (l.other)
		modfile_add_note(&x->m, text);
	else if (!l.same)
		is_unverified(x);
	return 0;
}

/* Gives the file to @m, a module that the core names. */
static void give(struct unwind *u, struct exe *x, struct module *m)
{
	u64 entry;

	m->elf = take_ptr(x->m.elf);
	m->fd = take_fd(x->m.fd);
	m->file = take_ptr(x->m.file);
	m->note = take_ptr(x->m.note);
	if (!m->path)
		m->path = strdup(m->file);
	m->looked = true;
	module_set_bias(m);
	if (core_auxv(u->core, AT_ENTRY, &entry))
		return;
	m->is_main = true;
	u->entry = u64_of_word(u, x->eh.e_entry + m->bias);
}

/* Without a build-id of the core's program, everything else that is known of it must match the file. */
static int give_unverified(struct unwind *u, struct exe *x, struct module *m, struct err *e)
{
	struct likeness l;

	if (!modfile_layout_fits(u, m, x->m.elf))
		return err_set(e, ERR_INPUT, "--exe: %s is not the program of the core: its segments are others", x->m.file);
	x->m.start = m->start;
	module_set_bias(&x->m);
	if (resident_contradicts(u, &x->m, x->m.bias, &l))
		return contradicted(x, &l, e);
	is_unverified(x);
	give(u, x, m);
	return 0;
}

/* No module of the core is the program, but the auxiliary vector says where it is. */
static int place_by_auxv(struct unwind *u, struct exe *x, struct err *e)
{
	struct likeness l;

	if (!program_place(u, &x->m))
		return err_set(e, ERR_INPUT, "--exe: %s is not the program of the core: its program headers and entry point are others",
			       x->m.file);
	module_set_bias(&x->m);
	if (resident_contradicts(u, &x->m, x->m.bias, &l))
		return contradicted(x, &l, e);
	is_unverified(x);
	x->m.path = program_name(u);
	if (!x->m.path)
		x->m.path = strdup(x->m.file);
	x->m.looked = true;
	return modules_take(u, &x->m, e);
}

/* ---- a core that does not say where its program is: an embedded system's, a debug stub's */

static int printf_like(2, 3) not_used(struct unwind *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&u->exe_note, fmt, ap) < 0)
		u->exe_note = NULL;
	va_end(ap);
	return 0;
}

/* Its build-id, or for want of that its bytes, are the core's, or else it is an error. */
static int agree(struct unwind *u, struct exe *x, u64 bias, struct err *e)
{
	struct module there = { .build_id_len = x->id_len };
	enum resident_id id = resident_build_id(u, &x->m, bias, x->id, x->id_len, there.build_id);

	if (id == RESIDENT_ID_OTHER)
		return is_another(&there, x, e);
	if (id == RESIDENT_ID_UNKNOWN)
		return compare(u, x, bias, e);
	memcpy(x->m.build_id, x->id, x->id_len);
	x->m.build_id_len = x->id_len;
	return 0;
}

/*
 * Where a program of any place is: 1 and *bias; 0, and a note, if that cannot be known.
 * One that was linked for an address, as firmware is, may run there.
 */
static int find_place(struct unwind *u, struct exe *x, u64 lo, u64 *bias, struct err *e)
{
	int n = resident_find(u, &x->m, x->id, x->id_len, bias, e);

	if (n < 0 || n == 1)
		return n;
	if (n > 1)
		return not_used(u, "--exe: %s is not used: the core's memory has it in %d places", x->m.file, n);
	*bias = 0;
	if (lo && resident_runs(u, &x->m, 0))
		return 1;
	return not_used(u, "--exe: %s is not used: the core does not say where its program was, and neither the build-id nor the code of that file is in its memory",
			x->m.file);
}

static int place_by_memory(struct unwind *u, struct exe *x, struct err *e)
{
	struct module *m;
	u64 lo, hi, bias = 0;
	int r;

	if (!module_span(x->m.elf, &lo, &hi))
		return err_set(e, ERR_INPUT, "--exe: %s is no program: it has nothing to load", x->m.file);
	r = x->eh.e_type == ET_EXEC ? 1 : find_place(u, x, lo, &bias, e);
	if (r <= 0)
		return r;
	x->m.start = u64_of_word(u, lo + bias);
	x->m.end = u64_of_word(u, hi + bias);
	m = module_at(u, x->m.start);
	if (m && m->start != x->m.start)
		m = NULL;
	r = m && m->build_id_len ? is_another(m, x, e) : agree(u, x, bias, e);
	if (r)
		return r;
	if (m) {
		give(u, x, m);
		return 0;
	}
	u->entry = u64_of_word(u, x->eh.e_entry + bias);
	x->m.looked = true;
	x->m.path = strdup(x->m.file);
	return modules_take(u, &x->m, e);
}

static int place(struct unwind *u, struct exe *x, struct err *e)
{
	struct module *m = find_by_id(u, x);
	u64 entry;

	if (m) {
		give(u, x, m);
		return 0;
	}
	if (!core_auxv(u->core, AT_ENTRY, &entry))
		return place_by_memory(u, x, e);
	m = module_at(u, entry);
	if (!m)
		return place_by_auxv(u, x, e);
	return m->build_id_len ? is_another(m, x, e) : give_unverified(u, x, m, e);
}

int exe_load(struct unwind *u, struct err *e)
{
	struct exe x scoped(exe_fini) = { .m = { .u = u, .fd = -1, .is_main = true } };
	int r = open_exe(u, &x, e);

	return r ? r : place(u, &x, e);
}
