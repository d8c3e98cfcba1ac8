#include <string.h>

#include "base/util.h"
#include "check/checks.h"

static int info_line(struct core_text line, u64 off, struct err *e)
{
	const char *space = memchr(line.p, ' ', line.len);

	return space && space > line.p ? 0 : err_at(e, ERR_INPUT, off, "not \"KEY VALUE\"");
}

static int thread_line(struct core_text line, u64 off, struct err *e)
{
	struct core_thread t;

	return own_thread_parse(line, off, &t, e);
}

static int area_line(struct core_text line, u64 off, struct err *e)
{
	struct core_own_area a;

	return own_area_parse(line, off, &a, e);
}

static int missing_line(struct core_text line, u64 off, struct err *e)
{
	struct core_missing m;

	return own_missing_parse(line, off, &m, e);
}

static const struct {
	const char *name;
	u32 type;
	int (*line)(struct core_text line, u64 off, struct err *e);
} own_notes[] = {
	{ "INFO", NT_TAGCORE_INFO, info_line },
	{ "THREADS", NT_TAGCORE_THREADS, thread_line },
	{ "AREAS", NT_TAGCORE_AREAS, area_line },
	{ "MISSING", NT_TAGCORE_MISSING, missing_line },
};

void check_own_malformed(struct check_ctx *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_notes); i++) {
		const struct core_note *n = core_note_find(x->core, 0, TAGCORE_OWNER, own_notes[i].type);
		struct line_iter it = { .desc = n ? n->note.desc : (struct bytes){ 0 } };
		struct core_text line;
		u64 off;

		while (line_next(&it, &line, &off) > 0) {
			struct err e = { 0 };

			if (own_notes[i].line(line, off, &e) < 0)
				check_found(x, off, "%s note: a line is %s", own_notes[i].name,
					    strstr(e.msg, ": ") ? strstr(e.msg, ": ") + 2 : e.msg);
		}
	}
}

/* An area has its PT_LOAD, with the same ends, or (left out as a whole) none. */
void check_own_areas(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (!c->n_own_areas || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];
		const struct core_own_area *own = core_own_area_at(c, a->start);

		if (a->seg == CORE_NO_SEG)
			continue;
		if (!own || own->start != a->start || own->end != a->end)
			check_found(x, core_phdr_off(c, a->seg), "segment %u, 0x%llx-0x%llx: the AREAS note %s", a->seg,
				    (unsigned long long)a->start, (unsigned long long)a->end,
				    own ? "has other ends" : "does not know it");
	}
}

static u64 bytes_of(const struct core_missing *v, size_t n)
{
	u64 bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += v[i].end - v[i].start;
	return bytes;
}

void check_own_gaps(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_MISSING);
	u64 bytes = bytes_of(c->missing, c->n_missing) + c->more_missing_bytes;

	if (n && c->n_missing + c->more_missing)
		check_found(x, n->note.off, "the dump lacks %llu bytes in %llu ranges (tagcore inspect missing)",
			    (unsigned long long)bytes, (unsigned long long)(c->n_missing + c->more_missing));
	if (n && c->n_missing_tags)
		check_found(x, n->note.off, "the dump lacks the memory tags of %llu bytes in %zu ranges (tagcore "
			    "inspect missing)", (unsigned long long)bytes_of(c->missing_tags, c->n_missing_tags),
			    c->n_missing_tags);
}
