#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/borrow.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/snapshot.h"

/*
 * A process that is traced and not by its parent ends twice: for its tracer, and then, as a zombie that hangs
 * on until it is waited for, for its parent, here the target.  A wait of the target's own sees it from then
 * on, if it is made with __WALL or __WCLONE: kernel/exit.c: wait_consider_task(), wait_task_zombie().
 * So the target stands still in between, or one thread of it that makes the wait, where others are too many.
 */
enum {
	TRY_MS = 500,		/* for a thread of the target that waits in a system call */
	DIE_S = 60,		/* for a copy to give its memory back */
	STOP_ALL_MAX = 32,	/* threads that are stopped together within some milliseconds on any machine */
};

/* ---- for its tracer */

/* Killed, but not waited for yet; to give back the memory of a large copy takes its time. */
static void kill_one(pid_t pid)
{
	u64 end = now_ns() + DIE_S * 1000000000ull;
	struct timespec nap = { .tv_nsec = 50 * 1000 };
	siginfo_t info = { 0 };

	if (!pid || kill(pid, SIGKILL))
		return;
	while (!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) && !info.si_pid && now_ns() < end)
		nanosleep(&nap, NULL);
}

/* From here on it is a zombie of the target's. */
static void wait_here(pid_t *pid)
{
	struct err ignored;
	int status;

	if (*pid)
		while (!inject_wait(*pid, &status, &ignored))
			ptrace(PTRACE_CONT, *pid, NULL, NULL);
	*pid = 0;
}

/* ---- for the target */

/* 1: the target has no such child any more; 0: this thread was not to be had. */
static int wait_there(const struct snapshot *s, struct target *t, struct thread *th, u64 *child, struct err *e)
{
	const u64 args[4] = { *child, 0, WNOHANG | __WALL };
	struct inject_result out;
	int r = *child ? inject_borrow(&s->inject, t, th, INJECT_WAIT4, args, &out, e) : 1;

	if (r <= 0 || (*child && out.ret != (s64)*child && out.ret != -ECHILD))
		return r < 0 ? r : 0;
	*child = 0;
	return 1;
}

/* By one of those that stand still.  1: done; 0: none was to be had. */
static int reap_by_stopped(struct snapshot *s, struct target *t, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < t->n_threads; i++) {
		struct thread *th = &t->threads[i];

		if (!inject_may_use(t, th))
			continue;
		wait_here(&s->spawner);
		r = wait_there(s, t, th, &s->spawner_there, e);
		/* A signal may have come to it. */
		if (r <= 0 || !inject_may_use(t, th))
			continue;
		wait_here(&s->copy);
		r = wait_there(s, t, th, &s->copy_there, e);
	}
	return r < 0 ? r : !s->spawner_there && !s->copy_there;
}

int snapshot_end_spawner(struct snapshot *s, struct target *t, struct err *e)
{
	int r = 0;

	kill_one(s->spawner);
	for (size_t i = 0; !r && i < t->n_threads; i++) {
		if (!inject_may_use(t, &t->threads[i]))
			continue;
		wait_here(&s->spawner);
		r = wait_there(s, t, &t->threads[i], &s->spawner_there, e);
	}
	return r < 0 ? r : 0;
}

static int reap_by_borrowed(struct target *t, void *s, struct err *e)
{
	return reap_by_stopped(s, t, e);
}

/* By a target that runs: thread @tid is stopped for it, or, if 0, all are. */
static int reap_by_running(struct snapshot *s, pid_t tid, struct err *e)
{
	return borrow_thread(s->target, s->start_time, tid, reap_by_borrowed, s, e);
}

/* Whether it waits for children: it might find the zombie. */
static bool is_waiter(const struct snapshot *s, const u64 call[4])
{
	const struct inject_abi *abi = s->inject.arch->inject;

	return call[0] == abi->numbers[INJECT_WAIT4] || call[0] == abi->waitid;
}

static int reap_by_any(struct snapshot *s, struct err *e)
{
	pid_t *tids auto_free = NULL;
	bool blocked = false, all;
	size_t n = 0;
	u64 call[4];
	int r = proc_threads(s->target, &tids, &n, e);

	all = n > 1 && n <= STOP_ALL_MAX;
	for (size_t i = 0; !r && i < n; i++)
		if (proc_syscall(s->target, tids[i], call)) {
			blocked = true;
			all |= is_waiter(s, call);
		}
	if (!r && all)
		return reap_by_running(s, 0, e);
	for (size_t i = 0; !r && i < n; i++)
		if (!blocked || proc_syscall(s->target, tids[i], call))
			r = reap_by_running(s, tids[i], e);
	return r;
}

/* A target that has ended has left them to init, or to whoever is in its place. */
static bool reap(struct snapshot *s, struct target *stopped)
{
	u64 end = now_ns() + TRY_MS * 1000000ull;
	struct timespec nap = { .tv_nsec = 1000 * 1000 };
	struct err e;
	int r;

	if (stopped && stopped->n_threads)
		return reap_by_stopped(s, stopped, &e) > 0;
	while (!(r = reap_by_any(s, &e)) && now_ns() < end)
		nanosleep(&nap, NULL);
	return r > 0 || r == ERR_GONE;
}

bool snapshot_end(struct snapshot *s, struct target *stopped)
{
	bool clean = true;

	kill_one(s->spawner);
	kill_one(s->copy);
	if (s->spawner_there || s->copy_there)
		clean = reap(s, stopped);
	wait_here(&s->spawner);
	wait_here(&s->copy);
	free(s->memory.threads);
	/* A zeroed one has no descriptor: its 0 is not ours to close. */
	if (s->memory.pid)
		scope_close(&s->memory.mem_fd);
	*s = (struct snapshot){ .memory.mem_fd = -1 };
	return clean;
}
