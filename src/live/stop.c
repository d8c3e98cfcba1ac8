#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <tagcore/target.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/live.h"
#include "live/permission.h"
#include "live/proc.h"

/*
 * PTRACE_SEIZE, not PTRACE_ATTACH: no SIGSTOP is sent, a group-stopped thread
 * stays so, and if we are killed the kernel lets every thread run on
 * (kernel/ptrace.c: exit_ptrace(); PTRACE_O_EXITKILL is not set).
 */

static int compare_tids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The tids that are known already, sorted. */
static int known_tids(const struct target *t, pid_t **out, struct err *e)
{
	pid_t *tids = calloc(t->n_threads + 1, sizeof(*tids));

	if (!tids)
		return err_set(e, -ENOMEM, "list of %zu threads", t->n_threads);
	for (size_t i = 0; i < t->n_threads; i++)
		tids[i] = t->threads[i].tid;
	qsort(tids, t->n_threads, sizeof(*tids), compare_tids);
	*out = tids;
	return 0;
}

static int add_thread(struct target *t, const struct thread *th, struct err *e)
{
	if (t->n_threads == t->cap_threads) {
		size_t cap = t->cap_threads ? t->cap_threads * 2 : 16;
		struct thread *p = reallocarray(t->threads, cap, sizeof(*p));

		if (!p)
			return err_set(e, -ENOMEM, "list of %zu threads", cap);
		t->threads = p;
		t->cap_threads = cap;
	}
	t->threads[t->n_threads++] = *th;
	return 0;
}

/* 1: it lives; 0: it has gone, or has exited. */
static int is_alive(const struct target *t, pid_t tid, struct proc_stat *st, struct err *e)
{
	int r = proc_stat(t->pid, tid, st, e);

	if (r)
		return r == ERR_GONE ? 0 : r;
	return st->state != 'Z' && st->state != 'X';
}

/* Everything that can be learnt of a thread before it stops.  1: seized; 0: it has gone. */
static int seize(struct target *t, pid_t tid, struct err *e)
{
	struct thread th = { .tid = tid, .stop = THREAD_SEIZED };
	struct proc_status status;
	struct proc_stat st;
	int r = is_alive(t, tid, &st, e), why;

	if (r <= 0)
		return r;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
		if (errno == ESRCH)
			return 0;
		why = errno;
		/* A thread that has just died gives EPERM, too: ptrace_attach() looks at exit_state. */
		r = is_alive(t, tid, &st, e);
		if (r <= 0)
			return r;
		if (!proc_status(t->pid, tid, &status, e) && status.tracer)
			return permission_traced(t->pid, status.tracer, e);
		return permission_explain(t->pid, why, e);
	}
	th.state = st.state;
	memcpy(th.comm, st.comm, sizeof(th.comm));
	/* Where results overwrite arguments, what the call was given must be asked before. */
	if (t->arch->syscall.orig_reg < 0)
		th.was_blocked = proc_syscall(t->pid, tid, th.call);
	r = add_thread(t, &th, e);
	return r ? r : 1;
}

/* Seizes what is not ours yet; *n_new counts them. */
static int seize_new(struct target *t, size_t *n_new, struct err *e)
{
	pid_t *tids auto_free = NULL;
	pid_t *known auto_free = NULL;
	size_t n = 0, n_known = t->n_threads;
	int r = proc_threads(t->pid, &tids, &n, e);

	if (!r)
		r = known_tids(t, &known, e);
	*n_new = 0;
	for (size_t i = 0; !r && i < n; i++) {
		if (bsearch(&tids[i], known, n_known, sizeof(*known), compare_tids))
			continue;
		r = seize(t, tids[i], e);
		if (r > 0) {
			++*n_new;
			r = 0;
		}
	}
	return r;
}

static void interrupt_new(struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED &&
		    ptrace(PTRACE_INTERRUPT, t->threads[i].tid, NULL, NULL) < 0 && errno == ESRCH)
			t->threads[i].stop = THREAD_EXITED;
	if (!t->stopped_at)
		t->stopped_at = now_ns();
}

static bool is_group_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/*
 * What waitpid said of a thread that stopped: ptrace(2), "Stopped states".  Its
 * call is set going again here and now, whoever waits for it and whatever comes.
 */
static void note_stop(const struct target *t, struct thread *th, int status)
{
	bool by_signal = status >> 16 != PTRACE_EVENT_STOP;
	int sig = WSTOPSIG(status);
	struct err later;

	th->stop = THREAD_STOPPED;
	th->group_stopped = !by_signal && is_group_stop(sig);
	/* Signal-delivery-stop: the signal left the queue and waits for us; letting go delivers it. */
	th->give_back = by_signal ? sig : 0;
	th->has_siginfo = by_signal && ptrace(PTRACE_GETSIGINFO, th->tid, NULL, &th->siginfo) == 0;
	/* On failure machine_gregs() tries again, and returns the error. */
	if (!machine_read(th, &later))
		restart_stopped(t, th);
}

/* Looks once, without waiting; true when the thread needs no more waiting for. */
static bool look(const struct target *t, struct thread *th)
{
	int status;
	pid_t r = waitpid(th->tid, &status, __WALL | WNOHANG);

	if (r == 0)
		return false;
	if (r < 0 || !WIFSTOPPED(status))
		th->stop = THREAD_EXITED;
	else
		note_stop(t, th, status);
	return true;
}

static size_t look_all(struct target *t, size_t *waiting)
{
	size_t seen = 0;

	*waiting = 0;
	for (size_t i = 0; i < t->n_threads; i++) {
		if (t->threads[i].stop != THREAD_SEIZED)
			continue;
		if (look(t, &t->threads[i]))
			seen++;
		else
			++*waiting;
	}
	return seen;
}

/* Waits until every interrupted thread has stopped or @deadline (now_ns) has passed. */
static int wait_stopped(struct target *t, const struct target_opts *opts, u64 deadline, struct err *e)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 };
	size_t waiting;

	for (;;) {
		size_t seen = look_all(t, &waiting);

		if (!waiting)
			return 0;
		if (opts->cancel && *opts->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled while process %d was being stopped", t->pid);
		if (now_ns() > deadline)
			break;
		/* Short naps at first, for the pause; longer ones for a thread that takes its time. */
		nap.tv_nsec = seen ? 20 * 1000 : min(nap.tv_nsec * 2, 2000 * 1000L);
		nanosleep(&nap, NULL);
	}
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED)
			t->threads[i].stop = THREAD_UNSTOPPABLE;
	return 0;
}

static int stop_all(struct target *t, const struct target_opts *opts, struct err *e)
{
	u64 deadline = now_ns() + (u64)opts->stop_timeout_ms * 1000000;
	size_t n_new;
	int r;

	do {
		r = seize_new(t, &n_new, e);
		if (r)
			return r;
		interrupt_new(t);
		r = wait_stopped(t, opts, deadline, e);
		if (r)
			return r;
	} while (n_new);
	return 0;
}

/* Drops the dead, and puts the leader first, as the kernel's own core has it. */
static int sort_threads(struct target *t, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop != THREAD_EXITED)
			t->threads[n++] = t->threads[i];
	t->n_threads = n;
	for (size_t i = 1; i < n; i++)
		if (t->threads[i].tid == t->pid) {
			struct thread leader = t->threads[i];

			memmove(&t->threads[1], &t->threads[0], i * sizeof(leader));
			t->threads[0] = leader;
		}
	if (!n)
		return err_set(e, ERR_GONE, "process %d ended while it was being stopped", t->pid);
	t->leader_exited = t->threads[0].tid != t->pid;
	t->reader = t->threads[0].tid;
	return 0;
}

static int read_all_gregs(struct target *t, struct err *e)
{
	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];
		int r;

		if (th->stop == THREAD_UNSTOPPABLE) {
			th->was_blocked = proc_syscall(t->pid, th->tid, th->call);
			continue;
		}
		if (th->stop != THREAD_STOPPED)
			continue;
		r = machine_gregs(t, th, e);
		if (r == ERR_GONE) {
			th->stop = THREAD_EXITED;
			continue;
		}
		if (r)
			return r;
		restart_reconsider(t, th);
	}
	return 0;
}

int target_stop(struct target *t, const struct target_opts *opts, struct err *e)
{
	int r = stop_all(t, opts, e);

	if (!r)
		r = read_all_gregs(t, e);
	if (!r)
		r = sort_threads(t, e);
	if (!r)
		r = target_open_mem(t, e);
	if (r)
		target_resume(t);
	return r;
}

/*
 * An interrupted thread that was not seen to stop yet will stop at any moment,
 * and could not be let go before; one that has had its time is looked at once.
 */
static void settle(struct target *t)
{
	u64 deadline = now_ns() + 500 * 1000000ull;
	struct timespec nap = { .tv_nsec = 50 * 1000 };

	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];

		if (th->stop == THREAD_UNSTOPPABLE)
			look(t, th);
		/* Only a stopped thread can be detached, so one that is merely seized is stopped for it. */
		if (th->stop == THREAD_SEIZED)
			ptrace(PTRACE_INTERRUPT, th->tid, NULL, NULL);
		while (th->stop == THREAD_SEIZED && !look(t, th) && now_ns() < deadline)
			nanosleep(&nap, NULL);
	}
}

/* What cannot be detached even now is let go by the kernel when this thread of ours exits. */
void target_resume(struct target *t)
{
	settle(t);
	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];

		if (th->stop != THREAD_STOPPED)
			continue;
		restart_reconsider(t, th);
		ptrace(PTRACE_DETACH, th->tid, NULL, (void *)(uintptr_t)th->give_back);
	}
	if (t->stopped_at)
		t->pause_ns = now_ns() - t->stopped_at;
	t->stopped_at = 0;
	t->n_threads = 0;
}
