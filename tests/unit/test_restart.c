#include "helper.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "live/proc.h"
#include "live/target.h"

/* A system call that our stop interrupted goes on, unless a signal that came meanwhile interrupts it itself. */

struct shared {
	pid_t tid;
	int result;		/* of the call, or its errno; 0: it has not returned */
	int handled;
	int handled_before;	/* when it returned */
	pid_t vforked;
};
static struct shared *shared;

static void on_signal(int sig)
{
	__atomic_store_n(&shared->handled, sig, __ATOMIC_SEQ_CST);
}

static void *in_call(void *arg)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	sigset_t none;
	long r;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	__atomic_store_n(&shared->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	r = syscall(SYS_epoll_pwait, fd, &event, 1, -1, NULL, 8);
	shared->handled_before = __atomic_load_n(&shared->handled, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->result, r < 0 ? errno : 1, __ATOMIC_SEQ_CST);
	return arg;
}

/* The pc in the call; 0: it has not been seen there yet. */
static u64 pc_in_call;

/*
 * One that has just been resumed may be said to be in the call before it makes that again, while another
 * processor is being told to run it (TASK_WAKING; Linux 6.12, lib/syscall.c: collect_syscall()): its pc is
 * at the call's instruction then, not after it.
 */
static bool is_in_call(pid_t pid, pid_t tid)
{
	u64 call[4];

	if (!proc_syscall(pid, tid, call) || call[0] != SYS_epoll_pwait)
		return false;
	if (!pc_in_call)
		pc_in_call = call[3];
	return call[3] == pc_in_call;
}

/* It stops when its child has ended, and not before. */
static void *in_vfork(void *arg)
{
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		__atomic_store_n(&shared->vforked, getpid(), __ATOMIC_SEQ_CST);
		for (;;)
			pause();
	}
	for (;;)
		pause();
	return arg;
}

/* Its first thread takes no signal.  @arg: a third one is in vfork(2). */
static void setup(void *arg)
{
	pthread_t t;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	child_check(pthread_create(&t, NULL, in_call, NULL) == 0);
	if (arg)
		child_check(pthread_create(&t, NULL, in_vfork, NULL) == 0);
}

static bool until(bool (*is)(pid_t pid, pid_t tid), pid_t pid)
{
	for (int i = 0; i < 20000; i++) {
		if (is(pid, __atomic_load_n(&shared->tid, __ATOMIC_SEQ_CST)))
			return true;
		usleep(1000);
	}
	return false;
}

static bool has_returned(pid_t pid, pid_t tid)
{
	(void)pid;
	(void)tid;
	return __atomic_load_n(&shared->result, __ATOMIC_SEQ_CST);
}

static void start(struct child *c, bool vforks)
{
	int status;

	shared = shared_new(sizeof(*shared));
	pc_in_call = 0;
	child_start(c, setup, vforks ? c : NULL);
	if (ptrace(PTRACE_SEIZE, c->pid, NULL, NULL)) {
		child_stop(c);
		skip_because("ptrace is not permitted: %s", strerror(errno));
	}
	ptrace(PTRACE_INTERRUPT, c->pid, NULL, NULL);
	waitpid(c->pid, &status, __WALL);
	ptrace(PTRACE_DETACH, c->pid, NULL, NULL);
	assert_true(until(is_in_call, c->pid));
}

/* @sig is sent to the thread in the call, or to the process, while all stand still. */
static void stop_and_send(const struct child *c, int sig, bool to_process)
{
	struct target t = { 0 };
	struct err e;

	assert_ok(target_open(&t, c->pid, &e), &e);
	assert_ok(target_stop(&t, &(struct target_opts){ .stop_timeout_ms = 20000 }, &e), &e);
	if (sig)
		assert_int_equal(to_process ? kill(c->pid, sig) : syscall(SYS_tgkill, c->pid, shared->tid, sig), 0);
	target_close(&t);
}

static void end(struct child *c)
{
	child_stop(c);
	munmap(shared, sizeof(*shared));
}

/* The handler has run, and the call has been broken by it, as without us. */
static void a_signal_interrupts_it(void **state)
{
	struct child c;

	(void)state;
	for (int to_process = 0; to_process < 2; to_process++) {
		start(&c, false);
		stop_and_send(&c, SIGUSR1, to_process);
		assert_true(until(has_returned, c.pid));
		assert_int_equal(shared->result, EINTR);
		assert_int_equal(shared->handled_before, SIGUSR1);
		end(&c);
	}
}

/* Nothing that the process would have noticed has happened: a later signal is what ends the call. */
static void else_it_goes_on(void **state)
{
	static const int sent[] = { 0, SIGUSR2 };
	struct child c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		start(&c, false);
		stop_and_send(&c, sent[i], false);
		assert_true(until(is_in_call, c.pid));
		assert_int_equal(shared->result, 0);
		assert_int_equal(syscall(SYS_tgkill, c.pid, shared->tid, SIGUSR1), 0);
		assert_true(until(has_returned, c.pid));
		assert_int_equal(shared->handled_before, SIGUSR1);
		end(&c);
	}
}

static bool is_stopped(pid_t pid, pid_t tid)
{
	struct proc_stat st;
	struct err e;

	return !proc_stat(pid, tid, &st, &e) && st.state == 't';
}

static bool has_vforked(pid_t pid, pid_t tid)
{
	(void)pid;
	(void)tid;
	return __atomic_load_n(&shared->vforked, __ATOMIC_SEQ_CST);
}

/* Then the last thread may stop. */
static void *send_when_stopped(void *pid)
{
	if (until(is_stopped, *(pid_t *)pid))
		syscall(SYS_tgkill, *(pid_t *)pid, shared->tid, SIGUSR1);
	kill(shared->vforked, SIGKILL);
	return NULL;
}

/* While others have not stopped yet: from then on it stays interrupted, even if we are killed now. */
static void a_signal_is_seen_when_all_have_stopped(void **state)
{
	struct target t = { 0 };
	pthread_t sender;
	struct child c;
	struct err e;
	size_t i = 0;

	(void)state;
	start(&c, true);
	assert_true(until(has_vforked, c.pid));
	assert_ok(target_open(&t, c.pid, &e), &e);
	assert_int_equal(pthread_create(&sender, NULL, send_when_stopped, &c.pid), 0);
	assert_ok(target_stop(&t, &(struct target_opts){ .stop_timeout_ms = 20000 }, &e), &e);
	pthread_join(sender, NULL);
	while (i < t.n_threads && t.threads[i].tid != shared->tid)
		i++;
	assert_true(i < t.n_threads);
	assert_true(t.threads[i].broken);
	assert_false(t.threads[i].restarted);
	target_close(&t);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_interrupts_it),
		cmocka_unit_test(else_it_goes_on),
		cmocka_unit_test(a_signal_is_seen_when_all_have_stopped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
