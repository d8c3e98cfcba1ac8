#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "repair/repairs.h"

#define ull unsigned long long

/* ---- whose bytes are whose */

struct span {
	u64 start;
	u64 end;
	u32 seg;	/* or n_segs, for headers */
};

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static size_t list_spans(const struct core *c, struct span *s)
{
	size_t n = 0;
	u32 headers = (u32)c->n_segs;

	s[n++] = (struct span){ 0, elffmt_ehdr_size(c->fmt), headers };
	s[n++] = (struct span){ c->ehdr.e_phoff, core_phdr_off(c, c->n_segs), headers };
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		if (p->p_type != PT_NULL && core_seg_in_file(c, i))
			s[n++] = (struct span){ p->p_offset, p->p_offset + core_seg_in_file(c, i), (u32)i };
	}
	return n;
}

/*
 * Sorted by start, a span that overlaps an earlier one overlaps the one of these
 * that goes furthest; and each that a later one overlaps was the furthest then,
 * or overlapped by it.
 */
bool *repair_alone(const struct core *c)
{
	struct span *s auto_free = calloc(c->n_segs + 2, sizeof(*s));
	bool *alone = malloc(c->n_segs + 1);
	size_t n, far = 0;

	if (!s || !alone) {
		free(alone);
		return NULL;
	}
	memset(alone, true, c->n_segs + 1);
	n = list_spans(c, s);
	qsort(s, n, sizeof(*s), by_start);
	for (size_t i = 1; i < n; i++) {
		if (s[i].start < s[far].end)
			alone[s[i].seg] = alone[s[far].seg] = false;
		if (s[i].end > s[far].end)
			far = i;
	}
	return alone;
}

/* ---- segments of notes */

/* What is read of a segment with some alignment. */
struct reading {
	u64 notes;
	u64 end;	/* of the last one */
	bool all;	/* it is the segment's */
};

static struct reading read_with(const struct core *c, const struct core_note_seg *s, u64 align)
{
	struct reading out = { 0 };
	struct note_iter it;
	struct note n;
	int more;

	note_iter_init(&it, s->data, c->fmt, align);
	while ((more = note_next(&it, &n, NULL)) > 0)
		out.notes++;
	out.end = min(it.at, (u64)s->data.len);
	out.all = !more;
	return out;
}

/* The alignment to read @s with, or its own.  More notes: else the end of a cut one could pass for padding. */
static u64 better_align(const struct core *c, const struct core_note_seg *s)
{
	u64 is = c->segs[s->seg].p_align, other = is == 8 ? 4 : 8;

	if (s->malformed) {
		struct reading so = read_with(c, s, is), else_ = read_with(c, s, other);

		if (else_.all && else_.notes > so.notes)
			return other;
	}
	return is <= 1 || is == 8 ? is : 4;
}

int repair_note_align(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t k = 0; !r && k < c->n_note_segs; k++) {
		u32 i = c->note_segs[k].seg;
		GElf_Phdr p = c->segs[i];
		u64 was = p.p_align;

		p.p_align = better_align(c, &c->note_segs[k]);
		if (p.p_align == was)
			continue;
		r = repair_put_phdr(x, i, &p, e);
		if (!r)
			r = repair_did(x, e, core_phdr_off(c, i), "segment %u (notes): its alignment was %llu, is %llu", i,
				       (ull)was, (ull)p.p_align);
	}
	return r;
}

/*
 * The bytes that are there of the descriptor of our MISSING or PAUSE note, of which only
 * filling is lost: a NUL ends its text.  tagcore-notes(5).
 */
static bool is_cut_filling(const struct core *c, struct bytes rest, size_t *len)
{
	enum { DESC = 12 + sizeof(TAGCORE_OWNER) };

	if (rest.len <= DESC || memcmp(rest.p + 12, TAGCORE_OWNER, sizeof(TAGCORE_OWNER)) != 0 ||
	    uint_get(c->fmt, rest.p, 4) != sizeof(TAGCORE_OWNER) ||
	    (uint_get(c->fmt, rest.p + 8, 4) != NT_TAGCORE_MISSING && uint_get(c->fmt, rest.p + 8, 4) != NT_TAGCORE_PAUSE))
		return false;
	*len = rest.len - DESC;
	return memchr(rest.p + DESC, 0, *len);
}

static int shorten_filling(struct repair_ctx *x, const struct core_note_seg *s, struct err *e)
{
	const struct core *c = x->core;
	struct bytes rest;
	size_t len;
	u8 raw[4];
	int r;

	if (bytes_sub(s->data, read_with(c, s, 4).end, 12, &rest, NULL))
		return 0;
	rest.len = s->data.len - (size_t)(rest.off - s->data.off);
	if (!is_cut_filling(c, rest, &len))
		return 0;
	uint_put(c->fmt, raw, 4, len);
	/* Some of the bytes that were cut off are these zeros, which are no loss. */
	x->out->lost_notes -= min(x->out->lost_notes, align_up(uint_get(c->fmt, rest.p + 4, 4), 4) - len);
	r = repair_put(x, rest.off + 4, raw, 4, e);
	return r ? r : repair_did(x, e, rest.off, "the note of what the dump lacks has lost %llu zeros at its end, and is "
				  "whole without them", (ull)(uint_get(c->fmt, rest.p + 4, 4) - len));
}

int repair_note_missing(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t k = 0; !r && k < c->n_note_segs; k++) {
		const struct core_note_seg *s = &c->note_segs[k];
		const GElf_Phdr *p = &c->segs[s->seg];

		if (s->malformed && s->data.len == p->p_filesz && p->p_align != 8)
			r = shorten_filling(x, s, e);
	}
	return r;
}

int repair_note_cut(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t k = 0; !r && k < c->n_note_segs; k++) {
		const struct core_note_seg *s = &c->note_segs[k];
		GElf_Phdr p = c->segs[s->seg];
		u64 was = p.p_filesz, end;

		if (!s->malformed || s->data.len < was)
			continue;
		end = read_with(c, s, p.p_align).end;
		p.p_filesz = end;
		/* 0 as the kernel writes it, or the same as others do. */
		p.p_memsz = p.p_memsz == was ? end : p.p_memsz;
		x->out->lost_notes += was - end;
		r = repair_put_phdr(x, s->seg, &p, e);
		if (!r)
			r = repair_did(x, e, s->data.off + end, "segment %u (notes): of %llu bytes the last %llu are no whole note, "
				       "and no longer part of it", s->seg, (ull)was, (ull)(was - end));
	}
	return r;
}

/* ---- padding */

/* What is not zero between @from and @to of @seg; an empty window when there is nothing. */
static struct bytes dirt(struct bytes seg, u64 from, u64 to)
{
	struct bytes is;

	to = min(to, (u64)seg.len);
	if (from >= to || bytes_sub(seg, from, to - from, &is, NULL) || mem_is_zero(is.p, is.len))
		return (struct bytes){ 0 };
	return is;
}

/*
 * Segments in which each note has an owner that ends with a NUL.  Where one has
 * not, the notes may not be where they seem to be, and padding be content.
 */
static bool *sound_segs(const struct core *c)
{
	bool *sound = malloc(c->n_note_segs + 1);

	if (sound)
		memset(sound, true, c->n_note_segs + 1);
	for (size_t i = 0; sound && i < c->n_notes; i++) {
		const struct note *n = &c->notes[i].note;
		struct bytes seg = c->note_segs[c->notes[i].seg].data;
		u64 at = n->off - seg.off, size = uint_get(c->fmt, seg.p + at, 4);

		/* The iterator saw that header and name are there. */
		if (!size || seg.p[at + 12 + size - 1])
			sound[c->notes[i].seg] = false;
	}
	return sound;
}

/* Padding that is not zero, after a note's owner and after its descriptor; true when there is any. */
static bool find_dirt(const struct core *c, const struct core_note *n, struct bytes out[2])
{
	const struct core_note_seg *s = &c->note_segs[n->seg];
	struct bytes seg = s->data;
	u64 align = c->segs[s->seg].p_align == 8 ? 8 : 4;
	u64 at = n->note.off - seg.off, desc = n->note.desc.off - seg.off, end = desc + n->note.desc.len;

	out[0] = dirt(seg, at + 12 + uint_get(c->fmt, seg.p + at, 4), desc);
	out[1] = dirt(seg, end, align_up(end, align));
	return out[0].len || out[1].len;
}

static int clean(struct repair_ctx *x, const struct note *n, const struct bytes dirty[2], struct err *e)
{
	static const u8 zeros[8];
	int r = 0;

	for (int i = 0; !r && i < 2; i++)
		if (dirty[i].len)
			r = repair_put(x, dirty[i].off, zeros, dirty[i].len, e);
	return r ? r : repair_did(x, e, n->off, "note %s 0x%x: its padding was not zero", n->owner, n->type);
}

int repair_note_padding(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	bool *alone auto_free = NULL, *sound auto_free = sound_segs(c);
	struct bytes dirty[2];
	int r = sound ? 0 : err_set(e, -ENOMEM, "%zu segments of notes", c->n_note_segs);

	for (size_t i = 0; !r && i < c->n_notes; i++) {
		if (!sound[c->notes[i].seg] || !find_dirt(c, &c->notes[i], dirty))
			continue;
		if (!alone)
			alone = repair_alone(c);
		if (!alone)
			return err_set(e, -ENOMEM, "%zu segments", c->n_segs);
		if (alone[c->note_segs[c->notes[i].seg].seg])
			r = clean(x, &c->notes[i].note, dirty, e);
	}
	return r;
}
