#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/writer.h"

enum { PIECE_MIN = 4096, PIECE_MAX = 1 << 20 };
#define SLOW_NS 500000000ull

/*
 * The directory is opened once, and all names are looked up in it: links that
 * others plant, and directories that they move, lead nowhere else.
 */
struct file {
	int fd;
	int dir;
	u64 pos;
	size_t piece;		/* bytes to write at once */
	bool replace;
	char *path;		/* for messages */
	const char *name;	/* its last component, in @dir */
	char *temp;		/* its name in @dir until it is finished; NULL: it has none (O_TMPFILE) */
};

static void file_free(struct file *f)
{
	scope_close(&f->fd);
	scope_close(&f->dir);
	free(f->path);
	free(f->temp);
	free(f);
}

/* Where a call takes long, the next is for less: that a slow file moves is seen between two calls only. */
static size_t next_piece(size_t piece, u64 took_ns)
{
	if (took_ns > SLOW_NS)
		return max(piece / 8, (size_t)PIECE_MIN);
	return took_ns < SLOW_NS / 8 ? min(piece * 2, (size_t)PIECE_MAX) : piece;
}

static int write_all(const struct writer *w, struct file *f, const u8 *at, size_t len, struct err *e)
{
	while (len) {
		u64 begin = now_ns();
		ssize_t n;

		writer_waits(w);
		n = pwrite(f->fd, at, min(len, f->piece), (off_t)f->pos);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "write %s", f->path);
		f->piece = next_piece(f->piece, now_ns() - begin);
		at += n;
		len -= (size_t)n;
		f->pos += (u64)n;
		if (w->cancel && *w->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled while %s was being written", f->path);
	}
	return 0;
}

/* By position: a hole is then nothing at all, not a call. */
static int file_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	int r = write_all(w, w->priv, p, len, e);

	writer_moves_on(w);
	return r;
}

static int file_skip(struct writer *w, u64 len, struct err *e)
{
	struct file *f = w->priv;

	(void)e;
	f->pos += len;
	return 0;
}

static int file_rewind(struct writer *w, struct err *e)
{
	struct file *f = w->priv;

	(void)e;
	f->pos = 0;
	return 0;
}

/* Where holes cannot be punched, zeros are written. */
static int file_zero(struct writer *w, u64 off, u64 len, struct err *e)
{
	static const u8 zeros[64 * 1024];
	struct file *f = w->priv;

	if (!fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len))
		return 0;
	while (len) {
		ssize_t n = pwrite(f->fd, zeros, (size_t)min(len, (u64)sizeof(zeros)), (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "write %s", f->path);
		off += (u64)n;
		len -= (u64)n;
	}
	return 0;
}

static int file_read(struct writer *w, u64 off, void *p, size_t len, struct err *e)
{
	struct file *f = w->priv;
	size_t n = 0;
	int r = io_pread_full(f->fd, p, len, off, &n, f->path, e);

	if (!r)
		memset((u8 *)p + n, 0, len - n);
	return r;
}

/* ENXIO: nothing but a hole follows, or the end.  Where holes are not known, all is data. */
static u64 file_next_data(struct writer *w, u64 off)
{
	const struct file *f = w->priv;
	off_t data = lseek(f->fd, (off_t)off, SEEK_DATA);

	return data >= 0 ? (u64)data : errno == ENXIO ? UINT64_MAX : off;
}

static void file_abort(struct writer *w)
{
	struct file *f = w->priv;

	if (f->temp)
		unlinkat(f->dir, f->temp, 0);
	file_free(f);
	w->priv = NULL;
}

/* ".core-tagcore-XXXXXXXXXXXXXXXX": hidden, and plainly ours if a power cut leaves it. */
static int temp_name(char **out, struct err *e)
{
	u64 random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_set(e, -errno, "random bytes for a temporary name");
	if (asprintf(out, ".core-tagcore-%016" PRIx64, random) < 0) {
		*out = NULL;
		return err_set(e, -ENOMEM, "temporary name");
	}
	return 0;
}

/* The nameless file @fd as @name.  0 or -1 with errno: EEXIST where the name is taken, whatever has it. */
static int link_nameless(const struct file *f, int fd, const char *name)
{
	char from[64];

	snprintf(from, sizeof(from), "/proc/thread-self/fd/%d", fd);
	return linkat(AT_FDCWD, from, f->dir, name, AT_SYMLINK_FOLLOW);
}

/* A fresh name for the nameless file. */
static int give_temp_name(struct file *f, struct err *e)
{
	char *name auto_free = NULL;
	int r = temp_name(&name, e);

	if (r)
		return r;
	if (link_nameless(f, f->fd, name))
		return err_set(e, -errno, "name the finished core %s", f->path);
	f->temp = take_ptr(name);
	return 0;
}

/* NFS and others do not know RENAME_NOREPLACE: link(2) never replaces either. */
static int rename_new(const struct file *f)
{
	if (!renameat2(f->dir, f->temp, f->dir, f->name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL || linkat(f->dir, f->temp, f->dir, f->name, 0))
		return -1;
	unlinkat(f->dir, f->temp, 0);
	return 0;
}

/* Makes the finished file visible, in one step. */
static int publish(struct file *f, struct err *e)
{
	int r = 0;

	if (!f->temp && !f->replace)
		return link_nameless(f, f->fd, f->name) ? err_set(e, -errno, "create %s", f->path) : 0;
	if (!f->temp)
		r = give_temp_name(f, e);
	if (r)
		return r;
	if (f->replace ? renameat(f->dir, f->temp, f->dir, f->name) : rename_new(f))
		return err_set(e, -errno, "create %s", f->path);
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
	.rewind = file_rewind,
	.zero = file_zero,
	.read = file_read,
	.next_data = file_next_data,
};

static int open_nameless(const struct file *f)
{
	return openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/*
 * *can: whether a nameless file can get a name at the end: not without /proc, nor where
 * a security module or a seccomp filter refuses linkat(2).  Tried with an empty one, which
 * must go again: not so in a directory that is append-only (chattr(1)).
 */
static int can_link_nameless(const struct file *f, bool *can, struct err *e)
{
	char *name auto_free = NULL;
	int fd auto_close = open_nameless(f);
	struct err ignored;

	*can = fd >= 0 && !temp_name(&name, &ignored) && !link_nameless(f, fd, name);
	if (!*can || !unlinkat(f->dir, name, 0))
		return 0;
	return err_set(e, -errno, "create %s: an empty file %s was made there to see whether that is possible, and cannot "
		       "be removed", f->path, name);
}

/* O_EXCL: nothing that is there is opened, be it a file, a FIFO or a link. */
static int create_named(struct file *f, struct err *e)
{
	char *name auto_free = NULL;
	int r = temp_name(&name, e);

	if (r)
		return r;
	f->fd = openat(f->dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return err_set(e, -errno, "create %s", f->path);
	f->temp = take_ptr(name);
	return 0;
}

/* A file without a name needs no cleaning up, even when we are killed. */
static int create(struct file *f, struct err *e)
{
	bool can;
	int r = can_link_nameless(f, &can, e);

	if (r)
		return r;
	if (can)
		f->fd = open_nameless(f);
	return f->fd >= 0 ? 0 : create_named(f, e);
}

static int open_directory(struct file *f, struct err *e)
{
	char *copy auto_free = strdup(f->path);
	const char *slash = strrchr(f->path, '/');

	if (!copy)
		return err_set(e, -ENOMEM, "%s", f->path);
	f->name = slash ? slash + 1 : f->path;
	if (!*f->name)
		return err_set(e, -EISDIR, "create %s", f->path);
	f->dir = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? err_set(e, -errno, "create %s", f->path) : 0;
}

/* What has the name already.  rename(2) would put a file in the place of a device, which nobody means. */
static int check_existing(const struct file *f, struct err *e)
{
	struct stat st;

	if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(e, -EISDIR, "create %s", f->path);
	if (!f->replace)
		return err_set(e, -EEXIST, "create %s (--force replaces it)", f->path);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "%s is a device, which is not replaced by a file", f->path);
	return 0;
}

static int open_file(struct file *f, struct err *e)
{
	int r = open_directory(f, e);

	if (!r)
		r = check_existing(f, e);
	return r ? r : create(f, e);
}

int writer_open_file(struct writer *w, const char *path, bool replace, struct err *e)
{
	struct file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_set(e, -ENOMEM, "%s", path);
	*f = (struct file){ .fd = -1, .dir = -1, .piece = PIECE_MAX, .replace = replace, .path = strdup(path) };
	r = f->path ? open_file(f, e) : err_set(e, -ENOMEM, "%s", path);
	if (r) {
		file_free(f);
		return r;
	}
	*w = (struct writer){ .ops = &writer_file_ops, .priv = f };
	snprintf(w->temp, sizeof(w->temp), "%s", f->temp ? f->temp : "");
	return 0;
}
