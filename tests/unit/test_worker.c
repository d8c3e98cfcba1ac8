#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "base/worker.h"

/* Waits for @go, if that is not NULL. */
struct job {
	struct worker_job job;
	sem_t *go, *dropped;
	pthread_t by;
	int fd;		/* that it has opened */
};

static void run_job(struct worker_job *job)
{
	struct job *j = (struct job *)job;

	j->by = pthread_self();
	j->fd = j->fd < 0 ? open("/", O_PATH | O_CLOEXEC) : j->fd;
	while (j->go && sem_wait(j->go) && errno == EINTR)
		;
}

static void drop_job(struct worker_job *job)
{
	struct job *j = (struct job *)job;

	if (j->fd >= 0)
		assert_int_equal(close(j->fd), 0);
	if (j->dropped)
		sem_post(j->dropped);
	free(j);
}

static struct job *job_new(sem_t *go, sem_t *dropped)
{
	struct job *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	*j = (struct job){ .job = { run_job, drop_job }, .go = go, .dropped = dropped, .fd = -1 };
	return j;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void its_files_are_not_ours(void **state)
{
	struct worker w = { 0 };
	struct job *j = job_new(NULL, NULL);
	struct err e;
	int fd;

	(void)state;
	assert_int_equal(worker_call(&w, &j->job, &e), 0);
	assert_false(pthread_equal(j->by, pthread_self()));
	fd = j->fd;
	assert_true(fd >= 0);
	assert_false(is_open(fd));
	/* The same thread goes on with it. */
	assert_int_equal(worker_call(&w, &j->job, &e), 0);
	assert_int_equal(j->fd, fd);
	assert_true(worker_drop(&w, &j->job));
	worker_end(&w);
	worker_end(&w);
}

static void a_call_that_hangs_is_left(void **state)
{
	struct worker w = { .limit_ns = 400 * 1000000ull };
	struct job *hangs, *next;
	sem_t go, dropped;
	u64 begin = now_ns();
	struct err e;

	(void)state;
	sem_init(&go, 0, 0);
	sem_init(&dropped, 0, 0);
	hangs = job_new(&go, &dropped);
	assert_int_equal(worker_call(&w, &hangs->job, &e), ERR_TIMEOUT);
	assert_true(now_ns() - begin >= 400 * 1000000ull);
	/* The next one that hangs is waited for half as long. */
	assert_int_equal(w.limit_ns, 200 * 1000000ull);
	worker_leave(&w, &hangs->job);
	next = job_new(NULL, NULL);
	assert_int_equal(worker_call(&w, &next->job, &e), 0);
	assert_true(worker_drop(&w, &next->job));
	worker_end(&w);
	assert_int_equal(sem_trywait(&dropped), -1);
	sem_post(&go);
	assert_int_equal(sem_wait(&dropped), 0);
	sem_destroy(&go);
	sem_destroy(&dropped);
}

static void cancelled(void **state)
{
	volatile sig_atomic_t cancel = 1;
	struct worker w = { .cancel = &cancel };
	struct job *j;
	sem_t go, dropped;
	struct err e;

	(void)state;
	sem_init(&go, 0, 0);
	sem_init(&dropped, 0, 0);
	j = job_new(&go, &dropped);
	assert_int_equal(worker_call(&w, &j->job, &e), ERR_CANCELLED);
	worker_leave(&w, &j->job);
	sem_post(&go);
	assert_int_equal(sem_wait(&dropped), 0);
	worker_end(&w);
	sem_destroy(&go);
	sem_destroy(&dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_files_are_not_ours),
		cmocka_unit_test(a_call_that_hangs_is_left),
		cmocka_unit_test(cancelled),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
