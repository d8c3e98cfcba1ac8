#include "base/search.h"
#include "dump/plan.h"

bool plan_has_range(const struct plan_ranges *w, const struct vma *v)
{
	size_t at = search_first(i, 0, w->n, w->v[i].end > v->start);

	return at < w->n && w->v[at].start < v->end;
}
