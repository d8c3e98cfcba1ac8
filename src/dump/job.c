#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/guardian.h"
#include "dump/job.h"

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

	/* What cannot be saved is refused before anything is begun. */
	j->result = j->opts->snapshot && j->pid != getpid() ? guardian_run(j->pid, j->opts, j->report, j->e)
							    : dump_run(j->pid, j->opts, j->report, j->e);
	return NULL;
}

/* Those of a fault of our own are of no use when blocked: they end the process without a word. */
static void block_signals(sigset_t *old)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, old);
}

int dump_job(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct job j = { .pid = pid, .opts = opts, .report = report, .e = e };
	pthread_t thread;
	sigset_t mine;
	int r;

	/* A thread begins with its creator's mask; so do those that it starts. */
	block_signals(&mine);
	r = pthread_create(&thread, NULL, run_job, &j);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	if (r)
		return err_set(e, -r, "start a thread");
	pthread_join(thread, NULL);
	return j.result;
}
