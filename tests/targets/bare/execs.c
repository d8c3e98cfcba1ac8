/* execs32 first|other NEXT SELF: what execs.c is, as a 32-bit program without a library. */
#include "bare.h"

enum { NR_execve = 11, N_OTHERS = 4, STACK = 4096 };

struct timespec32 { int32_t sec, nsec; };

static uint8_t stacks[N_OTHERS][STACK] __attribute__((aligned(16)));
static char **args;
static int tid;

static void go(void *unused)
{
	char *next[] = { args[2], args[1], args[3], args[2], NULL }, *env[] = { NULL };
	struct timespec32 nap = { 0, 0 };

	(void)unused;
	SYS3(NR_clock_gettime, 1, &nap, 0);
	nap.sec = 0;
	nap.nsec = (nap.nsec ^ nap.nsec >> 9) % 4000000;
	SYS3(NR_nanosleep, &nap, 0, 0);
	SYS3(NR_execve, next[0], next, env);
	SYS3(NR_exit_group, 3, 0, 0);
}

static void stay(void *unused)
{
	(void)unused;
	for (;;)
		SYS3(NR_pause, 0, 0, 0);
}

int bare_main(int argc, char **argv)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	if (argc != 4)
		return 2;
	args = argv;
	if (bare_equal(argv[1], "first"))
		go(NULL);
	for (int i = 0; i < N_OTHERS; i++)
		bare_must(bare_clone(flags, stacks[i] + STACK, i == N_OTHERS - 1 ? go : stay, NULL, NULL, &tid), "clone");
	stay(NULL);
	return 0;
}
