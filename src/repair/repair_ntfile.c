#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "repair/repairs.h"

#define ull unsigned long long

/*
 * A FILE note whose count does not agree with its bytes.  Linux 6.12,
 * fs/binfmt_elf.c: fill_files_note(): count, page size, three longs an entry,
 * then a string an entry.
 */
struct table {
	struct bytes desc;
	struct elffmt fmt;
	unsigned w;	/* bytes of a long */
	u64 stated;	/* what the note says that it has */
	u64 n;		/* entries before the names */
	u64 named;	/* of these, the first so many have one */
};

static u64 names_at(const struct table *t)
{
	return 2 * t->w + t->n * 3 * t->w;
}

static u64 entry(const struct table *t, u64 i, unsigned k)
{
	return uint_get(t->fmt, t->desc.p + 2 * t->w + i * 3 * t->w + k * t->w, t->w);
}

static bool goes_forward(const struct table *t, u64 i)
{
	return entry(t, i, 0) < entry(t, i, 1);
}

static bool all_go_forward(const struct table *t, u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (!goes_forward(t, i))
			return false;
	return true;
}

static u64 count_nuls(const struct table *t, u64 from, u64 to)
{
	u64 n = 0;

	for (u64 i = from; i < to; i++)
		n += !t->desc.p[i];
	return n;
}

/* Names that are there, up to the number of entries. */
static u64 count_names(const struct table *t)
{
	u64 names = names_at(t) < t->desc.len ? count_nuls(t, names_at(t), t->desc.len) : 0;

	return min(t->n, names);
}

/*
 * The number of entries by the bytes themselves: after so many entries there are as
 * many strings, and then only zeros.  Each additional entry leaves fewer strings,
 * so that no second number fits.  False: none.
 */
static bool count_by_names(const struct table *t, u64 *n)
{
	u64 end = t->desc.len, at = 2 * t->w, nuls;

	while (end > at && !t->desc.p[end - 1])
		end--;
	if (end == t->desc.len)
		return false;
	end++;
	nuls = count_nuls(t, at, end);
	for (u64 k = 0; at < end && nuls >= k; k++, at += 3 * t->w) {
		if (k && nuls == k && all_go_forward(t, k)) {
			*n = k;
			return true;
		}
		nuls -= count_nuls(t, at, min(at + 3 * t->w, end));
	}
	return false;
}

static void find_entries(struct table *t)
{
	u64 room = (t->desc.len - 2 * t->w) / (3 * t->w), n;

	t->n = min(t->stated, room);
	t->named = t->stated <= room ? count_names(t) : 0;
	if (t->named < t->stated && count_by_names(t, &n))
		t->n = t->named = n;
}

/* The entries that can be read, in the same room; zeros fill it up. */
static int rebuild(const struct table *t, u8 *out, u64 *kept)
{
	u64 at = names_at(t), to;
	struct bytes name = t->desc;

	*kept = 0;
	for (u64 i = 0; i < t->named; i++)
		if (goes_forward(t, i))
			memcpy(out + 2 * t->w + (*kept)++ * 3 * t->w, t->desc.p + 2 * t->w + i * 3 * t->w, 3 * t->w);
	to = 2 * t->w + *kept * 3 * t->w;
	for (u64 i = 0; i < t->named; i++) {
		const char *s;
		size_t len;

		if (bytes_str(name, at, &s, &len, NULL))
			return ERR_INPUT;
		if (goes_forward(t, i)) {
			memcpy(out + to, s, len + 1);
			to += len + 1;
		}
		at += len + 1;
	}
	uint_put(t->fmt, out, t->w, *kept);
	memcpy(out + t->w, t->desc.p + t->w, t->w);
	return 0;
}

static bool is_good(struct bytes desc, struct elffmt fmt, unsigned *w)
{
	struct ntfile_iter it;
	struct core_map m;
	int r = ntfile_iter_init(&it, desc, fmt, NULL);

	if (r)
		return false;
	*w = it.word;
	while ((r = ntfile_next(&it, &m, NULL)) > 0)
		;
	return !r;
}

static bool is_alone(const struct core *c, const struct core_note *n)
{
	bool *alone auto_free = repair_alone(c);

	/* Memory that is short is so again where it matters. */
	return alone && alone[c->note_segs[n->seg].seg];
}

int repair_file_table(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	const struct core_note *note = core_note_find(c, 0, "CORE", NT_FILE);
	struct table t = { .fmt = c->fmt, .w = c->fmt.class == ELFCLASS32 ? 4 : 8 };
	u8 *out auto_free = NULL;
	u64 kept;
	int r;

	if (!note || is_good(note->note.desc, c->fmt, &t.w) || note->note.desc.len < 2 * t.w || !is_alone(c, note))
		return 0;
	t.desc = note->note.desc;
	t.stated = uint_get(t.fmt, t.desc.p, t.w);
	out = calloc(1, t.desc.len);
	if (!out)
		return err_set(e, -ENOMEM, "FILE note of %zu bytes", t.desc.len);
	find_entries(&t);
	if (rebuild(&t, out, &kept))
		return 0;
	r = repair_put(x, t.desc.off, out, t.desc.len, e);
	return r ? r : repair_did(x, e, note->note.off, "the FILE note counted %llu ranges; the %llu that can be read and have a "
				  "name are kept", (ull)t.stated, (ull)kept);
}

static bool is_page_size(u64 v)
{
	/* Linux has pages of 4 KiB to 256 KiB (CONFIG_PAGE_SIZE_256KB). */
	return v >= 4096 && v <= 256 * 1024 && !(v & (v - 1));
}

/* True when every range begins and ends on such a page. */
static bool ranges_fit(const struct core *c, u64 page)
{
	for (size_t i = 0; i < c->n_maps; i++)
		if ((c->maps[i].start | c->maps[i].end) & (page - 1))
			return false;
	return true;
}

/* The alignment of all areas, or 0 when they differ. */
static u64 page_of_segments(const struct core *c)
{
	u64 page = 0;

	for (size_t i = 0; i < c->n_segs; i++) {
		if (c->segs[i].p_type != PT_LOAD)
			continue;
		if (page && c->segs[i].p_align != page)
			return 0;
		page = c->segs[i].p_align;
	}
	return page;
}

/* gdb's 1 is no fault; a page size that ranges end on may be right, and AT_PAGESZ wrong. */
static bool is_absurd(const struct core *c, u64 unit)
{
	return unit != 1 && (!is_page_size(unit) || !ranges_fit(c, unit));
}

int repair_file_page(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	const struct core_note *note = core_note_find(c, 0, "CORE", NT_FILE);
	struct ntfile_iter it;
	u8 raw[8];
	u64 page;
	int r;

	if (!note || !c->n_maps || !is_absurd(c, c->map_page_size) || ntfile_iter_init(&it, note->note.desc, c->fmt, NULL))
		return 0;
	if (!core_auxv(c, AT_PAGESZ, &page) || !is_page_size(page))
		page = page_of_segments(c);
	if (!is_page_size(page) || !ranges_fit(c, page) || !is_alone(c, note))
		return 0;
	uint_put(c->fmt, raw, it.word, page);
	r = repair_put(x, it.desc.off + it.word, raw, it.word, e);
	return r ? r : repair_did(x, e, note->note.off, "the FILE note's page size was %llu, is %llu",
				  (ull)c->map_page_size, (ull)page);
}
