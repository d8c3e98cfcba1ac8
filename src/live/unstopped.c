#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "live/live.h"
#include "live/proc.h"

/*
 * A target that is not stopped: another tracer has it, or it cannot be stopped.  What /proc says of its
 * threads is asked with the right to trace them, but is not tracing (ptrace(2), "Ptrace access mode checking").
 */
static const struct stop_reason no_stop = { "no-stop", "it was not asked to", true };

/* 0: it has died. */
static int look_at(struct target *t, pid_t tid, struct err *e)
{
	struct thread th = { .tid = tid, .stop = THREAD_UNSTOPPABLE, .why = &no_stop };
	struct proc_stat st;
	int r = proc_stat(t->pid, tid, &st, e);

	if (r || thread_is_dead(st.state))
		return r == ERR_GONE ? 0 : r;
	th.state = st.state;
	memcpy(th.comm, st.comm, sizeof(th.comm));
	th.was_blocked = proc_syscall(t->pid, tid, th.call);
	thread_read_wchan(t, &th);
	return threads_add(t, &th, e);
}

static int look_at_all(struct target *t, struct err *e)
{
	pid_t *tids auto_free = NULL;
	size_t n = 0;
	int r = proc_threads(t->pid, &tids, &n, e);

	t->n_threads = 0;
	for (size_t i = 0; !r && i < n; i++)
		r = look_at(t, tids[i], e);
	return r;
}

int target_look_unstopped(struct target *t, struct err *e)
{
	int r = look_at_all(t, e);

	if (!r)
		r = threads_sort(t, e);
	if (!r)
		r = target_look_again(t, e);
	return r ? r : target_open_mem(t, e);
}
