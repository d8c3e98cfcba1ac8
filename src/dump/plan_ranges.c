#include "dump/plan.h"

bool plan_wants(const struct plan_ranges *w, const struct vma *v)
{
	size_t lo = 0, hi = w->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->v[mid].end <= v->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n && w->v[lo].start < v->end;
}
