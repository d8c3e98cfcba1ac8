/*
 * waits [alone | subreaper] - waits for its children in every way that wait(2) has, also with __WALL: it has one child,
 * which lives, or, alone, none.
 *
 * SIGUSR1: "noticed COUNT what".  What is none of its own: a wait that ends, SIGCHLD, and with "alone" a child that a wait
 * with __WALL has returned; that such a wait has something to wait for is counted apart: "something COUNT".
 */
#include "notice.h"

#include <pthread.h>
#include <sys/wait.h>

/* More than a dump keeps in its own memory. */
static char ballast[32 << 20];
static unsigned something;
static int alone;

/* It never ends with a child. */
static void *wait_blocking(void *arg)
{
	while (!alone) {
		waitpid(-1, NULL, __WALL);
		notice("blocking wait with __WALL");
	}
	return arg;
}

static void *waitid_blocking(void *arg)
{
	siginfo_t info;

	while (!alone) {
		waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | __WALL);
		notice("blocking waitid with __WALL");
	}
	return arg;
}

static void look(int options, const char *name)
{
	pid_t r = waitpid(-1, NULL, options | WNOHANG);

	if (r > 0 || (r == 0 && alone && !(options & (__WALL | __WCLONE))))
		notice(name);
	else if (r == 0 && (alone || options & __WCLONE))
		__atomic_add_fetch(&something, 1, __ATOMIC_SEQ_CST);
}

static void *look_often(void *arg)
{
	for (;;) {
		look(0, "wait");
		look(__WALL, "wait with __WALL");
		look(__WCLONE, "wait with __WCLONE");
		look(WUNTRACED | WCONTINUED | __WALL, "wait for a stop");
	}
	return arg;
}

int main(int argc, char **argv)
{
	static void *(*const threads[])(void *) = { wait_blocking, waitid_blocking, look_often };
	sigset_t set;
	pthread_t t;
	int sig;

	target_fill(ballast, sizeof(ballast), 1);
	alone = argc > 1 && !strcmp(argv[1], "alone");
	target_begin();
	if (argc > 1 && !strcmp(argv[1], "subreaper"))
		must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "subreaper");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!alone && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		alarm(600);
		for (;;)
			pause();
	}
	signal(SIGCHLD, on_child);
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		must(pthread_create(&t, NULL, threads[i], NULL) == 0, "pthread_create");
	target_ready();
	for (;;) {
		must(sigwait(&set, &sig) == 0, "sigwait");
		printf("noticed %u %s something %u\n", noticed, what, something);
		fflush(stdout);
	}
}
