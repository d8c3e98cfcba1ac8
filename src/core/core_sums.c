#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "core/core_sums.h"
#include "core/unpack.h"

enum { PIECES = 1 << 20 };	/* bytes read at once */

void core_damages_fini(struct core_damages *d)
{
	free(d->v);
	*d = (struct core_damages){ 0 };
}

/* ---- the note */

enum {
	AFTER_MAX = 72,			/* what may follow the note: a section header, which begins at a multiple of 8 */
	NOTE_MAX = 64 << 20,		/* far more than SUMS_BLOCKS */
};

void core_sums_fini(struct core_sums *s)
{
	free(s->raw);
	*s = (struct core_sums){ 0 };
}

static bool is_head(const struct core *c, const u8 *p, u64 desc_len)
{
	return uint_get(c->fmt, p, 4) == sizeof(TAGCORE_OWNER) && uint_get(c->fmt, p + 4, 4) == desc_len &&
	       uint_get(c->fmt, p + 8, 4) == NT_TAGCORE_CHECKSUMS && !memcmp(p + 12, TAGCORE_OWNER, sizeof(TAGCORE_OWNER));
}

/* 1: the @len bytes at @off are the note, whole and undamaged as all that follows it. */
static int load_at(struct core *c, u64 off, u64 len, struct core_sums *out, struct err *e)
{
	struct core_sums s scoped(core_sums_fini) = { .off = off };
	size_t all = (size_t)(c->file.size - off);
	struct bytes note, desc, after;
	u8 head[SUMS_NOTE_HEAD];

	if (len > NOTE_MAX || core_file_read(&c->file, off, head, sizeof(head), NULL) ||
	    !is_head(c, head, len - SUMS_NOTE_HEAD))
		return 0;
	s.raw = malloc(all);
	if (!s.raw)
		return err_set(e, -ENOMEM, "checksums");
	if (core_file_read(&c->file, off, s.raw, all, NULL))
		return 0;
	note = (struct bytes){ .p = s.raw, .len = (size_t)len, .off = off };
	after = (struct bytes){ .p = s.raw + len, .len = all - (size_t)len };
	desc = (struct bytes){ .p = s.raw + SUMS_NOTE_HEAD, .len = (size_t)len - SUMS_NOTE_HEAD, .off = off + SUMS_NOTE_HEAD };
	if (sums_note_get(desc, c->fmt, off, &s.note, NULL) || s.note.is_void ||
	    sums_own(note, after) != sums_own_stated(desc, c->fmt))
		return 0;
	*out = s;
	s.raw = NULL;
	return 1;
}

/*
 * It is the last thing in the file, so where it is follows from the file's size: headers and notes, by which it would
 * be found else, may be damaged.
 */
static int find_at_end(struct core *c, struct core_sums *out, struct err *e)
{
	int r = 0;

	for (u64 block = SUMS_BLOCK_MIN; block <= SUMS_BLOCK_MAX; block *= 2)
		for (u64 after = 0; !r && after <= AFTER_MAX; after += 4) {
			u64 fixed = sums_note_size(0, block) + after, rest, n;

			if (c->file.size <= fixed)
				continue;
			/* rest = covered + 8 n, n = covered / block, rounded up. */
			rest = c->file.size - fixed;
			n = rest / (block + 8) + (rest % (block + 8) != 0);
			if (8 * n < rest)
				r = load_at(c, rest - 8 * n, sums_note_size(rest - 8 * n, block), out, e);
		}
	return r;
}

int core_sums_find(struct core *c, struct core_sums *out, struct err *e)
{
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS);
	struct sums_note as_is;
	int r;

	*out = (struct core_sums){ 0 };
	r = find_at_end(c, out, e);
	if (r || !n)
		return r;
	r = sums_note_get(n->note.desc, c->fmt, n->note.off, &as_is, e);
	if (r || as_is.is_void)
		return r;
	return err_at(e, ERR_INPUT, n->note.off, "it is damaged itself, or what follows it is");
}

/* What is cut off, or recorded as such by a repair, is known to be lost. */
bool core_sums_lost(const struct core *c)
{
	struct core_loss loss;
	struct err e;

	return core_info(c, "checksums").p && !core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS) &&
	       !core_loss(c, &loss, &e) && !core_loss_any(&loss);
}

/* ---- the blocks */

struct walk {
	struct core *core;
	const struct sums_note *sums;
	struct core_damages *out;
	u8 *buf;
};

static int add_damage(struct walk *w, u64 start, u64 end, bool unread, struct err *e)
{
	struct core_damages *d = w->out;
	struct core_damage *last = d->n ? &d->v[d->n - 1] : NULL;
	int r;

	if (last && last->end == start && last->unread == unread) {
		last->end = end;
		return 0;
	}
	r = array_grow((void **)&d->v, d->n, &d->cap, sizeof(*d->v), "damaged ranges", e);
	if (!r)
		d->v[d->n++] = (struct core_damage){ .start = start, .end = end, .unread = unread };
	return r;
}

static u64 value_of(const struct walk *w, u64 block)
{
	return uint_get(w->core->fmt, w->sums->values.p + block * 8, 8);
}

static u64 sum_pieces(u8 *buf, size_t n, u64 off)
{
	u64 sum = 0;

	memset(buf + n, 0, align_up(n, SUMS_PIECE) - n);
	for (size_t at = 0; at < n; at += SUMS_PIECE)
		if (!mem_is_zero(buf + at, SUMS_PIECE))
			sum += sums_piece(buf + at, (off + at) / SUMS_PIECE);
	return sum;
}

/* What of [start, end), a block, is not a hole. */
static int sum_block(struct walk *w, u64 start, u64 end, u64 *sum, struct err *e)
{
	struct core *c = w->core;
	int r = 0;

	*sum = 0;
	for (u64 at = start, n; !r && at < end; at += n) {
		at = align_down(max(at, core_file_next_data(&c->file, at)), (u64)SUMS_PIECE);
		if (at >= end)
			break;
		if (c->cancel && *c->cancel)
			return err_set(e, ERR_CANCELLED, "interrupted");
		n = min((u64)PIECES, end - at);
		r = core_file_read(&c->file, at, w->buf, (size_t)n, e);
		if (!r)
			*sum += sum_pieces(w->buf, (size_t)n, at);
	}
	return r;
}

static int compare_block(struct walk *w, u64 i, struct err *e)
{
	u64 start = i * w->sums->block, end = min(start + w->sums->block, w->sums->covered), sum;
	struct err why = { 0 };
	int r = sum_block(w, start, end, &sum, &why);

	if (r && !unpack_is_fault(r))
		return unpack_err(e, &why);
	return r || sum != value_of(w, i) ? add_damage(w, start, end, r, e) : 0;
}

/* Blocks before @until are holes. */
static int compare_holes(struct walk *w, u64 i, u64 until, struct err *e)
{
	u64 block = w->sums->block;
	int r = 0;

	for (; !r && i < until; i++)
		if (value_of(w, i))
			r = add_damage(w, i * block, min((i + 1) * block, w->sums->covered), false, e);
	return r;
}

int core_sums_check(struct core *c, const struct sums_note *sums, struct core_damages *out, struct err *e)
{
	u8 *buf auto_free = malloc(PIECES);
	struct walk w = { .core = c, .sums = sums, .out = out, .buf = buf };
	u64 n = sums->values.len / 8, next;
	int r = buf ? 0 : err_set(e, -ENOMEM, "checksums");

	for (u64 i = 0; !r && i < n; i = next + 1) {
		next = min(core_file_next_data(&c->file, i * sums->block) / sums->block, n);
		r = compare_holes(&w, i, next, e);
		if (!r && next < n)
			r = compare_block(&w, next, e);
	}
	return r;
}
