#include <stdio.h>

#include "base/util.h"
#include "core/core_priv.h"
#include "elf/tags.h"

#define CUT_SHORT "the file is cut short"

struct gap_walk {
	const struct core *core;
	int (*fn)(const struct core_gap *g, void *arg, struct err *e);
	void *arg;
};

static int emit(struct gap_walk *w, struct core_gap *g, struct err *e)
{
	return g->start < g->end ? w->fn(g, w->arg, e) : 0;
}

static int recorded(struct gap_walk *w, const struct core_missing *v, size_t n, bool tags, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct core_gap g = { .start = v[i].start, .end = v[i].end, .tags = tags,
				      .lost = core_missing_is_lost(&v[i]) };

		core_text_copy(v[i].reason, g.reason, sizeof(g.reason));
		r = emit(w, &g, e);
	}
	return r;
}

/* The actions of plan_action_name(): "first-page" saves at least the smallest page of all machines. */
u64 core_noted_saved_end(const struct core_noted_area *a)
{
	enum { SMALLEST_PAGE = 4096 };

	if (core_text_is(a->action, "touched") || core_text_is(a->action, "whole"))
		return a->end;
	if (core_text_is(a->action, "first-page"))
		return min(a->end, a->start + SMALLEST_PAGE);
	return a->start;
}

/* Why the maker did not save it: our dumps say so, the kernel and gdb do not. */
static void left_out(const struct core_noted_area *noted, struct core_gap *g)
{
	char action[32], rule[96];

	if (!noted) {
		snprintf(g->reason, sizeof(g->reason), "left out by the core's maker");
		return;
	}
	snprintf(g->reason, sizeof(g->reason), "%srule %s: %s", g->lost ? TAGCORE_LOST " saved by " : "",
		 core_text_copy(noted->rule, rule, sizeof(rule)), core_text_copy(noted->action, action, sizeof(action)));
}

/* Up to where the segment says that it has bytes. */
static u64 stated_end(const struct core *c, const struct core_area *a)
{
	const GElf_Phdr *p;

	if (a->seg == CORE_NO_SEG)
		return a->saved_end;
	p = &c->segs[a->seg];
	return max(min(range_end(p->p_vaddr, p->p_filesz), a->end), a->saved_end);
}

/* [start, end) has no bytes in its segment; ranges in the MISSING note are not reported twice. */
static int emit_unsaved(struct gap_walk *w, const struct core_noted_area *noted, u64 start, u64 end, bool lost,
			struct err *e)
{
	int r = 0;

	while (!r && start < end) {
		const struct core_missing *m = core_missing_find(w->core, start);
		struct core_gap g = { .start = start, .end = m ? max(start, min(m->start, end)) : end, .lost = lost };

		left_out(noted, &g);
		r = emit(w, &g, e);
		start = m ? min(m->end, end) : end;
	}
	return r;
}

/* [saved, filesz) is lost; [filesz, memsz) was omitted, except what the AREAS note calls saved. */
static int area_gaps(struct gap_walk *w, const struct core_area *a, struct err *e)
{
	const struct core_noted_area *noted = core_noted_area_at(w->core, a->start);
	u64 stated = stated_end(w->core, a), kept = noted ? min(core_noted_saved_end(noted), a->end) : stated;
	struct core_gap g = { .start = a->saved_end, .end = stated, .lost = true, .reason = CUT_SHORT };
	int r = emit(w, &g, e);

	if (!r)
		r = emit_unsaved(w, noted, stated, kept, true, e);
	return r ? r : emit_unsaved(w, noted, max(stated, kept), a->end, false, e);
}

/* Tags that the segment says that it has, and the file has not. */
static int tag_gaps(struct gap_walk *w, const struct core_tagged *t, struct err *e)
{
	const GElf_Phdr *p = &w->core->segs[t->seg];
	struct core_gap g = { .start = t->have_end, .end = t->end, .tags = true, .lost = true,
			      .reason = TAGCORE_TAGS_LOST ": " CUT_SHORT };

	g.end = min(range_end(p->p_vaddr, mul_clip(p->p_filesz, TAG_BYTE_SPAN)), t->end);
	return emit(w, &g, e);
}

int core_gaps(const struct core *c, int (*fn)(const struct core_gap *g, void *arg, struct err *e),
	      void *arg, struct err *e)
{
	struct gap_walk w = { .core = c, .fn = fn, .arg = arg };
	int r = recorded(&w, c->missing, c->n_missing, false, e);

	if (!r)
		r = recorded(&w, c->missing_tags, c->n_missing_tags, true, e);
	for (size_t i = 0; !r && i < c->n_areas; i++)
		r = area_gaps(&w, &c->areas[i], e);
	for (size_t i = 0; !r && i < c->n_tagged; i++)
		r = tag_gaps(&w, &c->tagged[i], e);
	return r;
}

static int add_loss(const struct core_gap *g, void *arg, struct err *e)
{
	struct core_loss *l = arg;

	(void)e;
	if (!g->lost)
		return 0;
	if (g->tags) {
		l->tagged += range_len(g->start, g->end);
	} else {
		l->bytes += range_len(g->start, g->end);
		l->ranges++;
	}
	return 0;
}

int core_loss(const struct core *c, struct core_loss *out, struct err *e)
{
	int r;

	*out = (struct core_loss){ 0 };
	r = core_gaps(c, add_loss, out, e);
	for (size_t i = 0; i < c->n_missing_other; i++)
		out->parts += core_missing_is_lost(&c->missing_other[i]);
	out->parts += c->n_segs < c->phnum || c->xnum == CORE_XNUM_LOST;
	for (size_t i = 0; i < c->n_segs; i++)
		out->parts += c->segs[i].p_type == PT_NOTE && core_seg_in_file(c, i) < c->segs[i].p_filesz;
	return r;
}
