#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/own_files.h"
#include "base/util.h"
#include "dump/guardian.h"
#include "dump/job.h"

enum { SHOW_MS = 100 };	/* between two calls for progress */

struct job {
	pid_t pid;
	struct dump_opts opts;
	struct dump_report *report;
	struct err *e;
	int result;
};

static void *run_job(void *arg)
{
	struct job *j = arg;

	j->opts.own_files = own_table();
	j->opts.keep_fd = -1;
	/* What cannot be saved is refused before anything is begun. */
	j->result = (j->opts.snapshot || j->opts.max_pause_us) && j->pid != getpid()
		? guardian_run(j->pid, &j->opts, j->report, j->e) : dump_run(j->pid, &j->opts, j->report, j->e);
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

/*
 * A stop of ours would be one of the target, which stands still until we go on: a ^Z, or output from the
 * background (stty tostop), waits for the end.
 */
static void block_stops(const sigset_t *mine)
{
	sigset_t set = *mine;

	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void show(const struct dump_opts *o)
{
	const struct dump_progress *now = o->now;
	struct dump_progress p = {
		.pid = __atomic_load_n(&now->pid, __ATOMIC_RELAXED), .phase = __atomic_load_n(&now->phase, __ATOMIC_RELAXED),
		.done = __atomic_load_n(&now->done, __ATOMIC_RELAXED), .total = __atomic_load_n(&now->total, __ATOMIC_RELAXED),
	};

	if (p.total)
		o->progress(o->progress_arg, &p);
}

/* Whoever shows progress may wait, for a terminal that was stopped by ^S: not the thread that holds the target. */
static void wait_for(pthread_t thread, const struct dump_opts *o)
{
	struct timespec until;

	while (o->progress) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHOW_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!pthread_timedjoin_np(thread, NULL, &until))
			return;
		show(o);
	}
	pthread_join(thread, NULL);
}

static int start_job(struct job *j, pthread_t *thread, sigset_t *mine, struct err *e)
{
	int r;

	/* A thread begins with its creator's mask; so do those that it starts. */
	block_signals(mine);
	r = pthread_create(thread, NULL, run_job, j);
	block_stops(mine);
	return r ? err_set(e, -r, "start a thread") : 0;
}

int dump_job(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct job j = { .pid = pid, .opts = *opts, .report = report, .e = e };
	pthread_t thread;
	sigset_t mine;
	int r;

	/* Shared with a guardian, too. */
	j.opts.now = mmap(NULL, sizeof(*j.opts.now), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (j.opts.now == MAP_FAILED)
		return err_set(e, -errno, "memory for progress");
	r = start_job(&j, &thread, &mine, e);
	if (!r)
		wait_for(thread, &j.opts);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	munmap(j.opts.now, sizeof(*j.opts.now));
	return r ? r : j.result;
}
