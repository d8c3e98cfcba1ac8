#include <errno.h>
#include <stdlib.h>

#include "api/api.h"
#include "live/target.h"

SAME(TAGCORE_PAGE_PRESENT, PAGE_PRESENT);
SAME(TAGCORE_PAGE_SWAPPED, PAGE_SWAPPED);
SAME(TAGCORE_PAGE_FILE, PAGE_FILE);
SAME(TAGCORE_PAGE_ZERO, PAGE_ZERO);
SAME(TAGCORE_PAGE_GUARD, PAGE_GUARD);
SAME(TAGCORE_PAGE_SAVED, PAGE_SAVED);
SAME(TAGCORE_PAGE_WATCHED, PAGE_WATCHED);

struct tagcore_pages *tagcore_core_pages(struct tagcore_core *core)
{
	return &core->pages;
}

int tagcore_pages_open_pid(struct tagcore_pages **pages, pid_t pid, const char *backend, struct tagcore_error *error)
{
	struct tagcore_pages *p = calloc(1, sizeof(*p));
	struct err e = { 0 };
	pid_t tid = 0;
	int r;

	if (!p)
		return api_fail(error, -ENOMEM, "pages");
	r = target_reader(&pid, &tid, &e);
	if (!r)
		r = page_source_open_pid(&p->src, pid, tid, backend, &e);
	if (r) {
		free(p);
		return api_error(error, r, &e);
	}
	*pages = p;
	return 0;
}

void tagcore_pages_close(struct tagcore_pages *pages)
{
	if (!pages)
		return;
	page_source_close(&pages->src);
	free(pages);
}

/* A walk, and the area that it is in. */
struct walk {
	struct tagcore_page_walk_ops ops;
	void *arg;
	bool ended;
	struct tagcore_area area;
};

static int end(struct walk *w, int r)
{
	w->ended |= r != 0;
	return r;
}

static int test_area(const struct vma *v, void *arg, struct err *e)
{
	struct walk *w = arg;
	int r;

	(void)e;
	api_area(v, &w->area);
	r = w->ops.test_area ? w->ops.test_area(&w->area, w->arg) : 1;
	return r < 0 ? end(w, r) : r != 0;
}

static int run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	const struct tagcore_page_run out = { .start = r->start, .end = r->end, .flags = r->flags };
	struct walk *w = arg;

	(void)v;
	(void)e;
	return w->ops.run ? end(w, w->ops.run(&w->area, &out, w->arg)) : 0;
}

static int hole(const struct vma *v, u64 start, u64 to, void *arg, struct err *e)
{
	struct walk *w = arg;

	(void)v;
	(void)e;
	return w->ops.hole ? end(w, w->ops.hole(&w->area, start, to, w->arg)) : 0;
}

static const struct page_walk_ops walk_ops = { .test_vma = test_area, .run = run, .hole = hole };

int tagcore_page_walk(struct tagcore_mm *mm, struct tagcore_pages *pages, uint64_t start, uint64_t to,
		      const struct tagcore_page_walk_ops *ops, void *arg, struct tagcore_error *error)
{
	struct walk w = { .arg = arg };
	struct err e = { 0 };
	int r = api_options(&w.ops, sizeof(w.ops), ops, error);

	if (r)
		return r;
	r = page_walk(&mm->mm, &pages->src, start, to, &walk_ops, &w, &e);
	return api_walked(w.ended, r, error, &e);
}
