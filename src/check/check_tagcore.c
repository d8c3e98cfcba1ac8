#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "check/checks.h"

#define ull unsigned long long

static int info_line(struct core_text line, u64 off, struct err *e)
{
	const char *space = memchr(line.p, ' ', line.len);

	return space && space > line.p ? 0 : err_at(e, ERR_INPUT, off, "not \"KEY VALUE\"");
}

static int thread_line(struct core_text line, u64 off, struct err *e)
{
	struct core_thread t;

	return threads_line_parse(line, off, &t, e);
}

static int area_line(struct core_text line, u64 off, struct err *e)
{
	struct core_noted_area a;

	return areas_line_parse(line, off, &a, e);
}

static int missing_line(struct core_text line, u64 off, struct err *e)
{
	struct core_missing m;

	return missing_line_parse(line, off, &m, e);
}

static const struct {
	const char *name;
	u32 type;
	int (*line)(struct core_text line, u64 off, struct err *e);
} tagcore_notes[] = {
	{ "INFO", NT_TAGCORE_INFO, info_line },
	{ "THREADS", NT_TAGCORE_THREADS, thread_line },
	{ "AREAS", NT_TAGCORE_AREAS, area_line },
	{ "MISSING", NT_TAGCORE_MISSING, missing_line },
	{ "PAUSE", NT_TAGCORE_PAUSE, info_line },
};

void check_tagcore_malformed(struct check_ctx *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(tagcore_notes); i++) {
		const struct core_note *n = core_note_find(x->core, 0, TAGCORE_OWNER, tagcore_notes[i].type);
		struct line_iter it = { .desc = n ? n->note.desc : (struct bytes){ 0 } };
		struct core_text line;
		u64 off;

		while (line_next(&it, &line, &off) > 0) {
			struct err e = { 0 };

			if (tagcore_notes[i].line(line, off, &e) < 0)
				check_found(x, off, "%s note: a line is %s", tagcore_notes[i].name,
					    strstr(e.msg, ": ") ? strstr(e.msg, ": ") + 2 : e.msg);
		}
	}
}

/* An area has its PT_LOAD, with the same ends, or (left out as a whole) none. */
void check_tagcore_areas(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (!c->n_noted_areas || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];
		const struct core_noted_area *noted = core_noted_area_at(c, a->start);

		if (a->seg == CORE_NO_SEG)
			continue;
		if (!noted || noted->start != a->start || noted->end != a->end)
			check_found(x, core_phdr_off(c, a->seg), "segment %u, 0x%llx-0x%llx: the AREAS note %s", a->seg,
				    (unsigned long long)a->start, (unsigned long long)a->end,
				    noted ? "has other ends" : "does not know it");
	}
}

/* What AREAS calls saved, and neither its segment has nor the MISSING note explains. */
static int unsaved_gap(const struct core_gap *g, void *arg, struct err *e)
{
	struct check_ctx *x = arg;
	const struct core *c = x->core;
	const struct core_area *a = core_area_find(c, g->start);
	const struct core_missing *m = core_missing_find(c, g->start);
	u64 off = a && a->seg != CORE_NO_SEG ? core_phdr_off(c, a->seg) : c->ehdr.e_phoff;
	const GElf_Phdr *p = a && a->seg != CORE_NO_SEG ? &c->segs[a->seg] : NULL;

	(void)e;
	/* What the segment promises and the file has not is seg-truncated's. */
	if (!g->lost || g->tags || (m && m->start <= g->start) || (p && g->start - p->p_vaddr < p->p_filesz))
		return 0;
	check_found(x, off, "0x%llx-0x%llx: the AREAS note says that it is saved, and %s", (ull)g->start, (ull)g->end,
		    p ? "the segment has no bytes of it" : "there is no segment");
	return 0;
}

void check_tagcore_saved(struct check_ctx *x)
{
	struct err e;

	if (x->core->n_noted_areas && check_has_all_segs(x->core))
		x->oom = core_gaps(x->core, unsaved_gap, x, &e);
}

static u64 bytes_of(const struct core_missing *v, size_t n, bool lost, size_t *count)
{
	u64 bytes = 0;

	*count = 0;
	for (size_t i = 0; i < n; i++) {
		if (core_missing_is_lost(&v[i]) != lost || core_missing_is_guard(&v[i]))
			continue;
		bytes += range_len(v[i].start, v[i].end);
		(*count)++;
	}
	return bytes;
}

static u64 missing_off(const struct core *c)
{
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_MISSING);

	return n ? n->note.off : 0;
}

void check_tagcore_gaps(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n, n_tags;
	u64 bytes = bytes_of(c->missing, c->n_missing, false, &n);
	u64 tagged = bytes_of(c->missing_tags, c->n_missing_tags, false, &n_tags);

	if (n + c->more_missing)
		check_found(x, missing_off(c), "the dump lacks %llu bytes in %llu ranges (tagcore inspect missing)",
			    (ull)(bytes + c->more_missing_bytes), (ull)(n + c->more_missing));
	if (n_tags)
		check_found(x, missing_off(c), "the dump lacks the memory tags of %llu bytes in %zu ranges (tagcore "
			    "inspect missing)", (ull)tagged, n_tags);
}

void check_tagcore_inconsistent(struct check_ctx *x)
{
	const struct core_note *n = core_note_find(x->core, 0, TAGCORE_OWNER, NT_TAGCORE_INFO);
	struct core_text why = core_info(x->core, TAGCORE_INCONSISTENT);
	struct core_thread t;
	size_t partial = 0, bare = 0;
	u64 at = 0;

	if (!n || !why.p)
		return;
	for (size_t i = 0; i < x->core->n_threads; i++)
		partial += x->core->threads[i].partial && !core_thread_is_bare(x->core, &x->core->threads[i]);
	while (core_next_bare_thread(x->core, &at, &t))
		bare++;
	check_found(x, n->note.off, "%s while memory was copied, which may be of different moments: of %zu threads only pc and "
		    "sp are known, of %zu no register", core_text_is(why, "no-stop") ? "the process was not stopped" :
		    "threads did not stop", partial, bare);
}

void check_tagcore_lost(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n, n_tags;
	u64 bytes = bytes_of(c->missing, c->n_missing, true, &n);
	u64 tagged = bytes_of(c->missing_tags, c->n_missing_tags, true, &n_tags);

	if (n)
		check_found(x, missing_off(c), "%llu bytes of memory in %zu ranges are recorded as lost (tagcore inspect "
			    "missing)", (ull)bytes, n);
	if (n_tags)
		check_found(x, missing_off(c), "the memory tags of %llu bytes in %zu ranges are recorded as lost (tagcore "
			    "inspect missing)", (ull)tagged, n_tags);
	for (size_t i = 0; i < c->n_missing_other; i++) {
		char reason[160], safe[320];

		check_found(x, missing_off(c), "recorded as lost, %llu bytes: %s", (ull)c->missing_other[i].end,
			    text_escape(core_text_copy(c->missing_other[i].reason, reason, sizeof(reason)), safe, sizeof(safe)));
	}
}
