#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/writer.h"

enum { WAIT_MS = 100 };

struct stream {
	int fd;
	bool own;
	bool may_wait;		/* for a reader: a pipe, a socket, a device */
	int unread;		/* bytes that the reader had not taken when it was last looked */
	char *what;
};

/*
 * Writes without waiting for a reader: -1 and EAGAIN where there is no room.  A pipe that poll(2)
 * calls writable takes PIPE_BUF bytes at once: Linux 6.12, fs/pipe.c: pipe_poll().  Kernels
 * before v6.4 do not know RWF_NOWAIT of pipes, and devices do not.
 */
static ssize_t write_now(const struct stream *s, const void *p, size_t len)
{
	struct iovec v = { .iov_base = (void *)p, .iov_len = len };
	struct pollfd fd = { .fd = s->fd, .events = POLLOUT };
	ssize_t n = pwritev2(s->fd, &v, 1, -1, RWF_NOWAIT);

	if (n >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS && errno != ESPIPE))
		return n;
	if (poll(&fd, 1, WAIT_MS) == 1)
		return write(s->fd, p, min(len, (size_t)PIPE_BUF));
	errno = EAGAIN;
	return -1;
}

/*
 * A pipe has room again when a whole page of it has been read (Linux 6.12, fs/pipe.c: pipe_read()): whether a
 * slow reader moves is seen by what is left in it.  tcp(7), unix(7), ioctl_tty(2).
 */
static bool reader_moves(struct stream *s)
{
	int unread, before = s->unread;

	/* Of a socket or a terminal, FIONREAD is what comes in. */
	if (ioctl(s->fd, TIOCOUTQ, &unread) && ioctl(s->fd, FIONREAD, &unread))
		return false;
	s->unread = unread;
	return unread != before;
}

static int write_all(const struct writer *w, struct stream *s, const u8 *at, size_t len, struct err *e)
{
	writer_waits(w);
	/* Not io_write_full(): a reader that does not read must not keep us from being cancelled. */
	while (len) {
		ssize_t n = s->may_wait ? write_now(s, at, len) : write(s->fd, at, len);

		if (w->cancel && *w->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled while %s was being written", s->what);
		if (n < 0 && errno != EINTR && !(s->may_wait && errno == EAGAIN))
			return err_set(e, -errno, "write %s", s->what);
		if (n > 0 || reader_moves(s))
			writer_waits(w);
		at += max(n, 0);
		len -= (size_t)max(n, 0);
	}
	return 0;
}

static int stream_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	int r = write_all(w, w->priv, p, len, e);

	writer_moves_on(w);
	return r;
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

static void stream_free(struct stream *s)
{
	if (s->own)
		close(s->fd);
	free(s->what);
	free(s);
}

static void stream_abort(struct writer *w)
{
	stream_free(w->priv);
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

static int open_stream(struct writer *w, int fd, bool own, const char *what, struct err *e)
{
	struct stream *s = malloc(sizeof(*s));
	struct stat st;

	if (!s)
		return err_set(e, -ENOMEM, "stream");
	*s = (struct stream){ .fd = fd, .what = strdup(what) };
	if (!s->what) {
		stream_free(s);
		return err_set(e, -ENOMEM, "stream");
	}
	s->own = own;
	s->may_wait = !fstat(fd, &st) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
	*w = (struct writer){ .ops = &writer_stream_ops, .priv = s };
	return 0;
}

int writer_open_stream(struct writer *w, int fd, const char *what, struct err *e)
{
	return open_stream(w, fd, false, what, e);
}

int writer_open_stream_own(struct writer *w, int fd, const char *what, struct err *e)
{
	return open_stream(w, fd, true, what, e);
}
