#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/search.h"
#include "base/uapi.h"
#include "base/util.h"
#include "core/core_priv.h"

static int area_cmp(const void *a, const void *b)
{
	const struct core_area *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->seg < y->seg ? -1 : x->seg > y->seg;
}

static void areas_sort(struct core *c)
{
	if (c->n_areas)
		qsort(c->areas, c->n_areas, sizeof(*c->areas), area_cmp);
}

/* Sorted; then what a lower segment covers is cut off, so that areas never overlap. */
static void areas_make_disjoint(struct core *c)
{
	u64 end = 0;
	size_t n = 0;

	areas_sort(c);
	for (size_t i = 0; i < c->n_areas; i++) {
		struct core_area a = c->areas[i];

		a.start = max(a.start, end);
		if (a.start >= a.end)
			continue;
		a.saved_end = max(a.start, min(a.saved_end, a.end));
		end = a.end;
		c->areas[n++] = a;
	}
	c->n_areas = n;
}

/* The first of the sorted areas from index @i on that begins at @addr or above it; n_areas if none does. */
static size_t begins_at(const struct core *c, size_t i, u64 addr)
{
	return search_first(at, i, c->n_areas, c->areas[at].start >= addr);
}

/*
 * Where a file was cut, tagcore repair ends a segment with the bytes that it has
 * left, and the MISSING note says what followed: the area had it.
 */
static void extend_by_lost(struct core *c, size_t i)
{
	struct core_area *a = &c->areas[i];
	const struct core_missing *m = core_missing_find(c, a->end);
	size_t next = begins_at(c, i + 1, a->end);

	if (!m || m->start != a->end || !core_missing_is_lost(m))
		return;
	if (next == c->n_areas)
		a->end = m->end;
	else if (c->areas[next].start > a->end)
		a->end = min(m->end, c->areas[next].start);
}

static int load_segments(struct core *c, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_segs; i++)
		n += c->segs[i].p_type == PT_LOAD;
	c->areas = calloc(n ? n : 1, sizeof(*c->areas));
	if (!c->areas)
		return err_set(e, -ENOMEM, "%zu areas", n);
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		if (p->p_type != PT_LOAD)
			continue;
		c->areas[c->n_areas++] = (struct core_area){
			.start = p->p_vaddr,
			.end = range_end(p->p_vaddr, p->p_memsz),
			.saved_end = range_end(p->p_vaddr, core_seg_in_file(c, i)),
			.seg = (u32)i,
		};
	}
	areas_sort(c);
	for (size_t i = 0; i < c->n_areas; i++)
		extend_by_lost(c, i);
	areas_make_disjoint(c);
	return 0;
}

/* Appends areas for what of [start, end) none covers; the array is not sorted again yet. */
static int add_uncovered(struct core *c, u64 start, u64 end, size_t sorted, size_t *cap, struct err *e)
{
	while (start < end) {
		size_t all = c->n_areas;
		const struct core_area *a;
		u64 until;
		int r;

		c->n_areas = sorted;
		a = core_area_find(c, start);
		c->n_areas = all;
		if (a && a->start <= start) {
			start = a->end;
			continue;
		}
		until = a ? min(end, a->start) : end;
		r = array_grow((void **)&c->areas, c->n_areas, cap, sizeof(*c->areas), "read core", e);
		if (r)
			return r;
		c->areas[c->n_areas++] = (struct core_area){ .start = start, .end = until, .saved_end = start,
							     .seg = CORE_NO_SEG };
		start = until;
	}
	return 0;
}

/* Those that only notes have.  Both lists are sorted by start, so @at never goes back and the work is linear. */
static int add_noted(struct core *c, struct err *e)
{
	size_t cap = c->n_areas, sorted = c->n_areas;
	u64 at = 0;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_noted_areas; i++) {
		const struct core_noted_area *noted = &c->noted_areas[i];

		r = add_uncovered(c, max(at, noted->start), noted->end, sorted, &cap, e);
		at = max(at, noted->end);
	}
	areas_make_disjoint(c);
	sorted = c->n_areas;
	at = 0;
	for (size_t i = 0; !r && i < c->n_maps; i++) {
		r = add_uncovered(c, max(at, c->maps[i].start), c->maps[i].end, sorted, &cap, e);
		at = max(at, c->maps[i].end);
	}
	areas_make_disjoint(c);
	return r;
}

int core_load_areas(struct core *c, struct err *e)
{
	int r = load_segments(c, e);

	return r ? r : add_noted(c, e);
}

u32 core_area_prot(const struct core *c, const struct core_area *a, bool *known)
{
	const struct core_noted_area *noted;

	*known = true;
	if (a->seg != CORE_NO_SEG)
		return c->segs[a->seg].p_flags;
	noted = core_noted_area_at(c, a->start);
	*known = noted;
	return noted ? vma_seg_flags(noted->flags) : 0;
}

const struct core_area *core_area_find(const struct core *c, u64 addr)
{
	size_t at = search_first(i, 0, c->n_areas, ends_above(c->areas[i].end, addr));

	return at < c->n_areas ? &c->areas[at] : NULL;
}
