#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/scope.h"
#include "explain/hang.h"

/*
 * Who waits for whom.  A thread waits for one other at most, so that each chain ends at a thread that waits for
 * none, or in a circle.
 */

enum { CHAIN_NEW, CHAIN_OPEN, CHAIN_DONE };

static int add_circle(struct crash *c, size_t first, size_t *cap, struct err *e)
{
	struct verdict *v = c->v;
	struct deadlock d = { .from = v->n_locked };
	size_t i = first;
	int r = array_grow((void **)&v->deadlocks, v->n_deadlocks, cap, sizeof(*v->deadlocks), "deadlocks", e);

	if (r)
		return r;
	do {
		v->locked[v->n_locked++] = c->hang->v[i].tid;
		d.n++;
		i = c->hang->v[i].owner;
	} while (i != first);
	v->deadlocks[v->n_deadlocks++] = d;
	return 0;
}

/* The chain from thread @i, up to what was walked before. */
static int walk(struct crash *c, u8 *state, size_t i, size_t *cap, struct err *e)
{
	struct hang_thread *v = c->hang->v;
	size_t at = i, end, next;
	int r = 0;

	for (; state[at] == CHAIN_NEW && v[at].owner != SIZE_MAX; at = v[at].owner)
		state[at] = CHAIN_OPEN;
	if (state[at] == CHAIN_OPEN)
		r = add_circle(c, at, cap, e);
	if (state[at] == CHAIN_NEW)
		v[at].end = at;
	end = state[at] == CHAIN_OPEN ? SIZE_MAX : v[at].end;
	if (state[at] == CHAIN_NEW)
		state[at] = CHAIN_DONE;
	for (at = i; state[at] == CHAIN_OPEN; at = next) {
		next = v[at].owner;
		v[at].end = end;
		state[at] = CHAIN_DONE;
	}
	return r;
}

int graph_make(struct crash *c, struct err *e)
{
	size_t n = c->hang->n, cap = 0;
	u8 *state auto_free = calloc(n + 1, 1);
	int r = 0;

	c->v->locked = calloc(n + 1, sizeof(*c->v->locked));
	if (!state || !c->v->locked)
		return err_set(e, -ENOMEM, "%zu threads", n);
	for (size_t i = 0; i < n; i++)
		if (c->hang->v[i].owner == i && c->hang->v[i].is_recursive)
			c->hang->v[i].owner = SIZE_MAX;
	for (size_t i = 0; !r && i < n; i++)
		r = walk(c, state, i, &cap, e);
	return r;
}
