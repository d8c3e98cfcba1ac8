/*
 * writer_zstd.c - a core packed by zstd, written by another writer.
 *
 * Frames that can be unpacked alone, and at the end a table that says where each is
 * (base/zstd_seek.h): readers who know it unpack what they need, and to all others it is a file of zstd's (RFC 8878).
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/scope.h"
#include "base/util.h"
#include "base/zstd_seek.h"
#include "dump/pack_jobs.h"
#include "dump/writer.h"

/*
 * Bytes in a frame.  With 256 KiB, level 1 packs as well as with one frame for all, and who reads
 * an address unpacks least; stronger levels need more to look back on, and of a large core the
 * table gets shorter.
 */
enum {
	FRAME_SMALL = 256 << 10,
	FRAMES_SMALL_MAX = 1 << 19,	/* 128 GiB */
	LEVEL_SMALL_MAX = 3,
};
#define TABLE_ROWS_MAX 0x8000000U	/* ZSTD_SEEKABLE_MAXFRAMES */

static const struct elffmt le = { .data = ELFDATA2LSB };

/* @n frames, one after the other, of @packed bytes that are @size unpacked. */
struct run {
	u32 packed, size, n;
};

/* A frame of zeros, packed once; holes are made of them. */
struct zero_frame {
	u32 size;
	u64 from;		/* used while a hole has so many bytes left */
	struct buf packed;
};

struct zstd {
	struct writer inner;
	struct pack_jobs jobs;
	struct pack_job *job;		/* being filled, or NULL */
	size_t small;			/* bytes in each of the first frames */
	struct zero_frame zeros[2];	/* the larger first: of a hole of a TiB there are not many, either */
	struct run *runs;
	size_t n_runs, cap_runs;
	u64 n_frames;
};

static size_t frame_size(const struct zstd *z)
{
	return z->n_frames < FRAMES_SMALL_MAX ? z->small : (size_t)PACK_FRAME_MAX;
}

static int add_run(struct zstd *z, u32 packed, u32 size, u32 n, struct err *e)
{
	struct run *last = z->n_runs ? &z->runs[z->n_runs - 1] : NULL;
	int r;

	z->n_frames += n;
	if (z->n_frames > TABLE_ROWS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the core is too large for a seek table of zstd's");
	if (last && last->packed == packed && last->size == size) {
		last->n += n;
		return 0;
	}
	r = array_grow((void **)&z->runs, z->n_runs, &z->cap_runs, sizeof(*z->runs), "seek table", e);
	if (!r)
		z->runs[z->n_runs++] = (struct run){ packed, size, n };
	return r;
}

/* ---- frames of data */

static int write_frame(struct zstd *z, const struct pack_job *job, struct err *e)
{
	int r;

	if (ZSTD_isError(job->out_len))
		return err_set(e, -EIO, "zstd: %s", ZSTD_getErrorName(job->out_len));
	r = writer_emit(&z->inner, job->out, job->out_len, e);
	return r ? r : add_run(z, (u32)job->out_len, (u32)job->in_len, 1, e);
}

/* Those that are packed, in their order; the first @wait of them are waited for. */
static int write_packed(struct zstd *z, size_t wait, struct err *e)
{
	struct pack_job *job;
	int r = 0;

	for (size_t i = 0; !r && (job = pack_jobs_oldest(&z->jobs, i < wait)); i++) {
		r = write_frame(z, job, e);
		pack_jobs_return(&z->jobs);
	}
	return r;
}

static int submit(struct zstd *z, struct err *e)
{
	int r = z->job ? pack_jobs_submit(&z->jobs, e) : 0;

	z->job = NULL;
	return r ? r : write_packed(z, 0, e);
}

static int begin_frame(struct zstd *z, struct err *e)
{
	int r = pack_jobs_next(&z->jobs) ? 0 : write_packed(z, 1, e);

	if (r)
		return r;
	z->job = pack_jobs_next(&z->jobs);
	z->job->in_len = 0;
	return 0;
}

/* The next @len bytes; @p NULL: zeros. */
static int add(struct zstd *z, const u8 *p, u64 len, struct err *e)
{
	int r = 0;

	while (!r && len) {
		size_t room, n;

		if (!z->job)
			r = begin_frame(z, e);
		if (r)
			break;
		room = frame_size(z) - z->job->in_len;
		n = (size_t)min((u64)room, len);
		if (p)
			memcpy(z->job->in + z->job->in_len, p, n);
		else
			memset(z->job->in + z->job->in_len, 0, n);
		z->job->in_len += n;
		len -= n;
		p = p ? p + n : NULL;
		if (n == room)
			r = submit(z, e);
	}
	return r;
}

/* ---- holes */

static void free_context(ZSTD_CCtx **c)
{
	ZSTD_freeCCtx(*c);
}

static int make_zero_frame(struct zero_frame *f, u32 size, u64 from, struct err *e)
{
	ZSTD_CCtx *c scoped(free_context) = pack_context(1);
	u8 *zeros auto_free = calloc(1, size), *to auto_free = malloc(ZSTD_compressBound(size));
	size_t n;

	if (!c || !zeros || !to)
		return err_set(e, -ENOMEM, "a frame of zeros");
	n = ZSTD_compress2(c, to, ZSTD_compressBound(size), zeros, size);
	if (ZSTD_isError(n))
		return err_set(e, -EIO, "zstd: %s", ZSTD_getErrorName(n));
	f->size = size;
	f->from = from;
	return buf_add(&f->packed, to, n, e);
}

/* @n such frames, many of them at a time. */
static int write_zeros(struct zstd *z, const struct zero_frame *f, u64 n, struct err *e)
{
	struct buf many scoped(buf_fini) = { 0 };
	u64 at_once = min(n, (u64)256);
	int r = 0;

	for (u64 i = 0; !r && i < at_once; i++)
		r = buf_add(&many, f->packed.p, f->packed.len, e);
	while (!r && n) {
		u64 now = min(n, at_once);

		r = writer_emit(&z->inner, many.p, (size_t)now * f->packed.len, e);
		if (!r)
			r = add_run(z, (u32)f->packed.len, f->size, (u32)now, e);
		n -= now;
	}
	return r;
}

/* Less than a frame is better packed with what surrounds it. */
static int zstd_skip(struct writer *w, u64 len, struct err *e)
{
	struct zstd *z = w->priv;
	int r = 0;

	if (len >= PACK_FRAME_MAX) {
		r = submit(z, e);
		if (!r)
			r = write_packed(z, SIZE_MAX, e);
	}
	for (size_t i = 0; !r && i < ARRAY_SIZE(z->zeros); i++)
		if (len >= z->zeros[i].from) {
			r = write_zeros(z, &z->zeros[i], len / z->zeros[i].size, e);
			len %= z->zeros[i].size;
		}
	return r ? r : add(z, NULL, len, e);
}

static int zstd_emit(struct writer *w, const void *p, size_t len, struct err *e)
{
	return add(w->priv, p, len, e);
}

/* ---- the end */

static int add_uint(struct buf *b, unsigned size, u64 value, struct err *e)
{
	u8 raw[8];

	uint_put(le, raw, size, value);
	return buf_add(b, raw, size, e);
}

static int flush(struct zstd *z, struct buf *b, struct err *e)
{
	int r = writer_emit(&z->inner, b->p, b->len, e);

	b->len = 0;
	return r;
}

/* In pieces: a row for each frame, which runs were to save memory for. */
static int write_rows(struct zstd *z, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < z->n_runs; i++)
		for (u32 k = 0; !r && k < z->runs[i].n; k++) {
			r = add_uint(b, 4, z->runs[i].packed, e);
			if (!r)
				r = add_uint(b, 4, z->runs[i].size, e);
			if (!r && b->len >= FRAME_SMALL)
				r = flush(z, b, e);
		}
	return r;
}

static int write_table(struct zstd *z, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = add_uint(&b, 4, ZSTD_SEEK_HEAD_MAGIC, e);

	if (!r)
		r = add_uint(&b, 4, z->n_frames * ZSTD_SEEK_ROW + ZSTD_SEEK_FOOT, e);
	if (!r)
		r = write_rows(z, &b, e);
	if (!r)
		r = add_uint(&b, 4, z->n_frames, e);
	if (!r)
		r = add_uint(&b, 1, 0, e);
	if (!r)
		r = add_uint(&b, 4, ZSTD_SEEK_FOOT_MAGIC, e);
	return r ? r : flush(z, &b, e);
}

static void zstd_abort(struct writer *w)
{
	struct zstd *z = w->priv;

	pack_jobs_fini(&z->jobs);
	writer_close(&z->inner);
	for (size_t i = 0; i < ARRAY_SIZE(z->zeros); i++)
		buf_fini(&z->zeros[i].packed);
	free(z->runs);
	free(z);
	w->priv = NULL;
}

static int zstd_finish(struct writer *w, struct err *e)
{
	struct zstd *z = w->priv;
	int r = submit(z, e);

	if (!r)
		r = write_packed(z, SIZE_MAX, e);
	if (!r)
		r = write_table(z, e);
	if (!r)
		r = writer_finish(&z->inner, e);
	if (r)
		return r;
	w->on_disk = z->inner.on_disk;
	zstd_abort(w);
	return 0;
}

static const struct writer_ops writer_zstd_ops = {
	.name = "zstd",
	.emit = zstd_emit,
	.skip = zstd_skip,
	.finish = zstd_finish,
	.abort = zstd_abort,
};

int writer_level_check(int level, struct err *e)
{
	if (level < 1 || level > ZSTD_maxCLevel())
		return err_set(e, ERR_USAGE, "%d is no level of zstd's: 1 to %d", level, ZSTD_maxCLevel());
	return 0;
}

static int init(struct zstd *z, int level, struct err *e)
{
	int r = writer_level_check(level, e);

	z->small = level <= LEVEL_SMALL_MAX ? FRAME_SMALL : PACK_FRAME_MAX;
	if (!r)
		r = pack_jobs_init(&z->jobs, level, e);
	if (!r)
		r = make_zero_frame(&z->zeros[0], ZSTD_SEEK_FRAME_MAX, 1 << 30, e);
	return r ? r : make_zero_frame(&z->zeros[1], PACK_FRAME_MAX, PACK_FRAME_MAX, e);
}

int writer_open_zstd(struct writer *w, struct writer *inner, int level, struct err *e)
{
	struct zstd *z = calloc(1, sizeof(*z));
	struct writer made = { .ops = &writer_zstd_ops, .priv = z };
	int r;

	if (!z)
		return err_set(e, -ENOMEM, "a writer");
	r = init(z, level, e);
	if (r) {
		zstd_abort(&made);
		return r;
	}
	z->inner = *inner;
	*inner = (struct writer){ 0 };
	memcpy(made.temp, z->inner.temp, sizeof(made.temp));
	*w = made;
	return 0;
}
