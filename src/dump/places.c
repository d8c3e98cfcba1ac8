#include <errno.h>
#include <stdlib.h>

#include "base/uapi.h"
#include "dump/dump_priv.h"
#include "dump/places.h"

int places_make(struct places *p, const struct dump *d, struct err *e)
{
	*p = (struct places){ 0 };
	p->v = calloc(d->n_segs, sizeof(*p->v));
	if (!p->v)
		return err_set(e, -ENOMEM, "list of %zu areas", d->n_segs);
	for (size_t i = 0; i < d->n_segs; i++) {
		const struct segment *s = &d->segs[i];

		if (s->type == PT_LOAD && s->filesz)
			p->v[p->n++] = (struct place){ .start = s->vaddr, .end = s->vaddr + s->filesz, .off = s->off };
	}
	return 0;
}

void places_fini(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		pageset_fini(&p->v[i].stored);
		pageset_fini(&p->v[i].rest);
		pageset_fini(&p->v[i].lost);
	}
	free(p->v);
	*p = (struct places){ 0 };
}

/* Of the first place that ends after @addr; p->n: there is none. */
static size_t find_after(const struct places *p, u64 addr)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (p->v[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct place *places_find(const struct places *p, u64 start, u64 end)
{
	size_t i = find_after(p, start);

	return i < p->n && p->v[i].start <= start && end <= p->v[i].end ? &p->v[i] : NULL;
}

bool places_watch(const struct places *p, u64 start, u64 end)
{
	for (size_t i = find_after(p, start); i < p->n && p->v[i].start < end; i++)
		if (p->v[i].watched)
			return true;
	return false;
}

u64 places_end(const struct places *p)
{
	const struct place *last = &p->v[p->n - 1];

	return p->n ? last->off + (last->end - last->start) : 0;
}

void places_assign(const struct places *p, struct dump *d)
{
	for (size_t i = 0; i < d->n_segs; i++) {
		struct segment *s = &d->segs[i];
		const struct place *at = places_find(p, s->vaddr, s->vaddr + s->filesz);

		if (s->type == PT_LOAD && s->filesz && at)
			s->off = at->off + (s->vaddr - at->start);
	}
}
