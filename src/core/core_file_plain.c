#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "core/core_file.h"

struct plain {
	int fd;
	char path[];
};

static int plain_read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct plain *p = f->priv;

	return io_pread_full(p->fd, buf, len, off, n, p->path, e);
}

static u64 plain_next_data(struct core_file *f, u64 off)
{
	struct plain *p = f->priv;
	off_t data = lseek(p->fd, (off_t)off, SEEK_DATA), end;

	if (data >= 0 || errno != ENXIO)
		return data < 0 ? off : (u64)data;
	/* No data up to the end; but a file that became shorter has no zeros there, and reading finds that. */
	end = lseek(p->fd, 0, SEEK_END);
	return end < 0 || (u64)end < f->size ? off : f->size;
}

static void plain_close(struct core_file *f)
{
	struct plain *p = f->priv;

	close(p->fd);
	free(p);
}

const struct core_file_ops core_file_plain_ops = {
	.name = "plain",
	.read_at = plain_read_at,
	.next_data = plain_next_data,
	.close = plain_close,
};

int core_file_open_fd(struct core_file *f, int taken, const char *path, struct err *e)
{
	int fd auto_close = taken;
	struct stat st;
	struct plain *p;
	size_t len;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, -EISDIR, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
			       "%s is not a regular file: copy the core into one first", path);
	len = strlen(path) + 1;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return err_set(e, -ENOMEM, "open %s", path);
	memcpy(p->path, path, len);
	p->fd = take_fd(fd);
	*f = (struct core_file){ .ops = &core_file_plain_ops, .priv = p, .size = (u64)st.st_size, .cancel = f->cancel,
				 .unpack_limit = f->unpack_limit };
	r = core_file_unpack(f, e);
	if (r)
		core_file_close(f);
	return r;
}

int core_file_open(struct core_file *f, const char *path, struct err *e)
{
	/* O_NONBLOCK: a FIFO without a writer must not hold us. */
	int fd = io_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, e);

	return fd < 0 ? fd : core_file_open_fd(f, fd, path, e);
}
