#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "cli/dump_job.h"

struct job {
	pid_t pid;
	const struct dump_opts *opts;
	struct dump_report *report;
	struct err *e;
	int result;
};

static void *run_job(void *arg)
{
	struct job *j = arg;

	j->result = dump_run(j->pid, j->opts, j->report, j->e);
	return NULL;
}

/* A tenth of a second from now, on the clock that joins are timed by. */
static const struct timespec *deadline(struct timespec *ts)
{
	clock_gettime(CLOCK_REALTIME, ts);
	ts->tv_nsec += 100 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
	return ts;
}

int dump_job(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct timespec until;
	struct job j = { .pid = pid, .opts = opts, .report = report, .e = e };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, run_job, &j);

	if (r)
		return err_set(e, -r, "start a thread");
	/*
	 * The signal that cancels reaches any thread of ours; the one that may be
	 * blocked in a write needs it.  Again and again, for it may come just before
	 * the write begins.
	 */
	while (pthread_timedjoin_np(thread, NULL, deadline(&until)) == ETIMEDOUT)
		if (opts->cancel && *opts->cancel)
			pthread_kill(thread, (int)*opts->cancel);
	return j.result;
}
