#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "explain/hang.h"
#include "explain/rows.h"

/* Why a process hangs: what /proc says, and what is outside of it. */

enum { NAMED_MAX = 4 };

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
	hang_about(c, t);
	if (t->live->state == 'T')
		say(c, "the process is stopped by a signal, SIGSTOP or one of a terminal: it runs no more until SIGCONT");
	else
		say(c, "the process is stopped by a debugger");
	say_sure(c, SURE_CERTAIN, "/proc has its threads in state %c", t->live->state);
	hang_show(c, t);
	try_next(c, "kill -CONT lets it go on");
	return true;
}

bool row_waits_for_disk(struct crash *c)
{
	size_t n;
	const struct hang_thread *t = in_state(c, "D", &n);
	char text[300];

	/* vfork(2) waits so, too; and a moment of it is normal. */
	if (!t || hang_moved(t) || t->kind == WAIT_CHILD)
		return false;
	hang_about(c, t);
	say(c, "thread %d waits in the kernel and cannot be interrupted, as for a disk or a file server%s%s: it %s", t->tid,
	    *t->live->wchan ? ", in " : "", t->live->wchan, hang_text(t, text, sizeof(text)));
	say_sure(c, SURE_LIKELY, "it is in state D and did not run in %" PRIu64 " ms; what it waits for only the kernel knows",
		 c->hang->live->between_ns / 1000000);
	hang_show(c, t);
	if (n > 1)
		show_tid(c, 0, "%zu threads are in state D", n);
	try_next(c, "dmesg, and the kernel's stack of it: /proc/%d/stack", t->tid);
	return true;
}

bool row_busy(struct crash *c)
{
	const struct hang_thread *most = NULL;
	char function[128];
	size_t n = 0;

	for (size_t i = 0; c->hang->live && i < c->hang->n; i++)
		if (hang_is_busy(c, &c->hang->v[i])) {
			n++;
			if (!most || c->hang->v[i].live->ran_ns > most->live->ran_ns)
				most = &c->hang->v[i];
		}
	if (!most)
		return false;
	hang_about(c, most);
	crash_function(c, 0, function, sizeof(function));
	say(c, "it is busy: %zu %s the processor, thread %d%s%s", n, n == 1 ? "thread uses" : "threads use", most->tid,
	    *function ? " in " : "", function);
	say_sure(c, SURE_CERTAIN, "thread %d ran for %" PRIu64 " of %" PRIu64 " ms and waited to run for %" PRIu64
		 "; whether it makes progress is not known", most->tid, most->live->ran_ns / 1000000,
		 c->hang->live->between_ns / 1000000, most->live->ready_ns / 1000000);
	hang_show(c, most);
	try_next(c, "look again, to see whether it stays in the same loop: tagcore stack --thread %d", most->tid);
	return true;
}

/* ---- what is outside */

static const struct hang_thread *first_of(const struct crash *c, enum wait_kind kind)
{
	for (size_t i = 0; i < c->hang->n; i++)
		if (c->hang->v[i].kind == kind && !hang_moved(&c->hang->v[i]))
			return &c->hang->v[i];
	return NULL;
}

/* All others are idle: then what this thread waits for is what the process waits for. */
static bool others_idle(const struct crash *c, enum wait_kind kind)
{
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (t->kind != kind && !hang_is_idle(t) && t->kind != WAIT_JOIN && t->kind != WAIT_SLEEP)
			return false;
	}
	return true;
}

bool row_waits_for_child(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_CHILD);

	if (!t || !others_idle(c, WAIT_CHILD))
		return false;
	hang_about(c, t);
	say(c, "it waits for a process of its own: thread %d in %s for %s", t->tid, t->wait->call, t->wait->on);
	say_sure(c, SURE_LIKELY, "no other thread does anything");
	hang_show(c, t);
	try_next(c, "explain that process");
	return true;
}

bool row_waits_for_output(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_OUTPUT);

	if (!t || !others_idle(c, WAIT_OUTPUT))
		return false;
	hang_about(c, t);
	say(c, "it waits for somebody to read what it writes: thread %d in %s to %s", t->tid, t->wait->call,
	    *t->wait->on ? t->wait->on : "a file descriptor");
	hang_sure(c, SURE_LIKELY, "a pipe, terminal or socket makes a writer wait when it is full");
	hang_show(c, t);
	hang_show_core(c, t);
	return true;
}

/* Something from outside, or the clock, can wake it. */
static bool is_external(const struct hang_thread *t)
{
	return t->timed || t->kind == WAIT_EVENTS || t->kind == WAIT_INPUT || t->kind == WAIT_SIGNAL;
}

/* The descriptor that it waits for has its other end in this process only. */
static bool waits_for_own_end(const struct crash *c, const struct hang_thread *t)
{
	const struct live_fd *f = NULL;

	if (c->hang->live && t->call && t->call->has_fd && t->has_arg0)
		f = live_fd_find(c->hang->live, (s32)t->args[0]);
	return f && f->is_own && (t->kind == WAIT_INPUT || t->kind == WAIT_OUTPUT) && !t->timed && !hang_moved(t);
}

bool row_waits_for_itself(struct crash *c)
{
	const struct hang_thread *first = NULL;

	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];
		bool own = waits_for_own_end(c, t);

		/* Whoever else can go on may be who writes, or reads. */
		if (!own && (is_external(t) || hang_moved(t) || (!hang_is_idle(t) && t->kind != WAIT_JOIN)))
			return false;
		first = own && !first ? t : first;
	}
	if (!first)
		return false;
	hang_about(c, first);
	say(c, "it waits for itself: thread %d in %s %s %s", first->tid, first->wait->call,
	    first->kind == WAIT_INPUT ? "of" : "to", first->wait->on);
	say_sure(c, SURE_LIKELY, "no other process that can be seen has the other end, and no other thread goes on; a signal's handler could");
	hang_show(c, first);
	try_next(c, "close the end that the process does not use, so that the other one sees the end of the file");
	return true;
}

bool row_waits_for_file_lock(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_FILE_LOCK);
	const struct live *l = c->hang->live;

	if (!t)
		return false;
	hang_about(c, t);
	if (l && l->n_file_locks == 1 && l->file_locks[0].pid)
		say(c, "thread %d waits in %s for a lock of %s, which %s %d%s%s%s has", t->tid, t->wait->call,
		    *t->wait->on ? t->wait->on : "a file", l->file_locks[0].pid == l->pid ? "this process," : "process",
		    l->file_locks[0].pid, *l->file_locks[0].comm ? " (" : "", l->file_locks[0].comm,
		    *l->file_locks[0].comm ? ")" : "");
	else
		say(c, "thread %d waits in %s for a lock of %s", t->tid, t->wait->call, *t->wait->on ? t->wait->on : "a file");
	hang_sure(c, SURE_LIKELY, "how long it will be locked is not known");
	hang_show(c, t);
	for (size_t i = 0; l && i < l->n_file_locks; i++)
		show_tid(c, 0, "/proc/locks: it waits for a lock of kind %s that process %d (%s) has", l->file_locks[i].kind,
			 l->file_locks[i].pid, l->file_locks[i].comm);
	hang_show_core(c, t);
	return true;
}

/* A call that nothing more is known of than that it does not end. */
bool row_waits_in_call(struct crash *c)
{
	const struct hang_thread *t = first_of(c, WAIT_CALL);

	if (!t || !others_idle(c, WAIT_CALL))
		return false;
	hang_about(c, t);
	say(c, "it waits in the kernel: thread %d in %s%s%s", t->tid, t->wait->call, *t->wait->on ? " of " : "", t->wait->on);
	hang_sure(c, SURE_LIKELY, "no other thread does anything");
	hang_show(c, t);
	hang_show_core(c, t);
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

/* What its threads have had of the processor between the looks is more than wake-ups cost. */
static bool is_at_work(const struct crash *c)
{
	const struct live *l = c->hang->live;
	u64 ran = 0;

	for (size_t i = 0; l && i < l->n_threads; i++)
		ran += l->threads[i].moved ? l->threads[i].ran_ns : 0;
	return l && ran > l->between_ns / 50;
}

static bool all_wait(const struct crash *c, const struct hang_thread **first, size_t *external)
{
	*first = NULL;
	*external = 0;
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct hang_thread *t = &c->hang->v[i];

		if (!hang_is_idle(t) && t->kind != WAIT_JOIN && t->kind != WAIT_SLEEP)
			return false;
		if (is_external(t) && (!*first || (t->kind == WAIT_EVENTS && (*first)->kind != WAIT_EVENTS)))
			*first = t;
		*external += is_external(t);
	}
	return c->hang->n;
}

static size_t sleepers(const struct crash *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->hang->n; i++)
		n += c->hang->v[i].kind == WAIT_SLEEP;
	return n;
}

bool row_all_idle(struct crash *c)
{
	const struct hang_thread *first;
	size_t external, shown = 0;
	char text[200];

	if (!all_wait(c, &first, &external) || !external || is_at_work(c))
		return false;
	hang_about(c, first);
	count_calls(c, text, sizeof(text));
	if (first->kind == WAIT_SLEEP && external == c->hang->n)
		say(c, "it sleeps: %s", text);
	else if (c->hang->n == 1)
		say(c, "it %s: %s%s%s", hang_is_idle(first) && first->kind != WAIT_COND && first->kind != WAIT_SEM ?
		    "is waiting for work" : "waits for a limited time", first->function ? first->function : first->wait->call,
		    *first->wait->on ? " of " : "", first->wait->on);
	else
		say(c, "it is waiting for work: %s", text);
	if (sleepers(c) && sleepers(c) < c->hang->n && (!c->hang->live || first->kind == WAIT_SLEEP))
		hang_sure(c, SURE_POSSIBLE, "the others may wait for one that sleeps");
	else
		say_sure(c, SURE_LIKELY, "every thread waits, and none of them for a lock that another one has");
	for (size_t i = 0; i < c->hang->n && shown < NAMED_MAX; i++)
		if (is_external(&c->hang->v[i]) && ++shown)
			hang_show(c, &c->hang->v[i]);
	hang_show_core(c, first);
	return true;
}

bool row_nobody_signals(struct crash *c)
{
	const struct hang_thread *first;
	size_t external;
	char text[200];

	if (!all_wait(c, &first, &external) || external || is_at_work(c))
		return false;
	first = &c->hang->v[0];
	for (size_t i = 0; i < c->hang->n && first->kind == WAIT_JOIN; i++)
		first = &c->hang->v[i];
	hang_about(c, first);
	count_calls(c, text, sizeof(text));
	say(c, "every thread waits for another one to signal, without a limit of time: %s", text);
	say_sure(c, SURE_LIKELY, "no thread is left that could; another process could, by shared memory, or a signal's handler");
	hang_show(c, first);
	try_next(c, "look for a signal that came before the wait: the condition must be tested with the mutex held");
	return true;
}
