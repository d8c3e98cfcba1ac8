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
#include "dump/out_sums.h"
#include "live/fuse.h"

enum { WAIT_MS = 100 };	/* between looks for a FIFO's reader */

static bool is_special(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISSOCK(mode);
}

/*
 * What the writing thread is to do, all that it needs for that, and what it finds: it may
 * be at it when we are not there any more.
 */
struct request {
	bool literal;
	bool force;
	int stream_fd;
	int compress;
	u64 sums_block;
	u64 limit;
	struct output_place place;
	char path[];
};

static bool is_standard_output(const char *path)
{
	return !strcmp(path, "-");
}

/*
 * A name that others can guess (core.PID) may be taken by a FIFO or a link of
 * theirs, so only a name that the user wrote out may be written into.
 */
static bool is_stream(const struct request *q)
{
	struct stat st;

	if (is_standard_output(q->path))
		return true;
	return q->literal && !stat(q->path, &st) && is_special(st.st_mode);
}

static int find_room(const char *path, struct output_place *place, struct err *e)
{
	char *copy auto_free = strdup(path);
	struct statvfs sv;
	const char *dir;

	if (!copy)
		return err_set(e, -ENOMEM, "%s", path);
	dir = dirname(copy);
	if (statvfs(dir, &sv))
		return err_set(e, -errno, "directory %s for the core", dir);
	place->room = (u64)sv.f_bavail * sv.f_frsize;
	return 0;
}

/* Pipes and devices have nothing to do with the file system that their name is in. */
static void find_fuse(const struct request *q, struct output_place *place)
{
	char *copy auto_free = strdup(q->path);
	int fd auto_close = -1;
	struct statfs fs;
	struct stat st;

	if (!copy || (place->is_stream && !is_standard_output(q->path)))
		return;
	fd = place->is_stream ? fcntl(q->stream_fd, F_DUPFD_CLOEXEC, 0) : open(dirname(copy), O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) || fstatfs(fd, &fs))
		return;
	place->on_fuse = fs.f_type == FUSE_SUPER_MAGIC;
	place->dev = st.st_dev;
}

static void look(struct request *q)
{
	struct output_place *place = &q->place;

	place->is_stream = is_stream(q);
	place->no_room = (struct err){ 0 };
	if (!place->is_stream && find_room(q->path, place, &place->no_room))
		return;
	find_fuse(q, place);
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
static int open_stream(const char *path, const struct writer *rules, int *out, struct err *e)
{
	int found auto_close = -1;
	char self[64];
	struct stat st;
	bool is_fifo;
	int fd, r = find_stream(path, &found, e);

	if (r)
		return r;
	snprintf(self, sizeof(self), "/proc/thread-self/fd/%d", found);
	is_fifo = !fstat(found, &st) && S_ISFIFO(st.st_mode);
	/* ENXIO: nobody reads from it yet, fifo(7). */
	while ((fd = open(self, O_WRONLY | O_NOCTTY | O_CLOEXEC | (is_fifo ? O_NONBLOCK : 0))) < 0 && is_fifo &&
	       errno == ENXIO) {
		if (rules->cancel && *rules->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled before there was a reader of %s", path);
		/* To wait for a reader has no limit: there is no output yet. */
		writer_moves_on(rules);
		poll(NULL, 0, WAIT_MS);
	}
	if (fd < 0)
		return err_set(e, -errno, "open %s", path);
	*out = fd;
	return 0;
}

static int open_writer(const struct request *q, struct writer *w, const struct writer *rules, struct err *e)
{
	int fd auto_close = -1;
	int r;

	if (is_standard_output(q->path))
		return writer_open_stream(w, q->stream_fd, "standard output", e);
	if (!is_stream(q))
		return writer_open_file(w, q->path, q->force, e);
	r = open_stream(q->path, rules, &fd, e);
	if (!r && isatty(fd))
		r = err_set(e, ERR_USAGE, "dump: a core is not written to a terminal");
	if (!r)
		r = writer_open_stream_own(w, fd, q->path, e);
	if (!r)
		fd = -1;
	return r;
}

static struct writer take_writer(struct writer *w)
{
	struct writer taken = *w;

	*w = (struct writer){ 0 };
	return taken;
}

/* Of the plain core, also where it is packed. */
static int add_sums(const struct request *q, struct writer *out, struct err *e)
{
	if (!q->sums_block)
		return 0;
	out->sums = out_sums_make(q->sums_block);
	return out->sums ? 0 : err_set(e, -ENOMEM, "checksums");
}

static int open_output(struct writer *out, void *arg, struct err *e)
{
	const struct request *q = arg;
	const struct writer rules = { .cancel = out->cancel, .since = out->since };
	struct writer w scoped(writer_close) = { 0 };
	int r;

	writer_waits(&rules);
	r = open_writer(q, &w, &rules, e);
	writer_moves_on(&rules);
	w.limit = q->limit;
	w.cancel = rules.cancel;
	w.since = rules.since;
	if (!r && q->compress)
		r = writer_open_zstd(out, &w, q->compress, e);
	else if (!r)
		*out = take_writer(&w);
	return r ? r : add_sums(q, out, e);
}

/* Another name: what was begun under the first is removed. */
static int reopen_output(struct writer *out, void *arg, struct err *e)
{
	const struct writer rules = { .cancel = out->cancel, .since = out->since };

	writer_waits(&rules);
	writer_close(out);
	*out = rules;
	return open_output(out, arg, e);
}

static int look_at_output(struct writer *out, void *arg, struct err *e)
{
	(void)e;
	writer_waits(out);
	look(arg);
	writer_moves_on(out);
	return 0;
}

/* ---- in the thread that reads */

static struct request *make_request(const struct dump *d, struct err *e)
{
	const char *path = d->report->path;
	const size_t size = strlen(path) + 1;
	struct request *q = calloc(1, sizeof(*q) + size);

	if (!q) {
		err_set(e, -ENOMEM, "%s", path);
		return NULL;
	}
	q->literal = template_is_literal(d->opts->output);
	q->force = d->opts->force;
	q->stream_fd = d->opts->stream_fd;
	q->compress = d->opts->compress;
	q->limit = d->opts->limit;
	q->sums_block = d->sums_block;
	memcpy(q->path, path, size);
	return q;
}

/* A preview has no writing thread: nothing is held up by it. */
int output_look(struct dump *d, struct err *e)
{
	void *q auto_free = make_request(d, e);
	int r = 0;

	if (!q)
		return e->code;
	if (d->queue.t)
		r = write_queue_call(&d->queue, look_at_output, &q, e);
	else
		look(q);
	if (!r)
		d->place = ((struct request *)q)->place;
	return r;
}

int output_open(struct dump *d, struct err *e)
{
	void *q auto_free = make_request(d, e);

	return q ? write_queue_call(&d->queue, d->queue.writer->ops ? reopen_output : open_output, &q, e) : e->code;
}

static int finish_output(struct writer *out, void *arg, struct err *e)
{
	(void)arg;
	return writer_finish(out, e);
}

int output_finish(struct dump *d, struct err *e)
{
	int r = write_queue_call(&d->queue, finish_output, NULL, e);

	if (r)
		return r;
	d->report->bytes = d->queue.writer->off;
	d->report->bytes_on_disk = d->queue.writer->on_disk;
	return 0;
}

void output_end(struct dump *d, int r, struct err *e)
{
	char temp[WRITER_TEMP_MAX] = "";

	if (!write_queue_end(&d->queue, temp) && r && *temp && e)
		err_wrap(e, "its unfinished file %s may stay beside %s", temp, d->report->path);
}

int output_check_server(struct dump *d, struct err *e)
{
	enum fuse_server served = d->place.on_fuse ? fuse_is_served(&d->files.served, d->place.dev) : FUSE_SERVER_NO;

	d->served = served != FUSE_SERVER_NO;
	if (!d->served || d->opts->snapshot || d->opts->no_stop)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "%s is on a file system that process %d %s, which would wait for it while "
		       "it is stopped: name another place, or use --snapshot", d->report->path, d->target.pid,
		       served == FUSE_SERVER_YES ? "serves" : "may serve");
}
