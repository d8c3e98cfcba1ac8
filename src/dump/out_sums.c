#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/out_sums.h"
#include "dump/writer.h"
#include "elf/sums.h"

/* A block of the output.  @pass: the one that wrote to it; 0: none, it is zero. */
struct block {
	u64 sum;
	u32 pass;
	bool unknown;	/* more than one pass did */
};

struct out_sums {
	u64 block;		/* bytes */
	struct block *v;	/* as far as has been written; all others are zero */
	u64 n, cap;
	u64 at;			/* the output's next byte */
	u32 pass;		/* from 1 */
	bool open;		/* a piece has been begun: */
	u64 number;		/* this one */
	u8 piece[SUMS_PIECE];
};

struct out_sums *out_sums_make(u64 block)
{
	struct out_sums *s = calloc(1, sizeof(*s));

	if (s) {
		s->block = block;
		s->pass = 1;
	}
	return s;
}

void out_sums_free(struct out_sums *s)
{
	if (s)
		free(s->v);
	free(s);
}

/* Room for block @i, and zeros for those before it. */
static int reach(struct out_sums *s, u64 i, struct err *e)
{
	if (i >= s->cap) {
		u64 cap = max(i + 1, s->cap * 2 + 16);
		struct block *v = reallocarray(s->v, cap, sizeof(*v));

		if (!v)
			return err_set(e, -ENOMEM, "checksums");
		memset(v + s->cap, 0, (size_t)(cap - s->cap) * sizeof(*v));
		s->v = v;
		s->cap = cap;
	}
	s->n = max(s->n, i + 1);
	return 0;
}

static int add_piece(struct out_sums *s, u64 number, const u8 *p, struct err *e)
{
	u64 i = number / (s->block / SUMS_PIECE);
	int r = reach(s, i, e);

	if (r)
		return r;
	s->v[i].unknown |= s->v[i].pass && s->v[i].pass != s->pass;
	s->v[i].pass = s->pass;
	if (!s->v[i].unknown && !mem_is_zero(p, SUMS_PIECE))
		s->v[i].sum += sums_piece(p, number);
	return 0;
}

static int close_piece(struct out_sums *s, struct err *e)
{
	bool open = s->open;

	s->open = false;
	return open ? add_piece(s, s->number, s->piece, e) : 0;
}

static int part_of_piece(struct out_sums *s, const u8 *p, size_t len, struct err *e)
{
	u64 number = s->at / SUMS_PIECE;
	int r = s->open && s->number != number ? close_piece(s, e) : 0;

	if (r)
		return r;
	if (!s->open)
		memset(s->piece, 0, sizeof(s->piece));
	s->open = true;
	s->number = number;
	memcpy(s->piece + s->at % SUMS_PIECE, p, len);
	return 0;
}

int out_sums_emit(struct out_sums *s, const void *p, size_t len, struct err *e)
{
	const u8 *from = p;
	int r = 0;

	while (!r && len) {
		size_t n = min(len, SUMS_PIECE - (size_t)(s->at % SUMS_PIECE));

		if (n == SUMS_PIECE)
			r = close_piece(s, e);
		if (!r)
			r = n == SUMS_PIECE ? add_piece(s, s->at / SUMS_PIECE, from, e) : part_of_piece(s, from, n, e);
		s->at += n;
		from += n;
		len -= n;
	}
	return r;
}

void out_sums_skip(struct out_sums *s, u64 len)
{
	s->at += len;
}

/* What is written from now on is of another pass. */
static int next_pass(struct out_sums *s, struct err *e)
{
	int r = close_piece(s, e);

	s->pass++;
	return r;
}

int out_sums_rewind(struct out_sums *s, struct err *e)
{
	s->at = 0;
	return next_pass(s, e);
}

int out_sums_zero(struct out_sums *s, u64 off, u64 len, struct err *e)
{
	int r = next_pass(s, e);
	u64 end = off + len;

	for (u64 i = off / s->block; i < s->n && i * s->block < end; i++) {
		bool all = i * s->block >= off && (i + 1) * s->block <= end;

		if (all)
			s->v[i] = (struct block){ 0 };
		else
			s->v[i].unknown = s->v[i].pass;
	}
	return r;
}

/* ---- the end */

enum { READ = 64 << 10 };

/* Pieces in @n bytes from @off on; @buf has room for the last one to be filled up. */
static u64 sum_of(u8 *buf, size_t n, u64 off)
{
	u64 sum = 0;

	memset(buf + n, 0, align_up(n, SUMS_PIECE) - n);
	for (size_t at = 0; at < n; at += SUMS_PIECE)
		if (!mem_is_zero(buf + at, SUMS_PIECE))
			sum += sums_piece(buf + at, (off + at) / SUMS_PIECE);
	return sum;
}

static int read_back(struct writer *w, u64 start, u64 end, u8 *buf, u64 *sum, struct err *e)
{
	u64 at = start;
	size_t n;
	int r = 0;

	*sum = 0;
	while (!r && at < end) {
		at = align_down(max(start, w->ops->next_data(w, at)), (u64)SUMS_PIECE);
		if (at >= end)
			break;
		n = (size_t)min((u64)READ, end - at);
		r = w->ops->read(w, at, buf, n, e);
		if (!r)
			*sum += sum_of(buf, n, at);
		at += n;
	}
	return r;
}

/* The last block ends where the output does now, whatever an earlier pass has written after that. */
static bool is_known(const struct out_sums *s, u64 i)
{
	const struct block *b = &s->v[i];

	return !b->unknown && (b->pass == s->pass || (i + 1) * s->block <= s->at || !b->pass);
}

static int fill_values(struct out_sums *s, struct writer *w, u64 *values, u64 n, struct err *e)
{
	u8 *buf auto_free = malloc(READ);
	int r = buf ? 0 : err_set(e, -ENOMEM, "checksums");

	for (u64 i = 0; !r && i < n && i < s->n; i++) {
		u64 start = i * s->block;

		if (is_known(s, i))
			values[i] = s->v[i].sum;
		else
			r = read_back(w, start, min(start + s->block, s->at), buf, &values[i], e);
	}
	return r;
}

int out_sums_end(struct out_sums *s, struct writer *w, u64 **values, u64 *n, struct err *e)
{
	u64 count = sums_count(s->at, s->block);
	u64 *v auto_free = calloc(count + 1, sizeof(*v));
	int r = v ? close_piece(s, e) : err_set(e, -ENOMEM, "checksums");

	if (!r)
		r = fill_values(s, w, v, count, e);
	if (r)
		return r;
	*values = take_ptr(v);
	*n = count;
	return 0;
}
