/* buf.h - a growing byte buffer, for notes and text. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/* @len bytes used at @p, which the buffer owns.  A zeroed buf is empty and valid. */
struct buf {
	u8 *p;
	size_t len;
	size_t cap;
};

int buf_add(struct buf *b, const void *data, size_t len, struct err *e) must_check;
int buf_zero(struct buf *b, size_t len, struct err *e) must_check;
/* Appends the text without its NUL. */
int buf_printf(struct buf *b, struct err *e, const char *fmt, ...) must_check printf_like(3, 4);
/* Makes room for @len more bytes and returns where they go; b->len is not moved. */
int buf_reserve(struct buf *b, size_t len, u8 **at, struct err *e) must_check;
/* Zero-pads up to a multiple of @align. */
int buf_align(struct buf *b, size_t align, struct err *e) must_check;
void buf_fini(struct buf *b);
