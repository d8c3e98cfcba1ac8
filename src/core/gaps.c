#include <stdio.h>

#include "base/util.h"
#include "core/core_priv.h"

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
		struct core_gap g = { .start = v[i].start, .end = v[i].end, .tags = tags };

		core_text_copy(v[i].reason, g.reason, sizeof(g.reason));
		r = emit(w, &g, e);
	}
	return r;
}

/* Why the maker did not save it: our dumps say so, the kernel and gdb do not. */
static void left_out(const struct core_own_area *own, struct core_gap *g)
{
	char action[32], rule[96];

	if (!own) {
		snprintf(g->reason, sizeof(g->reason), "left out by the core's maker");
		return;
	}
	snprintf(g->reason, sizeof(g->reason), "rule %s: %s", core_text_copy(own->rule, rule, sizeof(rule)),
		 core_text_copy(own->action, action, sizeof(action)));
}

/* Up to where the segment says that it has bytes. */
static u64 promised_end(const struct core *c, const struct core_area *a)
{
	const GElf_Phdr *p;
	u64 end;

	if (a->seg == CORE_NO_SEG)
		return a->saved_end;
	p = &c->segs[a->seg];
	if (add_overflow(p->p_vaddr, p->p_filesz, &end) || end > a->end)
		end = a->end;
	return max(end, a->saved_end);
}

/* [saved, filesz) is what the file should have; [filesz, memsz) is what it never had. */
static int area_gaps(struct gap_walk *w, const struct core_area *a, struct err *e)
{
	struct core_gap g = { .start = a->saved_end, .reason = "the file is cut short" };
	u64 promised = promised_end(w->core, a);
	int r;

	g.end = promised;
	r = emit(w, &g, e);
	if (r)
		return r;
	g.start = promised;
	g.end = a->end;
	left_out(core_own_area_at(w->core, a->start), &g);
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
	return r;
}
