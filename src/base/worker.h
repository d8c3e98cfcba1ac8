/* worker.h - a thread for calls that may never return: on files whose server does not answer. */
#pragma once

#include <signal.h>

#include "base/err.h"
#include "base/types.h"

/*
 * What is to be done, as the beginning of a larger struct that was malloc'ed: the thread may still be at it when
 * nobody waits any more, so it has all that it needs in it, and nothing that is somebody else's.
 */
struct worker_job {
	void (*run)(struct worker_job *job);
	/* Frees it and closes what it has opened: descriptors are of the thread, which has a table of its own. */
	void (*drop)(struct worker_job *job);
};

/*
 * The side that waits.  A zeroed one has no thread, which begins with the first call, and for which a call
 * may take as long as it takes.
 */
struct worker {
	struct worker_thread *t;
	/* How long a call may take; each that took longer halves it, so that all together are waited for twice that. */
	u64 limit_ns;
	const volatile sig_atomic_t *cancel;	/* not NULL, and != 0: no call is waited for */
};

/*
 * Calls job->run(job) in the thread, which is as urgent as ours (nice(1)), and waits for it.  ERR_TIMEOUT,
 * ERR_CANCELLED: it is still at it, and worker_leave() must follow.
 */
int worker_call(struct worker *w, struct worker_job *job, struct err *e) must_check;
/* The thread, with the call that it is in, is on its own from now on, and drops @job when it returns. */
void worker_leave(struct worker *w, struct worker_job *job);
/* Drops a job that no call is at, in the thread: see worker_call().  True; false: that hangs, and was left. */
bool worker_drop(struct worker *w, struct worker_job *job);
/* Ends the thread, which is not in a call.  Must always run. */
void worker_end(struct worker *w);
