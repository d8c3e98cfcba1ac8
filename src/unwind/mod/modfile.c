#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/open.h"
#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "unwind/mod/fetch.h"
#include "unwind/mod/mod.h"

enum { PATH_LEN = FETCH_PATH_SIZE };

static void printf_like(2, 3) set_note(struct module *m, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	free(m->note);
	m->note = text;
}

const char *modfile_hex(const u8 *p, size_t len, char out[2 * CORE_BUILD_ID_MAX + 1])
{
	return text_hex(p, min(len, (size_t)CORE_BUILD_ID_MAX), out);
}

/* What @path is below @root, which is a root directory of its own; NULL when it is not below it. */
static const char *below(const char *path, const char *root)
{
	size_t len = root ? strlen(root) : 0;

	while (len && root[len - 1] == '/')
		len--;
	return root && !strncmp(path, root, len) && path[len] == '/' ? path + len : NULL;
}

static int open_in_its_root(const struct unwind *u, const char *path, struct err *e)
{
	char live[64];
	const char *roots[] = { u->opts.sysroot, u->opts.pid ? live : NULL };

	snprintf(live, sizeof(live), "/proc/%d/root", (int)u->opts.pid);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (below(path, roots[i]))
			return open_regular_in(roots[i], below(path, roots[i]), e);
	return open_regular(path, e);
}

int modfile_open(const struct unwind *u, const char *path, struct err *e)
{
	int fd;

	if (u->opts.open_file)
		return u->opts.open_file(u->opts.open_arg, path, e);
	if (!allowed_name(u, path))
		return err_set(e, -ENOENT, "%s is outside of --sysroot", path);
	fd = open_in_its_root(u, path, e);
	/* In the sysroot absolute symbolic links are its own; where that leads nowhere, --exe is meant as it is. */
	return fd == -ENOENT && u->opts.exe && !strcmp(path, u->opts.exe) ? open_regular(path, e) : fd;
}

bool modfile_layout_fits(const struct unwind *u, const struct module *m, Elf *elf)
{
	u64 page = 4096;
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	if (!core_auxv(u->core, AT_PAGESZ, &page) || !page || page & (page - 1))
		page = 4096;
	for (size_t i = 0; i < u->core->n_maps; i++) {
		const struct core_map *k = &u->core->maps[i];
		bool found = false;
		GElf_Phdr p;

		if (k->start < m->start || k->start >= m->end)
			continue;
		for (size_t j = 0; !found && j < n; j++)
			found = gelf_getphdr(elf, (int)j, &p) && p.p_type == PT_LOAD &&
				k->pgoff >= align_down(p.p_offset, page) &&
				k->end - k->start <= align_up(p.p_offset + p.p_filesz, page) - k->pgoff;
		if (!found)
			return false;
	}
	return true;
}

/* Is the open file that module?  Says why not in m->note. */
static bool verify(const struct unwind *u, struct module *m, Elf *elf, const char *path)
{
	char ours[2 * CORE_BUILD_ID_MAX + 1], theirs[2 * CORE_BUILD_ID_MAX + 1];
	const void *id = NULL;
	GElf_Ehdr eh;
	ssize_t len;

	if (!gelf_getehdr(elf, &eh)) {
		set_note(m, "%s is no ELF file; not used", path);
		return false;
	}
	if (eh.e_machine != u->core->ehdr.e_machine) {
		set_note(m, "%s is of another machine; not used", path);
		return false;
	}
	len = dwelf_elf_gnu_build_id(elf, &id);
	if (!m->build_id_len && !modfile_layout_fits(u, m, elf)) {
		set_note(m, "%s is not the file that the process had: its segments are others; not used", path);
		return false;
	}
	if (!m->build_id_len) {
		set_note(m, "%s cannot be verified: the core does not have this module's build-id", path);
		return true;
	}
	if (len == (ssize_t)m->build_id_len && !memcmp(id, m->build_id, m->build_id_len))
		return true;
	set_note(m, "%s is not the file that the process had: its build-id is %s, the core has %s; not used", path,
		 len > 0 ? modfile_hex(id, (size_t)len, theirs) : "none", modfile_hex(m->build_id, m->build_id_len, ours));
	return false;
}

void modfile_bound(struct unwind *u, struct module *m)
{
	char note[PATH_LEN + 128];
	size_t n = sections_bound(u, m->elf);

	if (!n)
		return;
	snprintf(note, sizeof(note), "%s: %zu %s not used: unpacked, it would take too much memory", m->file ? m->file : "", n,
		 n == 1 ? "section is" : "sections are");
	modfile_add_note(m, note);
}

/* The core has no build-id, but other bytes than the file.  Where the file is placed later, that says nothing. */
static bool is_contradicted(struct unwind *u, struct module *m, Elf *elf, int fd, const char *path)
{
	struct module probe = { .u = u, .start = m->start, .elf = elf, .fd = fd };
	char *name auto_free = strdup(path);
	struct likeness l;

	if (m->build_id_len || m->start >= m->end)
		return false;
	probe.file = name;
	module_set_bias(&probe);
	if (!resident_contradicts(u, &probe, probe.bias, &l))
		return false;
	set_note(m, "%s is not the file that the process had: %llu of %llu bytes that the core has of it are others; not used", path,
		 (unsigned long long)l.other, (unsigned long long)(l.same + l.other));
	return true;
}

/* Takes over @opened, which is -1 or the file at @path. */
static bool try_fd(struct unwind *u, struct module *m, int opened, const char *path)
{
	int fd auto_close = opened;
	Elf *elf;

	if (fd < 0)
		return false;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !verify(u, m, elf, path) || is_contradicted(u, m, elf, fd, path)) {
		elf_end(elf);
		return false;
	}
	if (m->build_id_len) {
		free(m->note);
		m->note = NULL;
	}
	m->elf = elf;
	m->fd = take_fd(fd);
	m->file = strdup(path);
	modfile_bound(u, m);
	return true;
}

static bool try_file(struct unwind *u, struct module *m, const char *path)
{
	struct err e = { 0 };
	int fd = modfile_open(u, path, &e);

	/* Not there is said when all have been tried. */
	if (modfile_is_odd(fd))
		set_note(m, "%s; not used", e.msg);
	return try_fd(u, m, fd, path);
}

/* The kernel names a deleted file "NAME (deleted)"; another file may have that name by now. */
static bool without_deleted(char *path)
{
	static const char mark[] = " (deleted)";
	size_t len = strlen(path);

	if (len <= sizeof(mark) - 1 || strcmp(path + len - (sizeof(mark) - 1), mark) != 0)
		return false;
	path[len - (sizeof(mark) - 1)] = 0;
	return true;
}

/* The live process has it mapped still: through that, even a deleted file is the right one. */
static bool try_live(struct unwind *u, struct module *m, const char *path)
{
	char name[PATH_LEN + 64];

	if (!u->opts.pid)
		return false;
	snprintf(name, sizeof(name), "/proc/%d/root%s", (int)u->opts.pid, path);
	if (path[0] == '/' && try_file(u, m, name))
		return true;
	snprintf(name, sizeof(name), "/proc/%d/exe", (int)u->opts.pid);
	if (m->is_main && try_file(u, m, name))
		return true;
	for (size_t i = 0; i < u->core->n_maps; i++) {
		const struct core_map *k = &u->core->maps[i];

		if (k->start < m->start || k->start >= m->end)
			continue;
		snprintf(name, sizeof(name), "/proc/%d/map_files/%llx-%llx", (int)u->opts.pid,
			 (unsigned long long)k->start, (unsigned long long)k->end);
		if (try_file(u, m, name))
			return true;
	}
	return false;
}

/* DIR/.build-id/xx/yyyy: the executable itself, where distributions link it. */
static bool try_build_id(struct unwind *u, struct module *m)
{
	char id[2 * CORE_BUILD_ID_MAX + 1], name[2 * PATH_LEN];

	if (m->build_id_len < 2)
		return false;
	modfile_hex(m->build_id, m->build_id_len, id);
	for (size_t i = 0; i < u->n_debugdirs; i++) {
		snprintf(name, sizeof(name), "%s/.build-id/%.2s/%s", u->debugdirs[i], id, id + 2);
		if (try_file(u, m, name))
			return true;
	}
	return false;
}

/* Servers of executables, where the user has named some. */
static bool try_debuginfod(struct unwind *u, struct module *m)
{
	char path[PATH_LEN], why[FETCH_WHY_SIZE] = "";
	bool found = m->build_id_len && fetch_file(u, FETCH_EXECUTABLE, m->build_id, m->build_id_len, path, why);

	if (*why)
		set_note(m, "%s", why);
	return found && try_file(u, m, path);
}

void modfile_note(struct module *m, const char *text)
{
	set_note(m, "%s", text);
}

void modfile_add_note(struct module *m, const char *text)
{
	char *before auto_free = take_ptr(m->note);

	set_note(m, "%s%s%s", before ? before : "", before ? "; " : "", text);
}

bool modfile_real(int fd, char *out, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = fd < 0 ? -1 : readlink(link, out, size - 1);
	if (len <= 0 || len == (ssize_t)size - 1 || out[0] != '/')
		return false;
	out[len] = 0;
	return true;
}

void modfile_refuse(struct module *m, const char *why)
{
	set_note(m, "%s is not the file that the process had: %s; not used", m->file ? m->file : "", why);
	elf_end(m->elf);
	close(m->fd);
	free(m->file);
	m->elf = NULL;
	m->fd = -1;
	m->file = NULL;
}

void modfile_find(struct unwind *u, struct module *m)
{
	char path[PATH_LEN], name[2 * PATH_LEN];
	bool deleted;

	m->looked = true;
	snprintf(path, sizeof(path), "%s", m->path ? m->path : "");
	deleted = without_deleted(path);
	if (try_live(u, m, path))
		return;
	if (path[0] == '/') {
		snprintf(name, sizeof(name), "%s%s", u->opts.sysroot ? u->opts.sysroot : "", path);
		if (try_file(u, m, name))
			return;
	}
	if (try_build_id(u, m) || try_debuginfod(u, m) || path[0] != '/')
		return;
	u->is_elsewhere |= !deleted && !u->opts.sysroot && !u->opts.pid;
	if (!m->note)
		set_note(m, "%s%s: no such file here", u->opts.sysroot ? u->opts.sysroot : "", path);
}
