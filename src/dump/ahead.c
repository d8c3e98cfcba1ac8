#include "dump/ahead.h"

#include <stdlib.h>

/*
 * Two files in /proc take half of the time that the notes of a thread take.  Only the thread that
 * seized the target may ask for registers (ptrace(2)), but anyone may read these: a second one of
 * ours begins at the other end, until they meet.  Neither waits for the other.
 */

/* Fewer are read before a thread has started. */
enum { THREADS_MIN = 64 };

static int read_info(const struct target *t, size_t i, struct thread_info *out, struct err *e)
{
	pid_t tid = t->threads[i].tid;
	/* The leader's times are the group's: /proc/PID/stat, not /proc/PID/task/PID/stat. */
	int r = tid == t->pid ? proc_stat_group(t->pid, &out->stat, e) : proc_stat(t->pid, tid, &out->stat, e);

	return r ? r : proc_status(t->pid, tid, &out->status, e);
}

/* Stops at an error, which the first thread will meet and report. */
static void *read_ahead(void *arg)
{
	struct ahead *a = arg;
	struct err ignored;

	for (size_t i = a->target->n_threads; i-- && !__atomic_load_n(&a->ending, __ATOMIC_RELAXED);) {
		if (read_info(a->target, i, &a->info[i], &ignored))
			break;
		__atomic_store_n(&a->from, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

void ahead_start(struct ahead *a, const struct target *t)
{
	*a = (struct ahead){ .target = t, .from = t->n_threads };
	if (t->n_threads < THREADS_MIN)
		return;
	a->info = calloc(t->n_threads, sizeof(*a->info));
	a->running = a->info && !pthread_create(&a->thread, NULL, read_ahead, a);
}

int ahead_get(const struct ahead *a, const struct target *t, size_t i, struct thread_info *out, struct err *e)
{
	if (!a->running || i < __atomic_load_n(&a->from, __ATOMIC_ACQUIRE))
		return read_info(t, i, out, e);
	*out = a->info[i];
	return 0;
}

void ahead_end(struct ahead *a)
{
	__atomic_store_n(&a->ending, true, __ATOMIC_RELAXED);
	if (a->running)
		pthread_join(a->thread, NULL);
	free(a->info);
	*a = (struct ahead){ 0 };
}
