#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "dump/dump_priv.h"

enum { WAIT_MS = 100 };	/* between looks for a FIFO's reader */

static bool is_special(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISSOCK(mode);
}

/*
 * A name that others can guess (core.PID) may be taken by a FIFO or a link of
 * theirs, so only a name that the user wrote out may be written into.
 */
bool output_is_stream(const struct dump *d)
{
	const char *path = d->report->path;
	struct stat st;

	if (!strcmp(path, "-"))
		return true;
	return template_is_literal(d->opts->output) && !stat(path, &st) && is_special(st.st_mode);
}

int output_room(const char *path, u64 *bytes, struct err *e)
{
	char *copy auto_free = strdup(path);
	struct statvfs sv;
	const char *dir;

	if (!copy)
		return err_set(e, -ENOMEM, "%s", path);
	dir = dirname(copy);
	if (statvfs(dir, &sv))
		return err_set(e, -errno, "directory %s for the core", dir);
	*bytes = (u64)sv.f_bavail * sv.f_frsize;
	return 0;
}

static bool is_ours(uid_t uid)
{
	return uid == geteuid() || uid == 0;
}

/*
 * Whether another user may have put @st at @path: the rule of the kernel's
 * protected_fifos and protected_symlinks (fs/namei.c: may_create_in_sticky(),
 * may_follow_link()), and more: of directories without the sticky bit, too.
 */
static bool may_be_planted(const char *path, const struct stat *st)
{
	char *copy auto_free = strdup(path);
	struct stat dir;

	if (is_ours(st->st_uid))
		return false;
	if (!copy || stat(dirname(copy), &dir) || dir.st_mode & (S_IWGRP | S_IWOTH))
		return true;
	return !is_ours(dir.st_uid) && dir.st_uid != st->st_uid;
}

/* The other end of a pipe that was handed to us, by /dev/stdout or /dev/fd/N: it has no name. */
static bool is_anonymous_pipe(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PIPEFS_MAGIC;
}

static int check_stream(const char *path, int fd, bool by_link, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(e, -errno, "open %s", path);
	if (!is_special(st.st_mode))
		return err_set(e, -EEXIST, "create %s: it has just been changed", path);
	/* Where a link of ours leads, its owner chose; what is there must be ours all the same. */
	if (by_link ? !is_ours(st.st_uid) && !is_anonymous_pipe(fd) : may_be_planted(path, &st))
		return err_set(e, ERR_USAGE, "%s is a FIFO or device of user %u, who would get the core: name one of "
			       "your own, or use --output -", path, (unsigned)st.st_uid);
	return 0;
}

/*
 * A FIFO or device that is there already, found without opening it: to open one
 * can have effects of its own (a tape, a watchdog).
 */
static int find_stream(const char *path, int *out, struct err *e)
{
	struct stat st;
	bool by_link;
	int fd auto_close = -1;
	int r;

	if (lstat(path, &st))
		return err_set(e, -errno, "open %s", path);
	by_link = S_ISLNK(st.st_mode);
	if (by_link && may_be_planted(path, &st))
		return err_set(e, ERR_USAGE, "%s is a symbolic link of user %u, which is not followed", path,
			       (unsigned)st.st_uid);
	fd = io_open(path, O_PATH | (by_link ? 0 : O_NOFOLLOW), e);
	if (fd < 0)
		return fd;
	r = check_stream(path, fd, by_link, e);
	if (!r)
		*out = take_fd(fd);
	return r;
}

/* Opens just what was looked at, whatever has the name by now. */
static int open_stream(const char *path, const volatile sig_atomic_t *cancel, int *out, struct err *e)
{
	int found auto_close = -1;
	char self[64];
	struct stat st;
	bool is_fifo;
	int fd, r = find_stream(path, &found, e);

	if (r)
		return r;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	is_fifo = !fstat(found, &st) && S_ISFIFO(st.st_mode);
	/* ENXIO: nobody reads from it yet, fifo(7). */
	while ((fd = open(self, O_WRONLY | O_NOCTTY | O_CLOEXEC | (is_fifo ? O_NONBLOCK : 0))) < 0 && is_fifo &&
	       errno == ENXIO) {
		if (cancel && *cancel)
			return err_set(e, ERR_CANCELLED, "cancelled before there was a reader of %s", path);
		poll(NULL, 0, WAIT_MS);
	}
	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	*out = fd;
	return 0;
}

static int open_writer(struct dump *d, struct writer *w, struct err *e)
{
	const char *path = d->report->path;
	int r;

	if (!strcmp(path, "-"))
		return writer_open_stream(w, d->opts->stream_fd, "standard output", e);
	if (!output_is_stream(d))
		return writer_open_file(w, path, d->opts->force, e);
	r = open_stream(path, d->opts->cancel, &d->stream_fd, e);
	if (!r && isatty(d->stream_fd))
		r = err_set(e, ERR_USAGE, "dump: a core is not written to a terminal");
	return r ? r : writer_open_stream(w, d->stream_fd, path, e);
}

int output_open(struct dump *d, struct err *e)
{
	struct writer w scoped(writer_close) = { 0 };
	int r = open_writer(d, &w, e);

	w.limit = d->opts->limit;
	w.cancel = d->opts->cancel;
	if (!r && d->opts->compress)
		return writer_open_zstd(&d->writer, &w, d->opts->compress, e);
	d->writer = w;
	w = (struct writer){ 0 };
	return r;
}
