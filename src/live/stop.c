#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/stop_wait.h"
#include "live/target.h"

/* How often a process without a thread that lives is looked at, 1 ms apart. */
enum { EMPTY_ROUNDS = 10 };

/* How long, at most, the others stay stopped until a thread has taken a signal: it may have to wait for a processor. */
enum { TAKEN_MS = 500 };

/* The pause begins with the first thread that stands still, not when the last has been asked to. */
static void interrupt_new(struct target *t)
{
	if (!t->stopped_at)
		t->stopped_at = now_ns();
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED &&
		    ptrace(PTRACE_INTERRUPT, t->threads[i].tid, NULL, NULL) < 0 && errno == ESRCH)
			t->threads[i].stop = THREAD_EXITED;
}

static bool is_group_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* Signal-delivery-stop: the signal left the queue and waits for us; resuming delivers it. */
void stop_note_signal(struct thread *th, int status)
{
	bool by_signal = status >> 16 != PTRACE_EVENT_STOP;

	th->give_back = by_signal ? WSTOPSIG(status) : 0;
	th->has_siginfo = by_signal && ptrace(PTRACE_GETSIGINFO, th->tid, NULL, &th->siginfo) == 0;
}

/*
 * What waitpid said of a thread that stopped: ptrace(2), "Stopped states".  Its
 * system call is restarted here and now, whoever waits for it and whatever follows.
 */
static void note_stop(const struct target *t, struct thread *th, int status)
{
	struct err later;

	th->stop = THREAD_STOPPED;
	th->group_stopped = status >> 16 == PTRACE_EVENT_STOP && is_group_stop(WSTOPSIG(status));
	stop_note_signal(th, status);
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

static bool is_stopped(const struct thread *th)
{
	unsigned long unused;

	return ptrace(PTRACE_GETEVENTMSG, th->tid, NULL, &unused) == 0;
}

/*
 * A stopped thread goes on only to die: all do, by SIGKILL, or when another thread
 * runs another program.  That one takes over the first one's number, tracer and
 * all, and may stop under it a second time.  So these are waited for anew; true
 * when there are any.  One is asked for all, for there may be thousands.
 * ptrace(2), "execve(2) under ptrace".
 */
static bool look_stopped(struct target *t)
{
	bool changed = false;

	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];

		if (th->stop != THREAD_STOPPED)
			continue;
		if (!is_stopped(th))
			th->stop = THREAD_SEIZED;
		else if (!changed)
			return false;
		changed = true;
	}
	return changed;
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
	/* The thread that is waited for may wait for others to die. */
	if (*waiting && !seen)
		look_stopped(t);
	return seen;
}

/* Waits until every interrupted thread has stopped or is given up. */
static int wait_stopped(struct target *t, const struct target_opts *opts, struct stop_wait *w, struct err *e)
{
	size_t waiting, seen;

	stop_wait_begin(w, opts->stop_timeout_ms);
	do {
		seen = look_all(t, &waiting);
		if (!waiting)
			return 0;
		if (opts->cancel && *opts->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled while process %d was being stopped", t->pid);
	} while (stop_wait_more(w, t, seen, waiting));
	stop_wait_give_up(t);
	return 0;
}

/* Those that have died; a number among them may belong to another thread by now. */
static size_t drop_exited(struct target *t)
{
	size_t n = 0, dropped;

	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop != THREAD_EXITED)
			t->threads[n++] = t->threads[i];
	dropped = t->n_threads - n;
	t->n_threads = n;
	return dropped;
}

/* Until none is new and none has died, for a thread may run another program meanwhile. */
static int stop_all(struct target *t, const struct target_opts *opts, struct err *e)
{
	const struct timespec nap = { .tv_nsec = 1000 * 1000 };
	struct stop_wait w = { 0 };
	size_t n_changed;
	int r, empty = 0;

	/* Those that would not stop the last time. */
	for (size_t i = 0; i < t->n_threads; i++)
		t->threads[i].stop = THREAD_SEIZED;
	do {
		n_changed = 0;
		if (opts->cancel && *opts->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled while process %d was being stopped", t->pid);
		r = seize_new(t, &n_changed, e);
		if (r)
			return r;
		interrupt_new(t);
		r = wait_stopped(t, opts, &w, e);
		if (r)
			return r;
		n_changed += look_stopped(t);
		n_changed += drop_exited(t);
		/* The only thread may just be taking over the number of the first. */
		if (!n_changed && !t->n_threads && empty++ < EMPTY_ROUNDS)
			n_changed = nanosleep(&nap, NULL) == 0;
	} while (n_changed);
	return 0;
}

int threads_sort(struct target *t, struct err *e)
{
	for (size_t i = 1; i < t->n_threads; i++)
		if (t->threads[i].tid == t->pid) {
			struct thread leader = t->threads[i];

			memmove(&t->threads[1], &t->threads[0], i * sizeof(leader));
			t->threads[0] = leader;
		}
	if (!t->n_threads)
		return err_set(e, ERR_GONE, "process %d ended while it was being %s", t->pid,
			       t->unstopped ? "looked at" : "stopped");
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

/* What stands still now: the process may have run another program since it was looked at first. */
static int look_at_stopped(struct target *t, struct err *e)
{
	int r = threads_sort(t, e);

	if (!r)
		r = target_look_again(t, e);
	if (!r)
		r = read_all_gregs(t, e);
	/* Killed meanwhile. */
	if (!r && drop_exited(t))
		r = threads_sort(t, e);
	return r ? r : target_open_mem(t, e);
}

int target_stop(struct target *t, const struct target_opts *opts, struct err *e)
{
	int r;

	urgent_begin(t);
	r = stop_all(t, opts, e);
	if (!r)
		r = look_at_stopped(t, e);
	if (r)
		target_resume(t);
	return r;
}

static int stop_one(struct target *t, pid_t tid, const struct target_opts *opts, struct err *e)
{
	struct stop_wait w = { 0 };
	int r = seize_one(t, tid, e);

	if (r < 0)
		return r;
	interrupt_new(t);
	r = wait_stopped(t, opts, &w, e);
	drop_exited(t);
	if (!r && (!t->n_threads || t->threads[0].stop != THREAD_STOPPED))
		r = err_set(e, ERR_GONE, "thread %d of process %d did not stop", tid, t->pid);
	if (!r)
		r = machine_gregs(t, &t->threads[0], e);
	if (!r)
		restart_reconsider(t, &t->threads[0]);
	return r;
}

int target_stop_thread(struct target *t, pid_t tid, const struct target_opts *opts, struct err *e)
{
	int r;

	urgent_begin(t);
	r = stop_one(t, tid, opts, e);
	if (r)
		target_resume(t);
	return r;
}

/*
 * A signal to the process is taken by one thread, and the calls of the others go on: they
 * are resumed after it has been taken.  While all are stopped, no thread can take it.
 */
static void wait_taken(const struct target *t, const struct thread *th, u64 signals, u64 deadline)
{
	struct timespec nap = { .tv_nsec = 50 * 1000 };

	while (restart_shared_signals(t, th) & signals && now_ns() < deadline)
		nanosleep(&nap, NULL);
}

/* One that has been killed is waited for, or it would stay a zombie as long as we live. */
static void detach(struct target *t, struct thread *th, bool shared, u64 deadline)
{
	u64 signals = shared ? restart_shared_signals(t, th) : 0;
	int status;

	restart_reconsider(t, th);
	if (ptrace(PTRACE_DETACH, th->tid, NULL, (void *)(uintptr_t)th->give_back) < 0)
		waitpid(th->tid, &status, __WALL | WNOHANG);
	else if (signals)
		wait_taken(t, th, signals, deadline);
	th->stop = THREAD_EXITED;
}

static bool has_stopped(const struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_STOPPED)
			return true;
	return false;
}

static void resume_stopped(struct target *t)
{
	u64 deadline = now_ns() + TAKEN_MS * 1000000ull;
	bool shared;

	if (!has_stopped(t))
		return;
	shared = restart_shared_signals(t, NULL);
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_STOPPED)
			detach(t, &t->threads[i], shared, deadline);
	drop_exited(t);
}

/*
 * An interrupted thread that was not seen to stop yet will stop at any moment, and could not be detached before; one
 * that has had its time is looked at once.  Those that have stopped do not wait for it: it may have no processor.
 */
static void resume_all(struct target *t)
{
	u64 begin = now_ns(), soon = begin + 500 * 1000000ull, late = begin + 20 * 1000000000ull;
	struct timespec nap = { .tv_nsec = 50 * 1000 };
	size_t waiting;

	for (size_t i = 0; i < t->n_threads; i++) {
		if (t->threads[i].stop == THREAD_UNSTOPPABLE)
			look(t, &t->threads[i]);
		/* Only a stopped thread can be detached, so one that is merely seized is stopped for it. */
		if (t->threads[i].stop == THREAD_SEIZED)
			ptrace(PTRACE_INTERRUPT, t->threads[i].tid, NULL, NULL);
	}
	for (;;) {
		look_all(t, &waiting);
		resume_stopped(t);
		if (!waiting || (now_ns() > soon && (now_ns() > late || !stop_wait_one_runs(t))))
			break;
		nanosleep(&nap, NULL);
	}
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_SEIZED)
			t->threads[i].stop = THREAD_UNSTOPPABLE;
}

/*
 * A thread that has not stopped yet cannot be detached.  It stays in the list, to be
 * looked at once more when the target is closed; then the kernel detaches it when this
 * tracer thread exits.
 */
void target_resume(struct target *t)
{
	/* Of its threads, which may be our children, none is ours to wait for. */
	if (t->unstopped)
		return;
	resume_all(t);
	if (t->stopped_at)
		t->pause_ns = now_ns() - t->stopped_at;
	t->stopped_at = 0;
	urgent_end(t);
}
