#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/dump_priv.h"

/* A sparse file holds less than it is long; private copies come on top. */
static u64 predict_whole(const struct area *a, u64 filesz)
{
	if (vma_is_anon(a->vma) || !(a->file & AREA_FILE_FOUND))
		return filesz;
	return min(filesz, a->allocated + a->vma->anon + a->vma->swap);
}

/* smaps has counted the private copies; zeros among them may take less. */
static u64 predict_area(const struct area *a, const struct plan_entry *p)
{
	if (p->action == PLAN_TOUCHED)
		return min(p->filesz, a->vma->anon + a->vma->swap + a->vma->huge);
	return p->action == PLAN_WHOLE ? predict_whole(a, p->filesz) : p->filesz;
}

int dump_predict(const struct areas *areas, const struct plan *plan, u64 **bytes, u64 *total, struct err *e)
{
	u64 *list auto_free = calloc(areas->n + 1, sizeof(*list));
	u64 sum = 0;

	if (!list)
		return err_set(e, -ENOMEM, "list of %zu sizes", areas->n);
	for (size_t i = 0; i < areas->n; i++) {
		list[i] = predict_area(&areas->v[i], &plan->v[i]);
		sum += list[i];
	}
	*bytes = take_ptr(list);
	*total = sum;
	return 0;
}
