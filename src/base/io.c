#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"

int io_read_full(int fd, void *p, size_t len, size_t *n, const char *what, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t r = read(fd, (u8 *)p + done, len - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "read %s", what);
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*n = done;
	return 0;
}

int io_pread_full(int fd, void *p, size_t len, u64 off, size_t *n, const char *what, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t r = pread(fd, (u8 *)p + done, len - done, (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "read %s at 0x%llx", what,
				       (unsigned long long)(off + done));
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*n = done;
	return 0;
}

int io_write_full(int fd, const void *p, size_t len, const char *what, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t r = write(fd, (const u8 *)p + done, len - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "write %s", what);
		done += (size_t)r;
	}
	return 0;
}

int io_pwrite_full(int fd, const void *p, size_t len, u64 off, const char *what, struct err *e)
{
	for (const u8 *at = p; len;) {
		ssize_t n = pwrite(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "write %s", what);
		at += n;
		len -= (size_t)n;
		off += (u64)n;
	}
	return 0;
}

int io_slurp_fd(int fd, struct buf *b, size_t max, const char *what, struct err *e)
{
	size_t begin = b->len, n;

	for (;;) {
		u8 *at;
		size_t room = 4096 + (b->len - begin) / 2;
		int r = buf_reserve(b, room, &at, e);

		if (!r)
			r = io_read_full(fd, at, room, &n, what, e);
		if (r)
			return r;
		b->len += n;
		if (b->len - begin > max)
			return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, max);
		if (n < room)
			return 0;
	}
}

int io_slurp(const char *path, struct buf *b, size_t max, struct err *e)
{
	int fd auto_close = io_open(path, O_RDONLY, e);

	return fd < 0 ? fd : io_slurp_fd(fd, b, max, path, e);
}

int io_slurp_text(const char *path, struct buf *b, size_t max, struct err *e)
{
	int r = io_slurp(path, b, max, e);

	return r ? r : buf_add(b, "", 1, e);
}

int io_open(const char *path, int flags, struct err *e)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? err_set(e, -errno, "open %s", path) : fd;
}
