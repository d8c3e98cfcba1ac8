#include <pthread.h>

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

int dump_job(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct job j = { .pid = pid, .opts = opts, .report = report, .e = e };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, run_job, &j);

	if (r)
		return err_set(e, -r, "start a thread");
	pthread_join(thread, NULL);
	return j.result;
}
