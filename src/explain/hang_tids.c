#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "explain/hang.h"

/*
 * Locks have their owners by the ids that gettid(2) gives, which in a container are others than those that /proc and our
 * cores have.  A process's are in /proc (NSpid), those of a core in the memory of the C library.
 */

enum { TID_MAX = 1 << 22 };	/* include/linux/threads.h: PID_MAX_LIMIT */

/* The id of the process in its own PID namespace where that is another one, else 0.  A kernel's core has the inner ones only. */
static u64 inner_pid(const struct crash *c)
{
	struct core_text t = core_info(c->core, TAGCORE_NS_PID);
	char text[24];
	u64 v;

	if (!t.p || t.len >= sizeof(text) || text_parse_u64(core_text_copy(t, text, sizeof(text)), 10, false, &v))
		return 0;
	return v <= TID_MAX ? v : 0;
}

u64 hang_thread_pointer(const struct crash *c, const struct hang_thread *t)
{
	const struct arch *a = c->core->arch;
	struct core_regset s;
	u64 tp;

	if (!t->thread || !a || !a->tp.set || !core_thread_regset(c->core, t->thread, a->tp.set->name, &s) ||
	    reg_get(a, s.set, a->tp.reg, s.desc, &tp, NULL))
		return 0;
	return tp;
}

/* ---- of a core: struct pthread has the id */

struct search {
	struct crash *c;
	u64 *tp;	/* of each thread; 0: not known */
	s32 *tids;	/* by the offset that is tried */
	s32 *sorted;
	size_t leader;
	u64 inner;
};

static int compare_s32(const void *a, const void *b)
{
	s32 x = *(const s32 *)a, y = *(const s32 *)b;

	return x < y ? -1 : x > y;
}

/* Every thread has another id there, and the leader the one of the process. */
static bool fits(struct search *s, s64 off)
{
	size_t n = s->c->hang->n;
	u64 v;

	if (!lock_word(s->c, s->tp[s->leader] + (u64)off, &v) || v != s->inner)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!s->tp[i] || !lock_word(s->c, s->tp[i] + (u64)off, &v) || !v || v > TID_MAX)
			return false;
		s->tids[i] = (s32)v;
	}
	memcpy(s->sorted, s->tids, n * sizeof(*s->sorted));
	qsort(s->sorted, n, sizeof(*s->sorted), compare_s32);
	for (size_t i = 1; i < n; i++)
		if (s->sorted[i] == s->sorted[i - 1])
			return false;
	return true;
}

/*
 * struct pthread is at the thread pointer or ends there, and differs between C libraries and their versions (glibc 2.36 on
 * x86-64: 0x2d0): any word near it is tried, and must be the only one that can be the id.
 */
static void by_memory(struct search *s)
{
	enum { NEAR = 0x900, TRIES = 64 };
	struct hang *h = s->c->hang;
	size_t n_found = 0;

	for (s64 off = -NEAR, tries = 0; off < NEAR && tries < TRIES && n_found < 2; off += 4) {
		u64 v;

		tries += lock_word(s->c, s->tp[s->leader] + (u64)off, &v) && v == s->inner;
		if (!fits(s, off))
			continue;
		n_found++;
		for (size_t i = 0; i < h->n; i++)
			h->v[i].own_tid = s->tids[i];
	}
	for (size_t i = 0; n_found != 1 && i < h->n; i++)
		h->v[i].own_tid = 0;
	h->guessed_ns = n_found == 1;
}

static int of_core(struct crash *c, u64 inner, struct err *e)
{
	struct hang *h = c->hang;
	u64 *tp auto_free = calloc(h->n + 1, sizeof(*tp));
	s32 *tids auto_free = calloc(h->n + 1, sizeof(*tids)), *sorted auto_free = calloc(h->n + 1, sizeof(*sorted));
	struct search s = { .c = c, .tp = tp, .tids = tids, .sorted = sorted, .inner = inner };
	struct core_procinfo ps;

	if (!tp || !tids || !sorted)
		return err_set(e, -ENOMEM, "%zu threads", h->n);
	core_procinfo(c->core, &ps);
	s.leader = ps.has_pid ? hang_find(h, (s32)ps.pid) : SIZE_MAX;
	for (size_t i = 0; i < h->n; i++) {
		tp[i] = hang_thread_pointer(c, &h->v[i]);
		h->v[i].own_tid = 0;
	}
	if (s.leader != SIZE_MAX && tp[s.leader])
		by_memory(&s);
	return 0;
}

/* ---- */

static int compare_own(const void *a, const void *b, void *arg)
{
	const struct hang_thread *v = arg;
	s32 x = v[*(const size_t *)a].own_tid, y = v[*(const size_t *)b].own_tid;

	return x < y ? -1 : x > y;
}

int hang_own_tids(struct crash *c, struct err *e)
{
	struct hang *h = c->hang;
	u64 inner = inner_pid(c);
	int r = 0;

	h->other_ns = inner;
	for (size_t i = 0; i < h->n; i++) {
		const struct live_thread *l = h->v[i].live;

		h->v[i].own_tid = l && l->ns_tid ? l->ns_tid : h->v[i].tid;
	}
	if (inner && !h->live)
		r = of_core(c, inner, e);
	h->by_own = calloc(h->n + 1, sizeof(*h->by_own));
	if (!r && !h->by_own)
		r = err_set(e, -ENOMEM, "%zu threads", h->n);
	for (size_t i = 0; !r && i < h->n; i++)
		if (h->v[i].own_tid > 0)
			h->by_own[h->n_own++] = i;
	if (!r)
		qsort_r(h->by_own, h->n_own, sizeof(*h->by_own), compare_own, h->v);
	return r;
}
