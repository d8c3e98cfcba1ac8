#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/scope.h"
#include "live/live.h"
#include "live/permission.h"
#include "live/proc.h"
#include "live/reaper.h"

/*
 * PTRACE_SEIZE, not PTRACE_ATTACH: no SIGSTOP is sent, a group-stopped thread
 * stays so, and if we are killed the kernel lets every thread run on
 * (kernel/ptrace.c: exit_ptrace(); PTRACE_O_EXITKILL is not set).
 */

/* How often PTRACE_SEIZE is retried after a refusal without a visible reason, 1 ms apart. */
enum { UNCLEAR_MAX = 10 };

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

int threads_add(struct target *t, const struct thread *th, struct err *e)
{
	int r = array_grow((void **)&t->threads, t->n_threads, &t->cap_threads, sizeof(*t->threads),
			   "list of threads", e);

	if (!r)
		t->threads[t->n_threads++] = *th;
	return r;
}

bool thread_is_dead(char state)
{
	return state == 'Z' || state == 'X';
}

/*
 * Why a thread may not be seized: 1 when it is ours already, 0 when it has died,
 * 1 with *doubt when there is no reason to be seen.  ptrace_attach() answers EPERM
 * for a thread that is dying, and a thread that runs another program takes over
 * the first one's number, and its tracer with it: fs/exec.c, de_thread().
 */
static int refused(const struct target *t, pid_t tid, int errnum, bool *unclear, struct err *e)
{
	struct proc_status status = { 0 };
	struct proc_stat st;
	int r = errnum == ESRCH ? ERR_GONE : proc_stat(t->pid, tid, &st, e);

	*unclear = false;
	if (!r && thread_is_dead(st.state))
		return 0;
	if (!r)
		r = proc_status(t->pid, tid, &status, e);
	if (r)
		return r == ERR_GONE ? 0 : r;
	if (status.tracer == gettid())
		return 1;
	if (status.tracer)
		return permission_traced(t->pid, status.tracer, e);
	*unclear = true;
	return 1;
}

/* 1: seized; 0: it has died, or is another by now. */
static int seize_tid(const struct target *t, pid_t tid, struct err *e)
{
	const struct timespec nap = { .tv_nsec = 1000 * 1000 };

	for (int i = 0;; i++) {
		bool unclear;
		int r, errnum;

		if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0)
			return 1;
		errnum = errno;
		r = refused(t, tid, errnum, &unclear, e);
		if (!unclear)
			return r;
		if (i == UNCLEAR_MAX)
			return permission_explain(t->pid, errnum, PERMISSION_TO_TRACE, e);
		nanosleep(&nap, NULL);
	}
}

/*
 * Everything that can be learnt of a thread before it stops.  1: seized; 0: it
 * has died, and *vanished when it was not dead from the beginning.
 */
static int seize(struct target *t, pid_t tid, bool *vanished, struct err *e)
{
	struct thread th = { .tid = tid, .stop = THREAD_SEIZED };
	struct proc_stat st;
	int r = proc_stat(t->pid, tid, &st, e);

	*vanished = r == ERR_GONE;
	if (r)
		return *vanished ? 0 : r;
	if (thread_is_dead(st.state))
		return 0;
	r = seize_tid(t, tid, e);
	*vanished = r == 0;
	if (r <= 0)
		return r;
	th.state = st.state;
	memcpy(th.comm, st.comm, sizeof(th.comm));
	/* Where results overwrite arguments, a call's arguments must be read before the stop. */
	if (t->arch->syscall.orig_reg < 0)
		th.was_blocked = proc_syscall(t->pid, tid, th.call);
	r = threads_add(t, &th, e);
	return r ? r : 1;
}

int seize_one(struct target *t, pid_t tid, struct err *e)
{
	bool vanished;

	return seize(t, tid, &vanished, e);
}

/* Those of @tids that are not known yet. */
static int seize_unknown(struct target *t, const pid_t *tids, size_t n, struct reaper *reaper, size_t *n_changed,
			 struct err *e)
{
	pid_t *known auto_free = NULL;
	size_t n_known = t->n_threads;
	int r = known_tids(t, &known, e);

	for (size_t i = 0; !r && i < n; i++) {
		bool vanished;

		if (bsearch(&tids[i], known, n_known, sizeof(*known), compare_tids))
			continue;
		r = t->n_threads ? reaper_start(reaper, e) : 0;
		if (!r)
			r = seize(t, tids[i], &vanished, e);
		if (r > 0)
			r = reaper_add(reaper, tids[i], e);
		else if (!r && !vanished)
			continue;
		++*n_changed;
	}
	return r;
}

int seize_new(struct target *t, size_t *n_changed, struct err *e)
{
	struct reaper reaper scoped(reaper_end) = { 0 };
	pid_t *tids auto_free = NULL;
	size_t n = 0;
	int r = proc_threads(t->pid, &tids, &n, e);

	for (size_t i = 0; !r && i < t->n_threads; i++)
		r = reaper_add(&reaper, t->threads[i].tid, e);
	return r ? r : seize_unknown(t, tids, n, &reaper, n_changed, e);
}
