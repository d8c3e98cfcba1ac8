#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "repair/repairs.h"

#define ull unsigned long long

/* ---- what other repairs found */

int repair_lost_range(struct repair_ctx *x, bool tags, u64 start, u64 end, const char *what, struct err *e)
{
	struct buf *b = &x->out->lost[tags ? REPAIR_LOST_TAGS : REPAIR_LOST_MEMORY];
	char last[TEXT_END_MAX];

	return buf_printf(b, e, "%llx-%s %s" TAGCORE_LOST " %s\n", (ull)start, text_end(end, last) + 2,
			  tags ? TAGCORE_TAGS_LOST " " : "", what);
}

int repair_lost_other(struct repair_ctx *x, u64 bytes, const char *what, struct err *e)
{
	return buf_printf(&x->out->lost[REPAIR_LOST_OTHER], e, "? %llu " TAGCORE_LOST " %s\n", (ull)bytes, what);
}

/* ---- the record: a MISSING note, in a segment of notes that moves to the end of the file */

static bool any_lost(const struct repaired *r)
{
	return r->lost_notes || r->lost[REPAIR_LOST_MEMORY].len || r->lost[REPAIR_LOST_TAGS].len ||
	       r->lost[REPAIR_LOST_OTHER].len;
}

/* The note's text so far, without the zeros that follow it. */
static int put_old(struct buf *text, const struct core_note *old, struct err *e)
{
	const struct bytes d = old ? old->note.desc : (struct bytes){ 0 };
	size_t len = d.len ? strnlen((const char *)d.p, d.len) : 0;
	int r = len ? buf_add(text, d.p, len, e) : 0;

	return !r && len && d.p[len - 1] != '\n' ? buf_add(text, "\n", 1, e) : r;
}

static int make_text(struct repair_ctx *x, const struct core_note *old, struct buf *text, struct err *e)
{
	struct repaired *out = x->out;
	int r = put_old(text, old, e);

	if (!r && out->lost_notes)
		r = repair_lost_other(x, out->lost_notes, "bytes of notes", e);
	for (size_t i = 0; !r && i < REPAIR_LOST_KINDS; i++)
		r = buf_add(text, out->lost[i].p, out->lost[i].len, e);
	return r;
}

/* The segment that has the MISSING note, else the last: the fewest bytes move; n_note_segs if the core has none. */
static size_t choose_seg(const struct core *c, const struct core_note *old)
{
	return old ? old->seg : c->n_note_segs ? c->n_note_segs - 1 : 0;
}

/* The segment's notes without @old.  Each note has a size that is a multiple of the padding: the others keep theirs. */
static int copy_notes(const struct core_note_seg *s, const struct core_note *old, u64 align, struct buf *out,
		      struct err *e)
{
	u64 from = old ? old->note.off - s->data.off : s->data.len;
	u64 to = old ? align_up(old->note.desc.off + old->note.desc.len - s->data.off, align) : s->data.len;
	int r = from ? buf_add(out, s->data.p, (size_t)from, e) : 0;

	if (!r && to < s->data.len)
		r = buf_add(out, s->data.p + to, (size_t)(s->data.len - to), e);
	return r ? r : buf_align(out, align, e);
}

/* @b at the end of the file becomes the bytes of segment @i. */
static int move_seg(struct repair_ctx *x, size_t i, const struct buf *b, struct err *e)
{
	GElf_Phdr p = x->core->segs[i];
	u64 at = align_up(x->core->file.size, 8);
	int r = repair_put(x, at, b->p, b->len, e);

	/* 0 as the kernel writes it, or the same as others do. */
	p.p_memsz = p.p_memsz ? b->len : 0;
	p.p_filesz = b->len;
	p.p_offset = at;
	return r ? r : repair_put_phdr(x, i, &p, e);
}

static int record_in(struct repair_ctx *x, size_t k, const struct core_note *old, struct err *e)
{
	const struct core_note_seg *s = &x->core->note_segs[k];
	u64 align = x->core->segs[s->seg].p_align == 8 ? 8 : 4;
	struct buf text scoped(buf_fini) = { 0 }, notes scoped(buf_fini) = { 0 };
	int r = make_text(x, old, &text, e);

	if (!r)
		r = copy_notes(s, old, align, &notes, e);
	if (!r)
		r = note_put_aligned(&notes, x->core->fmt, align, TAGCORE_OWNER, NT_TAGCORE_MISSING, text.p, text.len, e);
	return r ? r : move_seg(x, s->seg, &notes, e);
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == '\n';
	return n;
}

static int did_record(struct repair_ctx *x, struct err *e)
{
	struct buf *l = x->out->lost;
	int r = repair_did(x, e, align_up(x->core->file.size, 8), "a note at the end says what is lost: %zu ranges of memory, "
			   "the tags of %zu, %zu other parts", count_lines(&l[REPAIR_LOST_MEMORY]),
			   count_lines(&l[REPAIR_LOST_TAGS]), count_lines(&l[REPAIR_LOST_OTHER]));

	for (size_t i = 0; i < REPAIR_LOST_KINDS; i++)
		buf_fini(&l[i]);
	x->out->lost_notes = 0;
	return r;
}

int repair_lost_record(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	const struct core_note *old = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_MISSING);
	size_t k = choose_seg(c, old);
	int r;

	/* A core without any segment of notes has the finding note-none. */
	if (!any_lost(x->out) || k >= c->n_note_segs || c->notes_cut)
		return 0;
	r = record_in(x, k, old, e);
	return r ? r : did_record(x, e);
}

/* ---- the FILE note */

/* The first address from @start on, below @end, that a repair has cut from its segment; or @end. */
static u64 lost_from(const struct core *c, u64 start, u64 end)
{
	for (const struct core_missing *m = core_missing_find(c, start); m && m->start < end; m = core_missing_find(c, m->end)) {
		const struct core_area *a = core_area_find(c, m->start);
		const GElf_Phdr *p = a && a->seg != CORE_NO_SEG ? &c->segs[a->seg] : NULL;

		if (core_missing_is_lost(m) && p && a->start <= m->start && m->start - p->p_vaddr >= p->p_memsz)
			return max(start, m->start);
	}
	return end;
}

/* The FILE note as it is to be: entries, then names. */
struct files {
	struct ntfile_iter it;
	struct buf entries;
	struct buf names;
	u64 kept;
	u64 changed;
};

static void files_fini(struct files *f)
{
	buf_fini(&f->entries);
	buf_fini(&f->names);
}

static int put_long(struct files *f, struct buf *b, u64 value, struct err *e)
{
	u8 raw[8];

	uint_put(f->it.fmt, raw, f->it.word, value);
	return buf_add(b, raw, f->it.word, e);
}

/* If a page is only partly present, no part of it may be read from the file. */
static int put_entry(const struct core *c, struct files *f, const struct core_map *m, struct err *e)
{
	u64 page = max(f->it.page_size, (u64)4096), lost = lost_from(c, m->start, m->end), end = m->end;
	const u8 *old = f->it.desc.p + 2 * f->it.word + (f->it.i - 1) * 3 * f->it.word;
	int r;

	if (lost < m->end) {
		end = page & (page - 1) ? lost : align_down(lost, page);
		f->changed++;
	}
	if (end <= m->start)
		return 0;
	f->kept++;
	r = put_long(f, &f->entries, m->start, e);
	if (!r)
		r = put_long(f, &f->entries, end, e);
	if (!r)
		r = buf_add(&f->entries, old + 2 * f->it.word, f->it.word, e);
	if (!r)
		r = buf_add(&f->names, m->name.p, m->name.len, e);
	return r ? r : buf_zero(&f->names, 1, e);
}

/* In the place of the old one, which is not smaller: zeros fill it up. */
static int put_files(struct repair_ctx *x, struct files *f, u64 was, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = put_long(f, &b, f->kept, e);

	if (!r)
		r = put_long(f, &b, f->it.page_size, e);
	if (!r)
		r = buf_add(&b, f->entries.p, f->entries.len, e);
	if (!r)
		r = buf_add(&b, f->names.p, f->names.len, e);
	if (!r && b.len < f->it.desc.len)
		r = buf_zero(&b, f->it.desc.len - b.len, e);
	if (!r)
		r = repair_put(x, f->it.desc.off, b.p, b.len, e);
	return r ? r : repair_did(x, e, f->it.desc.off, "of the FILE note's %llu ranges %llu ended in lost memory: they end before "
				  "it now, or are gone, so that debuggers do not read the files in its place", (ull)was,
				  (ull)f->changed);
}

int repair_lost_file(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	const struct core_note *note = core_note_find(c, 0, "CORE", NT_FILE);
	struct files f scoped(files_fini) = { 0 };
	bool *alone auto_free = NULL;
	struct core_map m;
	int r = 0, more;

	if (!note || !c->n_missing || ntfile_iter_init(&f.it, note->note.desc, c->fmt, NULL))
		return 0;
	while (!r && (more = ntfile_next(&f.it, &m, NULL)) > 0)
		r = put_entry(c, &f, &m, e);
	if (r || more < 0 || !f.changed)
		return r;
	alone = repair_alone(c);
	if (!alone)
		return err_set(e, -ENOMEM, "%zu segments", c->n_segs);
	return alone[c->note_segs[note->seg].seg] ? put_files(x, &f, f.it.count, e) : 0;
}
