#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/ranges.h"

/*
 * Code that was made at run time is in no file.  What --stacks saves of it is what a backtrace
 * looks at: what is near the addresses of such code in registers and on the stacks.
 */
enum { SCAN_LEN = 64 << 10, SEEN_SLOTS = 256, UNMERGED_MAX = 64 << 10 };

struct scan {
	struct dump *d;
	u64 lo, hi;			/* all such code is in [lo, hi) */
	u64 seen[SEEN_SLOTS];		/* pages that are in d->ranges already; 0: empty slot */
	size_t merged;			/* so many of d->ranges are sorted */
	u8 buf[SCAN_LEN];
};

/* Its file, if there is any, has no name to find it by: shared memory, memfd_create(2), a file that was removed. */
static bool is_nameless(const struct vma *v)
{
	static const char removed[] = " (deleted)";
	size_t len = v->name ? strlen(v->name) : 0, n = sizeof(removed) - 1;

	return vma_is_anon(v) || (len > n && !strcmp(v->name + len - n, removed));
}

static bool is_made_code(const struct vma *v)
{
	return v->flags & VM_EXEC && !vma_is_special(v) && !(v->flags & (VM_IO | VM_PFNMAP)) && is_nameless(v);
}

static bool find_bounds(struct scan *s)
{
	for (size_t i = 0; i < s->d->areas.n; i++) {
		const struct vma *v = s->d->areas.v[i].vma;

		if (!is_made_code(v))
			continue;
		if (!s->hi)
			s->lo = v->start;
		s->hi = v->end;
	}
	return s->hi;
}

static int add_near(struct scan *s, u64 addr, struct err *e)
{
	struct dump *d = s->d;
	u64 page = align_down(addr, d->page_size), *seen = &s->seen[page / d->page_size % SEEN_SLOTS];
	const struct vma *v = dump_area_at(d, addr);
	int r;

	if (*seen == page || !v || !is_made_code(v))
		return 0;
	*seen = page;
	r = ranges_add(d, max(v->start, page - min(page, (u64)CODE_NEAR)),
		       min(v->end, page + d->page_size + CODE_NEAR), e);
	if (!r && d->ranges.n > s->merged + UNMERGED_MAX) {
		ranges_merge(d);
		s->merged = d->ranges.n;
	}
	return r;
}

static int scan_words(struct scan *s, const u8 *p, size_t len, struct err *e)
{
	const struct arch *a = s->d->target.arch;
	int r = 0;

	for (size_t at = 0; !r && at + a->word <= len; at += a->word) {
		u64 v = uint_get(a->fmt, p + at, a->word);

		if (v >= s->lo && v < s->hi)
			r = add_near(s, v, e);
	}
	return r;
}

static int scan_range(struct scan *s, struct plan_range range, struct err *e)
{
	size_t len;
	int r = 0;

	for (u64 at = range.start; !r && (len = dump_peek_next(s->d, &at, range.end, s->buf, SCAN_LEN)); at += len)
		r = scan_words(s, s->buf, len, e);
	return r;
}

static int scan_all(struct scan *s, const struct plan_range *ranges, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->d->target.n_threads; i++)
		r = scan_words(s, s->d->target.threads[i].gregs, s->d->target.threads[i].gregs_len, e);
	for (size_t i = 0; !r && i < n; i++)
		r = scan_range(s, ranges[i], e);
	return r;
}

int jit_add_code(struct dump *d, struct err *e)
{
	struct scan *s auto_free = calloc(1, sizeof(*s));
	size_t n = d->ranges.n;
	struct plan_range *ranges auto_free = calloc(n + 1, sizeof(*ranges));

	if (!s || !ranges || d->page_size > SCAN_LEN)
		return !s || !ranges ? err_set(e, -ENOMEM, "code of stacks") : 0;
	s->d = d;
	if (!find_bounds(s) || !n)
		return 0;
	ranges_merge(d);
	n = s->merged = d->ranges.n;
	memcpy(ranges, d->ranges.v, n * sizeof(*ranges));
	return scan_all(s, ranges, n, e);
}
