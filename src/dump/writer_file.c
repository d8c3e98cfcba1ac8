#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tagcore/writer.h>

#include "base/scope.h"
#include "base/util.h"

struct file {
	int fd;
	u64 pos;
	bool replace;
	char *path;
	char *temp;	/* its name until it is finished; NULL: it has none (O_TMPFILE) */
};

static void file_free(struct file *f)
{
	scope_close(&f->fd);
	free(f->path);
	free(f->temp);
	free(f);
}

/* By position: a hole is then nothing at all, not a call. */
static int file_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	struct file *f = w->priv;
	const u8 *at = p;

	while (len) {
		ssize_t n = pwrite(f->fd, at, len, (off_t)f->pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "write %s", f->path);
		at += n;
		len -= (size_t)n;
		f->pos += (u64)n;
	}
	return 0;
}

static int file_skip(struct writer *w, u64 len, struct err *e)
{
	struct file *f = w->priv;

	(void)e;
	f->pos += len;
	return 0;
}

static void file_abort(struct writer *w)
{
	struct file *f = w->priv;

	if (f->temp)
		unlink(f->temp);
	file_free(f);
	w->priv = NULL;
}

/* "PATH's directory/.core-tagcore-XXXXXX": hidden, and plainly ours if a power cut leaves it. */
static char *temp_template(const char *path)
{
	char *copy auto_free = strdup(path);
	char *out = NULL;

	if (copy && asprintf(&out, "%s/.core-tagcore-XXXXXX", dirname(copy)) < 0)
		out = NULL;
	return out;
}

/* A fresh name for the nameless file. */
static int give_temp_name(struct file *f, struct err *e)
{
	char link_from[64];
	char *name auto_free = temp_template(f->path);
	int fd;

	if (!name)
		return err_set(e, -ENOMEM, "%s", f->path);
	/* mkstemp finds a free name; linkat wants it not to exist, so its file makes room. */
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "create a temporary file beside %s", f->path);
	close(fd);
	unlink(name);
	snprintf(link_from, sizeof(link_from), "/proc/self/fd/%d", f->fd);
	if (linkat(AT_FDCWD, link_from, AT_FDCWD, name, AT_SYMLINK_FOLLOW))
		return err_set(e, -errno, "name the finished core %s", f->path);
	f->temp = take_ptr(name);
	return 0;
}

/* Makes the finished file visible, in one step. */
static int publish(struct file *f, struct err *e)
{
	char link_from[64];
	int r;

	if (!f->temp && !f->replace) {
		snprintf(link_from, sizeof(link_from), "/proc/self/fd/%d", f->fd);
		if (!linkat(AT_FDCWD, link_from, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW))
			return 0;
		return err_set(e, -errno, "create %s", f->path);
	}
	if (!f->temp) {
		r = give_temp_name(f, e);
		if (r)
			return r;
	}
	if (f->replace ? rename(f->temp, f->path) : renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_NOREPLACE)) {
		/* NFS and others do not know RENAME_NOREPLACE: link(2) never replaces either. */
		if (f->replace || errno != EINVAL || link(f->temp, f->path))
			return err_set(e, -errno, "create %s", f->path);
		unlink(f->temp);
	}
	free(take_ptr(f->temp));
	return 0;
}

/* Some file systems (NFS, quotas) tell only at close that data did not fit. */
static int flush_errors(const struct file *f, struct err *e)
{
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || close(copy))
		return err_set(e, -errno, "write %s", f->path);
	return 0;
}

static int file_finish(struct writer *w, struct err *e)
{
	struct file *f = w->priv;
	struct stat st;
	int r = 0;

	/* The end may be a hole: only the size makes it part of the file. */
	if (ftruncate(f->fd, (off_t)w->off) || fstat(f->fd, &st))
		r = err_set(e, -errno, "set the size of %s", f->path);
	if (!r)
		r = flush_errors(f, e);
	if (!r)
		r = publish(f, e);
	if (r)
		return r;
	w->on_disk = (u64)st.st_blocks * 512;
	file_free(f);
	w->priv = NULL;
	return 0;
}

static const struct writer_ops writer_file_ops = {
	.name = "file",
	.emit = file_emit,
	.skip = file_skip,
	.finish = file_finish,
	.abort = file_abort,
};

/* A file without a name needs no cleaning up, even when we are killed. */
static int create(struct file *f, struct err *e)
{
	char *copy auto_free = strdup(f->path);
	char *name auto_free = temp_template(f->path);

	if (!copy || !name)
		return err_set(e, -ENOMEM, "%s", f->path);
	f->fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (f->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return err_set(e, -errno, "create %s", f->path);
	f->fd = mkostemp(name, O_CLOEXEC);
	if (f->fd < 0)
		return err_set(e, -errno, "create %s", f->path);
	f->temp = take_ptr(name);
	return 0;
}

int writer_open_file(struct writer *w, const char *path, bool replace, struct err *e)
{
	struct stat st;
	struct file *f;
	int r = 0;

	if (!replace && !lstat(path, &st))
		return err_set(e, -EEXIST, "create %s (--force replaces it)", path);
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(e, -ENOMEM, "%s", path);
	*f = (struct file){ .fd = -1, .replace = replace, .path = strdup(path) };
	r = f->path ? create(f, e) : err_set(e, -ENOMEM, "%s", path);
	if (r) {
		file_free(f);
		return r;
	}
	*w = (struct writer){ .ops = &writer_file_ops, .priv = f };
	return 0;
}
