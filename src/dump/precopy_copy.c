#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/precopy_priv.h"

enum { PIECE = 1 << 20 };	/* bytes */

/* @n bytes of the room in the queue are those at @start. */
static int put_pages(struct dump *d, struct place *p, u64 start, u64 n, struct err *e)
{
	u64 from = place_page_of(d, p, start), to = place_page_of(d, p, start + n), first, last;
	int r;

	d->queue.dense = pageset_next(&p->stored, from, to, &first, &last);
	r = write_queue_emit(&d->queue, n, e);
	d->queue.dense = false;
	if (!r)
		r = pageset_add(&p->stored, from, to, e);
	pageset_remove(&p->rest, from, to);
	d->pre.copied += n;
	return r;
}

/* A page that cannot be read stays in the rest: at the stop it is there, or is missing. */
static int skip_page(struct dump *d, u64 start, bool stopped, struct err *e)
{
	int r = stopped ? dump_add_missing(d, start, start + d->page_size, "cannot be read", e) : 0;

	return r ? r : write_queue_skip(&d->queue, d->page_size, e);
}

static int copy_pages(struct dump *d, struct place *p, u64 start, u64 end, bool stopped, struct err *e)
{
	while (start < end) {
		size_t want = 0, n = 0;
		int r = dump_read_room(d, start, end, &want, &n, e);

		if (!r && n)
			r = put_pages(d, p, start, n, e);
		start += n;
		if (!r && n < want) {
			r = skip_page(d, start, stopped, e);
			start += d->page_size;
		}
		if (r)
			return r;
	}
	return 0;
}

static int copy_at_place(struct dump *d, struct place *p, u64 start, u64 end, bool stopped, struct err *e)
{
	int r = write_queue_skip_to(&d->queue, p->off + (start - p->start), e);

	return r ? r : copy_pages(d, p, start, end, stopped, e);
}

int precopy_copy_rest(struct dump *d, struct place *p, u64 start, u64 end, struct err *e)
{
	u64 at = place_page_of(d, p, start), last = place_page_of(d, p, end), from, to;
	int r = 0;

	for (; !r && pageset_next(&p->rest, at, last, &from, &to); at = to)
		r = copy_at_place(d, p, place_addr_of(d, p, from), place_addr_of(d, p, to), true, e);
	return r;
}

static int on_still_there(const struct written_run *run, void *arg, struct err *e)
{
	const struct look *l = arg;

	return run->zero ? 0 : copy_at_place(l->d, l->place, run->start, run->end, false, e);
}

/*
 * While it runs, pages may have gone since they were seen; to read those would give them to the process anew, which
 * must not grow.  So each piece is looked at once more; what is gone stays in the rest.
 */
int precopy_copy_running(struct dump *d, struct place *p, u64 start, u64 end, struct err *e)
{
	const u64 piece = PIECE / d->page_size;
	u64 at = place_page_of(d, p, start), last = place_page_of(d, p, end), from, to;
	int r = 0;

	for (; !r && pageset_next(&p->rest, at, last, &from, &to); at = to) {
		struct look l = { .d = d, .place = p };

		to = min(to, from + piece);
		r = written_scan(&d->pre.written, place_addr_of(d, p, from), place_addr_of(d, p, to), false, on_still_there, &l, e);
	}
	return r;
}
