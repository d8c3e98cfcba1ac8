/* unpack.h - unpacking from front to back: a table row for each library, and an index of what can be known beforehand. */
#pragma once

#include "core/core_file.h"

struct unpacker;

/*
 * Frames that can be unpacked each by itself, in the file's order: [at, at + len)
 * of the packed file is what begins at @off of the core and reaches to the next
 * one, or to the index's size.
 */
struct unpack_frame {
	u64 at;
	u64 len;
	u64 off;
};

/* Bounds on what a hostile index can make us keep: 24 MiB of rows, and a frame in memory. */
enum {
	UNPACK_FRAMES_MAX = 1 << 20,
	UNPACK_FRAME_MAX = 16 << 20,
};

/* What is known of a packed file without unpacking it.  A zeroed one: nothing. */
struct unpack_index {
	bool has_size;		/* @size is what the file says the core's size is */
	u64 size;
	struct unpack_frame *frames;	/* NULL: it must be unpacked from its beginning */
	size_t n_frames;
	size_t cap;
	u64 largest;		/* bytes of the largest frame, unpacked; at most UNPACK_FRAME_MAX */
	bool cut;		/* the last frame is damaged, and @size is only what came out of it */
	struct err fault;	/* what is wrong with the file; code 0: nothing was seen */
	bool by_table;		/* the frames are those of a seek table, of which not all is known to be true */
	struct err table;	/* code not 0: why the file's seek table is not used */
};
void unpack_index_fini(struct unpack_index *x);
int unpack_index_add(struct unpack_index *x, struct unpack_frame frame, u64 size, struct err *e) must_check;

/*
 * A library.  read fills @buf; *n bytes are good whatever it returns, and less
 * than @len with 0 is the end.  ERR_TRUNCATED when the packed file ends too early,
 * ERR_INPUT when it is damaged.  index, which may be NULL, fills @out as far as
 * the file has it; implausible values are ignored, not an error.
 * agrees, for an index by_table: 0 when the file has no such frame, of @size bytes
 * unpacked, where the table says; 1 when it has, or is damaged there.
 */
struct unpacker_ops {
	const char *name;
	u8 magic[6];
	u8 magic_len;
	int (*open)(struct unpacker *u, struct err *e);
	int (*read)(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e);
	void (*close)(struct unpacker *u);
	int (*index)(const struct unpacker_ops *self, struct core_file *in, struct unpack_index *out, struct err *e);
	int (*agrees)(struct core_file *in, const struct unpack_frame *frame, u64 size, struct err *e);
};
/* unpackers.c: the library for a file that begins with @head, or NULL. */
enum { UNPACK_MAGIC_MAX = 6 };
const struct unpacker_ops *unpacker_find(const u8 *head, size_t len);

/* One pass over [pos, end) of the packed file. */
struct unpacker {
	const struct unpacker_ops *ops;
	struct core_file *file;	/* borrowed */
	u64 pos;		/* of the first byte that the library has not taken */
	u64 end;
	size_t at;		/* of it in @buf, */
	size_t len;		/* which holds so many */
	void *state;		/* the library's */
	u8 buf[64 << 10];
};
int unpacker_open(struct unpacker **out, const struct unpacker_ops *ops, struct core_file *file, u64 pos, u64 end,
		  struct err *e) must_check;
int unpacker_read(struct unpacker *u, u8 *buf, size_t len, size_t *n, struct err *e) must_check;
/* *u may be NULL. */
void unpacker_close(struct unpacker **u);

/* For the libraries: refills; buf[at, len) is empty only at the end of the file.  ERR_CANCELLED when asked to stop. */
int unpack_more(struct unpacker *u, struct err *e) must_check;
/* @n bytes of it were taken. */
void unpack_advance(struct unpacker *u, size_t n);
/* True for faults of the file, which will occur again; false for lack of memory or a cancelled run. */
static inline bool unpack_is_fault(int code)
{
	return code == ERR_INPUT || code == ERR_TRUNCATED || code == ERR_UNSUPPORTED;
}
/* Hands @why on, and returns its code. */
static inline int unpack_err(struct err *e, const struct err *why)
{
	if (e)
		*e = *why;
	return why->code;
}
/* The packed file ends in the middle. */
int unpack_truncated(const struct unpacker *u, struct err *e);

/* zstd_index.c: the seek table, or what frames and blocks say of themselves. */
int zstd_index(const struct unpacker_ops *zstd, struct core_file *in, struct unpack_index *out, struct err *e) must_check;
int zstd_agrees(struct core_file *in, const struct unpack_frame *frame, u64 size, struct err *e) must_check;
/* The sentence about a seek table at @off of the packed file that does not agree with the frames. */
int unpack_bad_table(struct err *out, u64 off);

extern const struct unpacker_ops unpacker_zstd_ops;
extern const struct unpacker_ops unpacker_gz_ops;
extern const struct unpacker_ops unpacker_xz_ops;
