/*
 * masks CALL - one thread waits in sigsuspend, ppoll, pselect or epoll_pwait, with a mask of the call's own, and the first
 * one computes, in a restartable sequence.  SIGUSR2 is blocked but in the call: it ends that, and "CALL -1 EINTR handled 1 mask kept" is said.
 * "masks stricter": the call's mask blocks SIGRTMIN, the thread's own does not, and SIGUSR1 ends the call:
 * "stricter RESULT handled BEFORE then AFTER".
 * With a second argument another thread waits for nothing, in a plain call.
 */
#include "target.h"
#include "sequence.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t handled, early;
static int pipe_fd[2];
static sigset_t in_call;
static const char *name;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static int by_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, pipe_fd[0], &ev);
	return epoll_pwait(ep, &ev, 1, -1, &in_call);
}

static int wait_in_call(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fd[0], &set);
	if (!strcmp(name, "sigsuspend"))
		return sigsuspend(&in_call);
	if (!strcmp(name, "ppoll"))
		return ppoll(&(struct pollfd){ .fd = pipe_fd[0], .events = POLLIN }, 1, NULL, &in_call);
	if (!strcmp(name, "pselect"))
		return pselect(pipe_fd[0] + 1, &set, NULL, NULL, NULL, &in_call);
	return by_epoll();
}

static int same_masks(const sigset_t *a, const sigset_t *b)
{
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(a, sig) != sigismember(b, sig))
			return 0;
	return 1;
}

static void *waiter(void *arg)
{
	int stricter = !strcmp(name, "stricter");
	sigset_t own, after;
	int r;

	pthread_sigmask(SIG_SETMASK, NULL, &own);
	in_call = own;
	if (stricter) {
		sigdelset(&own, SIGRTMIN);
		pthread_sigmask(SIG_SETMASK, &own, NULL);
	} else {
		sigdelset(&in_call, SIGUSR2);
	}
	for (;;) {
		handled = 0;
		r = wait_in_call();
		if (r < 0 && errno == EINTR && !handled)
			printf("%s was broken\n", name);
		pthread_sigmask(SIG_SETMASK, NULL, &after);
		if (stricter)
			printf("stricter %d handled %d then %d\n", r, (int)early, handled);
		else
			printf("%s %d %s handled %d mask %s\n", name, r, strerrorname_np(errno), handled,
			       same_masks(&own, &after) ? "kept" : "lost");
		fflush(stdout);
		if (stricter)
			return arg;
	}
}

static void *plain(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;
	sigset_t set;

	target_begin();
	must(argc > 1 && pipe(pipe_fd) == 0, "usage: masks CALL [plain]");
	name = argv[1];
	target_block_usr1();
	signal(SIGUSR2, on_signal);
	signal(SIGRTMIN, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	must(pthread_create(&t, NULL, waiter, NULL) == 0, "pthread_create");
	if (argc > 2)
		must(pthread_create(&t, NULL, plain, NULL) == 0, "pthread_create");
	target_wait_asleep();
	target_ready();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sequence_until(&target_asked_);
	early = handled;
	must(write(pipe_fd[1], "x", 1) == 1, "write");
	for (;;)
		pause();
}
