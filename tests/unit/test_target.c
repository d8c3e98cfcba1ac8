#include "helper.h"

#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "live/area.h"
#include "live/proc.h"
#include "live/reaper.h"
#include "live/target.h"

/*
 * Live processes under our own stop.  Where ptrace is forbidden (a container)
 * there is nothing to test: said, not passed over.
 */
static const struct target_opts quick = { .stop_timeout_ms = 5000 };

static void need_ptrace(const struct child *c)
{
	if (ptrace(PTRACE_SEIZE, c->pid, NULL, NULL) == 0) {
		int status;

		ptrace(PTRACE_INTERRUPT, c->pid, NULL, NULL);
		waitpid(c->pid, &status, __WALL);
		ptrace(PTRACE_DETACH, c->pid, NULL, NULL);
		return;
	}
	skip_because("ptrace is not permitted: %s", strerror(errno));
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void setup_threads(void *arg)
{
	pthread_t t;

	for (int i = 0; i < *(int *)arg; i++)
		child_check(pthread_create(&t, NULL, wait_for_ever, NULL) == 0);
}

static void setup_nothing(void *arg)
{
	(void)arg;
}

static char state_of(pid_t pid)
{
	struct proc_stat st;
	struct err e;

	return proc_stat(pid, pid, &st, &e) ? '?' : st.state;
}

/* Waits, with a limit, until the process is in one of these states. */
static bool reaches_state(pid_t pid, const char *states)
{
	for (int i = 0; i < 5000; i++) {
		if (strchr(states, state_of(pid)))
			return true;
		usleep(1000);
	}
	return false;
}

static void stops_and_resumes(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;
	int n = 7;

	(void)state;
	child_start(&c, setup_threads, &n);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_int_equal(t.n_threads, 8);
	assert_int_equal(t.threads[0].tid, c.pid);
	for (size_t i = 0; i < t.n_threads; i++) {
		assert_int_equal(t.threads[i].stop, THREAD_STOPPED);
		assert_int_equal(t.threads[i].gregs_len, t.arch->gregs.size);
	}
	assert_int_equal(state_of(c.pid), 't');
	target_resume(&t);
	assert_true(t.pause_ns > 0);
	assert_true(reaches_state(c.pid, "S"));
	/* Again, with the same target. */
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_int_equal(t.n_threads, 8);
	target_close(&t);
	assert_true(reaches_state(c.pid, "S"));
	child_stop(&c);
}

static void group_stop_is_kept(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	kill(c.pid, SIGSTOP);
	assert_true(reaches_state(c.pid, "T"));
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_true(t.threads[0].group_stopped);
	target_close(&t);
	assert_true(reaches_state(c.pid, "T"));
	kill(c.pid, SIGCONT);
	assert_true(reaches_state(c.pid, "S"));
	child_stop(&c);
}

static void reads_memory(void **state)
{
	static u8 pattern[3 * 4096];
	struct target t = { 0 };
	struct child c;
	struct err e;
	u8 buf[sizeof(pattern)];
	size_t n;
	u8 *hole = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	memset(pattern, 0xa5, sizeof(pattern));
	memset(hole, 1, 2 * 4096);
	munmap(hole + 4096, 4096);
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_ok(target_read(&t, (uintptr_t)pattern, buf, sizeof(buf), &n, &e), &e);
	assert_int_equal(n, sizeof(buf));
	assert_memory_equal(buf, pattern, sizeof(buf));
	/* Up to what cannot be read, and no further. */
	assert_ok(target_read(&t, (uintptr_t)hole, buf, 2 * 4096, &n, &e), &e);
	assert_int_equal(n, 4096);
	assert_ok(target_read(&t, 8, buf, 16, &n, &e), &e);
	assert_int_equal(n, 0);
	target_close(&t);
	child_stop(&c);
	munmap(hole, 4096);
}

/*
 * PROT_NONE, where proc_mem.force_override=never keeps mem(5) from it: a descriptor that
 * cannot be read takes its place.
 */
static void reads_what_mem_may_not(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;
	u8 buf[2 * 4096], want[2 * 4096];
	size_t n;
	u8 *closed = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = closed[i] = (u8)(i * 7 + i / 256);
	mprotect(closed, 3 * 4096, PROT_NONE);
	munmap(closed + 2 * 4096, 4096);
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	close(t.mem_fd);
	t.mem_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	/* Across pages, from and to any byte, and up to what is not there. */
	assert_ok(target_read(&t, (uintptr_t)closed, buf, sizeof(buf), &n, &e), &e);
	assert_int_equal(n, sizeof(buf));
	assert_memory_equal(buf, want, sizeof(buf));
	assert_ok(target_read(&t, (uintptr_t)closed + 4091, buf, 11, &n, &e), &e);
	assert_int_equal(n, 11);
	assert_memory_equal(buf, want + 4091, 11);
	assert_ok(target_read(&t, (uintptr_t)closed + 2 * 4096 - 3, buf, 9, &n, &e), &e);
	assert_int_equal(n, 3);
	assert_memory_equal(buf, want + 2 * 4096 - 3, 3);
	target_close(&t);
	child_stop(&c);
	munmap(closed, 2 * 4096);
}

static void says_what_is_wrong(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(target_open(&t, 0x3fffffff, &e), ERR_GONE);
	assert_int_equal(target_open(&t, 2, &e) == ERR_GONE || e.code == -EACCES || e.code == -EPERM, 1);
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	child_kill(&c);
	assert_int_equal(target_open(&t, c.pid, &e), ERR_GONE);
	assert_non_null(strstr(e.msg, "exited"));
	child_stop(&c);
	target_close(&t);
}

static void traced_already(void **state)
{
	struct target a = { 0 }, b = { 0 };
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&a, c.pid, &e), &e);
	assert_ok(target_stop(&a, &quick, &e), &e);
	assert_int_equal(target_open(&b, c.pid, &e), -EPERM);
	assert_non_null(strstr(e.msg, "traced by process"));
	target_close(&a);
	child_stop(&c);
}

static void killed_while_stopped(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;
	u8 buf[16];
	size_t n;

	(void)state;
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	child_kill(&c);
	assert_int_equal(target_read(&t, (uintptr_t)&quick, buf, sizeof(buf), &n, &e), ERR_GONE);
	target_close(&t);
	child_stop(&c);
}

static void cancelled(void **state)
{
	static const volatile sig_atomic_t yes = 1;
	struct target_opts opts = { .stop_timeout_ms = 5000, .cancel = &yes };
	struct target t = { 0 };
	struct child c;
	struct err e;
	int r;

	(void)state;
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	/* It may stop before we look at the wish; then nothing had to be waited for. */
	r = target_stop(&t, &opts, &e);
	assert_true(r == 0 || r == ERR_CANCELLED);
	target_close(&t);
	assert_true(reaches_state(c.pid, "S"));
	child_stop(&c);
}

/* Thread ids of a child's threads, shared with it: [0] is the first that was made. */
static pid_t *shared_tids(void)
{
	pid_t *tids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(tids != MAP_FAILED);
	return tids;
}

static void *say_tid(void *tid)
{
	__atomic_store_n((pid_t *)tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	return wait_for_ever(NULL);
}

static void setup_one_thread(void *tids)
{
	pthread_t t;

	child_check(pthread_create(&t, NULL, say_tid, tids) == 0);
	while (!__atomic_load_n((pid_t *)tids, __ATOMIC_SEQ_CST))
		usleep(100);
}

/* As if it had not stopped the last time: it is first in the list. */
static void seized_before(struct target *t, pid_t tid)
{
	assert_int_equal(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
	t->threads = calloc(1, sizeof(*t->threads));
	assert_non_null(t->threads);
	t->threads[0] = (struct thread){ .tid = tid, .stop = THREAD_UNSTOPPABLE };
	t->n_threads = t->cap_threads = 1;
}

static void leader_comes_first(void **state)
{
	pid_t *tids = shared_tids();
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, setup_one_thread, tids);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	seized_before(&t, tids[0]);
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_int_equal(t.n_threads, 2);
	assert_int_equal(t.threads[0].tid, c.pid);
	assert_int_equal(t.threads[1].tid, tids[0]);
	assert_int_equal(t.threads[1].stop, THREAD_STOPPED);
	assert_int_equal(t.reader, c.pid);
	assert_false(t.leader_exited);
	target_close(&t);
	child_stop(&c);
	munmap(tids, 4096);
}

/* ---- another program */

static int go[2];	/* a byte: run it */

static void *run_sleep(void *unused)
{
	char c;

	(void)unused;
	if (read(go[0], &c, 1) == 1)
		execlp("sleep", "sleep", "60", NULL);
	_exit(1);
}

static void setup_exec(void *tids)
{
	pthread_t t;

	setup_one_thread(tids);
	child_check(pthread_create(&t, NULL, run_sleep, NULL) == 0);
}

static bool is_sleep(pid_t pid)
{
	struct proc_stat st;
	struct err e;

	return !proc_stat(pid, pid, &st, &e) && !strcmp(st.comm, "sleep");
}

static bool becomes_sleep(pid_t pid)
{
	for (int i = 0; i < 10000 && !is_sleep(pid); i++)
		usleep(1000);
	return is_sleep(pid);
}

static void runs_another_program(void **state)
{
	pid_t *tids = shared_tids();
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	child_start(&c, setup_exec, tids);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_false(t.execed);
	target_resume(&t);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_true(becomes_sleep(c.pid));
	assert_ok(target_stop(&t, &quick, &e), &e);
	assert_true(t.execed);
	assert_int_equal(t.n_threads, 1);
	assert_int_equal(t.threads[0].tid, c.pid);
	assert_int_equal(t.threads[0].stop, THREAD_STOPPED);
	assert_string_equal(t.threads[0].comm, "sleep");
	target_close(&t);
	child_stop(&c);
	munmap(tids, 4096);
}

/*
 * The program can only be run when the thread that is ours has died and has been
 * waited for, and no other thread can be seized until it has been run.
 */
static void program_waits_for_us(void **state)
{
	pid_t *tids = shared_tids();
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	child_start(&c, setup_exec, tids);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	seized_before(&t, tids[0]);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_true(reaches_state(c.pid, "Z"));
	alarm(60);
	assert_ok(target_stop(&t, &quick, &e), &e);
	alarm(0);
	assert_true(t.execed);
	assert_int_equal(t.n_threads, 1);
	assert_int_equal(t.threads[0].tid, c.pid);
	assert_string_equal(t.threads[0].comm, "sleep");
	target_close(&t);
	assert_true(reaches_state(c.pid, "S"));
	child_stop(&c);
	munmap(tids, 4096);
}

/* It waits for the dead, and leaves the stops of the living to be seen. */
static void reaper_takes_no_stop(void **state)
{
	struct reaper r = { 0 };
	struct child stopped, dead;
	struct err e;
	int status;

	(void)state;
	child_start(&stopped, setup_nothing, NULL);
	child_start(&dead, setup_nothing, NULL);
	need_ptrace(&stopped);
	kill(stopped.pid, SIGSTOP);
	assert_true(reaches_state(stopped.pid, "T"));
	assert_int_equal(ptrace(PTRACE_SEIZE, stopped.pid, NULL, NULL), 0);
	assert_true(reaches_state(stopped.pid, "t"));
	assert_ok(reaper_add(&r, stopped.pid, &e), &e);
	assert_ok(reaper_start(&r, &e), &e);
	assert_ok(reaper_add(&r, dead.pid, &e), &e);
	kill(dead.pid, SIGKILL);
	for (int i = 0; i < 10000 && kill(dead.pid, 0) == 0; i++)
		usleep(1000);
	assert_int_equal(kill(dead.pid, 0), -1);
	reaper_end(&r);
	assert_int_equal(waitpid(stopped.pid, &status, __WALL | WNOHANG), stopped.pid);
	assert_true(WIFSTOPPED(status));
	child_stop(&stopped);
}

static void number_is_used_again(void **state)
{
	struct target t = { 0 };
	struct child c;
	struct err e;

	(void)state;
	child_start(&c, setup_nothing, NULL);
	need_ptrace(&c);
	assert_ok(target_open(&t, c.pid, &e), &e);
	/* As if the process that was found had begun earlier. */
	t.start_time--;
	assert_int_equal(target_stop(&t, &quick, &e), ERR_GONE);
	assert_non_null(strstr(e.msg, "another"));
	assert_true(reaches_state(c.pid, "S"));
	target_close(&t);
	child_stop(&c);
}

static void zeroed_may_be_closed(void **state)
{
	struct target t = { 0 };
	struct areas a = { 0 };

	(void)state;
	target_close(&t);
	areas_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_and_resumes),
		cmocka_unit_test(group_stop_is_kept),
		cmocka_unit_test(reads_memory),
		cmocka_unit_test(reads_what_mem_may_not),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(traced_already),
		cmocka_unit_test(killed_while_stopped),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(leader_comes_first),
		cmocka_unit_test(runs_another_program),
		cmocka_unit_test(program_waits_for_us),
		cmocka_unit_test(reaper_takes_no_stop),
		cmocka_unit_test(number_is_used_again),
		cmocka_unit_test(zeroed_may_be_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
