#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "repair/overlay.h"

void overlay_init(struct overlay *o, struct core_file *base, u64 base_size)
{
	*o = (struct overlay){ .base = base, .base_size = base_size, .size = base_size };
}

void overlay_fini(struct overlay *o)
{
	free(o->patches);
	buf_fini(&o->data);
	*o = (struct overlay){ 0 };
}

int overlay_put(struct overlay *o, u64 off, const void *p, size_t len, struct err *e)
{
	u64 end;
	int r;

	if (add_overflow(off, (u64)len, &end) || end > INT64_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the output would be larger than a file can be");
	r = array_grow((void **)&o->patches, o->n, &o->cap, sizeof(*o->patches), "repairs", e);
	if (r)
		return r;
	o->patches[o->n] = (struct overlay_patch){ .off = off, .len = len, .at = o->data.len };
	r = buf_add(&o->data, p, len, e);
	o->n += !r;
	return r;
}

/* At the same offset, in the order in which they were put: earlier bytes are earlier in the buffer. */
static int by_off(const void *a, const void *b)
{
	const struct overlay_patch *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_age(const void *a, const void *b)
{
	const struct overlay_patch *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Patches [0, n) of @p overlap in a chain: one takes their place, younger bytes over older ones. */
static int join(struct overlay *o, struct overlay_patch *p, size_t n, u64 end, struct err *e)
{
	struct overlay_patch all = { .off = p[0].off, .len = (size_t)(end - p[0].off), .at = o->data.len };
	int r = buf_zero(&o->data, all.len, e);

	if (r)
		return r;
	qsort(p, n, sizeof(*p), by_age);
	for (size_t i = 0; i < n; i++)
		memcpy(o->data.p + all.at + (size_t)(p[i].off - all.off), o->data.p + p[i].at, p[i].len);
	p[0] = all;
	return 0;
}

int overlay_commit(struct overlay *o, struct err *e)
{
	size_t kept = 0, next;
	int r = 0;

	if (o->committed == o->n)
		return 0;
	qsort(o->patches, o->n, sizeof(*o->patches), by_off);
	for (size_t i = 0; !r && i < o->n; i = next) {
		u64 end = o->patches[i].off + o->patches[i].len;

		for (next = i + 1; next < o->n && o->patches[next].off < end; next++)
			end = max(end, o->patches[next].off + o->patches[next].len);
		if (next > i + 1)
			r = join(o, o->patches + i, next - i, end, e);
		o->patches[kept++] = o->patches[i];
		o->size = max(o->size, end);
	}
	o->n = o->committed = kept;
	return r;
}

/* The first visible patch that ends above @off. */
static size_t first_above(const struct overlay *o, u64 off)
{
	return search_first(i, 0, o->committed, o->patches[i].off + o->patches[i].len > off);
}

static void apply_patches(const struct overlay *o, u64 off, u8 *to, size_t len)
{
	for (size_t i = first_above(o, off); i < o->committed && o->patches[i].off < off + len; i++) {
		const struct overlay_patch *p = &o->patches[i];
		u64 from = max(off, p->off), end = min(off + len, p->off + p->len);

		memcpy(to + (size_t)(from - off), o->data.p + p->at + (size_t)(from - p->off), (size_t)(end - from));
	}
}

static int read_at(struct core_file *f, u64 off, void *buf, size_t len, size_t *n, struct err *e)
{
	struct overlay *o = f->priv;
	size_t all = off < o->size ? (size_t)min((u64)len, o->size - off) : 0;
	size_t below = off < o->base_size ? (size_t)min((u64)all, o->base_size - off) : 0;
	int r = below ? core_file_read(o->base, off, buf, below, e) : 0;

	if (r)
		return r;
	memset((u8 *)buf + below, 0, all - below);
	apply_patches(o, off, buf, all);
	*n = all;
	return 0;
}

static u64 next_data(struct core_file *f, u64 off)
{
	struct overlay *o = f->priv;
	u64 data = off < o->base_size ? core_file_next_data(o->base, off) : o->size;
	size_t i = first_above(o, off);

	if (data >= o->base_size)
		data = o->size;
	return i < o->committed ? min(data, max(off, o->patches[i].off)) : data;
}

static void close_nothing(struct core_file *f)
{
	(void)f;
}

static const struct core_file_ops overlay_ops = {
	.name = "repaired",
	.read_at = read_at,
	.next_data = next_data,
	.close = close_nothing,
};

void overlay_file(struct overlay *o, struct core_file *out)
{
	*out = (struct core_file){ .ops = &overlay_ops, .priv = o, .size = o->size };
}
