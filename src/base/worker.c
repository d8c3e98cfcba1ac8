#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/monotonic.h"
#include "base/own_files.h"
#include "base/util.h"
#include "base/worker.h"

#define LOOK_NS 20000000ull	/* between looks at the flag that cancels */
#define LIMIT_MIN_NS 100000000ull

/* Of both sides; whoever is done with it last frees it.  All under @lock. */
struct worker_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct worker_job *job;	/* to be run; NULL: none, or done */
	struct worker_job *last;	/* to be dropped when nobody waits any more */
	int nice;		/* of who waits */
	bool ending;
	bool left;		/* nobody waits any more */
};

static void free_thread(struct worker_thread *t)
{
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- the thread */

/* With the lock, which it gives away meanwhile. */
static void do_job(struct worker_thread *t, int *nice)
{
	struct worker_job *job = t->job;

	/* Where it may not be, it is as urgent as it was. */
	if (*nice != t->nice && setpriority(PRIO_PROCESS, 0, t->nice))
		errno = 0;
	*nice = t->nice;
	pthread_mutex_unlock(&t->lock);
	job->run(job);
	pthread_mutex_lock(&t->lock);
	t->job = NULL;
	pthread_cond_broadcast(&t->moved);
}

static void *work(void *arg)
{
	/* To let go of the first three could wait, too. */
	static const int keep[] = { 0, 1, 2 };
	struct worker_thread *t = arg;
	int nice = getpriority(PRIO_PROCESS, 0);
	bool left;

	if (own_table())
		drop_files(keep, ARRAY_SIZE(keep));
	pthread_mutex_lock(&t->lock);
	while (!t->left && !t->ending) {
		if (t->job)
			do_job(t, &nice);
		else
			pthread_cond_wait(&t->moved, &t->lock);
	}
	left = t->left;
	pthread_mutex_unlock(&t->lock);
	if (!left)
		return NULL;
	t->last->drop(t->last);
	free_thread(t);
	return NULL;
}

/* ---- who waits for it */

/* No handler of a caller's runs in it; a fault of our own ends the process. */
static int create(struct worker_thread *t)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	sigset_t all, old;
	int r;

	sigfillset(&all);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = pthread_create(&t->thread, NULL, work, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static int start(struct worker *w, struct err *e)
{
	struct worker_thread *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(e, -ENOMEM, "a thread");
	pthread_mutex_init(&t->lock, NULL);
	monotonic_init(&t->moved);
	r = create(t);
	if (r) {
		free_thread(t);
		return err_set(e, -r, "start a thread");
	}
	w->t = t;
	return 0;
}

/* With the lock. */
static int wait_done(struct worker *w, struct err *e)
{
	struct worker_thread *t = w->t;
	u64 begin = now_ns();

	while (t->job) {
		u64 look = w->limit_ns ? min(w->limit_ns, (u64)LOOK_NS) : LOOK_NS;
		struct timespec until = monotonic_in(look);

		if (!pthread_cond_timedwait(&t->moved, &t->lock, &until) || !t->job)
			continue;
		if (w->cancel && *w->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled");
		if (w->limit_ns && now_ns() - begin >= w->limit_ns)
			return err_set(e, ERR_TIMEOUT, "no answer within %g s", (double)w->limit_ns / 1e9);
	}
	return 0;
}

int worker_call(struct worker *w, struct worker_job *job, struct err *e)
{
	int r = w->t ? 0 : start(w, e);

	if (r)
		return r;
	pthread_mutex_lock(&w->t->lock);
	w->t->nice = getpriority(PRIO_PROCESS, 0);
	w->t->job = w->t->last = job;
	pthread_cond_broadcast(&w->t->moved);
	r = wait_done(w, e);
	pthread_mutex_unlock(&w->t->lock);
	if (r == ERR_TIMEOUT)
		w->limit_ns = max(w->limit_ns / 2, min(w->limit_ns, (u64)LIMIT_MIN_NS));
	return r;
}

void worker_leave(struct worker *w, struct worker_job *job)
{
	struct worker_thread *t = w->t;

	w->t = NULL;
	pthread_detach(t->thread);
	pthread_mutex_lock(&t->lock);
	t->left = true;
	t->last = job;
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
}

static void is_dropped(struct worker_job *job)
{
	free(job);
}

struct drop {
	struct worker_job job;
	struct worker_job *what;
};

static void run_drop(struct worker_job *job)
{
	struct drop *d = (struct drop *)job;

	d->what->drop(d->what);
}

bool worker_drop(struct worker *w, struct worker_job *job)
{
	struct drop *d;
	struct err ignored;

	/* Its thread has gone, and its descriptors with it. */
	if (!w->t) {
		job->drop(job);
		return true;
	}
	d = malloc(sizeof(*d));
	if (!d) {
		worker_leave(w, job);
		return false;
	}
	*d = (struct drop){ { run_drop, is_dropped }, job };
	if (!worker_call(w, &d->job, &ignored)) {
		free(d);
		return true;
	}
	worker_leave(w, &d->job);
	return false;
}

void worker_end(struct worker *w)
{
	struct worker_thread *t = w->t;

	w->t = NULL;
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->ending = true;
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	free_thread(t);
}
