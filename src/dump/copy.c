#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"
#include "dump/dump_priv.h"
#include "elf/note.h"
#include "live/uffd.h"
#include "live/vdso.h"

#define PAST_END "past the end of its file"
#define FILE_SILENT "not mapped in, and its file does not answer"
#define UFFD_LOST "not filled in: the content is with a userfaultfd monitor"
#define UFFD_POISONED "poisoned by a userfaultfd monitor"
#define UFFD_PROTECTED "protected against reading by a userfaultfd monitor"

/* One area being copied.  Everything is written in address order. */
struct copy {
	struct dump *d;
	const struct area *area;
	bool from_file;		/* pages that are not mapped have content: it is in the file */
	struct backing file;
	bool uffd;		/* pages that are nowhere have content all the same: a monitor has it */
	bool watched;		/* pages that are there are not read without asking a monitor */
	u32 page_flags;		/* of the run that is being copied */
	const u8 *vdso;		/* the area's content, where it is the kernel's own */
};

int dump_check_cancel(struct dump *d, struct err *e)
{
	const struct dump_opts *o = d->opts;

	if (o->cancel && *o->cancel)
		return err_set(e, ERR_CANCELLED, "cancelled");
	if (o->now)
		__atomic_store_n(&o->now->done, d->queue.emitted, __ATOMIC_RELAXED);
	return 0;
}

int dump_add_missing(struct dump *d, u64 start, u64 end, const char *reason, struct err *e)
{
	return missing_add(&d->report->missing, start, end, reason, e);
}

/* A page of the target that cannot be read costs that page alone. */
static int skip_missing(struct copy *c, u64 start, u64 end, const char *reason, struct err *e)
{
	int r = dump_add_missing(c->d, start, end, reason, e);

	return r ? r : write_queue_skip(&c->d->queue, end - start, e);
}

static u64 file_offset(const struct copy *c, u64 addr)
{
	return c->area->vma->pgoff + (addr - c->area->vma->start);
}

/* A page that should be there, by the page tables, and that neither mem(5) nor ptrace(2) gives. */
static const char *why_unreadable(struct copy *c, u64 addr)
{
	const struct vma *v = c->area->vma;

	if (vma_is_secret(v))
		return "memfd_secret(2): only the process itself can read it";
	if (backing_is_past_end(&c->file, c->d->source, c->area, file_offset(c, addr)))
		return PAST_END;
	/* A failed memory chip leaves an entry as of swap (mm/memory-failure.c: try_to_unmap()). */
	if (c->page_flags & PAGE_SWAPPED)
		return "in swap or failed memory, and cannot be read";
	/* proc_mem.force_override, which see peek_page() in live/target.c. */
	if (!vma_is_accessible(v))
		return "mapped without access, and the kernel refuses to read it";
	return "cannot be read";
}

static int skip_unreadable(struct copy *c, u64 addr, struct err *e)
{
	return skip_missing(c, addr, addr + c->d->page_size, why_unreadable(c, addr), e);
}

/*
 * The rest of the last page of a file is zero; after that the process would get SIGBUS, be it a
 * shared mapping or a private one, whose pages have been taken from it (mm/truncate.c: truncate_pagecache()).
 */
static int skip_past_end(struct copy *c, u64 start, u64 end, struct err *e)
{
	u64 page = c->d->page_size, from = align_up(start, page), to = align_up(end, page);
	/* The gaps that a dynamic linker leaves between a library's segments are its file's, too: nobody may touch them. */
	int r = vma_is_accessible(c->area->vma) && from < to ? dump_add_missing(c->d, from, to, PAST_END, e) : 0;

	return r ? r : write_queue_skip(&c->d->queue, end - start, e);
}

/* Whoever touches it gets SIGSEGV; it has no content. */
static int skip_guard(struct copy *c, u64 start, u64 end, struct err *e)
{
	int r = missing_add(&c->d->report->guard, start, end, TAGCORE_GUARD, e);

	return r ? r : write_queue_skip(&c->d->queue, end - start, e);
}

/*
 * Nothing is there.  That reads as zero, but where userfaultfd hands the first
 * access to a monitor, whoever that is: reading through the target would wait
 * for it, and if it is a thread that we have stopped, until SIGKILL (Linux 6.12,
 * fs/userfaultfd.c: handle_userfault()).
 */
static int copy_nothing(struct copy *c, u64 start, u64 end, struct err *e)
{
	u64 page = c->d->page_size;
	int r = 0;

	/* The end of a file may be within a page. */
	if (c->uffd && start < end)
		r = dump_add_missing(c->d, align_up(start, page), align_up(end, page), UFFD_LOST, e);
	return r ? r : write_queue_skip(&c->d->queue, end - start, e);
}

int dump_read_room(struct dump *d, u64 start, u64 end, size_t *want, size_t *n, struct err *e)
{
	size_t room = 0;
	u8 *at;
	int r = dump_check_cancel(d, e);

	if (!r)
		r = write_queue_room(&d->queue, (size_t)d->page_size, &at, &room, e);
	*want = (size_t)align_down(min(end - start, (u64)room), d->page_size);
	*n = 0;
	if (!r)
		r = target_read(d->source, start, at, *want, n, e);
	*n = (size_t)align_down(*n, d->page_size);
	return r;
}

/* From the target's memory: these pages are there. */
static int copy_mapped(struct copy *c, u64 start, u64 end, struct err *e)
{
	struct dump *d = c->d;

	while (start < end) {
		size_t want = 0, n = 0;
		int r = dump_read_room(d, start, end, &want, &n, e);

		if (!r && n)
			r = write_queue_emit(&d->queue, n, e);
		start += n;
		if (!r && n < want) {
			r = skip_unreadable(c, start, e);
			start += d->page_size;
		}
		if (r)
			return r;
	}
	return 0;
}

/* The same where they may be there no more when they are read, and the file would be read then: not by this thread. */
static int copy_mapped_file(struct copy *c, u64 start, u64 end, struct err *e)
{
	struct dump *d = c->d;

	while (start < end) {
		size_t room = 0, n = 0;
		u8 *at;
		int r = dump_check_cancel(d, e);

		if (!r)
			r = write_queue_room(&d->queue, (size_t)d->page_size, &at, &room, e);
		room = (size_t)align_down(min(end - start, (u64)room), d->page_size);
		if (!r)
			r = backing_memory(&c->file, d->source, c->area, start, at, room, &n, e);
		n = (size_t)align_down(n, d->page_size);
		if (r == ERR_TIMEOUT)
			return skip_missing(c, start, end, "cannot be read, and its file does not answer", e);
		if (!r && n)
			r = write_queue_emit(&d->queue, n, e);
		if (!r && !n)
			r = skip_unreadable(c, start, e);
		if (r)
			return r;
		start += n ? n : d->page_size;
	}
	return 0;
}

/* File bytes [off, end), which stand for the addresses from @addr. */
static int copy_bytes(struct copy *c, u64 addr, u64 off, u64 end, struct err *e)
{
	struct dump *d = c->d;
	u64 bad;

	while (off < end) {
		size_t want = 0;
		u8 *at;
		ssize_t n = 0;
		int r = dump_check_cancel(d, e);

		if (!r)
			r = write_queue_room(&d->queue, (size_t)d->page_size, &at, &want, e);
		if (!r)
			r = backing_read(&c->file, d->source, off, at, (size_t)min(end - off, (u64)want), &n, e);
		if (r)
			return r == ERR_TIMEOUT ? skip_missing(c, addr, addr + (end - off), FILE_SILENT, e) : r;
		/* A file that has become shorter costs the rest, a bad block its page. */
		if (!n)
			return skip_past_end(c, addr, addr + (end - off), e);
		bad = n > 0 ? 0 : min(end - off, d->page_size - off % d->page_size);
		r = bad ? skip_missing(c, addr, addr + bad, "cannot be read from the file", e) :
			  write_queue_emit(&d->queue, (size_t)n, e);
		if (r)
			return r;
		off += bad ? bad : (u64)n;
		addr += bad ? bad : (u64)n;
	}
	return 0;
}

/*
 * Pages that are not in the target's page tables but have content: from the
 * file itself, so that the target does not grow.
 */
static int copy_backing(struct copy *c, u64 start, u64 end, struct err *e)
{
	u64 off = file_offset(c, start);
	u64 stop, data, hole, base = start - off;
	const char *why;
	bool unknown;
	int r = backing_open(&c->file, c->d->source, c->area, &why, e);

	if (r || why)
		return r ? r : skip_missing(c, start, end, why, e);
	stop = min(off + (end - start), c->file.size);
	unknown = c->uffd && backing_hides_holes(&c->file, c->area->vma);
	for (; !r && off < stop; off = hole) {
		data = hole = stop;
		if (!unknown)
			r = backing_next(&c->file, c->d->source, off, stop, &data, &hole, e);
		if (r)
			return r == ERR_TIMEOUT ? skip_missing(c, base + off, end, FILE_SILENT, e) : r;
		r = copy_nothing(c, base + off, base + data, e);
		if (!r && data < hole)
			r = copy_bytes(c, base + data, data, hole, e);
	}
	return r || off >= end - base ? r : skip_past_end(c, base + off, end, e);
}

static int copy_vdso(struct copy *c, u64 start, u64 end, struct err *e)
{
	const u8 *from = c->vdso + (start - c->area->vma->start);
	size_t room;
	u8 *at;
	int r = 0;

	for (size_t n; !r && start < end; start += n, from += n) {
		n = (size_t)min(end - start, c->d->page_size);
		r = write_queue_room(&c->d->queue, n, &at, &room, e);
		if (r)
			return r;
		memcpy(at, from, n);
		r = write_queue_emit(&c->d->queue, n, e);
	}
	return r;
}

/* A private page is nowhere else. */
static int copy_watched(struct copy *c, const struct vma *v, u64 start, u64 end, struct err *e)
{
	return c->from_file && v->flags & VM_SHARED ? copy_backing(c, start, end, e)
						    : skip_missing(c, start, end, UFFD_PROTECTED, e);
}

static int on_hole(const struct vma *v, u64 start, u64 end, void *arg, struct err *e)
{
	struct copy *c = arg;

	if (c->vdso)
		return copy_vdso(c, start, end, e);
	/* Special areas have no file: what is not mapped in must come through the target. */
	if (vma_is_special(v))
		return copy_mapped(c, start, end, e);
	if (c->from_file)
		return copy_backing(c, start, end, e);
	return copy_nothing(c, start, end, e);
}

static int on_run(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	struct copy *c = arg;

	c->page_flags = run->flags;
	if (page_is_uffd_marker(v, run))
		return run->flags & PAGE_WATCHED ? on_hole(v, run->start, run->end, arg, e)
						 : skip_missing(c, run->start, run->end, UFFD_POISONED, e);
	if (c->watched && run->flags & PAGE_WATCHED)
		return copy_watched(c, v, run->start, run->end, e);
	if (run->flags & PAGE_GUARD)
		return skip_guard(c, run->start, run->end, e);
	/* It has no content worth storing. */
	if (run->flags & PAGE_ZERO)
		return write_queue_skip(&c->d->queue, run->end - run->start, e);
	return backing_may_wait(c->d->source, c->area, run->flags) ? copy_mapped_file(c, run->start, run->end, e)
								   : copy_mapped(c, run->start, run->end, e);
}

static const struct page_walk_ops copy_walk_ops = { .run = on_run, .hole = on_hole };

bool dump_is_watched(const struct dump *d, const struct vma *v)
{
	return v->flags & VM_UFFD_RWP && !uffd_is_async(&d->target);
}

int dump_walk_pages(struct dump *d, const struct vma *v, u64 len, const struct page_walk_ops *ops, void *arg,
		    struct err *e)
{
	struct page_source words scoped(page_source_close) = { 0 };
	struct page_source *pages = &d->pages;
	int r = 0;

	if (v->flags & VM_UFFD_WAITS) {
		pages = &words;
		r = page_source_open_pid(pages, d->target.pid, d->target.reader, page_pagemap_ops.name, e);
	}
	return r ? r : page_walk_vma(pages, v, v->start, v->start + len, ops, arg, e);
}

int dump_copy_area(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e)
{
	struct copy c = { .d = d, .area = a, .file = BACKING_NONE, .from_file = p->action != PLAN_TOUCHED,
			  .uffd = a->vma->flags & VM_UFFD_MISSING, .watched = dump_is_watched(d, a->vma) };
	int r;

	c.vdso = vdso_ours(d->source, &d->pages, a->vma);
	r = dump_walk_pages(d, a->vma, p->filesz, &copy_walk_ops, &c, e);
	backing_close(&c.file, d->source);
	return r;
}

