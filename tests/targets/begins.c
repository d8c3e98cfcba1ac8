/*
 * begins [handler] - threads that begin, all the time, calls that EINTR leaves undone, and that end by their own limit soon.
 * SIGUSR1: "begun COUNT noticed COUNT what", the second of those that came back with EINTR.  handler: one is installed for
 * a signal that never comes, and there are no semaphores.
 */
#include "notice.h"

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>

enum { OF_EACH = 3, LIMIT_US = 300 };

static unsigned begun;

static const struct timespec limit = { .tv_nsec = LIMIT_US * 1000 };

static long begin_sem(void)
{
	static __thread int id = -1;

	must(id >= 0 || (id = semget(IPC_PRIVATE, 1, 0600)) >= 0, "semget");
	return semtimedop(id, &(struct sembuf){ .sem_op = -1 }, 1, &limit);
}

static long begin_aio(void)
{
	static __thread aio_context_t ctx;
	struct io_event ev;

	must(ctx || !syscall(SYS_io_setup, 1, &ctx), "io_setup");
	return syscall(SYS_io_getevents, ctx, 1, 1, &ev, &limit);
}

static long begin_uring(void)
{
	static __thread int fd = -1;
	struct __kernel_timespec in = { .tv_nsec = limit.tv_nsec };
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&in };
	struct io_uring_params p = { 0 };

	must(fd >= 0 || (fd = (int)syscall(SYS_io_uring_setup, 1, &p)) >= 0, "io_uring_setup");
	return syscall(SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

static long begin_recv(void)
{
	static __thread int fds[2] = { -1, -1 };
	char c;

	if (fds[0] < 0)
		must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) &&
		     !setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_usec = LIMIT_US }, sizeof(struct timeval)),
		     "socketpair");
	return recv(fds[0], &c, 1, 0);
}

static long begin_epoll(void)
{
	static __thread int fd = -1;
	struct epoll_event ev;

	must(fd >= 0 || (fd = epoll_create1(EPOLL_CLOEXEC)) >= 0, "epoll_create");
	return epoll_wait(fd, &ev, 1, 1);
}

static const struct call {
	const char *name;
	long (*begin)(void);
} calls[] = {
	{ "io_getevents", begin_aio }, { "io_uring_enter", begin_uring }, { "recv", begin_recv }, { "epoll_wait", begin_epoll },
	{ "semtimedop", begin_sem },
};
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]) };

static void *run(void *arg)
{
	const struct call *c = arg;

	for (;;) {
		if (c->begin() < 0 && errno == EINTR)
			notice(c->name);
		__atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void on_usr2(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	int handler = argc > 1 && !strcmp(argv[1], "handler"), sig;
	unsigned n = N_CALLS;
	pthread_t thread;
	sigset_t set;

	target_begin();
	if (handler)
		signal(SIGUSR2, on_usr2);
	/* Semaphores outlive who made them, but not their namespace. */
	if (handler || unshare(CLONE_NEWIPC))
		n--;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (unsigned i = 0; i < n * OF_EACH; i++)
		must(pthread_create(&thread, NULL, run, (void *)(uintptr_t)&calls[i % n]) == 0, "pthread_create");
	target_ready();
	for (;;) {
		must(!sigwait(&set, &sig), "sigwait");
		printf("begun %u noticed %u %s\n", __atomic_load_n(&begun, __ATOMIC_SEQ_CST), noticed, what);
	}
}
