#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"

int buf_reserve(struct buf *b, size_t len, u8 **at, struct err *e)
{
	size_t want, cap;
	u8 *p;

	if (add_overflow(b->len, len, &want))
		return err_set(e, -ENOMEM, "buffer of %zu + %zu bytes", b->len, len);
	/* A new buffer is allocated even for 0 bytes: the result must be a valid pointer. */
	if (want > b->cap || !b->p) {
		cap = max(want, b->cap + b->cap / 2);
		cap = max(cap, (size_t)256);
		p = realloc(b->p, cap);
		if (!p)
			return err_set(e, -ENOMEM, "buffer of %zu bytes", cap);
		b->p = p;
		b->cap = cap;
	}
	*at = b->p + b->len;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len, struct err *e)
{
	u8 *at = NULL;
	int r = buf_reserve(b, len, &at, e);

	if (r)
		return r;
	if (len)
		memcpy(at, data, len);
	b->len += len;
	return 0;
}

int buf_zero(struct buf *b, size_t len, struct err *e)
{
	u8 *at = NULL;
	int r = buf_reserve(b, len, &at, e);

	if (r)
		return r;
	if (len)
		memset(at, 0, len);
	b->len += len;
	return 0;
}

int buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
{
	va_list ap;
	u8 *at = b->p ? b->p + b->len : NULL;
	size_t room = b->cap - b->len;
	int n, r;

	/* Into the room that there is: mostly it fits. */
	va_start(ap, fmt);
	n = vsnprintf((char *)at, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_set(e, -errno, "format text");
	/* vsnprintf writes a NUL after the text: room for it, but it is not counted. */
	if ((size_t)n >= room) {
		r = buf_reserve(b, (size_t)n + 1, &at, e);
		if (r)
			return r;
		va_start(ap, fmt);
		vsnprintf((char *)at, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
	return 0;
}

int buf_align(struct buf *b, size_t align, struct err *e)
{
	return buf_zero(b, (size_t)align_up(b->len, align) - b->len, e);
}

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}
