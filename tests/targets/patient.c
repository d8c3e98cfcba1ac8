/*
 * patient [N [vfork]]: N threads (64), named "waits", in system calls that nothing wakes and that only a handler's signal
 * may end.  SIGRTMIN + 3 has one.  Whenever a call ends, its thread counts that and calls again.
 * SIGUSR1: "broken COUNT handled COUNT", the first of calls that no handler ended.  vfork: one more cannot be stopped, for its child sleeps.
 */
#include "target.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static unsigned broken, handled;
static __thread volatile sig_atomic_t by_handler;

static void on_signal(int sig)
{
	(void)sig;
	by_handler = 1;
}

static void count(void)
{
	__atomic_add_fetch(by_handler ? &handled : &broken, 1, __ATOMIC_SEQ_CST);
	by_handler = 0;
}

static void wait_epoll(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
	for (;;) {
		epoll_wait(ep, &ev, 1, -1);
		count();
	}
}

static void wait_recv(int fd)
{
	struct timeval limit = { .tv_sec = 1000 };
	char c;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0, "setsockopt");
	for (;;) {
		(void)!recv(fd, &c, 1, 0);
		count();
	}
}

static void wait_signal(int fd)
{
	sigset_t set;

	(void)fd;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (;;) {
		sigwaitinfo(&set, NULL);
		count();
	}
}

static void (*const waits[])(int fd) = { wait_epoll, wait_recv, wait_signal };

static void *stay(void *arg)
{
	size_t n = (size_t)arg;
	int fd[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	prctl(PR_SET_NAME, "waits", 0, 0, 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0, "socketpair");
	waits[n % (sizeof(waits) / sizeof(waits[0]))](fd[0]);
	return NULL;
}

static void *stay_in_vfork(void *unused)
{
	pid_t child = vfork();

	(void)unused;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		nanosleep(&(struct timespec){ .tv_sec = 100 }, NULL);
		_exit(0);
	}
	must(child > 0, "vfork");
	return NULL;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 0) : 64;
	pthread_attr_t small;
	pthread_t thread;
	sigset_t set;

	target_begin();
	target_block_usr1();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	sigaction(SIGRTMIN + 3, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (size_t i = 0; i < n; i++)
		must(pthread_create(&thread, &small, stay, (void *)i) == 0, "pthread_create");
	if (argc > 2)
		must(pthread_create(&thread, &small, stay_in_vfork, NULL) == 0, "pthread_create");
	target_wait_asleep();
	target_ready();
	for (;;) {
		target_wait();
		printf("broken %u handled %u\n", broken, handled);
	}
}
