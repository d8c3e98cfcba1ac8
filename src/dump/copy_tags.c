#include <errno.h>
#include <stdlib.h>

#include <tagcore/tags.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"
#include "dump/dump_priv.h"

/*
 * The tags of what was saved of an area, as the kernel would write them
 * (Linux 6.12, arch/arm64/kernel/elfcore.c: mte_dump_tag_range()): packed, zeros
 * for pages that are not there or have no tags.  In pieces, so that an area of
 * any size needs one buffer.
 */
enum { CHUNK = 64 * 1024 };	/* tags at a time: 1 MiB of memory, 32 KiB of file */

struct tag_copy {
	struct dump *d;
	const struct area *area;
	struct backing file;
	u8 tags[CHUNK];
};

static int skip(struct tag_copy *c, u64 start, u64 end, struct err *e)
{
	return pump_skip(&c->d->pump, (end - start) / TAG_BYTE_SPAN, e);
}

static int put(struct tag_copy *c, size_t n, struct err *e)
{
	size_t room = 0;
	u8 *at = NULL;
	int r = pump_room(&c->d->pump, n / 2, &at, &room, e);

	if (r)
		return r;
	tags_pack(c->tags, n, at);
	return pump_emit(&c->d->pump, n / 2, e);
}

/* No tags came for this page.  A page that can be read has none: zeros are the truth. */
static int untagged_page(struct tag_copy *c, u64 addr, struct err *e)
{
	u64 end = addr + c->d->page_size;
	size_t n = 0;
	u8 byte;
	int r = target_read(&c->d->target, addr, &byte, 1, &n, e);

	if (!r && !n)
		r = dump_lose(c->d, addr, end, "memory tags cannot be read", e);
	return r ? r : skip(c, addr, end, e);
}

static int on_run(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	struct tag_copy *c = arg;
	u64 at = run->start, page = c->d->page_size;

	(void)v;
	if (run->flags & (PAGE_GUARD | PAGE_ZERO))
		return skip(c, run->start, run->end, e);
	while (at < run->end) {
		size_t want = (size_t)min((run->end - at) / TAG_GRANULE, (u64)CHUNK), got = 0;
		int r = dump_check_cancel(c->d, e);

		if (!r)
			r = target_tags(&c->d->target, at, c->tags, want, &got, e);
		/* Whole pages only: a page has all its tags or none. */
		got = (size_t)align_down(got, page / TAG_GRANULE);
		if (!r && got)
			r = put(c, got, e);
		at += got * TAG_GRANULE;
		if (!r && got < want) {
			r = untagged_page(c, at, e);
			at += page;
		}
		if (r)
			return r;
	}
	return 0;
}

/* Every page that the file has content for may have been tagged by another process. */
static int lose_shared(struct tag_copy *c, u64 start, u64 end, struct err *e)
{
	static const char reason[] = "memory tags of shared pages that are not mapped in";
	u64 off = c->area->vma->pgoff + (start - c->area->vma->start);
	u64 base = start - off, page = c->d->page_size, stop, data, hole;
	int r = 0;

	if (!backing_open(&c->file, &c->d->target, c->area))
		return dump_lose(c->d, start, end, reason, e);
	stop = min(end - base, align_up(c->file.size, page));
	for (; !r && off < stop; off = hole) {
		backing_next(&c->file, off, stop, &data, &hole);
		if (data < hole)
			r = dump_lose(c->d, align_down(base + data, page), align_up(base + hole, page), reason, e);
	}
	return r;
}

/*
 * Pages that are not mapped in.  Private memory has tag 0 there, until it is
 * mapped in.  Of shared memory that cannot be known, and asking would fault it
 * into the target: it is told.
 */
static int on_hole(const struct vma *v, u64 start, u64 end, void *arg, struct err *e)
{
	struct tag_copy *c = arg;
	int r = v->flags & VM_SHARED ? lose_shared(c, start, end, e) : 0;

	return r ? r : skip(c, start, end, e);
}

static const struct page_walk_ops tag_walk_ops = { .run = on_run, .hole = on_hole };

int dump_copy_tags(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e)
{
	struct tag_copy *c auto_free = malloc(sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "tag buffer");
	c->d = d;
	c->area = a;
	c->file = BACKING_NONE;
	r = page_walk_vma(&d->pages, a->vma, a->vma->start, a->vma->start + p->filesz, &tag_walk_ops, c, e);
	backing_close(&c->file);
	return r;
}
