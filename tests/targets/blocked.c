/*
 * blocked [spin] [CALL...]: one thread in each of the system calls below (default:
 * all).  SIGUSR1 wakes them, in order, and every one says what its call
 * returned: "result CALL woken ok", or "result CALL returned -1 EINTR".
 * A dump must not be the reason that a call comes back.  spin: the first thread is in none.
 * list: their names, and nothing else.
 * BLOCKED_SLEEP: seconds for those that end by themselves, which is late from one and a half times as many on.
 */
#include "blocked.h"

#define SLEEP_SECONDS 4
static int sleep_seconds = SLEEP_SECONDS, late_seconds = 30;

static long wait_read(struct site *s)
{
	char c[8];

	return read(s->fd[0], c, s->call->make == make_eventfd ? 8 : 1);
}

static long wait_recv(struct site *s)
{
	char c;

	return recv(s->fd[0], &c, 1, 0);
}

static long wait_recvmsg(struct site *s)
{
	char c;
	struct msghdr m = { .msg_iov = &(struct iovec){ .iov_base = &c, .iov_len = 1 }, .msg_iovlen = 1 };

	return recvmsg(s->fd[0], &m, 0);
}

static long wait_accept(struct site *s)
{
	return accept(s->fd[0], NULL, NULL) >= 0 ? 0 : -1;
}

static void wake_accept(struct site *s)
{
	struct sockaddr_un to;
	socklen_t len = sizeof(to);

	must(!getsockname(s->fd[0], (struct sockaddr *)&to, &len) && !connect(s->fd[1], (struct sockaddr *)&to, len), "connect");
}

static long wait_uring(struct site *s)
{
	return syscall(SYS_io_uring_enter, s->fd[0], 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static long wait_uring_timed(struct site *s)
{
	struct __kernel_timespec limit = { .tv_sec = 60 };
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&limit };

	return syscall(SYS_io_uring_enter, s->fd[0], 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

static void wake_uring(struct site *s)
{
	s->sqes[0] = (struct io_uring_sqe){ .opcode = IORING_OP_NOP };
	*(unsigned *)(void *)(s->ring + s->sq_off.array) = 0;
	__atomic_add_fetch((unsigned *)(void *)(s->ring + s->sq_off.tail), 1, __ATOMIC_SEQ_CST);
	must(syscall(SYS_io_uring_enter, s->fd[0], 1, 0, 0, NULL, 0) == 1, "io_uring_enter");
}

/* At no position, as a socket has none. */
static long wait_preadv2(struct site *s)
{
	char c;

	return preadv2(s->fd[0], &(struct iovec){ .iov_base = &c, .iov_len = 1 }, 1, -1, 0);
}

static long wait_splice(struct site *s)
{
	int to[2];

	return pipe(to) < 0 ? -1 : splice(s->fd[0], NULL, to[1], NULL, 1, 0);
}

static long wait_epoll(struct site *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, s->fd[0], &ev);
	return epoll_wait(ep, &ev, 1, -1);
}

static long wait_epoll_timed(struct site *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, s->fd[0], &ev);
	return epoll_wait(ep, &ev, 1, 60000);
}

static long wait_epoll_pwait(struct site *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	sigset_t mask;

	sigfillset(&mask);
	epoll_ctl(ep, EPOLL_CTL_ADD, s->fd[0], &ev);
	return epoll_pwait(ep, &ev, 1, -1, &mask);
}

static long wait_poll(struct site *s)
{
	return poll(&(struct pollfd){ .fd = s->fd[0], .events = POLLIN }, 1, -1);
}

static long wait_poll_timed(struct site *s)
{
	return poll(&(struct pollfd){ .fd = s->fd[0], .events = POLLIN }, 1, 60000);
}

static long wait_ppoll(struct site *s)
{
	return ppoll(&(struct pollfd){ .fd = s->fd[0], .events = POLLIN }, 1,
		     &(struct timespec){ .tv_sec = 60 }, NULL);
}

static long wait_select(struct site *s)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd[0], &set);
	return select(s->fd[0] + 1, &set, NULL, NULL, NULL);
}

static long wait_pselect(struct site *s)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd[0], &set);
	return pselect(s->fd[0] + 1, &set, NULL, NULL, &(struct timespec){ .tv_sec = 60 }, NULL);
}

static long wait_futex(struct site *s)
{
	return syscall(SYS_futex, &s->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long wait_futex_timed(struct site *s)
{
	return syscall(SYS_futex, &s->word, FUTEX_WAIT_PRIVATE, 0,
		       &(struct timespec){ .tv_sec = 60 }, NULL, 0);
}

static void wake_futex(struct site *s)
{
	__atomic_store_n(&s->word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &s->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static long slept(struct site *s, long r, double began)
{
	double took = target_seconds() - began;

	s->late = took < sleep_seconds || took > sleep_seconds + late_seconds;
	return r;
}

static long wait_nanosleep(struct site *s)
{
	double began = target_seconds();

	return slept(s, syscall(SYS_nanosleep, &(struct timespec){ .tv_sec = sleep_seconds }, NULL),
		     began);
}

static long wait_clock_nanosleep(struct site *s)
{
	double began = target_seconds();
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += sleep_seconds;
	return slept(s, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL),
		     began);
}

static long wait_futex_expires(struct site *s)
{
	double began = target_seconds();
	long r = syscall(SYS_futex, &s->word, FUTEX_WAIT_PRIVATE, 0, &(struct timespec){ .tv_sec = sleep_seconds }, NULL, 0);

	return slept(s, r < 0 && errno == ETIMEDOUT ? 0 : r, began);
}

static void wake_none(struct site *s)
{
	(void)s;
}

static long wait_semop(struct site *s)
{
	return semop(s->id, &(struct sembuf){ .sem_op = -1 }, 1);
}

static long wait_semtimedop(struct site *s)
{
	return semtimedop(s->id, &(struct sembuf){ .sem_op = -1 }, 1,
			  &(struct timespec){ .tv_sec = 60 });
}

/* The object goes when the process's last user has gone: wait_* is over then. */
static void wake_sem(struct site *s)
{
	must(semop(s->id, &(struct sembuf){ .sem_op = 1 }, 1) == 0, "semop");
}

static long wait_msgrcv(struct site *s)
{
	struct { long type; char text[8]; } m;

	return msgrcv(s->id, &m, sizeof(m.text), 0, 0);
}

static void wake_msg(struct site *s)
{
	struct { long type; char text[8]; } m = { .type = 1 };

	must(msgsnd(s->id, &m, 1, 0) == 0, "msgsnd");
}

static long wait_sigtimedwait(struct site *s)
{
	sigset_t set;
	long r;

	(void)s;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	r = syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){ .tv_sec = 60 }, 8);
	return r == SIGUSR2 ? 1 : r;
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled = 1;
}

/* Here EINTR is right, if and only if the handler has run. */
static long wait_signalled(struct site *s)
{
	sigset_t set;
	long r;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigaction(SIGRTMIN + 3, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	r = wait_epoll(s);
	return r < 0 && errno == EINTR && handled ? 1 : r;
}

static void wake_signalled(struct site *s)
{
	if (!handled)
		pthread_kill(s->thread, SIGRTMIN + 3);
}

static void wake_signal(struct site *s)
{
	pthread_kill(s->thread, SIGUSR2);
}

static long wait_flock(struct site *s)
{
	return flock(s->fd[0], LOCK_EX);
}

static void wake_flock(struct site *s)
{
	flock(s->fd[1], LOCK_UN);
}

static long wait_child(struct site *s)
{
	return waitpid(s->id, NULL, 0) == s->id ? 0 : -1;
}

static long wait_mq(struct site *s)
{
	char text[8192];

	return mq_receive(s->id, text, sizeof(text), NULL);
}

static void wake_mq(struct site *s)
{
	must(mq_send(s->id, "x", 1, 0) == 0, "mq_send");
}

/* Nothing is ever submitted: comes back by its own time limit, with 0 events. */
static long wait_aio(struct site *s)
{
	double began = target_seconds();
	aio_context_t ctx = 0;
	struct io_event ev;

	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return -1;
	return slept(s, syscall(SYS_io_getevents, ctx, 1, 1, &ev,
				&(struct timespec){ .tv_sec = sleep_seconds }), began);
}

static const struct call calls[] = {
	{ .name = "read", .wait = wait_read, .want = 1 },
	{ .name = "read_eventfd", .make = make_eventfd, .wait = wait_read, .want = 8 },
	{ .name = "recv_timeo", .make = make_socket, .wait = wait_recv, .want = 1 },
	{ .name = "recvmsg", .make = make_socket, .wait = wait_recvmsg, .want = 1 },
	{ .name = "accept", .make = make_listener, .wait = wait_accept, .wake = wake_accept },
	{ .name = "io_uring_enter", .make = make_uring, .wait = wait_uring, .wake = wake_uring },
	{ .name = "io_uring_enter_timed", .make = make_uring, .wait = wait_uring_timed, .wake = wake_uring },
	{ .name = "preadv2_timeo", .make = make_socket, .wait = wait_preadv2, .want = 1 },
	{ .name = "splice_timeo", .make = make_socket, .wait = wait_splice, .want = 1 },
	{ .name = "epoll_wait", .wait = wait_epoll, .want = 1 },
	{ .name = "epoll_wait_timed", .wait = wait_epoll_timed, .want = 1 },
	{ .name = "epoll_pwait", .wait = wait_epoll_pwait, .want = 1 },
	{ .name = "poll", .wait = wait_poll, .want = 1 },
	{ .name = "poll_timed", .wait = wait_poll_timed, .want = 1 },
	{ .name = "ppoll", .wait = wait_ppoll, .want = 1 },
	{ .name = "select", .wait = wait_select, .want = 1 },
	{ .name = "pselect", .wait = wait_pselect, .want = 1 },
	{ .name = "futex", .make = make_nothing, .wait = wait_futex, .wake = wake_futex },
	{ .name = "futex_timed", .make = make_nothing, .wait = wait_futex_timed,
	  .wake = wake_futex },
	{ .name = "semop", .make = make_sem, .wait = wait_semop, .wake = wake_sem },
	{ .name = "semtimedop", .make = make_sem, .wait = wait_semtimedop, .wake = wake_sem },
	{ .name = "msgrcv", .make = make_msg, .wait = wait_msgrcv, .wake = wake_msg, .want = 1 },
	{ .name = "rt_sigtimedwait", .make = make_nothing, .wait = wait_sigtimedwait,
	  .wake = wake_signal, .want = 1 },
	{ .name = "signalled", .wait = wait_signalled, .wake = wake_signalled, .want = 1 },
	{ .name = "flock", .make = make_lock, .wait = wait_flock, .wake = wake_flock },
	{ .name = "wait4", .make = make_child, .wait = wait_child },
	{ .name = "mq_receive", .make = make_mq, .wait = wait_mq, .wake = wake_mq, .want = 1 },
	{ .name = "nanosleep", .make = make_nothing, .wait = wait_nanosleep, .wake = wake_none },
	{ .name = "clock_nanosleep", .make = make_nothing, .wait = wait_clock_nanosleep,
	  .wake = wake_none },
	{ .name = "futex_expires", .make = make_nothing, .wait = wait_futex_expires, .wake = wake_none },
	{ .name = "io_getevents", .make = make_nothing, .wait = wait_aio, .wake = wake_none },
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static void *in_call(void *arg)
{
	struct site *s = arg;
	long r;

	prctl(PR_SET_NAME, s->call->name, 0, 0, 0);
	s->tid = (pid_t)syscall(SYS_gettid);
	errno = 0;
	r = s->call->wait(s);
	if (r == s->call->want && !s->late)
		printf("result %s woken ok\n", s->call->name);
	else
		printf("result %s returned %ld %s%s\n", s->call->name, r,
		       r < 0 ? strerrorname_np(errno) : "", s->late ? " at the wrong time" : "");
	return NULL;
}

/* No thread: the call does not exist here (seccomp, no mqueue file system). */
static int site_start(struct site *s)
{
	int r = s->call->make ? s->call->make(s) : pipe(s->fd);

	if (r < 0) {
		printf("skip %s %s\n", s->call->name, strerrorname_np(errno));
		return 0;
	}
	must(pthread_create(&s->thread, NULL, in_call, s) == 0, "pthread_create");
	return 1;
}

static void site_finish(struct site *s)
{
	if (!s->call->wake)
		must(write(s->fd[1], "12345678", s->call->make == make_eventfd ? 8 : 1) > 0, "write");
	else
		s->call->wake(s);
	pthread_join(s->thread, NULL);
	if (s->call->make == make_sem)
		semctl(s->id, 0, IPC_RMID);
	if (s->call->make == make_msg)
		msgctl(s->id, IPC_RMID, NULL);
}

static int is_selected(const char *name, char **list)
{
	if (!*list)
		return 1;
	for (; *list; list++)
		if (!strcmp(*list, name))
			return 1;
	return 0;
}

/* For SIGUSR1, in no call. */
static void spin(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (!target_asked_)
		;
}

int main(int argc, char **argv)
{
	int spins = argc > 1 && !strcmp(argv[1], "spin");
	static struct site sites[N_CALLS];
	size_t n = 0;
	sigset_t set;

	if (argc > 1 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < N_CALLS; i++)
			puts(calls[i].name);
		return 0;
	}
	argv += spins;
	if (getenv("BLOCKED_SLEEP"))
		sleep_seconds = atoi(getenv("BLOCKED_SLEEP")), late_seconds = sleep_seconds / 2;
	target_begin();
	target_block_usr1();
	/* Where we may: what is left of semaphores and queues goes with us even when we are killed. */
	(void)!unshare(CLONE_NEWIPC);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < N_CALLS; i++) {
		if (!is_selected(calls[i].name, argv + 1))
			continue;
		sites[n].call = &calls[i];
		n += (size_t)site_start(&sites[n]);
	}
	target_wait_asleep();
	target_ready();
	if (spins)
		spin();
	else
		target_wait();
	for (size_t i = 0; i < n; i++)
		site_finish(&sites[i]);
	puts("finished");
	return 0;
}
