#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/search.h"
#include "base/util.h"
#include "live/area.h"
#include "live/files.h"
#include "live/target.h"
#include "mm/pagewalk.h"

/*
 * The file's beginning as the target has it mapped, by which the kernel decides:
 * fs/coredump.c: vma_dump_size() and the caller, which reads the page.
 * Only where that page is in memory, so that the target does not grow.  1 and
 * *facts; 0 when it is not.
 */
static int memory_flags(struct files *f, const struct target *t, struct page_source *pages, const struct area *a,
			u32 *flags)
{
	struct mapped_file *file = NULL;
	const struct vma *v = a->vma;
	struct page_run run;
	struct err ignored;
	u8 magic[4];
	size_t n = 0;

	if (v->pgoff || !(v->flags & VM_READ))
		return 0;
	if (!pages->ops && page_source_open_pid(pages, t->pid, t->reader, NULL, &ignored))
		return 0;
	if (pages->ops->next(pages, v->start, v->start + (u64)sysconf(_SC_PAGESIZE), &run, &ignored) <= 0 ||
	    !(run.flags & (PAGE_PRESENT | PAGE_SWAPPED)) || page_may_wait(v, &run))
		return 0;
	/* By now it may be only in the file, which did not answer. */
	file = mapped_file_make(t, a, &ignored);
	if (!file || mapped_file_memory(f, &file, v->start, magic, sizeof(magic), &n, &ignored))
		n = 0;
	mapped_file_close(f, &file);
	*flags = n == sizeof(magic) && !memcmp(magic, "\177ELF", 4) ? AREA_FILE_ELF : 0;
	return n == sizeof(magic);
}

static bool same_inode(const struct vma *a, const struct vma *b)
{
	return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

/* The area of @known that has @v's file in the same place. */
static const struct area *same_file(const struct areas *known, const struct vma *v)
{
	size_t i = search_first(k, 0, known->n, known->v[k].vma->end > v->start);
	const struct vma *w = i < known->n ? known->v[i].vma : NULL;

	return w && w->start <= v->start && w->name && v->name && same_inode(v, w) && !strcmp(v->name, w->name) ?
	       &known->v[i] : NULL;
}

/* @last: the area before it, or NULL. */
static int fill_file(struct files *f, const struct target *t, const struct areas *known, const struct area *last,
		     struct area *a, struct err *e)
{
	const struct area *same = same_file(known, a->vma);

	/* A file's areas are adjacent: ask once a file, not once an area. */
	if (last && !vma_is_anon(last->vma) && same_inode(a->vma, last->vma))
		same = last;
	if (!same)
		return files_look(f, t, a, e);
	a->file = same->file | files_server(f, a->vma);
	a->allocated = same->allocated;
	return 0;
}

static int fill_files(struct files *f, const struct target *t, const struct areas *known, struct areas *areas,
		      struct err *e)
{
	struct page_source pages scoped(page_source_close) = { 0 };
	u32 flags;
	int r = t->stopped_at ? 0 : files_find_served(f, t, e);

	for (size_t i = 0; !r && i < areas->n; i++) {
		struct area *a = &areas->v[i];

		if (vma_is_anon(a->vma) || vma_is_special(a->vma))
			continue;
		r = fill_file(f, t, known, i ? a - 1 : NULL, a, e);
		if (r || !(a->file & AREA_FILE_UNKNOWN))
			continue;
		if (memory_flags(f, t, &pages, a, &flags))
			a->file |= flags;
		else if (a->file & AREA_FILE_FUSE && !t->stopped_at && !a->vma->pgoff)
			r = files_look_inside(f, t, a, e);
	}
	return r;
}

static int make_areas(struct areas *a, struct err *e)
{
	a->n = a->list.n;
	a->v = calloc(a->n + 1, sizeof(*a->v));
	if (!a->v)
		return err_set(e, -ENOMEM, "list of %zu areas", a->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct vma *v = &a->list.v[i];

		a->v[i] = (struct area){ .vma = v, .map_start = v->start, .map_end = v->end };
	}
	return 0;
}

static int collect(const struct target *t, const struct areas *known, struct areas *out, struct err *e)
{
	struct files own scoped(files_fini) = FILES_INIT;
	struct areas a scoped(areas_fini) = { 0 };
	struct mm mm scoped(mm_close) = { 0 };
	int r = mm_open_pid(&mm, t->pid, t->reader, "smaps", e);

	if (!r)
		r = vma_snapshot(&mm, &a.list, e);
	if (!r)
		r = make_areas(&a, e);
	if (!r)
		r = fill_files(t->files ? t->files : &own, t, known, &a, e);
	if (r)
		return r;
	*out = a;
	a = (struct areas){ 0 };
	return 0;
}

int areas_collect(const struct target *t, struct areas *out, struct err *e)
{
	return collect(t, &(struct areas){ 0 }, out, e);
}

int areas_collect_again(const struct target *t, struct areas *a, struct err *e)
{
	struct areas known scoped(areas_fini) = *a;

	*a = (struct areas){ 0 };
	return collect(t, &known, a, e);
}

static bool same_area(const struct vma *a, const struct vma *b)
{
	const u32 shown = VM_READ | VM_WRITE | VM_EXEC | VM_SHARED;

	return a->start == b->start && a->end == b->end && (a->flags & shown) == (b->flags & shown) &&
	       a->pgoff == b->pgoff && same_inode(a, b) && !a->name == !b->name &&
	       (!a->name || !strcmp(a->name, b->name));
}

/* Walks the target's areas beside ours: 1 when all are as they were, 0 when not. */
static int unchanged(const struct target *t, const struct areas *a, struct err *e)
{
	struct mm mm scoped(mm_close) = { 0 };
	struct vma *v;
	size_t i = 0;
	bool same = true;
	int r = mm_open_pid(&mm, t->pid, t->reader, "maps", e);

	if (r)
		return r;
	VMA_ITERATOR(vmi, &mm, 0);
	while (same && (v = vma_next(&vmi))) {
		same = i < a->n && same_area(v, a->v[i].vma);
		i++;
	}
	r = vma_iter_end(&vmi, e);
	return r ? r : same && i == a->n;
}

static int count_private(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	u64 *bytes = arg;

	(void)v;
	(void)e;
	if (!(run->flags & (PAGE_FILE | PAGE_ZERO | PAGE_GUARD)))
		*bytes += run->end - run->start;
	return 0;
}

static const struct page_walk_ops count_private_ops = { .run = count_private };

/* Nothing was written when smaps was read; a page written since decides whether the area is saved. */
static int recount(struct page_source *pages, struct vma *v, bool reserved, struct err *e)
{
	bool depends_on_it = !(v->flags & VM_SHARED) &&
			     (!vma_is_anon(v) || (reserved && !vma_is_accessible(v)));

	if (v->anon + v->swap || !depends_on_it || vma_is_special(v))
		return 0;
	return page_walk_vma(pages, v, v->start, v->end, &count_private_ops, &v->anon, e);
}

int areas_refresh(const struct target *t, struct page_source *pages, struct areas *a, bool reserved, struct err *e)
{
	int r = unchanged(t, a, e);

	if (r < 0)
		return r;
	if (!r)
		return areas_collect_again(t, a, e);
	r = 0;
	for (size_t i = 0; !r && i < a->list.n; i++)
		r = recount(pages, &a->list.v[i], reserved, e);
	return r;
}

void areas_fini(struct areas *a)
{
	free(a->v);
	vma_list_fini(&a->list);
	*a = (struct areas){ 0 };
}

/* Index of the area that holds @addr inside, not at its start; a->n when none does. */
/* One area becomes as many as there are cuts inside it; *k goes past those. */
static void cut(struct areas *out, const struct area *whole, const u64 *at, size_t n, size_t *k)
{
	struct vma rest = *whole->vma;

	while (*k < n && at[*k] <= rest.start)
		++*k;
	for (; *k < n && at[*k] < rest.end; ++*k) {
		struct vma low = rest;

		if (at[*k] == rest.start)
			continue;
		low.end = at[*k];
		out->list.v[out->n] = low;
		out->v[out->n++] = *whole;
		rest.start = at[*k];
		if (!vma_is_anon(&rest))
			rest.pgoff += vma_len(&low);
	}
	out->list.v[out->n] = rest;
	out->v[out->n++] = *whole;
}

int areas_split(struct areas *a, const u64 *at, size_t n, struct err *e)
{
	struct areas out = { .list.cap = a->n + n };
	size_t k = 0;

	out.list.v = calloc(out.list.cap + 1, sizeof(*out.list.v));
	out.v = calloc(out.list.cap + 1, sizeof(*out.v));
	if (!out.list.v || !out.v) {
		free(out.list.v);
		free(out.v);
		return err_set(e, -ENOMEM, "list of %zu areas", out.list.cap);
	}
	/* The private copies may be in any part: all keep the whole's count. */
	for (size_t i = 0; i < a->n; i++)
		cut(&out, &a->v[i], at, n, &k);
	for (size_t i = 0; i < out.n; i++)
		out.v[i].vma = &out.list.v[i];
	out.list.n = out.n;
	free(a->list.v);
	free(a->v);
	a->list.v = out.list.v;
	a->list.n = out.list.n;
	a->list.cap = out.list.cap;
	a->v = out.v;
	a->n = out.n;
	return 0;
}
