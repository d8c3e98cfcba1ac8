/* packbuild.h - packs a core in every way that the reader knows, with the libraries that pack. */
#pragma once

#include "corebuild.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

enum { PB_FRAME = 4096 };

cb_unused static void pb_add(struct buf *out, const void *p, size_t len)
{
	struct err e;

	cb_ok(buf_add(out, p, len, &e), &e);
}

static inline void pb_le(struct buf *out, unsigned size, u64 value)
{
	u8 raw[8];

	uint_put(CB_LE64, raw, size, value);
	pb_add(out, raw, size);
}

/* ---- zstd */

/* One frame, with a checksum; @sized: its header has the unpacked size. */
static inline void pb_frame(struct buf *out, const u8 *p, size_t len, bool sized)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(len) + 64, n;
	struct err e;
	u8 *to;

	assert_non_null(c);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, sized);
	cb_ok(buf_reserve(out, bound, &to, &e), &e);
	n = ZSTD_compress2(c, to, bound, p, len);
	assert_false(ZSTD_isError(n));
	out->len += n;
	ZSTD_freeCCtx(c);
}

static inline void pb_skip(struct buf *out, u32 variant, u32 len)
{
	struct err e;

	pb_le(out, 4, ZSTD_MAGIC_SKIPPABLE_START + variant);
	pb_le(out, 4, len);
	cb_ok(buf_zero(out, len, &e), &e);
}

/* The seek table that follows; @change makes it wrong. */
struct pb_table {
	u32 rows[4096][2];	/* packed, unpacked */
	u32 n;
	u32 count;	/* as it says */
	u8 descriptor;
	u32 magic;
};

static inline void pb_table_put(struct buf *out, const struct pb_table *t)
{
	unsigned row = t->descriptor & 0x80 ? 12 : 8;

	pb_le(out, 4, 0x184d2a5e);
	pb_le(out, 4, t->n * row + 9);
	for (u32 i = 0; i < t->n; i++) {
		pb_le(out, 4, t->rows[i][0]);
		pb_le(out, 4, t->rows[i][1]);
		if (row == 12)
			pb_le(out, 4, 0x12345678);
	}
	pb_le(out, 4, t->count);
	pb_le(out, 1, t->descriptor);
	pb_le(out, 4, t->magic);
}

/* Frames of PB_FRAME bytes each; their rows go into @t. */
static inline void pb_frames(struct buf *out, const struct buf *in, bool sized, struct pb_table *t)
{
	*t = (struct pb_table){ .magic = 0x8f92eab1 };
	for (size_t at = 0; at < in->len; at += PB_FRAME) {
		size_t len = min((size_t)PB_FRAME, in->len - at), from = out->len;

		pb_frame(out, in->p + at, len, sized);
		assert_true(t->n < ARRAY_SIZE(t->rows));
		t->rows[t->n][0] = (u32)(out->len - from);
		t->rows[t->n++][1] = (u32)len;
	}
	t->count = t->n;
}

static inline void pb_zstd(const struct buf *in, struct buf *out)
{
	pb_frame(out, in->p, in->len, true);
}

static inline void pb_zstd_piped(const struct buf *in, struct buf *out)
{
	pb_frame(out, in->p, in->len, false);
}

static inline void pb_zstd_frames(const struct buf *in, struct buf *out)
{
	static struct pb_table t;

	pb_frames(out, in, true, &t);
}

static inline void pb_zstd_piped_frames(const struct buf *in, struct buf *out)
{
	static struct pb_table t;

	pb_frames(out, in, false, &t);
}

static inline void pb_zstd_seekable(const struct buf *in, struct buf *out)
{
	static struct pb_table t;

	pb_frames(out, in, true, &t);
	pb_table_put(out, &t);
}

/* Only the table has the sizes of frames. */
static inline void pb_zstd_seekable_piped(const struct buf *in, struct buf *out)
{
	static struct pb_table t;

	pb_frames(out, in, false, &t);
	t.descriptor = 0x80 | 3;	/* checksums, and bits that we do not use */
	pb_table_put(out, &t);
}

/* As pzstd(1), a skippable frame before each. */
static inline void pb_zstd_skips(const struct buf *in, struct buf *out)
{
	for (size_t at = 0; at < in->len; at += PB_FRAME) {
		pb_skip(out, (u32)(at / PB_FRAME) % 16, 4);
		pb_frame(out, in->p + at, min((size_t)PB_FRAME, in->len - at), true);
	}
	pb_skip(out, 0, 100);
	pb_frame(out, in->p, 0, true);
}

/* ---- gzip */

static inline void pb_member(struct buf *out, const u8 *p, size_t len)
{
	z_stream z = { .next_in = (u8 *)p, .avail_in = (uInt)len };
	struct err e;
	size_t room;
	u8 *to;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	room = deflateBound(&z, len);
	cb_ok(buf_reserve(out, room, &to, &e), &e);
	z.next_out = to;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += room - z.avail_out;
	deflateEnd(&z);
}

static inline void pb_gz(const struct buf *in, struct buf *out)
{
	pb_member(out, in->p, in->len);
}

/* Also an empty one, and zeros at the end, as on a tape. */
static inline void pb_gz_members(const struct buf *in, struct buf *out)
{
	struct err e;

	for (size_t at = 0; at < in->len; at += PB_FRAME)
		pb_member(out, in->p + at, min((size_t)PB_FRAME, in->len - at));
	pb_member(out, in->p, 0);
	cb_ok(buf_zero(out, 1000, &e), &e);
}

/* ---- xz */

/* A stream of blocks of @block bytes. */
static inline void pb_stream(struct buf *out, const u8 *p, size_t len, size_t block)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t room = lzma_stream_buffer_bound(len) + 4096 + len / block * 128, done = 0;
	struct err e;
	u8 *to;

	cb_ok(buf_reserve(out, room, &to, &e), &e);
	assert_int_equal(lzma_easy_encoder(&s, 0, LZMA_CHECK_CRC64), LZMA_OK);
	s.next_out = to;
	s.avail_out = room;
	do {
		s.avail_in = min(block, len - done);
		s.next_in = p + done;
		done += s.avail_in;
		assert_int_equal(lzma_code(&s, done < len ? LZMA_FULL_FLUSH : LZMA_FINISH), LZMA_STREAM_END);
	} while (done < len);
	out->len += room - s.avail_out;
	lzma_end(&s);
}

static inline void pb_xz(const struct buf *in, struct buf *out)
{
	pb_stream(out, in->p, in->len, in->len);
}

static inline void pb_xz_blocks(const struct buf *in, struct buf *out)
{
	pb_stream(out, in->p, in->len, PB_FRAME);
}

/* The second with padding before and after it. */
static inline void pb_xz_streams(const struct buf *in, struct buf *out)
{
	struct err e;

	pb_stream(out, in->p, in->len / 2, in->len);
	cb_ok(buf_zero(out, 8, &e), &e);
	pb_stream(out, in->p + in->len / 2, in->len - in->len / 2, PB_FRAME);
	cb_ok(buf_zero(out, 4, &e), &e);
}

/* Whether a part can be had without what is before it, and whether the size is known before unpacking. */
struct packer {
	const char *name;
	const char *compression;
	void (*pack)(const struct buf *in, struct buf *out);
	bool frames;
	bool sized;
};

static const struct packer packers[] = {
	{ "zstd", "zstd", pb_zstd, true, true },
	{ "zstd-piped", "zstd", pb_zstd_piped, false, false },
	{ "zstd-frames", "zstd", pb_zstd_frames, true, true },
	{ "zstd-piped-frames", "zstd", pb_zstd_piped_frames, false, false },
	{ "zstd-seekable", "zstd", pb_zstd_seekable, true, true },
	{ "zstd-seekable-piped", "zstd", pb_zstd_seekable_piped, true, true },
	{ "zstd-skips", "zstd", pb_zstd_skips, true, true },
	{ "gz", "gzip", pb_gz, false, false },
	{ "gz-members", "gzip", pb_gz_members, false, false },
	{ "xz", "xz", pb_xz, false, true },
	{ "xz-blocks", "xz", pb_xz_blocks, false, true },
	{ "xz-streams", "xz", pb_xz_streams, false, true },
};
