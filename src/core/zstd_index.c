/*
 * zstd_index.c - where the frames of a zstd file are, and how large what is in them.
 *
 * From the seek table at its end (base/zstd_seek.h) or from the headers of
 * frames and blocks (RFC 8878, 3.1.1): each block has its length, so that
 * nothing is unpacked.  Neither is more than a claim: who unpacks a frame compares.
 */
#include <elf.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/scope.h"
#include "base/util.h"
#include "base/zstd_seek.h"
#include "core/unpack.h"

enum {
	BLOCK_MAX = 128 << 10,	/* bytes that a block unpacks to: RFC 8878, 3.1.1.2.4 */
	BLOCK_HEAD = 3,
	FRAME_HEAD_MAX = 18,
	SPOT_CHECKS = 4096,	/* rows of a seek table that are compared, a read for each block of their frames */
};
#define SEEK_CHECKSUMS 0x80	/* descriptor: entries have XXH64's low half, which libzstd gives no way to compute; */
#define SEEK_RESERVED 0x7c	/* a frame's own checksum is compared */

_Static_assert((int)ZSTD_SEEK_FRAME_MAX <= (int)UNPACK_FRAME_MAX, "what we write is read in place");

static const struct elffmt le = { .data = ELFDATA2LSB };

/* A window on the packed file. */
struct scan {
	struct core_file *in;
	u64 at;
	size_t len;
	u8 win[4096];
};

/* *p: the bytes at @off, @want or what the file has of them. */
static int scan_get(struct scan *s, u64 off, size_t want, const u8 **p, size_t *n, struct err *e)
{
	want = off < s->in->size ? (size_t)min((u64)want, s->in->size - off) : 0;
	if (want && (off < s->at || off + want > s->at + s->len)) {
		int r;

		if (s->in->cancel && *s->in->cancel)
			return err_set(e, ERR_CANCELLED, "interrupted while unpacking");
		s->len = 0;
		r = s->in->ops->read_at(s->in, off, s->win, sizeof(s->win), &s->len, e);
		if (r)
			return r;
		s->at = off;
	}
	*p = s->win + (want ? off - s->at : 0);
	*n = want ? min(want, (size_t)(s->at + s->len - off)) : 0;
	return 0;
}

/* ---- headers of frames and blocks */

struct frame_head {
	bool skip;		/* a skippable frame: nothing comes out of it */
	bool checksum;
	u64 len;		/* bytes of the header; with @skip of the frame */
	unsigned long long size;	/* unpacked, or ZSTD_CONTENTSIZE_UNKNOWN */
};

/* RFC 8878, 3.1.1.1: the descriptor's bits tell the header's length. */
static size_t head_len(u8 descriptor)
{
	static const u8 dict[] = { 0, 1, 2, 4 }, content[] = { 0, 2, 4, 8 };
	bool single = descriptor & 0x20;
	size_t size = content[descriptor >> 6];

	if (single && !size)
		size = 1;
	return 5 + !single + dict[descriptor & 3] + size;
}

/* 1 and *out, or 0 when no frame begins at @off that is there with its header. */
static int head_get(struct scan *s, u64 off, struct frame_head *out, struct err *e)
{
	const u8 *p;
	size_t n;
	int r = scan_get(s, off, FRAME_HEAD_MAX, &p, &n, e);

	if (r)
		return r;
	if (n >= ZSTD_SEEK_HEAD && (uint_get(le, p, 4) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START) {
		*out = (struct frame_head){ .skip = true, .len = ZSTD_SEEK_HEAD + uint_get(le, p + 4, 4) };
		return 1;
	}
	if (n < 5 || uint_get(le, p, 4) != ZSTD_MAGICNUMBER || head_len(p[4]) > n)
		return 0;
	*out = (struct frame_head){ .checksum = p[4] & 4, .len = head_len(p[4]), .size = ZSTD_getFrameContentSize(p, n) };
	return out->size != ZSTD_CONTENTSIZE_ERROR;
}

/*
 * The blocks from *at on: *at becomes the frame's end, and *most what they can
 * unpack to.  0 when the frame is cut, or a block is of no known type.
 */
static int walk_blocks(struct scan *s, u64 *at, bool checksum, u64 *most, struct err *e)
{
	enum { RAW, RLE, COMPRESSED, RESERVED };
	bool last = false;

	while (!last) {
		const u8 *p;
		u32 head, type, size;
		size_t n;
		int r = scan_get(s, *at, BLOCK_HEAD, &p, &n, e);

		if (r || n < BLOCK_HEAD)
			return r;
		head = p[0] | (u32)p[1] << 8 | (u32)p[2] << 16;
		last = head & 1;
		type = head >> 1 & 3;
		size = head >> 3;
		if (type == RESERVED || size > BLOCK_MAX)
			return 0;
		*at += BLOCK_HEAD + (type == RLE ? 1 : size);
		*most += type == COMPRESSED ? BLOCK_MAX : size;
	}
	*at += checksum ? 4 : 0;
	return *at <= s->in->size;
}

/* ---- the walk */

struct walk {
	const struct unpacker_ops *zstd;
	struct scan scan;
	struct unpack_index *x;
	u64 at;
	bool sized;	/* every frame so far states its size */
	bool frames;	/* and they are few enough, and small enough */
	u64 total;
};

static int walk_add(struct walk *w, u64 at, u64 len, u64 size, struct err *e)
{
	w->frames = w->frames && size <= UNPACK_FRAME_MAX && w->x->n_frames < UNPACK_FRAMES_MAX;
	if (add_overflow(w->total, size, &w->total))
		w->sized = false;
	if (!w->frames || !size)
		return 0;
	return unpack_index_add(w->x, (struct unpack_frame){ .at = at, .len = len }, size, e);
}

/* How much comes out of a damaged frame: by unpacking it, when it is no larger than frames that are kept may be. */
static int walk_cut(struct walk *w, const struct frame_head *h, u64 at, struct err *e)
{
	struct unpacker *u scoped(unpacker_close) = NULL;
	struct err *why = &w->x->fault;
	u8 buf[16 << 10];
	size_t n = 1;
	u64 made = 0;
	int r;

	if (h->size > UNPACK_FRAME_MAX) {
		w->sized = false;
		return 0;
	}
	r = unpacker_open(&u, w->zstd, w->scan.in, at, w->scan.in->size, e);
	if (r)
		return r;
	for (; !r && n && made <= h->size; made += n)
		r = unpacker_read(u, buf, sizeof(buf), &n, why);
	if (!r)
		r = err_at(why, ERR_INPUT, at, "the zstd frame is damaged");
	if (!unpack_is_fault(r))
		return unpack_err(e, why);
	w->x->cut = true;
	return walk_add(w, at, w->scan.in->size - at, min(made, (u64)h->size), e);
}

/* What is at @at is no frame with its header: the end of the file may have cut it off. */
static int head_fault(struct walk *w, u64 at, struct err *e)
{
	const u8 *p;
	size_t n;
	int r = scan_get(&w->scan, at, FRAME_HEAD_MAX, &p, &n, e);

	if (r)
		return r;
	if (n < 4 || (n < FRAME_HEAD_MAX && uint_get(le, p, 4) == ZSTD_MAGICNUMBER) ||
	    (n < ZSTD_SEEK_HEAD && (uint_get(le, p, 4) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START))
		err_at(&w->x->fault, ERR_TRUNCATED, at, "the zstd data end in the middle");
	else
		err_at(&w->x->fault, ERR_INPUT, at, "no zstd frame begins here");
	return 0;
}

/* 1: on to the next frame, which is at w->at; 0: no more. */
static int walk_frame(struct walk *w, struct err *e)
{
	struct frame_head h = { 0 };
	u64 at = w->at, most = 0;
	int r = head_get(&w->scan, at, &h, e);

	if (r <= 0)
		return r ? r : head_fault(w, at, e);
	w->at = at + h.len;
	if (h.skip) {
		if (w->at <= w->scan.in->size)
			return 1;
		err_at(&w->x->fault, ERR_TRUNCATED, at, "the zstd data end in the middle");
		return 0;
	}
	r = walk_blocks(&w->scan, &w->at, h.checksum, &most, e);
	if (r < 0)
		return r;
	if (h.size == ZSTD_CONTENTSIZE_UNKNOWN || (r && h.size > most))
		w->sized = false;
	if (!w->sized)
		return 0;
	if (!r)
		return walk_cut(w, &h, at, e);
	r = walk_add(w, at, w->at - at, h.size, e);
	return r ? r : 1;
}

static int walk_file(const struct unpacker_ops *zstd, struct core_file *in, struct unpack_index *x, struct err *e)
{
	struct walk w = { .zstd = zstd, .scan = { .in = in }, .x = x, .sized = true, .frames = true };
	int r = 1;

	while (r > 0 && w.at < in->size)
		r = walk_frame(&w, e);
	if (r < 0)
		return r;
	x->has_size = w.sized && w.total;
	if (!w.frames || !x->has_size) {
		bool whole = x->has_size && !x->fault.code;

		unpack_index_fini(x);
		/* With a fault, the size is known only after unpacking it all. */
		x->has_size = whole;
		x->size = w.total;
	}
	return 0;
}

/* ---- the seek table */

struct table {
	u64 at;		/* of its first entry */
	u32 n;
	u32 entry;	/* bytes */
};

static int bad_table(const struct table *t, struct unpack_index *x)
{
	unpack_bad_table(&x->table, t->at - ZSTD_SEEK_HEAD);
	return 0;
}

/* 1 when the file ends in one that fits in it; 0 when in none, in one of another version, or of too many rows. */
static int table_find(struct scan *s, struct table *t, struct unpack_index *x, struct err *e)
{
	u64 size = s->in->size, len;
	const u8 *p;
	size_t n;
	int r;

	if (size < ZSTD_SEEK_HEAD + ZSTD_SEEK_FOOT)
		return 0;
	r = scan_get(s, size - ZSTD_SEEK_FOOT, ZSTD_SEEK_FOOT, &p, &n, e);
	if (r || n < ZSTD_SEEK_FOOT || uint_get(le, p + 5, 4) != ZSTD_SEEK_FOOT_MAGIC || (p[4] & SEEK_RESERVED))
		return r;
	t->n = (u32)uint_get(le, p, 4);
	t->entry = p[4] & SEEK_CHECKSUMS ? ZSTD_SEEK_ROW + 4 : ZSTD_SEEK_ROW;
	len = (u64)t->n * t->entry + ZSTD_SEEK_FOOT;
	t->at = len <= size - ZSTD_SEEK_HEAD ? size - len : ZSTD_SEEK_HEAD;
	r = scan_get(s, t->at - ZSTD_SEEK_HEAD, ZSTD_SEEK_HEAD, &p, &n, e);
	if (r || n < ZSTD_SEEK_HEAD)
		return r;
	if (t->at != size - len || uint_get(le, p, 4) != ZSTD_SEEK_HEAD_MAGIC || uint_get(le, p + 4, 4) != len)
		return bad_table(t, x);
	return t->n <= UNPACK_FRAMES_MAX;
}

/* Row @i: bytes packed and unpacked.  0 when the file became shorter. */
static int table_row(struct scan *s, const struct table *t, u32 i, u64 *len, u64 *size, struct err *e)
{
	const u8 *p;
	size_t n;
	int r = scan_get(s, t->at + (u64)i * t->entry, ZSTD_SEEK_ROW, &p, &n, e);

	if (r || n < ZSTD_SEEK_ROW)
		return r;
	*len = uint_get(le, p, 4);
	*size = uint_get(le, p + 4, 4);
	return 1;
}

/* Its rows as they are; 0 when they do not end where the table begins, or a frame is too large to be kept. */
static int table_rows(struct scan *s, const struct table *t, struct unpack_index *x, struct err *e)
{
	u64 at = 0, len = 0, size = 0;

	for (u32 i = 0; i < t->n; i++) {
		int r = table_row(s, t, i, &len, &size, e);

		if (r <= 0)
			return r;
		/* Any frame has a header. */
		if (!len)
			return bad_table(t, x);
		if (size > UNPACK_FRAME_MAX)
			return 0;
		/* Skippable or empty: nothing is to be had from it. */
		r = size ? unpack_index_add(x, (struct unpack_frame){ .at = at, .len = len }, size, e) : 0;
		if (r)
			return r;
		at += len;
	}
	return at == t->at - ZSTD_SEEK_HEAD && x->size ? 1 : bad_table(t, x);
}

/* The frame with that header, at @at, and its blocks: do they end where the row says?  Damaged ones say nothing. */
static int blocks_agree(struct scan *s, const struct frame_head *h, u64 at, u64 len, u64 size, struct err *e)
{
	struct frame_head next;
	u64 end = at + h->len, most = 0;
	int r = walk_blocks(s, &end, h->checksum, &most, e);

	if (r <= 0)
		return r ? r : 1;
	if (end == at + len)
		return size ? size <= most : !most;
	/* A damaged length leads anywhere; a true one to another frame. */
	r = head_get(s, end, &next, e);
	return r < 0 ? r : !r;
}

static int row_agrees(struct scan *s, u64 at, u64 len, u64 size, struct err *e)
{
	struct frame_head h = { 0 };
	int r = head_get(s, at, &h, e);

	if (r <= 0)
		return r;
	if (h.skip)
		return !size && h.len == len;
	if (h.size != ZSTD_CONTENTSIZE_UNKNOWN && h.size != size)
		return 0;
	return blocks_agree(s, &h, at, len, size, e);
}

int zstd_agrees(struct core_file *in, const struct unpack_frame *frame, u64 size, struct err *e)
{
	struct scan s = { .in = in };

	return row_agrees(&s, frame->at, frame->len, size, e);
}

/* The first rows, which mostly is all; each of the others is compared when its frame does not unpack to the stated size. */
static int table_agrees(const struct scan *s, const struct table *t, struct unpack_index *x, struct err *e)
{
	struct scan rows = { .in = s->in }, frames = { .in = s->in };
	u64 at = 0, len = 0, size = 0;

	for (u32 i = 0; i < min(t->n, (u32)SPOT_CHECKS); i++, at += len) {
		int r = table_row(&rows, t, i, &len, &size, e);

		if (r > 0)
			r = row_agrees(&frames, at, len, size, e);
		if (r <= 0)
			return r ? r : bad_table(t, x);
	}
	return 1;
}

int zstd_index(const struct unpacker_ops *zstd, struct core_file *in, struct unpack_index *x, struct err *e)
{
	struct scan s = { .in = in };
	struct table t = { 0 };
	struct err table;
	int r = table_find(&s, &t, x, e);

	if (r > 0)
		r = table_rows(&s, &t, x, e);
	if (r > 0)
		r = table_agrees(&s, &t, x, e);
	if (r) {
		x->has_size = x->by_table = r > 0;
		return min(r, 0);
	}
	table = x->table;
	unpack_index_fini(x);
	r = walk_file(zstd, in, x, e);
	x->table = table;
	return r;
}
