#include <string.h>

#include "base/util.h"
#include "mm/page_backend.h"

/* In the order of choice: the first that the kernel has. */
static const struct page_backend {
	const struct page_source_ops *ops;
	int (*open)(struct page_source *src, pid_t pid, pid_t tid, struct err *e);
} backends[] = {
	{ .ops = &page_scan_ops, .open = page_scan_open },
	{ .ops = &page_pagemap_ops, .open = page_pagemap_open },
};

static int open_best(struct page_source *src, pid_t pid, pid_t tid, struct err *e)
{
	int r = ERR_UNSUPPORTED;

	for (size_t i = 0; i < ARRAY_SIZE(backends) && r == ERR_UNSUPPORTED; i++)
		r = backends[i].open(src, pid, tid, e);
	/* A backend that the kernel lacks is not an error. */
	if (!r && e)
		*e = (struct err){ 0 };
	return r;
}

int page_source_open_pid(struct page_source *src, pid_t pid, pid_t tid, const char *backend,
			 struct err *e)
{
	if (!backend)
		return open_best(src, pid, tid, e);
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backend, backends[i].ops->name))
			return backends[i].open(src, pid, tid, e);
	return err_set(e, ERR_USAGE, "no way to read pages is called \"%s\"", backend);
}

void page_source_close(struct page_source *src)
{
	if (src->ops && src->ops->close)
		src->ops->close(src);
	*src = (struct page_source){ 0 };
}

/* One area's walk: everything below @pos has been reported. */
struct walk {
	const struct vma *v;
	const struct page_walk_ops *ops;
	void *arg;
	u64 pos;
};

static int walk_hole(struct walk *w, u64 end, struct err *e)
{
	u64 start = w->pos;

	if (start >= end)
		return 0;
	w->pos = end;
	return w->ops->hole ? w->ops->hole(w->v, start, end, w->arg, e) : 0;
}

/* Tells the hole before @run, and the run, unless it is the empty one of the beginning. */
static int walk_run(struct walk *w, const struct page_run *run, struct err *e)
{
	if (!run->flags)
		return 0;
	int r = walk_hole(w, run->start, e);
	if (r)
		return r;
	w->pos = run->end;
	return w->ops->run ? w->ops->run(w->v, run, w->arg, e) : 0;
}

/* The source's next run, checked: it advances, so that the walk ends. */
static int source_next(struct page_source *src, const struct vma *v, u64 start, u64 end,
		       struct page_run *out, struct err *e)
{
	int r = src->ops->next(src, start, end, out, e);

	if (r <= 0)
		return r;
	if (out->start < start || out->end <= out->start || out->end > end || !out->flags)
		return err_set(e, ERR_INPUT, "%s: run 0x%llx-0x%llx in answer to 0x%llx-0x%llx",
			       src->ops->name, (unsigned long long)out->start,
			       (unsigned long long)out->end, (unsigned long long)start,
			       (unsigned long long)end);
	/* pagemap's word for the huge zero page; no page of such an area is a file's. */
	if (vma_is_anon(v) && !(v->flags & VM_SHARED) && (out->flags & ~PAGE_FILE))
		out->flags &= ~(u32)PAGE_FILE;
	return 1;
}

int page_walk_vma(struct page_source *src, const struct vma *v, u64 start, u64 end,
		  const struct page_walk_ops *ops, void *arg, struct err *e)
{
	struct walk w = { .v = v, .ops = ops, .arg = arg, .pos = max(start, v->start) };
	struct page_run pending = { 0 }, run;
	int r;

	end = min(end, v->end);
	for (u64 at = w.pos; at < end; at = run.end) {
		r = source_next(src, v, at, end, &run, e);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (pending.flags == run.flags && pending.end == run.start) {
			pending.end = run.end;
			continue;
		}
		r = walk_run(&w, &pending, e);
		if (r)
			return r;
		pending = run;
	}
	r = walk_run(&w, &pending, e);
	return r ? r : walk_hole(&w, end, e);
}

int page_walk(struct mm *mm, struct page_source *src, u64 start, u64 end,
	      const struct page_walk_ops *ops, void *arg, struct err *e)
{
	struct vma *v;

	VMA_ITERATOR(vmi, mm, start);
	for_each_vma_range(vmi, v, end) {
		int r = ops->test_vma ? ops->test_vma(v, arg, e) : 1;

		if (r > 0)
			r = page_walk_vma(src, v, start, end, ops, arg, e);
		if (r)
			return r;
	}
	return vma_iter_end(&vmi, e);
}
