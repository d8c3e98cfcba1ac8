#include "base/scope.h"
#include "dump/pass.h"
#include "live/snapshot.h"

/* Whether an area is copied in that pass. */
static bool is_in(enum pass which, const struct vma *v)
{
	return which == PASS_ALL || snapshot_lacks(v) == (which == PASS_LACKED);
}

static int put_headers(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = layout_put_headers(d->target.arch, &d->layout, d->segs, d->n_segs, &b, e);

	if (!r)
		r = write_queue_give(&d->queue, &b, e);
	if (!r)
		r = write_queue_skip_to(&d->queue, d->segs[0].off, e);
	return r ? r : write_queue_give(&d->queue, &d->notes, e);
}

/* *seg: the next program header. */
static int copy_areas(struct dump *d, enum pass which, size_t *seg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->areas.n; i++) {
		const struct segment *s = &d->segs[*seg];

		*seg += dump_has_segment(d, i);
		if (d->plan.v[i].action == PLAN_OMIT || !is_in(which, d->areas.v[i].vma))
			continue;
		r = write_queue_skip_to(&d->queue, s->off, e);
		if (!r)
			r = dump_copy_area(d, &d->areas.v[i], &d->plan.v[i], e);
	}
	return r;
}

/* Behind all memory; the tag segments follow the areas' in the same order. */
static int copy_all_tags(struct dump *d, enum pass which, size_t seg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->areas.n; i++) {
		const struct segment *s = &d->segs[seg];

		if (!vma_is_mte(d->areas.v[i].vma) || !dump_has_segment(d, i))
			continue;
		seg++;
		if (d->plan.v[i].action == PLAN_OMIT || !is_in(which, d->areas.v[i].vma))
			continue;
		r = write_queue_skip_to(&d->queue, s->off, e);
		if (!r)
			r = dump_copy_tags(d, &d->areas.v[i], &d->plan.v[i], e);
	}
	return r;
}

int pass_copy(struct dump *d, enum pass which, struct err *e)
{
	size_t seg = 1;
	int r = which == PASS_LACKED ? 0 : put_headers(d, e);

	if (!r)
		r = copy_areas(d, which, &seg, e);
	return r ? r : copy_all_tags(d, which, seg, e);
}

bool pass_is_empty(const struct dump *d, enum pass which)
{
	for (size_t i = 0; i < d->areas.n; i++)
		if (d->plan.v[i].action != PLAN_OMIT && is_in(which, d->areas.v[i].vma))
			return false;
	return true;
}
