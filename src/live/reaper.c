#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "live/reaper.h"

enum { PERIOD_NS = 10 * 1000 * 1000 };

/* Who is traced is reported when stopped, too, whatever is asked for: wait_task_stopped(), kernel/exit.c. */
static bool has_died(pid_t tid)
{
	siginfo_t si = { 0 };

	return !waitid(P_PID, (id_t)tid, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) && si.si_pid == tid &&
	       (si.si_code == CLD_EXITED || si.si_code == CLD_KILLED || si.si_code == CLD_DUMPED);
}

static void reap_all(const struct reaper *r)
{
	siginfo_t unused;

	for (size_t i = 0; i < r->n; i++)
		if (has_died(r->tids[i]))
			waitid(P_PID, (id_t)r->tids[i], &unused, WEXITED | WNOHANG | __WALL);
}

/*
 * Only where no thread has been added for a period, so that the first thread of ours may
 * be held up: to look at thousands in vain takes the processor and a lock from it.
 */
static void *reap(void *arg)
{
	struct reaper *r = arg;
	struct timespec until;
	size_t seen = 0;

	pthread_mutex_lock(&r->lock);
	while (!r->ending) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PERIOD_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&r->moved, &r->lock, &until);
		if (!r->ending && r->n == seen)
			reap_all(r);
		seen = r->n;
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static int add(struct reaper *r, pid_t tid, struct err *e)
{
	int ret = array_grow((void **)&r->tids, r->n, &r->cap, sizeof(*r->tids), "list of threads", e);

	if (!ret)
		r->tids[r->n++] = tid;
	return ret;
}

int reaper_add(struct reaper *r, pid_t tid, struct err *e)
{
	int ret;

	if (!r->running)
		return add(r, tid, e);
	pthread_mutex_lock(&r->lock);
	ret = add(r, tid, e);
	pthread_mutex_unlock(&r->lock);
	return ret;
}

int reaper_start(struct reaper *r, struct err *e)
{
	int ret;

	if (r->running)
		return 0;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
	ret = pthread_create(&r->thread, NULL, reap, r);
	if (ret)
		return err_set(e, -ret, "start a thread");
	r->running = true;
	return 0;
}

void reaper_end(struct reaper *r)
{
	if (r->running) {
		pthread_mutex_lock(&r->lock);
		r->ending = true;
		pthread_cond_signal(&r->moved);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
		pthread_cond_destroy(&r->moved);
		pthread_mutex_destroy(&r->lock);
	}
	free(r->tids);
	*r = (struct reaper){ 0 };
}
