#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "core/core_priv.h"

int line_next(struct line_iter *it, struct core_text *line, u64 *off)
{
	size_t len, room;
	const u8 *p, *nl;

	if (it->at >= it->desc.len || !it->desc.p[it->at])
		return 0;
	p = it->desc.p + it->at;
	room = it->desc.len - (size_t)it->at;
	/* The end of the line first: looking for that of the text each time is quadratic. */
	nl = memchr(p, '\n', room);
	len = strnlen((const char *)p, nl ? (size_t)(nl - p) : room);
	*off = it->desc.off + it->at;
	*line = (struct core_text){ .p = (const char *)p, .len = len };
	it->at += len + (nl && p + len == nl ? 1 : 0);
	return 1;
}

/* The next word of *line up to @sep, which is taken off with it. */
static bool word_next(struct core_text *line, char sep, struct core_text *out)
{
	const char *end = memchr(line->p, sep, line->len);

	if (!end || end == line->p)
		return false;
	*out = (struct core_text){ .p = line->p, .len = (size_t)(end - line->p) };
	line->p = end + 1;
	line->len -= out->len + 1;
	return true;
}

static bool num(struct core_text t, int base, u64 *out)
{
	u64 v = 0;

	if (!t.len)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		char ch = t.p[i];
		int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : 99;

		if (digit >= base || mul_overflow(v, (u64)base, &v) || add_overflow(v, (u64)digit, &v))
			return false;
	}
	*out = v;
	return true;
}

static bool end_num(struct core_text t, u64 *out)
{
	if (!core_text_is(t, "10000000000000000"))
		return num(t, 16, out);
	*out = UINT64_MAX;
	return true;
}

/* "START-END " in hexadecimal, as in maps. */
static bool range_next(struct core_text *line, char sep, u64 *start, u64 *end)
{
	struct core_text a, b;

	return word_next(line, '-', &a) && word_next(line, sep, &b) && num(a, 16, start) &&
	       end_num(b, end) && *start < *end;
}

int threads_line_parse(struct core_text line, u64 off, struct core_thread *out, struct err *e)
{
	struct core_text tid, state;
	u64 v;

	if (!word_next(&line, ' ', &tid) || !num(tid, 10, &v) || v > INT32_MAX ||
	    !word_next(&line, ' ', &state) || state.len != 1)
		return err_at(e, ERR_INPUT, off, "not \"TID STATE NAME\"");
	*out = (struct core_thread){ .tid = (s32)v, .state = state.p[0], .name = line };
	return 0;
}

/* "dd,mt", "-" for none, "?" where the dump did not know them; unknown codes are ignored. */
static u32 flags_parse(struct core_text t)
{
	u32 flags = core_text_is(t, "?") ? 0 : VM_KNOWN;

	for (size_t at = 0; at + 2 <= t.len; at += 3)
		flags |= vma_flag_of(t.p + at);
	return flags;
}

static bool prot_parse(struct core_text t, u32 *flags)
{
	if (t.len != 4)
		return false;
	*flags = (t.p[0] == 'r' ? VM_READ : 0) | (t.p[1] == 'w' ? VM_WRITE : 0) |
		 (t.p[2] == 'x' ? VM_EXEC : 0) | (t.p[3] == 's' ? VM_SHARED : 0);
	return true;
}

int areas_line_parse(struct core_text line, u64 off, struct core_noted_area *out, struct err *e)
{
	struct core_noted_area a = { 0 };
	struct core_text prot, pgoff, flags;

	if (!range_next(&line, ' ', &a.start, &a.end) || !word_next(&line, ' ', &prot) ||
	    !prot_parse(prot, &a.flags) || !word_next(&line, ' ', &pgoff) || !num(pgoff, 16, &a.pgoff) ||
	    !word_next(&line, ' ', &flags) || !word_next(&line, ' ', &a.action))
		return err_at(e, ERR_INPUT, off, "not \"START-END PROT OFFSET FLAGS ACTION RULE NAME\"");
	a.flags |= flags_parse(flags);
	/* An area without a name may have no space after its rule. */
	if (!word_next(&line, ' ', &a.rule)) {
		a.rule = line;
		line.len = 0;
	}
	a.name = line;
	*out = a;
	return 0;
}

static bool skip(struct core_text *line, char c)
{
	if (!line->len || line->p[0] != c)
		return false;
	line->p++;
	line->len--;
	return true;
}

static bool number_next(struct core_text *line, u64 *out)
{
	struct core_text word;

	return word_next(line, ' ', &word) && num(word, 10, out);
}

int missing_line_parse(struct core_text line, u64 off, struct core_missing *out, struct err *e)
{
	struct core_missing m = { 0 };
	int form = skip(&line, '+') ? 1 : skip(&line, '?') ? 2 : 0;
	bool good;

	if (form == 1)
		good = number_next(&line, &m.start) && number_next(&line, &m.end);
	else if (form == 2)
		good = skip(&line, ' ') && number_next(&line, &m.end);
	else
		good = range_next(&line, ' ', &m.start, &m.end);
	if (!good)
		return err_at(e, ERR_INPUT, off, "neither \"START-END REASON\", \"? BYTES REASON\" nor \"+N BYTES more "
			      "ranges\"");
	if (form != 1)
		m.reason = line;
	*out = m;
	return form;
}

static int load_threads(struct core *c, const struct note *n)
{
	struct line_iter it = { .desc = n->desc };
	struct core_text line;
	struct core_thread t;
	u64 off;

	while (line_next(&it, &line, &off) > 0) {
		const struct core_thread *found;

		if (threads_line_parse(line, off, &t, NULL))
			continue;
		found = core_thread_find(c, t.tid);
		if (!found)
			continue;
		c->threads[found - c->threads].name = t.name;
		c->threads[found - c->threads].state = t.state;
		c->threads[found - c->threads].partial |= t.state == '!';
	}
	return 0;
}

/* "not_stopped TID REASON …" */
static void load_not_stopped(struct core *c, const struct note *n)
{
	struct line_iter it = { .desc = n->desc };
	struct core_text line, key, tid;
	const struct core_thread *t;
	u64 off, v;

	while (line_next(&it, &line, &off) > 0) {
		if (!word_next(&line, ' ', &key) || !core_text_is(key, TAGCORE_NOT_STOPPED) || !word_next(&line, ' ', &tid) ||
		    !num(tid, 10, &v) || v > INT32_MAX)
			continue;
		t = core_thread_find(c, (s32)v);
		if (t)
			c->threads[t - c->threads].partial = true;
	}
}

bool core_next_bare_thread(const struct core *c, u64 *at, struct core_thread *out)
{
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_THREADS);
	struct line_iter it = { .desc = n ? n->note.desc : (struct bytes){ 0 }, .at = *at };
	struct core_text line;
	u64 off;

	while (line_next(&it, &line, &off) > 0) {
		const struct core_thread *t;

		*at = it.at;
		if (threads_line_parse(line, off, out, NULL))
			continue;
		t = core_thread_find(c, out->tid);
		out->partial = true;
		out->note = CORE_NO_NOTE;
		if (!t || core_thread_is_bare(c, t))
			return true;
	}
	return false;
}

static int noted_cmp(const void *a, const void *b)
{
	const struct core_noted_area *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int missing_cmp(const void *a, const void *b)
{
	const struct core_missing *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Drops ranges that overlap the one before, which tagcore never writes. */
static void missing_make_disjoint(struct core_missing *v, size_t *count)
{
	size_t n = 0;
	u64 end = 0;

	if (*count)
		qsort(v, *count, sizeof(*v), missing_cmp);
	for (size_t i = 0; i < *count; i++) {
		struct core_missing m = v[i];

		m.start = max(m.start, end);
		if (m.start >= m.end)
			continue;
		end = m.end;
		v[n++] = m;
	}
	*count = n;
}

static int load_areas(struct core *c, const struct note *n, struct err *e)
{
	struct line_iter it = { .desc = n->desc };
	struct core_text line;
	struct core_noted_area a;
	size_t cap = 0;
	u64 off;

	while (line_next(&it, &line, &off) > 0) {
		int r;

		if (areas_line_parse(line, off, &a, NULL))
			continue;
		r = array_grow((void **)&c->noted_areas, c->n_noted_areas, &cap, sizeof(a), "read core", e);
		if (r)
			return r;
		c->noted_areas[c->n_noted_areas++] = a;
	}
	if (c->n_noted_areas)
		qsort(c->noted_areas, c->n_noted_areas, sizeof(a), noted_cmp);
	return 0;
}

static bool begins(struct core_text t, const char *words)
{
	return t.len >= strlen(words) && !memcmp(t.p, words, strlen(words));
}

/* A range of which only the tags are missing: its reason says so (tagcore-notes(5)). */
static bool is_of_tags(const struct core_missing *m)
{
	return begins(m->reason, TAGCORE_TAGS_LOST);
}

bool core_missing_is_lost(const struct core_missing *m)
{
	return begins(m->reason, TAGCORE_LOST) || begins(m->reason, TAGCORE_TAGS_LOST " " TAGCORE_LOST);
}

bool core_missing_is_guard(const struct core_missing *m)
{
	return core_text_is(m->reason, TAGCORE_GUARD);
}

/* Appends to one of the three lists; @form as missing_line_parse() returns it. */
static int missing_add(struct core *c, const struct core_missing *m, int form, size_t cap[3], struct err *e)
{
	int list = form == 2 ? 2 : is_of_tags(m);
	struct core_missing **v = list == 2 ? &c->missing_other : list ? &c->missing_tags : &c->missing;
	size_t *n = list == 2 ? &c->n_missing_other : list ? &c->n_missing_tags : &c->n_missing;
	int r = array_grow((void **)v, *n, &cap[list], sizeof(*m), "read core", e);

	if (!r)
		(*v)[(*n)++] = *m;
	return r;
}

static int load_missing(struct core *c, const struct note *n, struct err *e)
{
	struct line_iter it = { .desc = n->desc };
	struct core_text line;
	struct core_missing m;
	size_t cap[3] = { 0 };
	u64 off;

	while (line_next(&it, &line, &off) > 0) {
		int r = missing_line_parse(line, off, &m, NULL);

		if (r == 1) {
			c->more_missing = m.start;
			c->more_missing_bytes = m.end;
		}
		if (r < 0 || r == 1)
			continue;
		r = missing_add(c, &m, r, cap, e);
		if (r)
			return r;
	}
	missing_make_disjoint(c->missing, &c->n_missing);
	missing_make_disjoint(c->missing_tags, &c->n_missing_tags);
	return 0;
}

int core_load_tagcore(struct core *c, struct err *e)
{
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_THREADS);
	int r = n ? load_threads(c, &n->note) : 0;

	n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_INFO);
	if (n)
		load_not_stopped(c, &n->note);
	n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_AREAS);
	if (!r && n)
		r = load_areas(c, &n->note, e);
	n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_MISSING);
	return r || !n ? r : load_missing(c, &n->note, e);
}

const struct core_noted_area *core_noted_area_at(const struct core *c, u64 addr)
{
	size_t n = search_first(i, 0, c->n_noted_areas, c->noted_areas[i].start > addr);

	return n && c->noted_areas[n - 1].end > addr ? &c->noted_areas[n - 1] : NULL;
}

static const struct core_missing *find(const struct core_missing *v, size_t n, u64 addr)
{
	size_t at = search_first(i, 0, n, ends_above(v[i].end, addr));

	return at < n ? &v[at] : NULL;
}

const struct core_missing *core_missing_find(const struct core *c, u64 addr)
{
	return find(c->missing, c->n_missing, addr);
}

const struct core_missing *core_missing_tags_find(const struct core *c, u64 addr)
{
	return find(c->missing_tags, c->n_missing_tags, addr);
}
