#include "helper.h"

#include <pthread.h>

#include "dump/ahead.h"
#include "live/target.h"

/* Threads that differ in what /proc says of them: each blocks another signal, and has it pending. */
enum { FEW = 8, MANY = 150, N_SIGNALS = 24 };

struct crowd {
	int n;
	pthread_barrier_t ready;
};

static void *block_one(void *arg)
{
	struct crowd *c = arg;
	static int next;
	int sig = SIGRTMIN + __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % N_SIGNALS;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	child_check(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	child_check(pthread_kill(pthread_self(), sig) == 0);
	pthread_barrier_wait(&c->ready);
	for (;;)
		pause();
	return NULL;
}

static void start_crowd(void *arg)
{
	struct crowd *c = arg;
	pthread_t t;

	pthread_barrier_init(&c->ready, NULL, (unsigned)c->n + 1);
	for (int i = 0; i < c->n; i++)
		child_check(pthread_create(&t, NULL, block_one, c) == 0);
	pthread_barrier_wait(&c->ready);
}

/* As target_stop() would leave it, without a stop. */
static void list_threads(struct target *t, pid_t pid)
{
	pid_t *tids auto_free = NULL;
	struct err e;

	*t = (struct target){ .pid = pid, .reader = pid, .mem_fd = -1 };
	assert_ok(proc_threads(pid, &tids, &t->n_threads, &e), &e);
	t->threads = calloc(t->n_threads, sizeof(*t->threads));
	assert_non_null(t->threads);
	for (size_t i = 0; i < t->n_threads; i++)
		t->threads[i].tid = tids[i];
}

static void wait_until_all_read(const struct ahead *a)
{
	for (int i = 0; i < 60000 && __atomic_load_n(&a->from, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	assert_int_equal(__atomic_load_n(&a->from, __ATOMIC_ACQUIRE), 0);
}

static void same_as_now(const struct ahead *a, const struct target *t, const struct proc_status *expected)
{
	u64 pending = 0;

	for (size_t i = 0; i < t->n_threads; i++) {
		struct thread_info info;
		struct err e;

		assert_ok(ahead_get(a, t, i, &info, &e), &e);
		assert_int_equal(info.status.sig_blocked, expected[i].sig_blocked);
		assert_int_equal(info.status.sig_pending, expected[i].sig_pending);
		assert_int_equal(info.stat.pgrp, getpgrp());
		pending |= info.status.sig_pending;
	}
	assert_int_equal(__builtin_popcountll(pending), min(t->n_threads - 1, (size_t)N_SIGNALS));
}

static void read_expected(const struct target *t, struct proc_status *out)
{
	struct err e;

	for (size_t i = 0; i < t->n_threads; i++)
		assert_ok(proc_status(t->pid, t->threads[i].tid, &out[i], &e), &e);
}

/* What was read ahead is of the right thread, and is not asked for a second time: the process has gone. */
static void many_are_read_ahead(void **state)
{
	struct proc_status expected[MANY + 1];
	struct crowd crowd = { .n = MANY };
	struct ahead a = { 0 };
	struct target t;
	struct child c;

	(void)state;
	child_start(&c, start_crowd, &crowd);
	list_threads(&t, c.pid);
	assert_int_equal(t.n_threads, MANY + 1);
	read_expected(&t, expected);
	ahead_start(&a, &t);
	wait_until_all_read(&a);
	child_stop(&c);
	same_as_now(&a, &t, expected);
	ahead_end(&a);
	free(t.threads);
}

/* And what was not, for there are few, or it has been ended, is read when it is asked for. */
static void others_are_read_when_asked_for(void **state)
{
	struct proc_status expected[FEW + 1];
	struct crowd crowd = { .n = FEW };
	struct ahead a = { 0 };
	struct target t;
	struct child c;

	(void)state;
	child_start(&c, start_crowd, &crowd);
	list_threads(&t, c.pid);
	read_expected(&t, expected);
	same_as_now(&a, &t, expected);
	ahead_start(&a, &t);
	assert_false(a.running);
	same_as_now(&a, &t, expected);
	ahead_end(&a);
	ahead_end(&a);
	same_as_now(&a, &t, expected);
	child_stop(&c);
	free(t.threads);
}

/* The caller gets the error, not a thread without values. */
static void a_process_that_has_gone(void **state)
{
	struct crowd crowd = { .n = MANY };
	struct ahead a = { 0 };
	struct thread_info info;
	struct target t;
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, start_crowd, &crowd);
	list_threads(&t, c.pid);
	child_stop(&c);
	ahead_start(&a, &t);
	for (size_t i = 1; i < t.n_threads; i++)
		assert_int_equal(ahead_get(&a, &t, i, &info, &e), ERR_GONE);
	ahead_end(&a);
	free(t.threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_are_read_ahead),
		cmocka_unit_test(others_are_read_when_asked_for),
		cmocka_unit_test(a_process_that_has_gone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
