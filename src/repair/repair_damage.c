#include "base/search.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "elf/tags.h"
#include "repair/repairs.h"

/* Segments may overlap in the file: past so many lines an area that is damaged is lost as a whole. */
enum { PAGE = 4096, LINES_MAX = 1 << 16 };

struct damage {
	struct repair_ctx *x;
	const struct core_part *parts;
	size_t n;
	const char *what;
	size_t lines;
};

/* The first part that ends after @off of the file. */
static size_t first_after(const struct damage *d, u64 off)
{
	return search_first(i, 0, d->n, d->parts[i].end > off);
}

/* What is missing already keeps its reason. */
static int put_lost(struct damage *d, bool tags, u64 start, u64 end, struct err *e)
{
	const struct core *c = d->x->core;
	int r = 0;

	while (!r && start < end) {
		const struct core_missing *m = tags ? core_missing_tags_find(c, start) : core_missing_find(c, start);
		u64 until = m ? max(start, min(m->start, end)) : end;

		if (start < until) {
			r = repair_lost_range(d->x, tags, start, until, d->what, e);
			d->lines++;
		}
		start = m ? max(until, min(m->end, end)) : end;
	}
	return r;
}

/*
 * The memory [@start, @end), of which each byte of the file from @off on has @span bytes: what of it is in the parts, in
 * whole pages.
 */
static int lose(struct damage *d, bool tags, u64 start, u64 end, u64 off, u64 span, struct err *e)
{
	u64 len = (end - start) / span;
	int r = 0;

	for (size_t i = first_after(d, off); !r && i < d->n && d->parts[i].start < range_end(off, len); i++) {
		u64 from = max(d->parts[i].start, off) - off, to = min(d->parts[i].end - off, len);

		if (d->lines >= LINES_MAX)
			return put_lost(d, tags, start, end, e);
		r = put_lost(d, tags, max(start, align_down(start + from * span, (u64)PAGE)),
			     min(end, align_up(start + to * span, (u64)PAGE)), e);
	}
	return r;
}

static int lose_memory(struct damage *d, struct err *e)
{
	const struct core *c = d->x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];
		const GElf_Phdr *p = a->seg != CORE_NO_SEG ? &c->segs[a->seg] : NULL;

		if (p && a->saved_end > a->start)
			r = lose(d, false, a->start, a->saved_end, p->p_offset + (a->start - p->p_vaddr), 1, e);
	}
	return r;
}

static int lose_tags(struct damage *d, struct err *e)
{
	const struct core *c = d->x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_tagged; i++) {
		const struct core_tagged *t = &c->tagged[i];
		const GElf_Phdr *p = &c->segs[t->seg];

		if (t->have_end > t->start)
			r = lose(d, true, t->start, t->have_end, p->p_offset + (t->start - p->p_vaddr) / TAG_BYTE_SPAN,
				 TAG_BYTE_SPAN, e);
	}
	return r;
}

/* How many of the file's bytes [@off, @off + @len) are in the parts. */
static u64 common(const struct damage *d, u64 off, u64 len)
{
	u64 end = range_end(off, len), bytes = 0;

	for (size_t i = first_after(d, off); i < d->n && d->parts[i].start < end; i++)
		bytes += min(d->parts[i].end, end) - max(d->parts[i].start, off);
	return bytes;
}

/* Headers and notes are read as they are: which of them is wrong is not known. */
static int note_others(struct damage *d, struct err *e)
{
	const struct core *c = d->x->core;
	u64 headers = common(d, 0, elffmt_ehdr_size(c->fmt)) +
		      common(d, c->ehdr.e_phoff, c->n_segs * elffmt_phdr_size(c->fmt)), notes = 0;
	int r = 0;

	for (size_t i = 0; i < c->n_note_segs && notes < c->file.size; i++)
		notes += common(d, c->note_segs[i].data.off, c->note_segs[i].data.len);
	if (headers)
		r = repair_lost_other(d->x, headers, "headers in a damaged part of the file, perhaps wrong", e);
	if (!r && notes)
		r = repair_lost_other(d->x, notes, "notes in a damaged part of the file, perhaps wrong", e);
	return r;
}

int repair_lost_parts(struct repair_ctx *x, const struct core_part *parts, size_t n, const char *what, struct err *e)
{
	struct damage d = { .x = x, .parts = parts, .n = n, .what = what };
	int r = lose_memory(&d, e);

	if (!r)
		r = lose_tags(&d, e);
	if (!r)
		r = note_others(&d, e);
	for (size_t i = 0; !r && i < n; i++)
		r = repair_did(x, e, parts[i].start, "bytes 0x%llx-0x%llx of the core: %s; memory there is recorded as lost",
			       (unsigned long long)parts[i].start, (unsigned long long)parts[i].end, what);
	return r;
}
