#include "helper.h"

#include "live/proc.h"
#include "live/stop_wait.h"
#include "live/target.h"

/*
 * When to give up, and why, of children in states that last: nothing is traced, and
 * time is what the test says it is.
 */
enum { TIMEOUT_MS = 1000 * 1000 };
static const u64 second = 1000000000;

static void setup_sleeping(void *arg)
{
	(void)arg;
}

/* Forks once more, so that child_start() is not kept waiting by what never ends. */
static void setup_busy(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			__asm__ volatile("");
	}
	*(pid_t *)arg = pid;
}

static void setup_vfork(void *arg)
{
	pid_t pid = fork();

	if (pid) {
		*(pid_t *)arg = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = getpid();
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The parent may have been killed before that. */
		if (getppid() != pid)
			_exit(0);
		for (;;)
			pause();
	}
}

static bool reaches(pid_t pid, char state)
{
	struct proc_stat st;
	struct err e;

	for (int i = 0; i < 20000; i++) {
		if (!proc_stat(pid, pid, &st, &e) && st.state == state)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
	}
	return false;
}

/* A target of one thread that was interrupted and has not stopped. */
struct fixture {
	struct child c;
	pid_t *pid;
	struct thread th;
	struct target t;
	struct stop_wait w;
};

static void begin(struct fixture *f, void (*setup)(void *), char state)
{
	*f = (struct fixture){ .pid = shared_new(sizeof(pid_t)) };
	child_start(&f->c, setup, f->pid);
	if (!*f->pid)
		*f->pid = f->c.pid;
	assert_true(reaches(*f->pid, state));
	f->th = (struct thread){ .tid = *f->pid, .stop = THREAD_SEIZED };
	f->t = (struct target){ .pid = *f->pid, .threads = &f->th, .n_threads = 1, .mem_fd = -1 };
	stop_wait_begin(&f->w, TIMEOUT_MS);
}

static void end(struct fixture *f)
{
	if (*f->pid != f->c.pid)
		kill(*f->pid, SIGKILL);
	child_stop(&f->c);
	munmap(f->pid, sizeof(*f->pid));
}

/* So many seconds later, and so many after the last one stopped. */
static bool waits_on(struct fixture *f, u64 since_begin, u64 since_progress)
{
	f->w.begin = now_ns() - since_begin * second;
	f->w.progress = now_ns() - since_progress * second;
	return stop_wait_more(&f->w, &f->t, 0, 1);
}

static void sleeping_thread_is_given_up_at_the_timeout(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_vfork, 'D');
	assert_true(waits_on(&f, 500, 500));
	assert_false(waits_on(&f, 1001, 1001));
	end(&f);
}

/* The timeout counts from the last thread that stopped. */
static void others_that_stop_are_progress(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_vfork, 'D');
	assert_true(waits_on(&f, 5000, 500));
	f.w.begin = now_ns() - 5000 * second;
	f.w.progress = now_ns() - 5000 * second;
	assert_true(stop_wait_more(&f.w, &f.t, 1, 1));
	assert_true(now_ns() - f.w.progress < 500 * second);
	end(&f);
}

static void runnable_thread_is_waited_for(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_busy, 'R');
	assert_true(waits_on(&f, 5000, 5000));
	assert_true(waits_on(&f, 9000, 9000));
	/* But not for ever, whatever stops meanwhile. */
	assert_false(waits_on(&f, 10001, 10001));
	assert_false(waits_on(&f, 10001, 1));
	end(&f);
}

static void says_why_a_sleeping_one_was_given_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_vfork, 'D');
	stop_wait_give_up(&f.t);
	assert_int_equal(f.th.stop, THREAD_UNSTOPPABLE);
	assert_string_equal(f.th.why->name, "uninterruptible");
	end(&f);
}

/* A child that was just forked may not have had a processor yet. */
static void wait_until_it_has_run(pid_t tid)
{
	unsigned long long ran = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)tid);
	for (int i = 0; i < 60000 && !ran; i++) {
		FILE *f = fopen(path, "r");

		if (!f || fscanf(f, "%llu", &ran) != 1)
			ran = 0;
		if (f)
			fclose(f);
		usleep(1000);
	}
}

static void says_why_a_runnable_one_was_given_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_busy, 'R');
	/* It has run not a bit more than at the look before. */
	f.th.ran_ns = UINT64_MAX;
	stop_wait_give_up(&f.t);
	assert_int_equal(f.th.stop, THREAD_UNSTOPPABLE);
	assert_string_equal(f.th.why->name, "no-processor");
	assert_string_equal(f.th.wchan, "");
	if (access("/proc/self/schedstat", R_OK) == 0) {
		wait_until_it_has_run(f.th.tid);
		f.th.stop = THREAD_SEIZED;
		f.th.ran_ns = 0;
		stop_wait_give_up(&f.t);
		assert_string_equal(f.th.why->name, "in-kernel");
	}
	end(&f);
}

static void stopped_ones_are_not_given_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, setup_sleeping, 'S');
	f.th.stop = THREAD_STOPPED;
	assert_false(stop_wait_one_runs(&f.t));
	stop_wait_give_up(&f.t);
	assert_int_equal(f.th.stop, THREAD_STOPPED);
	assert_null(f.th.why);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeping_thread_is_given_up_at_the_timeout),
		cmocka_unit_test(others_that_stop_are_progress),
		cmocka_unit_test(runnable_thread_is_waited_for),
		cmocka_unit_test(says_why_a_sleeping_one_was_given_up),
		cmocka_unit_test(says_why_a_runnable_one_was_given_up),
		cmocka_unit_test(stopped_ones_are_not_given_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
