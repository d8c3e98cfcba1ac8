/* writer.h - sequential output; every core is written through this. */
#pragma once

#include <signal.h>

#include "base/err.h"
#include "base/types.h"

struct out_sums;
struct writer;

enum { WRITER_TEMP_MAX = 40 };

/*
 * A backend.  emit appends bytes; skip appends zeros, in the cheapest way it
 * has; finish makes the output complete and visible; abort removes it.
 * After finish or abort only close is legal.
 */
struct writer_ops {
	const char *name;
	int (*emit)(struct writer *w, const void *p, size_t len, struct err *e);
	int (*skip)(struct writer *w, u64 len, struct err *e);
	int (*finish)(struct writer *w, struct err *e);
	void (*abort)(struct writer *w);
	/* Bytes [off, off + len), written before, are zeros again: where rewind is not NULL. */
	int (*zero)(struct writer *w, u64 off, u64 len, struct err *e);
	/* Back to the beginning; what is skipped from then on stays as it is.  NULL: it cannot. */
	int (*rewind)(struct writer *w, struct err *e);
	/* Of those that can be rewound: bytes that were written; past the end zeros. */
	int (*read)(struct writer *w, u64 off, void *p, size_t len, struct err *e);
	/* Zeros are all there is in [off, the result), as far as that is known. */
	u64 (*next_data)(struct writer *w, u64 off);
};

/* Backend's state is @priv.  A zeroed writer may be closed. */
struct writer {
	const struct writer_ops *ops;
	void *priv;
	u64 off;	/* bytes of output so far, zeros included */
	u64 skipped;	/* zeros that have not been passed to the backend yet */
	u64 written;	/* bytes without skipped zeros */
	u64 limit;	/* on written; 0: none */
	/* Not NULL: looked at while a stream waits for its reader, which may be for ever; != 0 gives up. */
	const volatile sig_atomic_t *cancel;
	/*
	 * Not NULL, and looked at by another thread: since when, by now_ns(), the output has not moved; 0: nobody
	 * waits for it.  Processor time, as for packing, does not count.
	 */
	u64 *since;
	struct out_sums *sums;	/* not NULL: of what is written; owned, see writer_end_sums() */
	u64 on_disk;	/* after finish: bytes the output takes on disk */
	char temp[WRITER_TEMP_MAX];	/* the file's name beside its place until it is finished; "": it has none */
};

/*
 * A file that appears under @path only when finished, mode 0600.  Until then
 * it has no name, or where the file system cannot do that, a temporary one
 * beside @path.  -EEXIST at finish, and at once, when @path exists and @replace
 * is false.
 */
int writer_open_file(struct writer *w, const char *path, bool replace, struct err *e) must_check;
/* An open descriptor, written front to back; borrowed. */
int writer_open_stream(struct writer *w, int fd, const char *what, struct err *e) must_check;

/* The same; it is closed with the writer. */
int writer_open_stream_own(struct writer *w, int fd, const char *what, struct err *e) must_check;

/*
 * Packs what is written and passes it on to @inner, which it takes over on success: its limit and
 * cancel stay as they are, and count what is packed.  @level is zstd's, see writer_level_check(): its
 * higher ones take more memory, for which fewer threads pack.
 */
int writer_open_zstd(struct writer *w, struct writer *inner, int level, struct err *e) must_check;
/* ERR_USAGE for what is not from 1 to zstd's highest level. */
int writer_level_check(int level, struct err *e) must_check;

/* For backends: a call that may wait begins, or the output has moved; and it has ended. */
void writer_waits(const struct writer *w);
void writer_moves_on(const struct writer *w);

/* *off += @len, as long as a file can have that offset. */
int output_advance(u64 *off, u64 len, struct err *e) must_check;
/* What is to be skipped from @off to get to @to, which must not be below it. */
int output_gap(u64 off, u64 to, u64 *len, struct err *e) must_check;

int writer_emit(struct writer *w, const void *p, size_t len, struct err *e) must_check;
/* As emit, but pages of @page_size bytes that are all zero are skipped. */
int writer_emit_sparse(struct writer *w, const void *p, size_t len, size_t page_size,
		       struct err *e) must_check;
int writer_skip(struct writer *w, u64 len, struct err *e) must_check;
/* Skips to @off, which must not be below the current offset. */
int writer_skip_to(struct writer *w, u64 off, struct err *e) must_check;
/* Where w->ops->rewind is not NULL: the next byte is the first again.  What was written counts for the limit. */
int writer_rewind(struct writer *w, struct err *e) must_check;
/* The same condition; what is to be written next does not change. */
int writer_zero(struct writer *w, u64 off, u64 len, struct err *e) must_check;
/*
 * Ends w->sums: (*values)[*n], malloc'ed, are the checksums of all blocks of the output so far; what follows has none.
 */
int writer_end_sums(struct writer *w, u64 **values, u64 *n, struct err *e) must_check;
int writer_finish(struct writer *w, struct err *e) must_check;
/* Aborts unless finished, and releases all. */
void writer_close(struct writer *w);
