#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/writer.h"

struct stream {
	int fd;
	const char *what;
};

static int stream_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	struct stream *s = w->priv;
	const u8 *at = p;

	/* Not io_write_full(): a reader that does not read must not keep us from being cancelled. */
	while (len) {
		ssize_t n = write(s->fd, at, len);

		if (w->cancel && *w->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled by a signal while writing %s", s->what);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "write %s", s->what);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A pipe has no holes: zeros are bytes like any other, and count. */
static int stream_skip(struct writer *w, u64 len, struct err *e)
{
	static const u8 zeros[64 * 1024];
	int r = 0;

	if (w->limit && w->written + len > w->limit)
		return err_set(e, ERR_LIMIT, "the core would take more than the limit of %llu bytes",
			       (unsigned long long)w->limit);
	for (u64 left = len; !r && left; left -= min(left, (u64)sizeof(zeros)))
		r = stream_emit(w, zeros, (size_t)min(left, (u64)sizeof(zeros)), e);
	w->written += len;
	return r;
}

static void stream_abort(struct writer *w)
{
	free(w->priv);
	w->priv = NULL;
}

static int stream_finish(struct writer *w, struct err *e)
{
	(void)e;
	w->on_disk = w->off;
	stream_abort(w);
	return 0;
}

static const struct writer_ops writer_stream_ops = {
	.name = "stream",
	.emit = stream_emit,
	.skip = stream_skip,
	.finish = stream_finish,
	.abort = stream_abort,
};

int writer_open_stream(struct writer *w, int fd, const char *what, struct err *e)
{
	struct stream *s = malloc(sizeof(*s));

	if (!s)
		return err_set(e, -ENOMEM, "stream");
	*s = (struct stream){ .fd = fd, .what = what };
	*w = (struct writer){ .ops = &writer_stream_ops, .priv = s };
	return 0;
}
