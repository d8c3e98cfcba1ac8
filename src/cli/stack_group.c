#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/stack_group.h"

enum { MOST_RANGES = 8 };	/* of thread ids, and of names, that a head lists */

static int compare_u64(u64 a, u64 b)
{
	return (a > b) - (a < b);
}

static int compare_frames(const struct frame *a, const struct frame *b)
{
	unsigned x = a->by | a->gap << 8 | a->signal << 9 | a->exact << 10;
	unsigned y = b->by | b->gap << 8 | b->signal << 9 | b->exact << 10;
	int r = compare_u64(a->pc, b->pc);

	return r ? r : compare_u64(x, y);
}

/* Not by @why, which names the place in each thread's own stack. */
static int compare_groups(const void *a, const void *b)
{
	const struct stack *x = &((const struct stack_group *)a)->stack, *y = &((const struct stack_group *)b)->stack;
	int r = compare_u64(x->n, y->n);

	if (!r)
		r = compare_u64(x->end, y->end);
	for (size_t i = 0; !r && i < x->n; i++)
		r = compare_frames(&x->frames[i], &y->frames[i]);
	return r;
}

static void group_free(struct stack_group *g)
{
	if (!g)
		return;
	free(g->stack.frames);
	free(g->threads);
	free(g);
}

static void keep(void *node)
{
	(void)node;
}

void stack_groups_fini(struct stack_groups *g)
{
	tdestroy(g->tree, keep);
	for (size_t i = 0; i < g->n; i++)
		group_free(g->v[i]);
	free(g->v);
	*g = (struct stack_groups){ 0 };
}

static struct stack_group *group_make(const struct stack *s)
{
	struct stack_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->stack = *s;
	g->stack.frames = calloc(s->n + 1, sizeof(*s->frames));
	if (!g->stack.frames) {
		group_free(g);
		return NULL;
	}
	if (s->n)
		memcpy(g->stack.frames, s->frames, s->n * sizeof(*s->frames));
	return g;
}

static int add_group(struct stack_groups *g, const struct stack *s, struct stack_group **out, struct err *e)
{
	struct stack_group *new = group_make(s);

	if (!new)
		return err_set(e, -ENOMEM, "groups of stacks");
	if (array_grow((void **)&g->v, g->n, &g->cap, sizeof(struct stack_group *), "groups of stacks", e) ||
	    !tsearch(new, &g->tree, compare_groups)) {
		group_free(new);
		return err_set(e, -ENOMEM, "groups of stacks");
	}
	new->id = g->n;
	g->v[g->n++] = new;
	*out = new;
	return 0;
}

int stack_groups_add(struct stack_groups *g, const struct stack *s, const struct stack_group **out, struct err *e)
{
	const struct stack_group key = { .stack = *s };
	struct stack_group *const *found = tfind(&key, &g->tree, compare_groups);
	struct stack_group *group = found ? *found : NULL;
	int r = group ? 0 : add_group(g, s, &group, e);

	if (!r)
		r = array_grow((void **)&group->threads, group->n, &group->cap, sizeof(struct core_thread *),
			       "groups of stacks", e);
	if (r)
		return r;
	group->threads[group->n++] = s->thread;
	*out = group;
	return 0;
}

/* ---- the head: names that differ by a number at their end, and thread ids, as ranges */

struct label {
	char prefix[CORE_NAME_MAX];
	u64 number;
	bool numbered;
};

/* "worker 12": a number that would be written so, at the end. */
static struct label label_of(const char *name)
{
	struct label l = { 0 };
	size_t len = strlen(name), at = len;

	while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	l.numbered = at < len && len - at < 19 && (name[at] != '0' || len - at == 1);
	if (l.numbered)
		l.number = strtoull(name + at, NULL, 10);
	memcpy(l.prefix, name, l.numbered ? at : len);
	return l;
}

static int compare_labels(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int r = strcmp(x->prefix, y->prefix);

	if (!r)
		r = compare_u64(x->numbered, y->numbered);
	return r ? r : compare_u64(x->number, y->number);
}

/* Whether @b continues a range that ends with @a. */
static bool continues(const struct label *a, const struct label *b)
{
	return a->numbered == b->numbered && !strcmp(a->prefix, b->prefix) &&
	       (b->number == a->number || (a->numbered && b->number == a->number + 1));
}

static void put_range(FILE *f, const struct label *first, const struct label *last)
{
	text_puts(f, first->prefix);
	if (first->numbered)
		fprintf(f, "%" PRIu64, first->number);
	if (last->number != first->number)
		fprintf(f, "-%" PRIu64, last->number);
}

static void put_labels(FILE *f, struct label *l, size_t n)
{
	size_t ranges = 0, more = 0;

	qsort(l, n, sizeof(*l), compare_labels);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && continues(&l[end - 1], &l[end]); end++)
			;
		if (++ranges > MOST_RANGES) {
			more++;
			continue;
		}
		fputs(ranges > 1 ? ", " : "", f);
		put_range(f, &l[i], &l[end - 1]);
	}
	if (more)
		fprintf(f, " and %zu more", more);
}

void stack_group_head(FILE *f, const struct core *core, const struct stack_group *g)
{
	struct label *l = calloc(g->n, sizeof(*l));
	bool named = false;

	fprintf(f, g->n > 1 ? "%zu threads" : "%zu thread", g->n);
	for (size_t i = 0; l && i < g->n; i++)
		l[i] = (struct label){ .number = (u64)g->threads[i]->tid, .numbered = true };
	if (l) {
		fputs(": TID ", f);
		put_labels(f, l, g->n);
	}
	for (size_t i = 0; l && i < g->n; i++) {
		char name[CORE_NAME_MAX];

		l[i] = label_of(core_thread_name(core, g->threads[i], name));
		named |= name[0];
	}
	if (l && named) {
		fputs(" (", f);
		put_labels(f, l, g->n);
		fputs(")", f);
	}
	fputs(":\n", f);
	free(l);
}
