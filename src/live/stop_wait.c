#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/stop_wait.h"

/*
 * An interrupted thread stops when it runs next (kernel/signal.c:
 * ptrace_trap_notify()).  In an uninterruptible sleep, vfork(2) among them, that
 * may be never; but one that is runnable waits for a processor only, on a busy
 * machine for long, and is not stuck.
 */
enum { RUNNABLE_TIMEOUTS = 10, NAP_MIN_NS = 20 * 1000, NAP_MAX_NS = 2000 * 1000, LOOK_NS = 500 };

static const struct stop_reason uninterruptible = { "uninterruptible", "in an uninterruptible sleep", true };
static const struct stop_reason frozen = { "frozen", "in a frozen cgroup", true };
static const struct stop_reason no_processor = { "no-processor", "runnable, but it was given no processor", false };
static const struct stop_reason in_kernel = { "in-kernel", "running in the kernel all the time", false };

/* Nanoseconds that the thread has run; 0 where the kernel does not count them. */
static u64 ran_ns(const struct target *t, const struct thread *th)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err ignored;

	if (proc_slurp_text(t->pid, th->tid, "schedstat", 128, &b, &ignored))
		return 0;
	return strtoull((char *)b.p, NULL, 10);
}

static bool is_runnable(const struct target *t, const struct thread *th)
{
	struct proc_stat st;
	struct err ignored;

	/* t: it has stopped since it was looked at. */
	return !proc_stat(t->pid, th->tid, &st, &ignored) && (st.state == 'R' || st.state == 't');
}

bool stop_wait_one_runs(const struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED && is_runnable(t, &t->threads[i]))
			return true;
	return false;
}

void stop_wait_begin(struct stop_wait *w, u32 timeout_ms)
{
	u64 now = now_ns();

	w->timeout = (u64)timeout_ms * 1000000;
	w->nap = NAP_MIN_NS;
	w->progress = now;
	if (!w->begin)
		w->begin = now;
}

/* How much each has run so far, to be compared when it is given up. */
static void note_ran(struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED)
			t->threads[i].ran_ns = ran_ns(t, &t->threads[i]);
}

/*
 * Short naps at first, for the pause; longer ones for threads that take their time.
 * And never shorter than one look at all that are waited for takes: else looking
 * at thousands would take the processors from them.
 */
static void nap(struct stop_wait *w, size_t seen, size_t waiting)
{
	struct timespec ts = { 0 };

	w->nap = seen ? NAP_MIN_NS : min(w->nap * 2, (u64)NAP_MAX_NS);
	ts.tv_nsec = (long)max(w->nap, min((u64)waiting * LOOK_NS, (u64)NAP_MAX_NS));
	nanosleep(&ts, NULL);
}

bool stop_wait_more(struct stop_wait *w, struct target *t, size_t seen, size_t waiting)
{
	u64 now = now_ns();

	if (seen)
		w->progress = now;
	if (now - w->begin > RUNNABLE_TIMEOUTS * w->timeout)
		return false;
	if (now - w->progress > w->timeout && !stop_wait_one_runs(t))
		return false;
	/* Not at once: most stops are complete by now. */
	if (!w->noted && now - w->begin > w->timeout / 10) {
		w->noted = true;
		note_ran(t);
	}
	nap(w, seen, waiting);
	return true;
}

/*
 * A freezer of cgroup v1 holds a thread in the kernel's function of that name, and no signal wakes it up
 * (kernel/freezer.c); one of v2 lets it be stopped (kernel/signal.c: get_signal()).
 */
static bool is_frozen(const struct thread *th)
{
	return strstr(th->wchan, "refrigerator");
}

static const struct stop_reason *reason(const struct target *t, const struct thread *th)
{
	if (!is_runnable(t, th))
		return is_frozen(th) ? &frozen : &uninterruptible;
	return ran_ns(t, th) > th->ran_ns ? &in_kernel : &no_processor;
}

void thread_read_wchan(const struct target *t, struct thread *th)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err ignored;

	memset(th->wchan, 0, sizeof(th->wchan));
	/* "0" where it is not known or may not be asked. */
	if (proc_slurp(t->pid, th->tid, "wchan", 256, &b, &ignored) || (b.len && b.p[0] == '0'))
		return;
	memcpy(th->wchan, b.p, min(b.len, sizeof(th->wchan) - 1));
}

void stop_wait_give_up(struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];

		if (th->stop != THREAD_SEIZED)
			continue;
		th->stop = THREAD_UNSTOPPABLE;
		thread_read_wchan(t, th);
		th->why = reason(t, th);
		if (!th->why->sleeps)
			memset(th->wchan, 0, sizeof(th->wchan));
	}
}
