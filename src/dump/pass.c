#include <elf.h>

#include "base/scope.h"
#include "dump/pass.h"
#include "live/snapshot.h"

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

/* From the spool, where there is one; else it is in its place already. */
static int fetch(struct dump *d, const struct segment *s, struct err *e)
{
	u64 off = s->off, end = s->off + s->filesz;
	size_t room = 0, n = 0;
	int r = 0;

	while (!r && d->spool.fd >= 0 && off < end) {
		u8 *at;

		r = dump_check_cancel(d, e);
		if (!r)
			r = write_queue_room(&d->queue, (size_t)d->page_size, &at, &room, e);
		if (!r)
			r = spool_next(&d->spool, off, end, at, room, &off, &n, e);
		if (r || !n)
			break;
		r = write_queue_skip_to(&d->queue, off, e);
		if (!r)
			r = write_queue_emit(&d->queue, n, e);
		off += n;
	}
	return r;
}

/* Its place was kept for it; its tags go without a word of their own. */
static int leave_out(struct dump *d, size_t i, const struct segment *s, struct err *e)
{
	const struct vma *v = d->areas.v[i].vma;

	return s->type != PT_LOAD ? 0 :
	       dump_add_missing(d, v->start, v->start + s->filesz, "withdrawn by MADV_DONTDUMP while it was saved", e);
}

typedef int copy_fn(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e);

/* What is in segment @s of area @i: its memory, or its tags. */
static int put_segment(struct dump *d, enum pass which, size_t i, const struct segment *s, copy_fn *copy,
		       struct err *e)
{
	bool lacked = snapshot_lacks(&d->areas.v[i]);
	int r;

	if (d->plan.v[i].action == PLAN_OMIT || (which == PASS_LACKED && !lacked))
		return 0;
	if (which == PASS_REST && lacked)
		return fetch(d, s, e);
	if (d->areas.v[i].withdrawn)
		return leave_out(d, i, s, e);
	r = write_queue_skip_to(&d->queue, s->off, e);
	return r ? r : copy(d, &d->areas.v[i], &d->plan.v[i], e);
}

/* Of an area that has been copied before the stop, what has been written to since. */
static int copy_area(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e)
{
	struct place *at = precopy_place(d, a->vma->start, a->vma->end);

	return at ? precopy_copy_rest(d, at, a->vma->start, a->vma->end, e) : dump_copy_area(d, a, p, e);
}

/* Those whose place in the output is in [@from, @to).  *seg: the next program header. */
static int copy_areas(struct dump *d, enum pass which, u64 from, u64 to, size_t *seg, struct err *e)
{
	int r = 0;

	*seg = 1;
	for (size_t i = 0; !r && i < d->areas.n; i++) {
		const struct segment *s = &d->segs[*seg];

		*seg += dump_has_segment(d, i);
		if (s->off >= from && s->off < to)
			r = put_segment(d, which, i, s, copy_area, e);
	}
	return r;
}

/* After all memory; the tag segments follow the areas' in the same order. */
static int copy_all_tags(struct dump *d, enum pass which, size_t seg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->areas.n; i++)
		if (vma_is_mte(d->areas.v[i].vma) && dump_has_segment(d, i))
			r = put_segment(d, which, i, &d->segs[seg++], dump_copy_tags, e);
	return r;
}

/* The end of the last area; [vsyscall] is not in user space, and may not be asked for. */
static u64 end_of_memory(const struct areas *areas)
{
	size_t n = areas->n;

	while (n && areas->v[n - 1].vma->end > INT64_MAX)
		n--;
	return n ? areas->v[n - 1].vma->end : 0;
}

int pass_copy(struct dump *d, enum pass which, struct err *e)
{
	u64 placed = d->pre.on ? places_end(&d->pre.places) : UINT64_MAX;
	size_t seg = 1;
	int r = which == PASS_LACKED ? 0 : put_headers(d, e);

	/* It stands still, or is a copy that nobody runs. */
	d->pages.ahead = d->opts->no_stop ? 0 : end_of_memory(&d->areas);
	/* The output goes forward only. */
	if (!r)
		r = copy_areas(d, which, 0, placed, &seg, e);
	if (!r && d->pre.on)
		r = copy_areas(d, which, placed, UINT64_MAX, &seg, e);
	d->pages.ahead = 0;
	return r ? r : copy_all_tags(d, which, seg, e);
}

bool pass_lacks_nothing(const struct dump *d)
{
	for (size_t i = 0; i < d->areas.n; i++)
		if (d->plan.v[i].action != PLAN_OMIT && snapshot_lacks(&d->areas.v[i]))
			return false;
	return true;
}
