#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "explain/hang.h"
#include "explain/rows.h"

/* Why a process hangs. */

enum { NAMED_MAX = 4, OTHERS_MAX = 8 };

/* The verdict is about this thread first; its evidence has it as place. */
static void about(struct crash *c, const struct hang_thread *t)
{
	struct err e;

	c->thread = t->thread;
	c->v->tid = t->tid;
	stack_fini(&c->v->stack);
	c->v->stack = (struct stack){ 0 };
	c->v->frame = 0;
	if (t->thread && unwind_thread(c->u, t->thread, &c->v->stack, &e))
		stack_fini(&c->v->stack);
}

/* Another's frames, after those. */
static void about_too(struct crash *c, const struct hang_thread *t)
{
	struct verdict *v = c->v;
	struct err e;

	if (!v->others)
		v->others = calloc(OTHERS_MAX, sizeof(*v->others));
	if (v->others && v->n_others < OTHERS_MAX && t->thread &&
	    !unwind_thread(c->u, t->thread, &v->others[v->n_others], &e))
		v->n_others++;
}

static void show(struct crash *c, const struct hang_thread *t)
{
	char text[300];

	show_tid(c, t->tid, "%s", hang_text(t, text, sizeof(text)));
}

/* What is missing of a core, where it matters. */
static void show_core(struct crash *c, const struct hang_thread *t)
{
	if (!c->hang->live && t->call && (t->call->has_fd || t->kind == WAIT_EVENTS))
		show_tid(c, 0, "a core does not say what its descriptors are: /proc had that while the process ran");
}

static const struct hang_thread *thread_of(const struct crash *c, s32 tid)
{
	return &c->hang->v[hang_find(c->hang, tid)];
}

static bool moved(const struct hang_thread *t)
{
	return t->live && t->live->moved;
}

/* ---- circles */

/* How sure a circle is that begins at verdict.locked[@from]. */
static void circle_sure(struct crash *c, const struct deadlock *d)
{
	bool sure = true, timed = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct hang_thread *t = thread_of(c, c->v->locked[d->from + i]);

		sure = sure && t->owner_sure;
		timed = timed || t->timed;
	}
	if (!sure)
		say_sure(c, SURE_POSSIBLE, "the memory looks like mutexes with these owners, but no function says that it is");
	else if (timed)
		say_sure(c, SURE_LIKELY, "a thread of the circle waits for a limited time, and may give up");
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
	about(c, thread_of(c, c->v->locked[d->from]));
	for (size_t i = 0; i < d->n; i++) {
		const struct hang_thread *t = thread_of(c, c->v->locked[d->from + i]);

		show(c, t);
		if (i)
			about_too(c, t);
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
	const struct hang_thread *t = d ? thread_of(c, c->v->locked[d->from]) : NULL;

	if (!t)
		return false;
	about(c, t);
	say(c, "deadlock with itself: thread %d waits for the mutex 0x%" PRIx64 ", which it owns", t->tid, t->lock);
	if (!t->owner_sure)
		say_sure(c, SURE_POSSIBLE, "the memory looks like a mutex, but no function says that it is");
	else if (t->timed)
		say_sure(c, SURE_LIKELY, "it waits for a limited time");
	else
		say_sure(c, SURE_CERTAIN, "the mutex has the thread as its owner, and is none that can be locked twice");
	show(c, t);
	if (waiters_of_circles(c))
		show_tid(c, 0, "%zu more threads wait for it", waiters_of_circles(c));
	try_next(c, "find the caller that has locked it already, among the frames or before in the same thread");
	return true;
}

/* ---- chains */

static bool is_idle(const struct hang_thread *t)
{
	return t->kind == WAIT_EVENTS || t->kind == WAIT_INPUT || t->kind == WAIT_COND || t->kind == WAIT_SEM ||
	       t->kind == WAIT_SIGNAL || t->kind == WAIT_FUTEX || t->kind == WAIT_BARRIER;
}

/* Of threads that do not go on: a core is one moment. */
static void sure_by_looks(struct crash *c, enum sure live, const char *text)
{
	if (c->hang->live)
		say_sure(c, live, "it did not go on in %" PRIu64 " ms; %s", c->hang->live->between_ns / 1000000, text);
	else
		say_sure(c, SURE_POSSIBLE, "a core is one moment: it may have waited for a short time only; %s", text);
}

/* Whether it waits for a thread that does something else, and has for a while. */
static bool waits_for_end(const struct crash *c, const struct hang_thread *t)
{
	const struct hang_thread *end = t->end == SIZE_MAX ? NULL : &c->hang->v[t->end];

	return t->owner != SIZE_MAX && end && end != t && !moved(t) && (t->kind != WAIT_JOIN || !is_idle(end));
}

/* A lock that does not say who has it: those that most threads wait for would be better than the first, but rarely differ. */
static bool waits_for_unknown(struct crash *c)
{
	const struct hang_thread *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if ((t->kind != WAIT_MUTEX && t->kind != WAIT_RWLOCK) || t->owner != SIZE_MAX || moved(t))
			continue;
		first = first ? first : t;
		n += t->lock == first->lock;
	}
	if (!first)
		return false;
	about(c, first);
	say(c, "%zu %s for the %s", n, n == 1 ? "thread waits" : "threads wait", first->wait->on);
	sure_by_looks(c, SURE_POSSIBLE, "the lock does not lead to a thread");
	show(c, first);
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
	about(c, end);
	hang_text(end, text, sizeof(text));
	say(c, "%zu %s for thread %d, which %s", n[best], n[best] == 1 ? "thread waits" : "threads wait", end->tid, text);
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (t->end != best || !waits_for_end(c, t))
			continue;
		lock = lock ? lock : t;
		if (shown++ < NAMED_MAX)
			show(c, t);
	}
	show(c, end);
	sure_by_looks(c, lock && lock->owner_sure ? SURE_LIKELY : SURE_POSSIBLE, "how long it will take is not known");
	if (lock)
		about_too(c, lock);
	return true;
}

/* ---- /proc's */

static const struct hang_thread *in_state(const struct crash *c, const char *states, size_t *n)
{
	const struct hang_thread *first = NULL;

	*n = 0;
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct live_thread *l = c->hang->v[i].live;

		if (l && l->state && strchr(states, l->state)) {
			first = first ? first : &c->hang->v[i];
			++*n;
		}
	}
	return first;
}

bool row_stopped(struct crash *c)
{
	size_t n;
	const struct hang_thread *t = in_state(c, "Tt", &n);

	if (!t || n < c->hang->n)
		return false;
	about(c, t);
	if (t->live->state == 'T')
		say(c, "the process is stopped by a signal, SIGSTOP or one of a terminal: it runs no more until SIGCONT");
	else
		say(c, "the process is stopped by a debugger");
	say_sure(c, SURE_CERTAIN, "/proc has its threads in state %c", t->live->state);
	show(c, t);
	try_next(c, "kill -CONT lets it go on");
	return true;
}

bool row_waits_for_disk(struct crash *c)
{
	size_t n;
	const struct hang_thread *t = in_state(c, "D", &n);
	char text[300];

	/* vfork(2) waits so, too; and a moment of it is normal. */
	if (!t || moved(t) || t->kind == WAIT_CHILD)
		return false;
	about(c, t);
	say(c, "thread %d waits in the kernel and cannot be interrupted, as for a disk or a file server%s%s: it %s", t->tid,
	    *t->live->wchan ? ", in " : "", t->live->wchan, hang_text(t, text, sizeof(text)));
	say_sure(c, SURE_LIKELY, "it is in state D and did not run in %" PRIu64 " ms; what it waits for only the kernel knows",
		 c->hang->live->between_ns / 1000000);
	show(c, t);
	if (n > 1)
		show_tid(c, 0, "%zu threads are in state D", n);
	try_next(c, "dmesg, and the kernel's stack of it: /proc/%d/stack", t->tid);
	return true;
}

/* It wanted a processor for most of the time, and had one: others may have had it meanwhile. */
static bool is_busy(const struct crash *c, const struct hang_thread *t)
{
	return t->live && t->live->ran_ns && c->hang->live->between_ns &&
	       t->live->ran_ns + t->live->ready_ns > c->hang->live->between_ns / 4 * 3;
}

bool row_busy(struct crash *c)
{
	const struct hang_thread *most = NULL;
	char function[128];
	size_t n = 0;

	for (size_t i = 0; c->hang->live && i < c->hang->n; i++)
		if (is_busy(c, &c->hang->v[i])) {
			n++;
			if (!most || c->hang->v[i].live->ran_ns > most->live->ran_ns)
				most = &c->hang->v[i];
		}
	if (!most)
		return false;
	about(c, most);
	crash_function(c, 0, function, sizeof(function));
	say(c, "it is busy: %zu %s the processor, thread %d%s%s", n, n == 1 ? "thread uses" : "threads use", most->tid,
	    *function ? " in " : "", function);
	say_sure(c, SURE_CERTAIN, "thread %d ran for %" PRIu64 " of %" PRIu64 " ms and waited to run for %" PRIu64
		 "; whether it makes progress is not known", most->tid, most->live->ran_ns / 1000000,
		 c->hang->live->between_ns / 1000000, most->live->ready_ns / 1000000);
	show(c, most);
	try_next(c, "look again, to see whether it stays in the same loop: tagcore stack --thread %d", most->tid);
	return true;
}

/* ---- what is outside */

static const struct hang_thread *first_of(const struct crash *c, enum wait_kind kind)
{
	for (size_t i = 0; i < c->hang->n; i++)
		if (c->hang->v[i].kind == kind && !moved(&c->hang->v[i]))
			return &c->hang->v[i];
	return NULL;
}

/* All others are idle: then what this thread waits for is what the process waits for. */
static bool others_idle(const struct crash *c, enum wait_kind kind)
{
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (t->kind != kind && !is_idle(t) && t->kind != WAIT_JOIN && t->kind != WAIT_SLEEP)
			return false;
	}
	return true;
}

bool row_waits_for_child(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_CHILD);

	if (!t || !others_idle(c, WAIT_CHILD))
		return false;
	about(c, t);
	say(c, "it waits for a process of its own: thread %d in %s for %s", t->tid, t->wait->call, t->wait->on);
	say_sure(c, SURE_LIKELY, "no other thread does anything");
	show(c, t);
	try_next(c, "explain that process");
	return true;
}

bool row_waits_for_output(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_OUTPUT);

	if (!t || !others_idle(c, WAIT_OUTPUT))
		return false;
	about(c, t);
	say(c, "it waits for somebody to read what it writes: thread %d in %s to %s", t->tid, t->wait->call,
	    *t->wait->on ? t->wait->on : "a file descriptor");
	sure_by_looks(c, SURE_LIKELY, "a pipe, terminal or socket makes a writer wait when it is full");
	show(c, t);
	show_core(c, t);
	return true;
}

/* "1 thread in epoll_wait, 4 in pthread_cond_wait". */
static void count_calls(const struct crash *c, char *out, size_t size)
{
	struct { const char *name; size_t n; } rows[5] = { 0 };
	size_t n = 0, more = 0;

	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];
		const char *name = t->function ? t->function : t->wait->call;
		size_t k = 0;

		while (k < n && strcmp(rows[k].name, name) != 0)
			k++;
		if (k == ARRAY_SIZE(rows)) {
			more++;
			continue;
		}
		n += k == n;
		rows[k].name = name;
		rows[k].n++;
	}
	*out = 0;
	for (size_t k = 0; k < n; k++)
		put_fmt(out + strlen(out), size - strlen(out), "%s%zu %s%s", k ? ", " : "", rows[k].n,
			k ? "in " : rows[k].n == 1 ? "thread in " : "threads in ", rows[k].name);
	if (more)
		put_fmt(out + strlen(out), size - strlen(out), ", %zu in others", more);
}

/* Something from outside, or the clock, can wake it. */
static bool is_external(const struct hang_thread *t)
{
	return t->timed || t->kind == WAIT_EVENTS || t->kind == WAIT_INPUT || t->kind == WAIT_SIGNAL;
}

static bool all_wait(const struct crash *c, const struct hang_thread **first, size_t *external)
{
	*first = NULL;
	*external = 0;
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (!is_idle(t) && t->kind != WAIT_JOIN && t->kind != WAIT_SLEEP)
			return false;
		if (is_external(t) && (!*first || (t->kind == WAIT_EVENTS && (*first)->kind != WAIT_EVENTS)))
			*first = t;
		*external += is_external(t);
	}
	return c->hang->n;
}

bool row_all_idle(struct crash *c)
{
	const struct hang_thread *first;
	size_t external, shown = 0;
	char text[200];

	if (!all_wait(c, &first, &external) || !external)
		return false;
	about(c, first);
	count_calls(c, text, sizeof(text));
	if (first->kind == WAIT_SLEEP && external == c->hang->n)
		say(c, "it sleeps: %s", text);
	else if (c->hang->n == 1)
		say(c, "it is waiting for work: %s%s%s", first->wait->call, *first->wait->on ? " of " : "", first->wait->on);
	else
		say(c, "it is waiting for work: %s", text);
	say_sure(c, SURE_LIKELY, "every thread waits, and none of them for a lock that another one has");
	for (size_t i = 0; i < c->hang->n && shown < NAMED_MAX; i++)
		if (is_external(&c->hang->v[i]) && ++shown)
			show(c, &c->hang->v[i]);
	show_core(c, first);
	return true;
}

bool row_nobody_signals(struct crash *c)
{
	const struct hang_thread *first;
	size_t external;
	char text[200];

	if (!all_wait(c, &first, &external) || external)
		return false;
	first = &c->hang->v[0];
	for (size_t i = 0; i < c->hang->n && first->kind == WAIT_JOIN; i++)
		first = &c->hang->v[i];
	about(c, first);
	count_calls(c, text, sizeof(text));
	say(c, "every thread waits for another one to signal, without a limit of time: %s", text);
	say_sure(c, SURE_LIKELY, "no thread is left that could; another process could, by shared memory, or a signal's handler");
	show(c, first);
	try_next(c, "look for a signal that came before the wait: the condition must be tested with the mutex held");
	return true;
}
