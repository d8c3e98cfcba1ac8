#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/precopy_priv.h"
#include "elf/note.h"

/* ---- what is to be zero again */

struct extent {
	u64 off;
	u64 len;
};

struct extents {
	size_t n;
	struct extent v[];
};

static int zero_output(struct writer *w, void *arg, struct err *e)
{
	const struct extents *x = arg;
	int r = 0;

	for (size_t i = 0; !r && i < x->n; i++)
		r = writer_zero(w, x->v[i].off, x->v[i].len, e);
	return r;
}

static int clear(struct dump *d, const struct extent *v, size_t n, struct err *e)
{
	struct extents *x = malloc(sizeof(*x) + n * sizeof(*v));
	void *arg = x;
	int r;

	if (!x)
		return err_set(e, -ENOMEM, "list of pages that are gone");
	x->n = n;
	memcpy(x->v, v, n * sizeof(*v));
	r = write_queue_call(&d->queue, zero_output, &arg, e);
	free(arg);
	return r;
}

/* ---- the stop */

struct place *precopy_place(const struct dump *d, u64 start, u64 end)
{
	struct place *p = d->pre.on ? places_find(&d->pre.places, start, end) : NULL;

	return p && p->watched ? p : NULL;
}

/* Pages [@from, @to) have no content. */
static int note_lost(struct place *p, u64 from, u64 to, struct err *e)
{
	u64 start, end;
	int r = 0;

	pageset_remove(&p->rest, from, to);
	for (; !r && pageset_next(&p->stored, from, to, &start, &end); from = end)
		r = pageset_add(&p->lost, start, end, e);
	return r;
}

/* Pages [@from, @to) are in the rest unless they are stored. */
static int note_unstored(struct place *p, u64 from, u64 to, struct err *e)
{
	u64 start, end;
	int r = 0;

	while (!r && from < to) {
		if (!pageset_next(&p->stored, from, to, &start, &end))
			start = end = to;
		r = pageset_add(&p->rest, from, start, e);
		from = end;
	}
	return r;
}

static int on_content(const struct written_run *run, void *arg, struct err *e)
{
	struct look *l = arg;
	u64 from = place_page_of(l->d, l->place, run->start), to = place_page_of(l->d, l->place, run->end);
	int r = run->guard ? missing_add(&l->d->report->guard, run->start, run->end, TAGCORE_GUARD, e) : 0;

	/* Without content, as what is not there: of the gap that the next run ends. */
	if (r || run->zero || run->guard)
		return r;
	r = note_lost(l->place, l->at, from, e);
	if (r)
		return r;
	l->at = to;
	return run->written ? pageset_add(&l->place->rest, from, to, e) : note_unstored(l->place, from, to, e);
}

static int look_for_rest(struct dump *d, struct err *e)
{
	u64 begin = now_ns();
	int r = 0;

	for (size_t i = 0; !r && i < d->pre.places.n; i++) {
		struct place *p = &d->pre.places.v[i];
		struct look l = { .d = d, .place = p };

		if (!p->watched)
			continue;
		r = written_scan(&d->pre.written, p->start, p->end, false, on_content, &l, e);
		if (!r)
			r = note_lost(p, l.at, place_page_of(d, p, p->end), e);
	}
	d->pre.scan_ns = now_ns() - begin;
	return r;
}

/* What the plan leaves out by now (MADV_DONTDUMP) must not be in the file, though nothing in it says where. */
static int forget_unplanned(struct dump *d, struct err *e)
{
	size_t k = 0;
	int r = 0;

	for (size_t i = 0; !r && i < d->pre.places.n; i++) {
		struct place *p = &d->pre.places.v[i];
		u64 at = p->start;

		for (; k < d->n_segs && d->segs[k].vaddr < p->end; k++) {
			const struct segment *s = &d->segs[k];

			if (s->type != PT_LOAD || s->vaddr < p->start || !s->filesz)
				continue;
			if (p->watched)
				r = note_lost(p, place_page_of(d, p, at), place_page_of(d, p, s->vaddr), e);
			if (r)
				return r;
			at = min(s->vaddr + s->filesz, p->end);
		}
		if (p->watched)
			r = note_lost(p, place_page_of(d, p, at), place_page_of(d, p, p->end), e);
	}
	return r;
}

/* Another program, or one that has changed so much that there is no room for its headers. */
static int begin_anew(struct dump *d, struct err *e)
{
	u64 size = d->layout.size;
	int r;

	d->pre.on = false;
	d->pre.anew = true;
	r = dump_layout(d, d->notes.len, e);
	return r ? r : clear(d, &(struct extent){ 0, size }, 1, e);
}

int precopy_stopped(struct dump *d, struct err *e)
{
	int r = d->target.execed ? ERR_LIMIT : dump_layout(d, d->notes.len, e);

	if (r == ERR_LIMIT)
		return begin_anew(d, e);
	if (!r)
		r = look_for_rest(d, e);
	if (!r)
		r = forget_unplanned(d, e);
	d->report->rest = precopy_rest(d);
	return r;
}

int precopy_clear_lost(struct dump *d, struct err *e)
{
	struct extent *v auto_free = NULL;
	size_t n = 0, cap = 0;
	int r = 0;

	for (size_t i = 0; d->pre.on && i < d->pre.places.n; i++) {
		struct place *p = &d->pre.places.v[i];
		u64 from, to;

		for (u64 at = 0; p->lost.count && pageset_next(&p->lost, at, p->lost.n_pages, &from, &to); at = to) {
			r = array_grow((void **)&v, n, &cap, sizeof(*v), "list of pages that are gone", e);
			if (r)
				return r;
			v[n++] = (struct extent){ p->off + from * d->page_size, (to - from) * d->page_size };
		}
	}
	return n ? clear(d, v, n, e) : 0;
}
