/* core_file_frames.c - a packed core of small independent frames: those that are asked for, a few of them kept in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/search.h"
#include "base/util.h"
#include "core/core_file_packed.h"

static u64 frame_end(const struct packed *p, size_t i)
{
	return i + 1 < p->index.n_frames ? p->index.frames[i + 1].off : p->index.size;
}

/* The frame that has the byte at @off, which is less than the size. */
static size_t frame_of(const struct packed *p, u64 off)
{
	return search_first(i, 1, p->index.n_frames, p->index.frames[i].off > off) - 1;
}

/* All of frame @i to @to, which has room for one byte more: it is an error if that is used. */
static int frame_unpack(struct packed *p, size_t i, u8 *to, struct err *e)
{
	const struct unpack_frame *fr = &p->index.frames[i];
	struct unpacker *u scoped(unpacker_close) = NULL;
	size_t want = (size_t)(frame_end(p, i) - fr->off), n = 0;
	bool cut = p->index.cut && i + 1 == p->index.n_frames;
	int r = unpacker_open(&u, p->unpacker, &p->in, fr->at, fr->at + fr->len, e);

	if (!r)
		r = unpacker_read(u, to, want + !cut, &n, e);
	p->odd_size = !r && n != want;
	if (p->odd_size)
		r = err_at(e, ERR_INPUT, fr->at, "%s of the expected %zu bytes %s out of the %s frame",
			   n > want ? "more" : "less", want, "came", p->unpacker->name);
	return r;
}

static struct packed_slot *oldest_slot(struct packed *p)
{
	struct packed_slot *s = p->slots;

	for (size_t i = 1; i < p->n_slots; i++)
		if (p->slots[i].used < s->used)
			s = &p->slots[i];
	return s;
}

/* Frame @i in memory, unpacked now or before; good until the next call. */
static int frame_get(struct packed *p, size_t i, const u8 **data, struct err *e)
{
	struct packed_slot *s;
	int r;

	for (s = p->slots; s < p->slots + p->n_slots; s++)
		if (s->used && s->frame == i)
			goto found;
	s = oldest_slot(p);
	s->used = 0;
	if (!s->data)
		s->data = malloc((size_t)p->index.largest + 1);
	if (!s->data)
		return err_set(e, -ENOMEM, "%llu bytes for a frame", (unsigned long long)p->index.largest);
	r = frame_unpack(p, i, s->data, e);
	if (r)
		return r;
	s->frame = i;
found:
	s->used = ++p->clock;
	*data = s->data;
	return 0;
}

/*
 * Frame @i did not unpack as its index says.  1: that is the fault of a seek table,
 * which from here on is not used; the core keeps the size that it was opened with.
 */
static int check_table(struct core_file *f, size_t i, struct err *e)
{
	struct packed *p = f->priv;
	const struct unpack_frame *fr = &p->index.frames[i];
	u64 size = p->index.size;
	int r;

	if (!p->index.by_table)
		return 0;
	r = p->odd_size ? 0 : p->unpacker->agrees(&p->in, fr, frame_end(p, i) - fr->off, e);
	if (r)
		return min(r, 0);
	unpack_bad_table(&p->info.table, fr->at);
	p->info.n_bad = 0;
	unpack_index_fini(&p->index);
	p->index = (struct unpack_index){ .has_size = true, .size = size };
	r = packed_start_spool(f, e);
	return r ? r : 1;
}

static int frames_read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct packed *p = f->priv;
	size_t got = 0;

	p->in.cancel = f->cancel;
	len = off < f->size ? (size_t)min((u64)len, f->size - off) : 0;
	while (got < len) {
		size_t i = frame_of(p, off + got), part;
		u64 start = p->index.frames[i].off;
		struct err why = { 0 };
		const u8 *data;
		int r = frame_get(p, i, &data, &why);

		if (unpack_is_fault(r)) {
			int table_bad = check_table(f, i, e);

			if (table_bad)
				return table_bad < 0 ? table_bad : f->ops->read_at(f, off, buf, len, n, e);
			p->info.good_to = f->bad_is_zero ? p->info.good_to : min(p->info.good_to, start);
		}
		if (r && !(f->bad_is_zero && unpack_is_fault(r)))
			return unpack_err(e, &why);
		part = (size_t)min((u64)(len - got), frame_end(p, i) - (off + got));
		if (r)
			memset((u8 *)buf + got, 0, part);
		else
			memcpy((u8 *)buf + got, data + (off + got - start), part);
		got += part;
	}
	*n = got;
	return 0;
}

static int add_bad(struct packed *p, size_t i, struct err *e)
{
	struct core_part *last = p->info.n_bad ? &p->bad[p->info.n_bad - 1] : NULL;
	struct core_part new = { .start = p->index.frames[i].off, .end = frame_end(p, i) };
	int r;

	if (last && last->end == new.start) {
		last->end = new.end;
		return 0;
	}
	r = array_grow((void **)&p->bad, p->info.n_bad, &p->bad_cap, sizeof(*p->bad), "unpack", e);
	p->info.bad = p->bad;
	if (!r)
		p->bad[p->info.n_bad++] = new;
	return r;
}

static int bad_frame(struct packed *p, size_t i, const struct err *why, struct err *e)
{
	int r = packed_fault(p, why, e);

	return r ? r : add_bad(p, i, e);
}

static int frames_verify(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;
	int r = 0;

	p->in.cancel = f->cancel;
	for (size_t i = 0; !r && i < p->index.n_frames; i++) {
		struct err why = { 0 };
		const u8 *data;

		r = packed_charge(p, frame_end(p, i), 0, e);
		if (r)
			return r;
		r = frame_get(p, i, &data, &why);
		if (unpack_is_fault(r)) {
			int table_bad = check_table(f, i, e);

			if (table_bad)
				return table_bad < 0 ? table_bad : f->ops->verify(f, e);
		}
		if (r)
			r = unpack_is_fault(r) ? bad_frame(p, i, &why, e) : unpack_err(e, &why);
	}
	return r;
}

static const struct core_file_ops frames_ops = {
	.name = "frames",
	.read_at = frames_read_at,
	.verify = frames_verify,
	.close = packed_close,
};

int packed_start_frames(struct core_file *f, struct err *e)
{
	struct packed *p = f->priv;

	(void)e;
	p->n_slots = (size_t)min((u64)PACKED_SLOTS_MAX, PACKED_SLOTS_BYTES / (p->index.largest + 1));
	p->n_slots = max(p->n_slots, (size_t)1);
	f->size = p->index.size;
	f->ops = &frames_ops;
	return 0;
}
