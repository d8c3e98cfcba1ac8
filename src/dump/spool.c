#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/temp.h"
#include "base/text.h"
#include "base/util.h"
#include "dump/spool.h"

/*
 * A few MiB in memory are written faster than any disk takes them, and the target waits for that.  More
 * would be too much for a command that promises to take little memory whatever the target's size.
 */
enum { IN_MEMORY = 8 << 20 };

static int open_file(u64 bytes, const char *path, struct err *e)
{
	char *copy auto_free = path ? strdup(path) : NULL;

	if (path && !copy)
		return err_set(e, -ENOMEM, "%s", path);
	return temp_open(path ? dirname(copy) : NULL, bytes, e);
}

int spool_open(struct spool *s, u64 bytes, const char *path, struct err *e)
{
	bool few = bytes <= IN_MEMORY;
	int fd = few ? memfd_create("shared", MFD_CLOEXEC) : open_file(bytes, path, e);

	/* What was predicted may have grown a little by the time it is read. */
	*s = (struct spool){ .fd = fd, .max = few ? 2 * IN_MEMORY : UINT64_MAX };
	if (fd >= 0)
		return 0;
	if (few)
		err_set(e, -errno, "memory for %llu bytes", (unsigned long long)bytes);
	s->none = *e;
	return e->code;
}

void spool_close(struct spool *s)
{
	scope_close(&s->fd);
	s->fd = -1;
}

/* ---- written */

static int spool_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	const struct spool *s = w->priv;

	if (w->written + len > s->max)
		return err_set(e, -EFBIG, "keep memory that was not there before the stop");
	return io_pwrite_full(s->fd, p, len, w->off, "the temporary file", e);
}

/* A hole is where nothing is written. */
static int spool_skip(struct writer *w, u64 len, struct err *e)
{
	(void)w, (void)len, (void)e;
	return 0;
}

static int spool_finish(struct writer *w, struct err *e)
{
	(void)e;
	free(w->priv);
	return 0;
}

static void spool_abort(struct writer *w)
{
	free(w->priv);
}

static const struct writer_ops spool_ops = {
	.name = "spool",
	.emit = spool_emit,
	.skip = spool_skip,
	.finish = spool_finish,
	.abort = spool_abort,
};

int spool_writer(struct writer *w, const struct spool *s, struct err *e)
{
	struct spool *own = malloc(sizeof(*own));

	if (!own)
		return err_set(e, -ENOMEM, "a writer");
	*own = *s;
	*w = (struct writer){ .ops = &spool_ops, .priv = own };
	return 0;
}

/* ---- read */

int spool_next(const struct spool *s, u64 off, u64 end, void *p, size_t len, u64 *at, size_t *n, struct err *e)
{
	off_t data = lseek(s->fd, (off_t)off, SEEK_DATA), hole;

	*n = 0;
	/* ENXIO: nothing but a hole follows, or the end. */
	if (data < 0)
		return errno == ENXIO ? 0 : err_set(e, -errno, "read the temporary file");
	if ((u64)data >= end)
		return 0;
	hole = lseek(s->fd, data, SEEK_HOLE);
	if (hole < 0)
		return err_set(e, -errno, "read the temporary file");
	*at = (u64)data;
	end = min(end, (u64)hole);
	return io_pread_full(s->fd, p, (size_t)min(end - *at, (u64)len), *at, n, "the temporary file", e);
}
