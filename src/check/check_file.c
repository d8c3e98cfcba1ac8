#include <stdio.h>

#include "base/text.h"
#include "check/checks.h"

static const struct core_note *file_note(const struct core *c)
{
	return core_note_find(c, 0, "CORE", NT_FILE);
}

void check_file_malformed(struct check_ctx *x)
{
	const struct core_note *n = file_note(x->core);
	struct ntfile_iter it;
	struct core_map m;
	struct err e = { 0 };
	int r;

	if (!n)
		return;
	r = ntfile_iter_init(&it, n->note.desc, x->core->fmt, &e);
	if (!r)
		while ((r = ntfile_next(&it, &m, &e)) > 0)
			;
	if (r < 0)
		check_found_err(x, n->note.off, &e);
}

/* core->maps is sorted. */
static bool overlap_found(struct check_ctx *x, const struct core_note *n)
{
	const struct core *c = x->core;

	for (size_t i = 1; i < c->n_maps; i++)
		if (c->maps[i].start < c->maps[i - 1].end) {
			check_found(x, n->note.off, "the FILE note's range at 0x%llx begins before the end of another, 0x%llx",
				    (unsigned long long)c->maps[i].start, (unsigned long long)c->maps[i - 1].end);
			return true;
		}
	return false;
}

/* Here the order is that of the note.  In the kernel's, it is that of the areas: see check_is_by_size(). */
void check_file_order(struct check_ctx *x)
{
	const struct core_note *n = file_note(x->core);
	struct ntfile_iter it;
	struct core_map m;
	u64 end = 0;

	if (!n || overlap_found(x, n) || ntfile_iter_init(&it, n->note.desc, x->core->fmt, NULL))
		return;
	for (; ntfile_next(&it, &m, NULL) > 0; end = m.end) {
		if (m.start >= end)
			continue;
		if (check_is_by_kernel(x->core))
			check_found_info(x, n->note.off, "the FILE note's ranges are not in the order of their addresses, as the "
					 "kernel writes them with kernel.core_sort_vma=1");
		else
			check_found(x, n->note.off, "range %llu of the FILE note, at 0x%llx, stands after a higher one",
				    (unsigned long long)it.i, (unsigned long long)m.start);
		return;
	}
}

void check_file_missing(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->n_notes && check_has_all_notes(c) && !file_note(c))
		check_found(x, c->notes[0].note.off, "no FILE note: the files of areas are not known");
}

void check_file_unit(struct check_ctx *x)
{
	const struct core_note *n = file_note(x->core);

	/* Without entries no unit is needed. */
	if (n && x->core->n_maps && x->core->map_page_size == 1)
		check_found(x, n->note.off, "FILE note with a page size of 1, as gdb writes it: offsets are in bytes");
}

void check_file_page(struct check_ctx *x)
{
	const struct core_note *n = file_note(x->core);
	u64 unit = x->core->map_page_size, page;

	if (!n || !x->core->n_maps || unit == 1)
		return;
	if (unit < 4096 || unit & (unit - 1))
		check_found(x, n->note.off, "FILE note with a page size of %llu", (unsigned long long)unit);
	else if (core_auxv(x->core, AT_PAGESZ, &page) && page != unit)
		check_found(x, n->note.off, "FILE note with a page size of %llu, AT_PAGESZ is %llu",
			    (unsigned long long)unit, (unsigned long long)page);
}

/* Has a PT_LOAD, or needs none: tagcore dump --stacks makes none for what the AREAS note says is left out. */
static bool is_accounted_for(const struct core *c, const struct core_area *a)
{
	const struct core_noted_area *noted = a->seg == CORE_NO_SEG ? core_noted_area_at(c, a->start) : NULL;

	return a->seg != CORE_NO_SEG || (noted && core_text_is(noted->action, "omit"));
}

/* The first address of [start, end) that no PT_LOAD covers, or end. */
static u64 uncovered(const struct core *c, u64 start, u64 end)
{
	const struct core_area *a;

	while (start < end && (a = core_area_find(c, start)) && a->start <= start && is_accounted_for(c, a))
		start = a->end;
	return start;
}

void check_file_range(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *note = file_note(c);
	const struct core_map *first = NULL;
	char name[128], safe[256];
	size_t n = 0;

	if (!note || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_maps; i++)
		if (uncovered(c, c->maps[i].start, c->maps[i].end) < c->maps[i].end && !n++)
			first = &c->maps[i];
	if (n)
		check_found(x, note->note.off, "%zu of %zu ranges have no segment, or not all of it; the first is "
			    "0x%llx-0x%llx (%s)", n, c->n_maps, (unsigned long long)first->start,
			    (unsigned long long)first->end,
			    text_escape(core_text_copy(first->name, name, sizeof(name)), safe, sizeof(safe)));
}
