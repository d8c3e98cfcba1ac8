#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "dump/backing.h"
#include "dump/ranges.h"

/* A program header and a line of the AREAS note take some 200 bytes; a hole of a file takes none. */
enum { GAP_MAX = 64 << 10 };

int ranges_add(struct dump *d, u64 start, u64 end, struct err *e)
{
	struct plan_ranges *w = &d->ranges;
	int r;

	start = align_down(start, d->page_size);
	end = align_up(min(end, UINT64_MAX - d->page_size), d->page_size);
	if (start >= end)
		return 0;
	r = array_grow((void **)&w->v, w->n, &d->ranges_cap, sizeof(*w->v), "stacks", e);
	if (!r)
		w->v[w->n++] = (struct plan_range){ start, end };
	return r;
}

size_t dump_area_index(const struct dump *d, u64 addr)
{
	return search_first(i, 0, d->areas.n, d->areas.v[i].vma->end > addr);
}

const struct vma *dump_area_at(const struct dump *d, u64 addr)
{
	size_t i = dump_area_index(d, addr);

	return i < d->areas.n && d->areas.v[i].vma->start <= addr ? d->areas.v[i].vma : NULL;
}

int ranges_add_memory(struct dump *d, u64 start, u64 end, struct err *e)
{
	const struct vma *v = dump_area_at(d, start);

	if (!v || vma_is_special(v) || v->flags & (VM_IO | VM_PFNMAP))
		return 0;
	return ranges_add(d, start, min(end, v->end), e);
}

/* Reading must not bring in a page, nor wait for the monitor of a userfaultfd. */
static bool is_in_memory(const struct dump *d, const struct page_run *run)
{
	const struct vma *v = dump_area_at(d, run->start);

	return run->flags & (PAGE_PRESENT | PAGE_SWAPPED) && !(v && page_may_wait(v, run));
}

/* It is of a file that may not answer, should it be needed after all. */
static bool may_wait(const struct dump *d, const struct page_run *run)
{
	size_t i = dump_area_index(d, run->start);

	return i < d->areas.n && d->areas.v[i].vma->start <= run->start &&
	       backing_may_wait(&d->target, &d->areas.v[i], run->flags);
}

/* The next run in one area; false at the end. */
static bool next_in_memory(struct dump *d, u64 start, u64 end, struct page_run *run)
{
	struct err ignored;

	while (d->pages.ops->next(&d->pages, start, end, run, &ignored) > 0) {
		const struct vma *v = dump_area_at(d, run->start);

		if (v)
			run->end = min(run->end, v->end);
		/* Stacks and such are in no file but by chance. */
		if (is_in_memory(d, run) && !may_wait(d, run))
			return true;
		start = run->end;
	}
	return false;
}

/* The length of the first stretch, of any number of runs. */
static size_t next_stretch(struct dump *d, u64 *start, u64 end, size_t size)
{
	struct page_run run;
	size_t len = 0;

	for (u64 at = *start; len < size && next_in_memory(d, at, end, &run); at = run.end) {
		if (!len)
			*start = run.start;
		else if (run.start != *start + len)
			break;
		len = (size_t)min((u64)size, run.end - *start);
	}
	return len;
}

size_t dump_peek_next(struct dump *d, u64 *start, u64 end, u8 *buf, size_t size)
{
	struct err ignored;
	size_t len, n;

	/* A page that is there, and cannot be read, is passed over. */
	for (; (len = next_stretch(d, start, end, size)); *start += d->page_size) {
		n = 0;
		if (!target_read(&d->target, *start, buf, len, &n, &ignored) && n >= d->page_size)
			return align_down(n, (size_t)d->page_size);
	}
	return 0;
}

int dump_peek_init(struct dump *d, struct err *e)
{
	d->peeked.bytes = malloc(PEEK_PAGES * (size_t)d->page_size);
	for (size_t i = 0; i < PEEK_PAGES; i++)
		d->peeked.page[i] = UINT64_MAX;
	return d->peeked.bytes ? 0 : err_set(e, -ENOMEM, "%d pages", PEEK_PAGES);
}

/* The target is stopped, so a page that was read is kept: many threads' vectors are in one page. */
static const u8 *peek_page(struct dump *d, u64 page)
{
	struct peeked *p = &d->peeked;
	size_t size = (size_t)d->page_size, n = 0;
	struct page_run run;
	struct err e;
	u8 *bytes;

	for (size_t i = 0; i < PEEK_PAGES; i++)
		if (p->page[i] == page)
			return p->bytes + i * size;
	bytes = p->bytes + p->next * size;
	p->page[p->next] = UINT64_MAX;
	if (d->pages.ops->next(&d->pages, page, page + size, &run, &e) <= 0 || !is_in_memory(d, &run) ||
	    (may_wait(d, &run) ? files_read_memory : target_read)(&d->target, page, bytes, size, &n, &e) || n < size)
		return NULL;
	p->page[p->next] = page;
	p->next = (p->next + 1) % PEEK_PAGES;
	return bytes;
}

bool dump_peek(struct dump *d, u64 addr, void *buf, size_t len)
{
	u64 end;

	if (add_overflow(addr, len, &end) || end > UINT64_MAX - d->page_size)
		return false;
	for (size_t done = 0, n; done < len; done += n) {
		u64 at = addr + done, page = align_down(at, d->page_size);
		const u8 *bytes = peek_page(d, page);

		if (!bytes)
			return false;
		n = (size_t)min((u64)(len - done), page + d->page_size - at);
		memcpy((u8 *)buf + done, bytes + (at - page), n);
	}
	return true;
}

/* ---- copies: pages that are not as the file has them, or as untouched memory is */

struct copies {
	struct dump *d;
	u64 start, end;		/* the range that the next run may continue */
};

static int flush_copies(struct copies *c, struct err *e)
{
	return c->start < c->end ? ranges_add(c->d, c->start, c->end, e) : 0;
}

/* Pages in between that a monitor has not filled in cannot be read, and are not needed. */
static u64 gap_max(const struct vma *v)
{
	return v->flags & VM_UFFD_MISSING ? 0 : GAP_MAX;
}

static int on_copy(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	struct copies *c = arg;
	int r = 0;

	if (run->flags & (PAGE_FILE | PAGE_ZERO | PAGE_GUARD))
		return 0;
	if (run->start - c->end > gap_max(v)) {
		r = flush_copies(c, e);
		c->start = run->start;
	}
	c->end = run->end;
	return r;
}

static const struct page_walk_ops copies_walk_ops = { .run = on_copy };

int ranges_add_copies(struct dump *d, const struct vma *v, u64 start, u64 end, bool whole, struct err *e)
{
	struct copies c = { .d = d, .start = start, .end = start };
	int r;

	/* No run is within a gap of it. */
	if (!whole)
		c.start = c.end = 0;
	r = page_walk_vma(&d->pages, v, start, end, &copies_walk_ops, &c, e);
	if (!r && whole && end - c.end <= gap_max(v))
		c.end = end;
	return r ? r : flush_copies(&c, e);
}

/* ---- */

static int by_start(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void ranges_merge(struct dump *d)
{
	struct plan_ranges *w = &d->ranges;
	size_t n = 0;

	if (w->n)
		qsort(w->v, w->n, sizeof(*w->v), by_start);
	for (size_t i = 0; i < w->n; i++) {
		if (n && w->v[i].start <= w->v[n - 1].end)
			w->v[n - 1].end = max(w->v[n - 1].end, w->v[i].end);
		else
			w->v[n++] = w->v[i];
	}
	w->n = n;
}
