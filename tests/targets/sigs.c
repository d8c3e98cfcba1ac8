/*
 * sigs: receives queued signals and remembers their values.
 *	SIGRTMIN	process-directed, values 0, 1, 2 …
 *	SIGRTMIN+1	directed at the second thread, values 0, 1, 2 …
 *	SIGRTMIN+2	blocked until the report
 * SIGUSR1: "process N thread N pending N MASK" or, where a value was lost,
 * doubled or out of order, "wrong …".  `helper queue` sends.
 */
#include "target.h"

#include <pthread.h>

struct seen {
	volatile unsigned n;		/* also the value to come next */
	volatile unsigned wrong;
};

static struct seen process, thread, pending;

static void note_signal(struct seen *s, const siginfo_t *si)
{
	if (si->si_code != SI_QUEUE || (unsigned)si->si_value.sival_int != s->n)
		s->wrong++;
	s->n++;
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	note_signal(sig == SIGRTMIN ? &process : sig == SIGRTMIN + 1 ? &thread : &pending, si);
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigfillset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(how, &set, NULL);
}

static void *second(void *arg)
{
	mask(SIG_BLOCK, SIGRTMIN);
	printf("second %ld\n", (long)syscall(SYS_gettid));
	for (;;)
		pause();
	return arg;
}

static void report(void)
{
	mask(SIG_UNBLOCK, SIGRTMIN + 2);
	mask(SIG_BLOCK, SIGRTMIN + 2);
	if (process.wrong || thread.wrong || pending.wrong)
		printf("wrong %u %u %u\n", process.wrong, thread.wrong, pending.wrong);
	else
		printf("process %u thread %u pending %u\n", process.n, thread.n, pending.n);
}

int main(void)
{
	pthread_t t;

	target_begin();
	target_block_usr1();
	for (int i = 0; i < 3; i++)
		handle(SIGRTMIN + i);
	mask(SIG_BLOCK, SIGRTMIN + 2);
	must(pthread_create(&t, NULL, second, NULL) == 0, "pthread_create");
	target_wait_asleep();
	target_ready();
	for (;;) {
		target_wait();
		report();
	}
}
