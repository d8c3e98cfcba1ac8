#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"
#include "dump/dump_priv.h"
#include "elf/note.h"
#include "elf/tags.h"
#include "live/file_tags.h"

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
	struct file_tags file_tags;
	u8 tags[CHUNK];
	bool watched;
};

static int skip(struct tag_copy *c, u64 start, u64 end, struct err *e)
{
	return write_queue_skip(&c->d->queue, (end - start) / TAG_BYTE_SPAN, e);
}

static int put(struct tag_copy *c, size_t n, struct err *e)
{
	size_t room = 0;
	u8 *at = NULL;
	int r = write_queue_room(&c->d->queue, n / 2, &at, &room, e);

	if (r)
		return r;
	tags_pack(c->tags, n, at);
	return write_queue_emit(&c->d->queue, n / 2, e);
}

/* No tags came for this page.  A page that can be read has none: zeros are the truth. */
static int untagged_page(struct tag_copy *c, u64 addr, struct err *e)
{
	u64 end = addr + c->d->page_size;
	size_t n = 0;
	u8 byte;
	int r = target_read(c->d->source, addr, &byte, 1, &n, e);

	if (!r && !n)
		r = dump_add_missing(c->d, addr, end, TAGCORE_TAGS_LOST " cannot be read", e);
	return r ? r : skip(c, addr, end, e);
}

static int watched_pages(struct tag_copy *c, u64 start, u64 end, struct err *e)
{
	int r = dump_add_missing(c->d, start, end, TAGCORE_TAGS_LOST ": protected by a userfaultfd monitor", e);

	return r ? r : skip(c, start, end, e);
}

static int on_run(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	struct tag_copy *c = arg;
	u64 at = run->start, page = c->d->page_size;

	if (run->flags & (PAGE_GUARD | PAGE_ZERO) || page_is_uffd_marker(v, run))
		return skip(c, run->start, run->end, e);
	if (c->watched && run->flags & PAGE_WATCHED)
		return watched_pages(c, run->start, run->end, e);
	while (at < run->end) {
		size_t want = (size_t)min((run->end - at) / TAG_GRANULE, (u64)CHUNK), got = 0;
		int r = dump_check_cancel(c->d, e);

		if (!r)
			r = target_tags(c->d->source, at, c->tags, want, &got, e);
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

/* The whole area's part of the file is mapped once, when the first page of it is needed. */
static bool open_file_tags(struct tag_copy *c)
{
	const struct vma *v = c->area->vma;
	struct err ignored;

	return c->file_tags.child ||
	       !file_tags_open(&c->file_tags, c->file.fd, v->pgoff, vma_len(v), &ignored);
}

/* Tags of file bytes [off, end), which stand for the addresses from @addr; page-aligned. */
static int put_file_tags(struct tag_copy *c, u64 addr, u64 off, u64 end, struct err *e)
{
	static const char reason[] = TAGCORE_TAGS_LOST " of a file's pages that are not mapped in";
	int r = 0;

	if (!open_file_tags(c))
		r = dump_add_missing(c->d, addr, addr + (end - off), reason, e);
	while (!r && c->file_tags.child && off < end) {
		size_t want = (size_t)min((end - off) / TAG_GRANULE, (u64)CHUNK), got = 0;

		r = file_tags_read(&c->file_tags, off, c->tags, want, &got, e);
		got = (size_t)align_down(got, c->d->page_size / TAG_GRANULE);
		if (!r && got)
			r = put(c, got, e);
		off += got * TAG_GRANULE;
		addr += got * TAG_GRANULE;
		if (r || got == want)
			continue;
		r = dump_add_missing(c->d, addr, addr + c->d->page_size, reason, e);
		if (!r)
			r = skip(c, addr, addr + c->d->page_size, e);
		off += c->d->page_size;
		addr += c->d->page_size;
	}
	return r || c->file_tags.child ? r : skip(c, addr, addr + (end - off), e);
}

/* Pages for which the file has no content have no tags either. */
static int file_hole(struct tag_copy *c, u64 start, u64 end, struct err *e)
{
	u64 off = c->area->vma->pgoff + (start - c->area->vma->start);
	u64 base = start - off, page = c->d->page_size, stop, data, hole;
	const char *why;
	int r = backing_open(&c->file, c->d->source, c->area, &why, e);

	/* Only files in memory can have some. */
	if (!r && c->file.fd < 0) {
		r = dump_add_missing(c->d, start, end, TAGCORE_TAGS_LOST ": not mapped in, and its file cannot be opened",
				     e);
		return r ? r : skip(c, start, end, e);
	}
	stop = max(off, min(end - base, align_up(c->file.size, page)));
	for (; !r && off < stop; off = hole) {
		r = backing_next(&c->file, c->d->source, off, stop, &data, &hole, e);
		if (r)
			return r;
		data = align_down(data, page);
		hole = align_up(hole, page);
		r = skip(c, base + off, base + data, e);
		if (!r && data < hole)
			r = put_file_tags(c, base + data, data, hole, e);
	}
	return r ? r : skip(c, base + stop, end, e);
}

/* Pages that are not mapped in: anonymous ones get tag 0 when they are, a file's have its tags. */
static int on_hole(const struct vma *v, u64 start, u64 end, void *arg, struct err *e)
{
	return vma_is_anon(v) ? skip(arg, start, end, e) : file_hole(arg, start, end, e);
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
	c->file_tags = (struct file_tags){ 0 };
	c->watched = dump_is_watched(d, a->vma);
	r = dump_walk_pages(d, a->vma, p->filesz, &tag_walk_ops, c, e);
	file_tags_close(&c->file_tags);
	backing_close(&c->file, d->source);
	return r;
}
