#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "repair/repairs.h"

#define ull unsigned long long

/*
 * Zeros among notes read as notes without owner, type and content, each of 12
 * bytes, and what follows them is then not met at its beginning.  Seen where
 * somebody had taken names out of a FILE note and left the rest in its place.
 */
struct zeros {
	const struct core_note *before;	/* the note before them, or NULL */
	const struct core_note_seg *seg;
	u64 start;			/* in the segment */
	u64 end;
};

static struct bytes raw_header(const struct core *c, const struct core_note *n)
{
	struct bytes seg = c->note_segs[n->seg].data;

	/* The iterator saw that it is there. */
	return (struct bytes){ .p = seg.p + (n->note.off - seg.off), .len = 12, .off = n->note.off };
}

static bool is_zero_note(const struct core *c, const struct core_note *n)
{
	struct bytes raw = raw_header(c, n);

	return mem_is_zero(raw.p, raw.len);
}

static struct zeros zeros_at(const struct core *c, size_t i)
{
	const struct core_note *n = &c->notes[i];
	const struct core_note_seg *s = &c->note_segs[n->seg];
	struct zeros z = { .seg = s, .start = n->note.off - s->data.off };

	if (i && c->notes[i - 1].seg == n->seg)
		z.before = n - 1;
	z.end = z.start;
	while (z.end < s->data.len && !s->data.p[z.end])
		z.end++;
	/* The first word of a note is not 0; all begin at multiples of 4. */
	if (z.end < s->data.len)
		z.end = align_down(z.end, 4);
	return z;
}

/* A string that is as long as its size says, and printable. */
static bool has_owner(const struct core *c, struct bytes seg, const struct note *n)
{
	u64 size = uint_get(c->fmt, seg.p + (n->off - seg.off), 4);

	return *n->owner && !strchr(n->owner, '?') && size == strlen(n->owner) + 1;
}

/* True when nothing but sound notes follows. */
static bool notes_follow(const struct core *c, const struct zeros *z)
{
	struct note_iter it;
	struct bytes rest;
	struct note n;
	int more;

	if (bytes_sub(z->seg->data, z->end, z->seg->data.len - z->end, &rest, NULL))
		return false;
	note_iter_init(&it, rest, c->fmt, 4);
	while ((more = note_next(&it, &n, NULL)) > 0)
		if (!has_owner(c, rest, &n))
			return false;
	return !more && it.at;
}

static int end_before(struct repair_ctx *x, const struct zeros *z, struct err *e)
{
	GElf_Phdr p = x->core->segs[z->seg->seg];
	u64 was = p.p_filesz;
	int r;

	p.p_filesz = z->start;
	p.p_memsz = p.p_memsz == was ? z->start : p.p_memsz;
	r = repair_put_phdr(x, z->seg->seg, &p, e);
	return r ? r : repair_did(x, e, z->seg->data.off + z->start, "segment %u (notes): the %llu zeros at its end are no notes, "
				  "and no longer part of it", z->seg->seg, (ull)(was - z->start));
}

static int extend_file_note(struct repair_ctx *x, const struct zeros *z, struct err *e)
{
	const struct core *c = x->core;
	const struct note *file = &z->before->note;
	u64 len = z->seg->data.off + z->end - file->desc.off;
	u8 raw[4];
	int r;

	if (len > UINT32_MAX)
		return 0;
	uint_put(c->fmt, raw, 4, len);
	r = repair_put(x, file->off + 4, raw, 4, e);
	return r ? r : repair_did(x, e, file->off, "the FILE note had %zu bytes and %llu zeros before the next one: they are its "
				  "own", file->desc.len, (ull)(z->end - z->start));
}

static int repair_zeros(struct repair_ctx *x, const struct zeros *z, const bool *alone, struct err *e)
{
	const struct core *c = x->core;
	const GElf_Phdr *p = &c->segs[z->seg->seg];

	if (z->seg->data.len != p->p_filesz)
		return 0;
	if (z->end == z->seg->data.len)
		return z->before ? end_before(x, z, e) : 0;
	if (!z->before || z->before->note.type != NT_FILE || strcmp(z->before->note.owner, "CORE") || p->p_align == 8 ||
	    !alone[z->seg->seg] || !notes_follow(c, z))
		return 0;
	return extend_file_note(x, z, e);
}

int repair_note_zeros(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	bool *alone auto_free = NULL;
	u32 last = UINT32_MAX;
	int r = 0;

	/* Only the first in a segment: those after it are not notes, as they are read now. */
	for (size_t i = 0; !r && i < c->n_notes; i++) {
		struct zeros z;

		if (c->notes[i].seg == last || !is_zero_note(c, &c->notes[i]))
			continue;
		last = c->notes[i].seg;
		if (!alone)
			alone = repair_alone(c);
		if (!alone)
			return err_set(e, -ENOMEM, "%zu segments", c->n_segs);
		z = zeros_at(c, i);
		r = repair_zeros(x, &z, alone, e);
	}
	return r;
}
