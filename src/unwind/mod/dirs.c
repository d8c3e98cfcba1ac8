#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/* Its mount, too, where the kernel says (since 5.8): the root of a container may be the directory that another mount has. */
static bool is_same_dir(const char *a, const char *b)
{
	struct statx x, y;

	return !statx(AT_FDCWD, a, 0, STATX_INO | STATX_MNT_ID, &x) && !statx(AT_FDCWD, b, 0, STATX_INO | STATX_MNT_ID, &y) &&
	       x.stx_ino == y.stx_ino && x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor &&
	       (!(x.stx_mask & y.stx_mask & STATX_MNT_ID) || x.stx_mnt_id == y.stx_mnt_id);
}

static char *absolute(const char *path)
{
	char *cwd auto_free = path[0] == '/' ? NULL : realpath(".", NULL), *out;

	if (path[0] == '/')
		return strdup(path);
	return cwd && asprintf(&out, "%s/%s", cwd, path) >= 0 ? out : NULL;
}

/*
 * The directories that the user named, as absolute names without symbolic links: names
 * are put together with them, and compared with those that /proc has of open files.  A
 * link of the kernel's that leads to another mount namespace (/proc/PID/root) has no other
 * name here, and what readlink(2) says of it is another directory.
 */
static int real_dir(const char *option, const char *path, char **out, struct err *e)
{
	char *real auto_free = realpath(path, NULL);
	struct stat st;

	if (stat(path, &st))
		return err_set(e, -errno, "%s: open %s", option, path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: %s is no directory", option, path);
	*out = real && is_same_dir(real, path) ? take_ptr(real) : absolute(path);
	return *out ? 0 : err_set(e, -ENOMEM, "%s: open %s", option, path);
}

/* Takes over @dir. */
static int add(struct unwind *u, char *dir, struct err *e)
{
	char *owned auto_free = dir;
	int r;

	if (!owned)
		return err_set(e, -ENOMEM, "directories of debug files");
	r = array_grow((void **)&u->debugdirs, u->n_debugdirs, &u->cap_debugdirs, sizeof(*u->debugdirs),
		       "directories of debug files", e);
	if (!r)
		u->debugdirs[u->n_debugdirs++] = take_ptr(owned);
	return r;
}

/*
 * An absolute one is looked for below the sysroot, then as it is, which gdb does, too
 * (symfile.c: find_separate_debug_file()).  A relative one is the working directory's.
 */
static int add_named(struct unwind *u, const char *path, struct err *e)
{
	char *below auto_free = NULL, *real = NULL;
	struct stat st;
	int r;

	if (path[0] == '/' && u->sysroot && asprintf(&below, "%s%s", u->sysroot, path) < 0)
		return err_set(e, -ENOMEM, "directories of debug files");
	if (below && !stat(below, &st) && S_ISDIR(st.st_mode))
		return add(u, take_ptr(below), e);
	r = real_dir("--debuginfo-path", path, &real, e);
	return r ? r : add(u, real, e);
}

/* Need not be there. */
static int add_default(struct unwind *u, struct err *e)
{
	char *dir = NULL;

	if (asprintf(&dir, "%s/usr/lib/debug", u->sysroot ? u->sysroot : "") < 0)
		dir = NULL;
	return add(u, dir, e);
}

static int copy(struct unwind *u, const struct unwind *from, struct err *e)
{
	int r = 0;

	u->sysroot = from->sysroot ? strdup(from->sysroot) : NULL;
	if (from->sysroot && !u->sysroot)
		return err_set(e, -ENOMEM, "--sysroot");
	u->opts.sysroot = u->sysroot;
	for (size_t i = 0; !r && i < from->n_debugdirs; i++)
		r = add(u, strdup(from->debugdirs[i]), e);
	return r;
}

int dirs_open(struct unwind *u, struct err *e)
{
	char *path auto_free = NULL, *rest, *dir;
	int r = 0;

	if (u->opts.dirs)
		return copy(u, u->opts.dirs, e);
	if (u->opts.sysroot)
		r = real_dir("--sysroot", u->opts.sysroot, &u->sysroot, e);
	if (r)
		return r;
	u->opts.sysroot = u->sysroot;
	if (!u->opts.debuginfo_path)
		return add_default(u, e);
	path = strdup(u->opts.debuginfo_path);
	if (!path)
		return err_set(e, -ENOMEM, "directories of debug files");
	rest = path;
	while (!r && (dir = strsep(&rest, ":")))
		if (*dir)
			r = add_named(u, dir, e);
	return r;
}

void dirs_close(struct unwind *u)
{
	for (size_t i = 0; i < u->n_debugdirs; i++)
		free(u->debugdirs[i]);
	free(u->debugdirs);
	free(u->sysroot);
}
