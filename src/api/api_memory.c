#include <stdio.h>

#include "api/api.h"
#include "base/util.h"

SAME(TAGCORE_MEMORY_UNMAPPED, MEM_UNMAPPED);
SAME(TAGCORE_MEMORY_ABSENT, MEM_ABSENT);
SAME(TAGCORE_MEMORY_PRESENT, MEM_PRESENT);

enum tagcore_memory_state tagcore_memory_state_at(const struct tagcore_core *c, uint64_t addr, uint64_t *until)
{
	u64 end;
	enum mem_state s = core_mem_state(&c->core, addr, &end);

	if (until)
		*until = end;
	return (enum tagcore_memory_state)s;
}

int tagcore_memory_read(struct tagcore_core *c, uint64_t addr, void *buf, size_t len, enum tagcore_memory_state *state,
			size_t *n, struct tagcore_error *error)
{
	struct err e = { 0 };
	enum mem_state s;
	size_t got;
	int r = core_read(&c->core, addr, buf, len, &s, &got, &e);

	if (r)
		return api_error(error, r, &e);
	*state = (enum tagcore_memory_state)s;
	*n = got;
	return 0;
}

int tagcore_memory_read_all(struct tagcore_core *c, uint64_t addr, void *buf, size_t len, struct tagcore_error *error)
{
	struct err e = { 0 };
	enum mem_state s;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		int r = core_read(&c->core, addr + at, (u8 *)buf + at, len - at, &s, &n, &e);

		if (r)
			return api_error(error, r, &e);
		if (s != MEM_PRESENT)
			return api_fail(error, s == MEM_ABSENT ? ERR_TRUNCATED : ERR_INPUT, "memory at 0x%llx is %s",
					(unsigned long long)addr + at, s == MEM_ABSENT ? "not in the core" : "not mapped");
		if (len - at > n && addr + at + n < addr)
			return api_fail(error, ERR_INPUT, "the range goes past the last address");
	}
	return 0;
}

uint64_t tagcore_memory_untag(const struct tagcore_core *c, uint64_t addr)
{
	return core_untag(&c->core, addr);
}

struct walk {
	int (*fn)(const struct tagcore_missing *missing, void *arg);
	void *arg;
	bool ended;
};

static int give(struct walk *w, const struct tagcore_missing *m)
{
	int r = w->fn(m, w->arg);

	w->ended = r != 0;
	return r;
}

static int give_gap(const struct core_gap *g, void *arg, struct err *e)
{
	const struct tagcore_missing m = { .has_range = 1, .start = g->start, .end = g->end,
					   .bytes = range_len(g->start, g->end), .tags_only = g->tags, .lost = g->lost,
					   .reason = g->reason };

	(void)e;
	return give(arg, &m);
}

/* Notes and program headers that are lost have no address. */
static int give_missing_other(const struct core *c, struct walk *w)
{
	int r = 0;

	for (size_t i = 0; !r && i < c->n_missing_other; i++) {
		char reason[160];
		const struct tagcore_missing m = {
			.bytes = c->missing_other[i].end, .lost = core_missing_is_lost(&c->missing_other[i]),
			.reason = core_text_copy(c->missing_other[i].reason, reason, sizeof(reason)),
		};

		r = give(w, &m);
	}
	return r;
}

/* What the dump could only count. */
static int give_more(const struct core *c, struct walk *w)
{
	char reason[64];
	const struct tagcore_missing m = { .bytes = c->more_missing_bytes, .reason = reason };

	if (!c->more_missing)
		return 0;
	snprintf(reason, sizeof(reason), "%llu more ranges that the dump could not list",
		 (unsigned long long)c->more_missing);
	return give(w, &m);
}

int tagcore_missing_each(struct tagcore_core *c, int (*fn)(const struct tagcore_missing *missing, void *arg), void *arg,
			 struct tagcore_error *error)
{
	struct walk w = { .fn = fn, .arg = arg };
	struct err e = { 0 };
	int r = core_gaps(&c->core, give_gap, &w, &e);

	if (!r)
		r = give_missing_other(&c->core, &w);
	if (!r)
		r = give_more(&c->core, &w);
	return api_walked(w.ended, r, error, &e);
}
