#include <errno.h>
#include <stdlib.h>

#include "base/uapi.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/precopy_priv.h"

enum {
	ROUNDS_MAX = 16,
	PIECE = 32 << 20,	/* bytes that are looked at, and protected, at once */
	HEAD_ROOM = 1 << 20,	/* bytes beyond what headers and notes take now: threads and areas that are to come */
};

/* ---- what is watched */

/* Private memory of its own: in the other all writes are not seen, or pages that are not mapped in have content, too. */
static bool can_watch(const struct area *a, const struct plan_entry *p)
{
	const u32 no = VM_SHARED | VM_IO | VM_PFNMAP | VM_HUGETLB | VM_SHADOW_STACK | VM_UFFD_WAITS | VM_UFFD_WP;

	return !(a->vma->flags & no) && !vma_is_special(a->vma) && p->action == PLAN_TOUCHED;
}

static int watch(struct dump *d, size_t i, struct err *e)
{
	const struct vma *v = d->areas.v[i].vma;
	struct place *p = places_find(&d->pre.places, v->start, v->end);
	u64 pages = vma_len(v) / d->page_size;
	int r;

	if (!p || !can_watch(&d->areas.v[i], &d->plan.v[i]) || !written_watch(&d->pre.written, v->start, v->end))
		return 0;
	p->watched = true;
	r = pageset_init(&p->stored, pages, e);
	if (!r)
		r = pageset_init(&p->rest, pages, e);
	return r ? r : pageset_init(&p->lost, pages, e);
}

/* An output of which the first bytes are kept for headers and notes, as many as they may take. */
static int make_places(struct dump *d, struct err *e)
{
	u64 head = 2 * (d->notes.cap + d->areas.n * sizeof(Elf64_Phdr)) + HEAD_ROOM;
	int r = dump_layout(d, head, e);

	if (!r)
		r = places_make(&d->pre.places, d, e);
	for (size_t i = 0; !r && i < d->areas.n; i++)
		r = watch(d, i, e);
	return r;
}

/* Without any, rounds would find nothing, and the stop all. */
static int check_watched(const struct dump *d, struct err *e)
{
	bool could = false;

	for (size_t i = 0; i < d->pre.places.n; i++)
		if (d->pre.places.v[i].watched)
			return 0;
	for (size_t i = 0; i < d->areas.n; i++)
		could |= can_watch(&d->areas.v[i], &d->plan.v[i]);
	return err_set(e, ERR_UNSUPPORTED, "no pre-copy: %s", could ? "its memory is watched by another userfaultfd" :
		       "it has no private memory to be watched");
}

/* ---- rounds */

static int on_written(const struct written_run *run, void *arg, struct err *e)
{
	const struct look *l = arg;
	u64 from = place_page_of(l->d, l->place, run->start), to = place_page_of(l->d, l->place, run->end);

	if (!run->zero)
		return pageset_add(&l->place->rest, from, to, e);
	pageset_remove(&l->place->rest, from, to);
	return 0;
}

static u64 stored_bytes(const struct dump *d)
{
	u64 pages = 0;

	for (size_t i = 0; i < d->pre.places.n; i++)
		pages += d->pre.places.v[i].stored.count;
	return pages * d->page_size;
}

static int rewind_output(struct writer *w, void *stored, struct err *e)
{
	/* What is rewritten counts once for the limit. */
	w->written = *(u64 *)stored;
	return writer_rewind(w, e);
}

int precopy_rewind(struct dump *d, struct err *e)
{
	u64 *stored = malloc(sizeof(*stored));
	void *arg = stored;
	int r;

	if (!stored)
		return err_set(e, -ENOMEM, "rewind the output");
	*stored = stored_bytes(d);
	r = write_queue_call(&d->queue, rewind_output, &arg, e);
	free(arg);
	d->queue.off = 0;
	return r;
}

/*
 * What has been written to is protected, and copied at once, a piece of memory after the other: the address space is
 * locked while page tables change, and a hypervisor may have to follow up; in between the process runs.
 */
static int copy_piece(struct dump *d, struct place *p, u64 start, u64 end, u64 *pages, struct err *e)
{
	struct look l = { .d = d, .place = p };
	u64 begin = now_ns(), had = p->rest.count;
	int r = written_scan(&d->pre.written, start, end, true, on_written, &l, e);

	d->pre.scan_ns += now_ns() - begin;
	*pages += max(p->rest.count, had) - had;
	begin = now_ns();
	if (!r)
		r = precopy_copy_running(d, p, start, end, e);
	d->pre.copy_ns += now_ns() - begin;
	return r;
}

static int copy_place(struct dump *d, struct place *p, u64 *pages, struct err *e)
{
	int r = 0;

	for (u64 at = p->start, end; !r && at < p->end; at = end) {
		end = min(align_down(at, (u64)PIECE) + PIECE, p->end);
		r = copy_piece(d, p, at, end, pages, e);
	}
	return r;
}

/* What the stop will take, if @bytes are left: a look at all pages, the rest, and some for each thread. */
static bool would_fit(const struct dump *d, u64 bytes)
{
	u64 limit = d->opts->max_pause_us * 1000, mine = 1000 * 1000 + d->pre.threads * 30 * 1000ull;
	double rate = d->pre.copied ? (double)d->pre.copy_ns / (double)d->pre.copied : 1;

	return (double)(mine + d->pre.scan_ns) + (double)bytes * rate < (double)limit * 0.6;
}

/* What has been written to since the last one is copied.  *bytes: how much that was. */
static int one_round(struct dump *d, u64 *bytes, struct err *e)
{
	u64 pages = 0, begin;
	int r = precopy_rewind(d, e);

	d->pre.scan_ns = 0;
	for (size_t i = 0; !r && i < d->pre.places.n; i++)
		if (d->pre.places.v[i].watched)
			r = copy_place(d, &d->pre.places.v[i], &pages, e);
	begin = now_ns();
	if (!r)
		r = write_queue_flush(&d->queue, e);
	d->pre.copy_ns += now_ns() - begin;
	*bytes = pages * d->page_size;
	d->report->rounds++;
	return r;
}

/* Until what is left for the next one fits the limit, or does not shrink any more. */
static int copy_rounds(struct dump *d, struct err *e)
{
	u64 before = UINT64_MAX, rest = UINT64_MAX;
	unsigned stuck = 0;
	int r = 0;

	for (unsigned i = 0; !r && i < ROUNDS_MAX && stuck < 2; i++) {
		r = one_round(d, &rest, e);
		if (i && (!rest || would_fit(d, rest)))
			break;
		stuck += i && rest > before / 10 * 9;
		before = rest;
	}
	return r;
}

/* The areas as they are now: the list that a look at the stopped target will find to be right, if all is well. */
static int look_again(struct dump *d, struct err *e)
{
	int r = areas_collect_again(&d->target, &d->areas, e);

	if (!r)
		precopy_hide(d);
	return r;
}

/* That look takes its time, so there is one more round after it. */
static int copy_all(struct dump *d, struct err *e)
{
	u64 limit_ns = d->queue.limit_ns, rest;
	int r;

	/* An output that stands still holds nobody up. */
	d->queue.limit_ns = 0;
	r = copy_rounds(d, e);
	if (!r)
		r = look_again(d, e);
	if (!r)
		r = one_round(d, &rest, e);
	d->queue.limit_ns = limit_ns;
	return r;
}

int precopy_run(struct dump *d, struct err *e)
{
	struct proc_status st;
	int r;

	r = written_open(&d->pre.written, &d->target, &d->areas, e);
	if (!r)
		r = proc_status(d->target.pid, d->target.reader, &st, e);
	if (r)
		return r;
	d->pre.threads = st.threads;
	d->pre.unwatch_ns = written_unwatch_ns();
	r = make_places(d, e);
	if (!r)
		r = check_watched(d, e);
	if (!r)
		r = copy_all(d, e);
	d->pre.on = !r;
	d->report->precopied = d->pre.copied;
	return r;
}

void precopy_hide(struct dump *d)
{
	for (size_t i = 0; i < d->areas.list.n; i++) {
		struct vma *v = &d->areas.list.v[i];

		if (v->flags & VM_UFFD_WP && places_watch(&d->pre.places, v->start, v->end))
			v->flags &= ~(u32)VM_UFFD_WP;
	}
}

u64 precopy_rest(const struct dump *d)
{
	u64 pages = 0;

	for (size_t i = 0; i < d->pre.places.n; i++)
		pages += d->pre.places.v[i].rest.count;
	return pages * d->page_size;
}

void precopy_close(struct dump *d)
{
	if (d->pre.written.uffd >= 0)
		precopy_unwatch(d);
	written_close(&d->pre.written);
	places_fini(&d->pre.places);
	d->pre.on = false;
}
