/* fuzz_assert.c - what must hold of an open core, whatever is in it: walks advance, ranges are sorted and whole. */
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/core.h"
#include "core/modules.h"

#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum { TAG_WALK_MAX = 1 << 20 };	/* bytes of memory */

static void assert_areas(const struct core *c)
{
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];

		must(a->start < a->end, "area %zu", i);
		must(a->start <= a->saved_end && a->saved_end <= a->end, "area %zu", i);
		must(!i || c->areas[i - 1].end <= a->start, "area %zu", i);
		must(a->seg == CORE_NO_SEG || a->seg < c->n_segs, "area %zu", i);
	}
	for (size_t i = 0; i < c->n_threads; i++)
		must(c->threads[i].note < c->n_notes && c->by_tid[i] < c->n_threads, "thread %zu", i);
}

/* Every set of a note is within it. */
static void assert_regsets(const struct core *c)
{
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct bytes d = c->notes[i].note.desc;
		struct core_regset s;
		size_t at = 0;

		while (core_note_regset(c, &c->notes[i].note, &at, &s))
			must(s.set && s.desc.p >= d.p && s.desc.len <= d.len && s.desc.p + s.desc.len <= d.p + d.len, "note %zu", i);
	}
}

static void assert_state_walk(const struct core *c)
{
	u64 addr = 0, until;
	size_t steps = 0, most = 4 * (c->n_areas + c->n_missing) + 8;

	for (; core_mem_state(c, addr, &until), until > addr; addr = until)
		must(steps++ < most, "%zu steps over %zu areas", steps, c->n_areas);
	must(addr == UINT64_MAX && until == addr, "stands still at 0x%llx", (unsigned long long)addr);
}

static void assert_last_byte(struct core *c)
{
	enum mem_state state = 99;
	struct err e = { 0 };
	size_t n = 0;
	u8 buf[2];

	if (core_read(c, UINT64_MAX, buf, sizeof(buf), &state, &n, &e))
		return;
	must(n == 1 && state <= MEM_PRESENT, "%zu bytes, state %d", n, (int)state);
}

static void assert_reads(struct core *c)
{
	u8 buf[300];

	for (size_t i = 0; i < c->n_areas; i++) {
		u64 ends[] = { c->areas[i].start, c->areas[i].saved_end - 7, c->areas[i].end - 7 };

		for (size_t k = 0; k < ARRAY_SIZE(ends); k++) {
			enum mem_state state;
			struct err e = { 0 };
			size_t n = 0;

			if (core_read(c, ends[k], buf, sizeof(buf), &state, &n, &e))
				continue;
			must(n > 0 && n <= sizeof(buf), "%zu bytes", n);
		}
	}
}

static int assert_run(const struct core_tag_run *run, void *arg, struct err *e)
{
	u64 *last = arg;

	(void)e;
	must(run->start < run->end && run->start >= *last, "run at 0x%llx", (unsigned long long)run->start);
	must(run->state == TAG_KNOWN || !run->tag, "tag %u", run->tag);
	must(run->tag < 16, "tag %u", run->tag);
	*last = run->end;
	return 0;
}

static void assert_tags(struct core *c)
{
	for (size_t i = 0; i < c->n_tagged; i++) {
		u64 start = c->tagged[i].start, end, last = 0;
		struct err e = { 0 };

		must(start < c->tagged[i].end && c->tagged[i].have_end <= c->tagged[i].end, "tagged %zu", i);
		if (add_overflow(start, (u64)TAG_WALK_MAX, &end))
			end = UINT64_MAX;
		if (core_tag_runs(c, start, end, assert_run, &last, &e))
			must(e.code, "an error without a sentence");
	}
}

static int assert_page_run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	u64 *last = arg;

	(void)e;
	must(r->start < r->end && r->start >= *last, "run at 0x%llx", (unsigned long long)r->start);
	must(r->start >= v->start && r->end <= v->end, "run at 0x%llx", (unsigned long long)r->start);
	*last = r->end;
	return 0;
}

static void assert_pages(struct core *c)
{
	static const struct page_walk_ops ops = { .run = assert_page_run };
	struct page_source src scoped(page_source_close) = { 0 };
	struct mm mm scoped(mm_close) = { 0 };
	struct err e = { 0 };
	u64 last = 0;

	page_source_open_core(&src, c);
	if (mm_open_core(&mm, c, &e) || page_walk(&mm, &src, 0, UINT64_MAX, &ops, &last, &e))
		must(e.code, "an error without a sentence");
}

static int assert_module(const struct core_module *m, void *arg, struct err *e)
{
	u64 *last = arg;

	(void)e;
	must(m->start < m->end && m->start >= *last, "module at 0x%llx", (unsigned long long)m->start);
	must(m->build_id_len <= CORE_BUILD_ID_MAX, "module at 0x%llx", (unsigned long long)m->start);
	*last = m->start;
	return 0;
}

static int assert_gap(const struct core_gap *g, void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	must(g->start < g->end, "gap at 0x%llx", (unsigned long long)g->start);
	must(strnlen(g->reason, sizeof(g->reason)) < sizeof(g->reason), "gap at 0x%llx", (unsigned long long)g->start);
	return 0;
}

static void assert_lists(struct core *c)
{
	struct err e = { 0 };
	struct core_loss loss;
	u64 last = 0;

	if (core_loss(c, &loss, &e))
		must(e.code, "an error without a sentence");
	if (core_modules(c, assert_module, &last, &e) || core_gaps(c, assert_gap, NULL, &e))
		must(e.code, "an error without a sentence");
}

void assert_core(struct core *c)
{
	assert_areas(c);
	assert_regsets(c);
	assert_state_walk(c);
	assert_reads(c);
	assert_last_byte(c);
	assert_tags(c);
	assert_pages(c);
	assert_lists(c);
}

static void add_place(struct places *p, u64 addr)
{
	if (p->n_addr < PLACES)
		snprintf(p->addr[p->n_addr++], PLACE_MAX, "0x%llx", (unsigned long long)addr);
}

void find_places(const struct core *c, struct places *p)
{
	add_place(p, UINT64_MAX - 20);
	if (c->n_tagged)
		add_place(p, c->tagged[0].have_end - 40);
	for (size_t i = 0; i < min(c->n_threads, (size_t)2); i++)
		snprintf(p->tid[p->n_tid++], PLACE_MAX, "%d", c->threads[i].tid);
	for (size_t i = 0; i < c->n_areas && p->n_addr < PLACES; i++)
		add_place(p, (i & 1 ? c->areas[i].end : c->areas[i].saved_end) - 40);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
