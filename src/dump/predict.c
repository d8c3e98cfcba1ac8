#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/dump_priv.h"

static int count_run(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	u64 *bytes = arg;

	(void)v;
	(void)e;
	if (!(run->flags & (PAGE_GUARD | PAGE_ZERO)))
		*bytes += run->end - run->start;
	return 0;
}

static const struct page_walk_ops count_walk_ops = { .run = count_run };

/* A sparse file holds less than it is long; private copies come on top. */
static u64 predict_whole(const struct target *t, const struct area *a, u64 filesz)
{
	struct err ignored;
	struct stat st;
	int fd auto_close = -1;

	if (vma_is_anon(a->vma))
		return filesz;
	fd = area_open_file(t, a, &ignored);
	if (fd < 0 || fstat(fd, &st))
		return filesz;
	return min(filesz, (u64)st.st_blocks * 512 + a->vma->anon + a->vma->swap);
}

static int predict_area(const struct target *t, struct page_source *pages, const struct area *a,
			const struct plan_entry *p, u64 *out, struct err *e)
{
	*out = 0;
	if (p->action == PLAN_TOUCHED)
		return page_walk_vma(pages, a->vma, a->vma->start, a->vma->end, &count_walk_ops, out, e);
	*out = p->action == PLAN_WHOLE ? predict_whole(t, a, p->filesz) : p->filesz;
	return 0;
}

int dump_predict(const struct target *t, const struct areas *areas, const struct plan *plan, u64 **bytes,
		 u64 *total, struct err *e)
{
	struct page_source pages scoped(page_source_close) = { 0 };
	u64 *list auto_free = calloc(areas->n + 1, sizeof(*list));
	u64 sum = 0;
	int r = list ? 0 : err_set(e, -ENOMEM, "list of %zu sizes", areas->n);

	if (!r)
		r = page_source_open_pid(&pages, t->pid, t->reader, NULL, e);
	for (size_t i = 0; !r && i < areas->n; i++) {
		r = predict_area(t, &pages, &areas->v[i], &plan->v[i], &list[i], e);
		sum += list[i];
	}
	if (r)
		return r;
	*bytes = take_ptr(list);
	*total = sum;
	return 0;
}
