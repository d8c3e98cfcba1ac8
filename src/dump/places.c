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

struct place *places_find(const struct places *p, u64 start, u64 end)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (p->v[mid].end <= start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->n && p->v[low].start <= start && end <= p->v[low].end ? &p->v[low] : NULL;
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
