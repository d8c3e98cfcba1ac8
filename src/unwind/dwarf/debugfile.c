#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/dwarf/debuginfo.h"
#include "unwind/mod/fetch.h"

/*
 * Debug files, where libdw would look for them (0.188, libdwfl/find-debuginfo.c), but
 * opened by us: libdw opens whatever has the name, unpacks what it finds and asks
 * servers without a limit.
 */
enum { NAME_SIZE = FETCH_PATH_SIZE };
struct search {
	struct unwind *u;
	struct module *m;
	bool is_alt;		/* the file that several debug files share: .gnu_debugaltlink, dwz(1) */
	const u8 *id;		/* of the file that is looked for */
	size_t id_len;
	bool has_crc;		/* without a build-id, the checksum says if it is the one */
	u32 crc;
	char **name;		/* to be the name of the one that was found */
};

/* ---- is it the one? */

/* As .gnu_debuglink has it, which is zlib's. */
static bool crc_fits(int fd, u32 want)
{
	u8 buf[1 << 14];
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		crc = crc32(crc, buf, (uInt)n);
		at += n;
	}
	return !n && crc == want;
}

static bool is_main_file(const struct module *m, int fd)
{
	struct stat a, b;

	return m->fd >= 0 && !fstat(m->fd, &a) && !fstat(fd, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* libdw would unpack a file that is packed as a whole, too: only what is ELF as it is. */
static bool fits(const struct search *s, int fd, Elf *elf)
{
	const void *id = NULL;
	ssize_t len;

	if (!elf || elf_kind(elf) != ELF_K_ELF || is_main_file(s->m, fd))
		return false;
	len = dwelf_elf_gnu_build_id(elf, &id);
	if (s->id_len)
		return len == (ssize_t)s->id_len && !memcmp(id, s->id, s->id_len);
	return !s->has_crc || crc_fits(fd, s->crc);
}

static int try_name(struct search *s, const char *name)
{
	char why[NAME_SIZE + 128] = "";
	struct err e = { 0 };
	int fd auto_close = modfile_open(s->u, name, &e);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	bool good = fits(s, fd, elf);

	if (modfile_is_odd(fd))
		snprintf(why, sizeof(why), "%s; not used", e.msg);
	else if (good && ((s->is_alt && section_find(elf, ".gnu_debugaltlink")) || !sections_fit(s->u, elf)))
		snprintf(why, sizeof(why), "%s would take too much memory when it is unpacked, or leads on; not used", name);
	elf_end(elf);
	if (*why)
		modfile_add_note(s->m, why);
	if (!good || *why)
		return -1;
	free(*s->name);
	*s->name = strdup(name);
	return take_fd(fd);
}

/* ---- where to look */

static int by_build_id(struct search *s)
{
	char name[NAME_SIZE], id[2 * CORE_BUILD_ID_MAX + 1];
	int fd = -1;

	if (s->id_len < 2)
		return -1;
	modfile_hex(s->id, s->id_len, id);
	for (size_t i = 0; fd < 0 && i < s->u->n_debugdirs; i++)
		if (snprintf(name, sizeof(name), "%s/.build-id/%.2s/%s.debug", s->u->debugdirs[i], id, id + 2) < NAME_SIZE)
			fd = try_name(s, name);
	return fd;
}

static int try_in(struct search *s, const char *dir, const char *sub, const char *file)
{
	char name[NAME_SIZE];

	return snprintf(name, sizeof(name), "%s%s/%s", dir, sub, file) < NAME_SIZE ? try_name(s, name) : -1;
}

/* In DIR/usr/lib/x, DIR/lib/x, DIR/x and DIR, for a file of /usr/lib/x. */
static int in_subdirs(struct search *s, const char *dir, const char *of, const char *file)
{
	int fd = -1;

	for (; of && fd < 0; of = strchr(of + 1, '/'))
		fd = try_in(s, dir, of, file);
	return fd < 0 ? try_in(s, dir, "", file) : fd;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void dir_of(const char *path, char out[NAME_SIZE])
{
	const char *base = last_part(path);

	snprintf(out, NAME_SIZE, "%.*s", base == path ? 1 : (int)(base - path) - 1, base == path ? "." : path);
}

/* The name of @link, or for want of one, made of the file's own. */
static int by_name(struct search *s, const char *of, const char *link)
{
	char at[NAME_SIZE], made[NAME_SIZE];
	const char *base = last_part(of), *name = link ? link : made;
	int fd;

	dir_of(of, at);
	if (snprintf(made, sizeof(made), "%s.debug", base) >= NAME_SIZE)
		return -1;
	fd = try_in(s, at, "", name);
	if (fd < 0)
		fd = try_in(s, at, "/.debug", name);
	if (fd < 0 && !link)
		fd = try_in(s, at, "/.debug", base);
	for (size_t i = 0; fd < 0 && i < s->u->n_debugdirs; i++) {
		const char *dir = s->u->debugdirs[i];

		fd = in_subdirs(s, dir, strchr(at, '/'), name);
		if (fd < 0 && !link)
			fd = in_subdirs(s, dir, strchr(at, '/'), base);
	}
	return fd;
}

/* @link as the debug file @of has it: mostly ../../.dwz/NAME. */
static int alt_by_name(struct search *s, const char *of, const char *link)
{
	char at[NAME_SIZE];
	const char *root = s->u->opts.sysroot ? s->u->opts.sysroot : "";
	int fd;

	dir_of(of, at);
	fd = link[0] == '/' ? try_in(s, root, "", link + 1) : try_in(s, at, "", link);
	if (fd < 0)
		fd = try_in(s, at, "/.dwz", last_part(link));
	for (size_t i = 0; fd < 0 && i < s->u->n_debugdirs; i++) {
		const char *dir = s->u->debugdirs[i];

		fd = try_in(s, dir, "", last_part(link));
		if (fd < 0)
			fd = try_in(s, dir, "/.dwz", last_part(link));
	}
	return fd;
}

/* The debug file may be in the directory to which a symbolic link leads. */
static int by_names(struct search *s, const char *of, const char *link)
{
	int fd = s->is_alt && link ? alt_by_name(s, of, link) : by_name(s, of, link);
	char real[NAME_SIZE];

	if (fd >= 0 || s->is_alt || !modfile_real(s->m->fd, real, sizeof(real)) || !strcmp(real, of))
		return fd;
	return by_name(s, real, link);
}

static int by_server(struct search *s)
{
	char path[FETCH_PATH_SIZE], why[FETCH_WHY_SIZE] = "";
	bool found = s->id_len && fetch_file(s->u, FETCH_DEBUGINFO, s->id, s->id_len, path, why);

	if (*why)
		modfile_add_note(s->m, why);
	return found ? try_name(s, path) : -1;
}

/* ---- libdw's callback */

/*
 * Is the file that debug files share looked for?  The callback has no argument for that:
 * but then mod has its DWARF already, and the link is not the one in the program.
 */
static bool is_alt(const struct module *m, const char *link)
{
	GElf_Word crc;

	return link && m->elf && link != dwelf_elf_gnu_debuglink(m->elf, &crc);
}

static void set_id(struct search *s, Dwarf *dw)
{
	const void *id = NULL;
	const char *name;
	ssize_t len;

	if (s->is_alt)
		len = dw ? dwelf_dwarf_gnu_debugaltlink(dw, &name, &id) : 0;
	else if (s->m->build_id_len || !s->m->elf)
		id = s->m->build_id, len = (ssize_t)s->m->build_id_len;
	else
		len = dwelf_elf_gnu_build_id(s->m->elf, &id);
	s->id = id;
	s->id_len = len > 0 && len <= CORE_BUILD_ID_MAX ? (size_t)len : 0;
}

int debugfile_find(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base, const char *of, const char *link,
		   GElf_Word crc, char **name)
{
	struct module *m = *userdata;
	struct search s = { .u = m ? m->u : NULL, .m = m, .has_crc = link && crc, .crc = crc, .name = name };
	Dwarf_Addr bias;
	Dwarf *dw = NULL;
	int fd;

	(void)modname;
	(void)base;
	if (!m)
		return -1;
	s.is_alt = is_alt(m, link);
	if (s.is_alt)
		dw = dwfl_module_getdwarf(mod, &bias);
	set_id(&s, dw);
	fd = by_build_id(&s);
	/* A shared file without an identity is nobody's. */
	if (fd < 0 && of && (!s.is_alt || s.id_len))
		fd = by_names(&s, of, link);
	if (fd < 0)
		fd = by_server(&s);
	/* Else libdw would open that name itself, when an entry refers to it: dwarf_getalt.c, for which this is "tried already". */
	if (fd < 0 && dw)
		dwarf_setalt(dw, (Dwarf *)-1);
	return fd;
}
