/*
 * execs first|other NEXT SELF: after up to 4 ms NEXT is run in its place, by its first thread or by
 * one of four others, and that runs SELF, for ever.  NEXT is this program by another name, or
 * bare/execs.c.
 */
#include "target.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>

#define N_IDLE 3

static char **args;

/* What the other program has not: MAP_FIXED_NOREPLACE of MAP_PRIVATE memory. */
static void fill(void)
{
	char *at = mmap((void *)0x600000000000, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	memset(at, 0x5a, 1 << 20);
}

static void go(void)
{
	char *next[] = { args[2], args[1], args[3], args[2], NULL };
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	nanosleep(&(struct timespec){ .tv_nsec = (ts.tv_nsec ^ ts.tv_nsec >> 9) % 4000000 }, NULL);
	execv(next[0], next);
	die(next[0]);
}

static void *other(void *does)
{
	if (does)
		go();
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	struct itimerval left = { 0 };
	pthread_t thread;

	must(argc == 4, "usage: see execs.c");
	args = argv;
	/* The clock runs on over exec, and is set but once. */
	getitimer(ITIMER_REAL, &left);
	if (!left.it_value.tv_sec && !left.it_value.tv_usec) {
		target_begin();
		target_ready();
	}
	fill();
	if (!strcmp(argv[1], "first"))
		go();
	/* The last: while a thread runs another program, no other one can be made (copy_fs(), kernel/fork.c). */
	for (int i = 0; i <= N_IDLE; i++)
		must(pthread_create(&thread, NULL, other, i == N_IDLE ? argv : NULL) == 0, "pthread_create");
	other(NULL);
	return 0;
}
