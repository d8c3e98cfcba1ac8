/* io.h - whole reads and writes: retried after EINTR, short only at the end of the file. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Reads up to @len bytes; *n < len only at the end of the file.  @what names the file in messages. */
int io_read_full(int fd, void *p, size_t len, size_t *n, const char *what, struct err *e) must_check;
int io_pread_full(int fd, void *p, size_t len, u64 off, size_t *n, const char *what,
		  struct err *e) must_check;
int io_write_full(int fd, const void *p, size_t len, const char *what, struct err *e) must_check;
int io_pwrite_full(int fd, const void *p, size_t len, u64 off, const char *what, struct err *e) must_check;

/* Appends the rest of @fd to @b, at most @max bytes (ERR_LIMIT past that). */
int io_slurp_fd(int fd, struct buf *b, size_t max, const char *what, struct err *e) must_check;
/* The same for a file that is opened and closed here. */
int io_slurp(const char *path, struct buf *b, size_t max, struct err *e) must_check;
/* The same, with a NUL behind it, which counts. */
int io_slurp_text(const char *path, struct buf *b, size_t max, struct err *e) must_check;

/* open(2) with O_CLOEXEC; the descriptor, or negative and "open PATH: why". */
int io_open(const char *path, int flags, struct err *e) must_check;
