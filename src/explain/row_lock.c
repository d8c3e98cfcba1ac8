#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "explain/hang.h"
#include "explain/rows.h"

/* Why a process hangs: locks, and the ends of threads. */

enum { NAMED_MAX = 4 };

/* ---- circles */

/* How sure a circle is that begins at verdict.locked[@from]. */
static void circle_sure(struct crash *c, const struct deadlock *d)
{
	bool sure = true, timed = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct hang_thread *t = hang_thread_of(c, c->v->locked[d->from + i]);

		sure = sure && t->owner_sure;
		timed = timed || t->timed;
	}
	if (!sure)
		say_sure(c, SURE_POSSIBLE, "the memory looks like mutexes with these owners, but no function says that it is");
	else if (timed)
		say_sure(c, SURE_LIKELY, "a thread of the circle waits for a limited time, and may give up");
	else if (c->hang->guessed_ns)
		say_sure(c, SURE_LIKELY, "the owners are ids of the process's own PID namespace, which follow from the C library's memory");
	else
		say_sure(c, SURE_CERTAIN, "each thread waits without a limit for what the next one has, and the last for the first");
}

/* The circle that is about most threads comes first; those of one thread are row_self_deadlock's. */
static const struct deadlock *largest(const struct crash *c, bool alone)
{
	const struct deadlock *best = NULL;

	for (size_t i = 0; i < c->v->n_deadlocks; i++) {
		const struct deadlock *d = &c->v->deadlocks[i];

		if ((d->n == 1) == alone && (!best || d->n > best->n))
			best = d;
	}
	return best;
}

static size_t waiters_of_circles(const struct crash *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->hang->n; i++)
		n += c->hang->v[i].end == SIZE_MAX;
	return n - c->v->n_locked;
}

bool row_deadlock(struct crash *c)
{
	const struct deadlock *d = largest(c, false);
	char tids[120] = "";

	if (!d)
		return false;
	for (size_t i = 0; i < d->n && i < NAMED_MAX; i++)
		put_fmt(tids + strlen(tids), sizeof(tids) - strlen(tids), "%s%d", i ? ", " : "", c->v->locked[d->from + i]);
	if (d->n > NAMED_MAX)
		put_fmt(tids + strlen(tids), sizeof(tids) - strlen(tids), " and %zu more", d->n - NAMED_MAX);
	say(c, "deadlock: %s %s wait for %s", d->n == 2 ? "threads" : "the threads", tids, d->n == 2 ? "each other" : "each other in a circle");
	circle_sure(c, d);
	hang_about(c, hang_thread_of(c, c->v->locked[d->from]));
	for (size_t i = 0; i < d->n; i++) {
		const struct hang_thread *t = hang_thread_of(c, c->v->locked[d->from + i]);

		hang_show(c, t);
		if (i)
			hang_about_too(c, t);
	}
	if (waiters_of_circles(c))
		show_tid(c, 0, "%zu more threads wait for these", waiters_of_circles(c));
	if (c->v->n_deadlocks > 1)
		show_tid(c, 0, "there are %zu deadlocks", c->v->n_deadlocks);
	try_next(c, "lock the mutexes in one order everywhere: the frames show where each thread took its second one");
	return true;
}

bool row_self_deadlock(struct crash *c)
{
	const struct deadlock *d = largest(c, true);
	const struct hang_thread *t = d ? hang_thread_of(c, c->v->locked[d->from]) : NULL;

	if (!t)
		return false;
	hang_about(c, t);
	say(c, "deadlock with itself: thread %d waits for the mutex 0x%" PRIx64 ", which it owns", t->tid, t->lock);
	if (!t->owner_sure)
		say_sure(c, SURE_POSSIBLE, "the memory looks like a mutex, but no function says that it is");
	else if (t->timed)
		say_sure(c, SURE_LIKELY, "it waits for a limited time");
	else
		say_sure(c, SURE_CERTAIN, "the mutex has the thread as its owner, and is none that can be locked twice");
	hang_show(c, t);
	if (waiters_of_circles(c))
		show_tid(c, 0, "%zu more threads wait for it", waiters_of_circles(c));
	try_next(c, "find the caller that has locked it already, among the frames or before in the same thread");
	return true;
}

/* ---- locks that nobody will unlock */

bool row_refused_lock(struct crash *c)
{
	const struct hang_thread *t = NULL;
	size_t n = 0;

	for (size_t i = 0; !t && i < c->hang->n; i++)
		t = c->hang->v[i].is_refused ? &c->hang->v[i] : NULL;
	if (!t)
		return false;
	hang_about(c, t);
	say(c, "deadlock: thread %d waits for ever for a mutex that passes priority on, which the kernel has refused to it", t->tid);
	say_sure(c, SURE_LIKELY, "the C library waits so where the owner waits for the thread (EDEADLK) or has ended (ESRCH)");
	hang_show(c, t);
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *o = &c->hang->v[i];

		if (o != t && o->end != SIZE_MAX && &c->hang->v[o->end] == t && n++ < NAMED_MAX) {
			hang_show(c, o);
			hang_about_too(c, o);
		}
	}
	if (n > NAMED_MAX)
		show_tid(c, 0, "%zu threads wait for it", n);
	try_next(c, "lock the mutexes in one order everywhere, and look at what pthread_mutex_lock(3) returns of those that check for errors");
	return true;
}

/* Its parent has a thread of that id: the lock was copied with it locked. */
static bool is_forked(const struct crash *c, const struct hang_thread *t)
{
	const struct live *l = c->hang->live;

	for (size_t i = 0; l && i < l->n_parent_tids; i++)
		if (l->parent_tids[i] == t->lost_owner)
			return true;
	return false;
}

bool row_owner_gone(struct crash *c)
{
	const struct hang_thread *t = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *o = &c->hang->v[i];

		if (!o->lost_owner || o->is_shared || hang_moved(o))
			continue;
		t = t ? t : o;
		n += o->lock == t->lock;
	}
	if (!t)
		return false;
	hang_about(c, t);
	if (is_forked(c, t))
		say(c, "thread %d waits for the mutex 0x%" PRIx64 ", which was locked when fork(2) made this process: its owner, thread %d, is in the parent, process %d",
		    t->tid, t->lock, t->lost_owner, c->hang->live->parent);
	else
		say(c, "thread %d waits for the mutex 0x%" PRIx64 ", whose owner %d is no thread of the process (any more)",
		    t->tid, t->lock, t->lost_owner);
	hang_sure(c, SURE_LIKELY, "the mutex is not shared with other processes, and only its owner may unlock it");
	hang_show(c, t);
	if (n > 1)
		show_tid(c, 0, "%zu threads wait for it", n);
	if (is_forked(c, t))
		try_next(c, "let the child of a process with threads call only what signal-safety(7) names, until it runs another program");
	else
		try_next(c, "look for a thread that ends, or is cancelled, without unlocking, and for fork(2) while another thread had the mutex");
	return true;
}

/* ---- chains */

/* Whether it waits for a thread that does something else, and has for a while. */
static bool waits_for_end(const struct crash *c, const struct hang_thread *t)
{
	const struct hang_thread *end = t->end == SIZE_MAX ? NULL : &c->hang->v[t->end];

	return t->owner != SIZE_MAX && end && end != t && !hang_moved(t) && (t->kind != WAIT_JOIN || !hang_is_idle(end));
}

/* Every thread waits, without a limit, for what another one of the process has or does. */
static bool nobody_goes_on(const struct crash *c)
{
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];
		bool inside = t->kind == WAIT_MUTEX || t->kind == WAIT_RWLOCK || t->kind == WAIT_JOIN || t->kind == WAIT_COND ||
			      t->kind == WAIT_SEM || t->kind == WAIT_FUTEX || t->kind == WAIT_BARRIER;

		if (!inside || t->timed || t->is_shared || hang_moved(t))
			return false;
	}
	return c->hang->n;
}

/* A lock that does not say who has it: those that most threads wait for would be better than the first, but rarely differ. */
static bool waits_for_unknown(struct crash *c)
{
	const struct hang_thread *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if ((t->kind != WAIT_MUTEX && t->kind != WAIT_RWLOCK) || t->owner != SIZE_MAX || hang_moved(t))
			continue;
		first = first ? first : t;
		n += t->lock == first->lock;
	}
	if (!first)
		return false;
	hang_about(c, first);
	if (nobody_goes_on(c)) {
		say(c, "every thread waits, and no thread is left that could unlock the %s", first->wait->on);
		say_sure(c, SURE_LIKELY, "a signal's handler could, or another process that knows of the lock");
	} else {
		say(c, "%zu %s for the %s", n, n == 1 ? "thread waits" : "threads wait", first->wait->on);
		hang_sure(c, SURE_POSSIBLE, "the lock does not lead to a thread");
	}
	hang_show(c, first);
	for (size_t i = 0, shown = 1; i < c->hang->n && shown < NAMED_MAX; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (t != first && (t->kind == WAIT_MUTEX || t->kind == WAIT_RWLOCK) && ++shown)
			hang_show(c, t);
	}
	return true;
}

bool row_waits_for_owner(struct crash *c)
{
	size_t *n auto_free = calloc(c->hang->n + 1, sizeof(*n)), best = SIZE_MAX, shown = 0;
	const struct hang_thread *end, *lock = NULL;
	char text[300];

	for (size_t i = 0; n && i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (waits_for_end(c, t) && (++n[t->end], best == SIZE_MAX || n[t->end] > n[best]))
			best = t->end;
	}
	if (best == SIZE_MAX)
		return waits_for_unknown(c);
	end = &c->hang->v[best];
	hang_about(c, end);
	if (hang_is_busy(c, end))
		put_fmt(text, sizeof(text), "uses the processor");
	else
		hang_text(end, text, sizeof(text));
	say(c, "%zu %s for thread %d, which %s", n[best], n[best] == 1 ? "thread waits" : "threads wait", end->tid, text);
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (t->end != best || !waits_for_end(c, t))
			continue;
		lock = lock ? lock : t;
		if (shown++ < NAMED_MAX)
			hang_show(c, t);
	}
	hang_show(c, end);
	hang_sure(c, lock && lock->owner_sure ? SURE_LIKELY : SURE_POSSIBLE, "how long it will take is not known");
	if (lock)
		hang_about_too(c, lock);
	return true;
}
