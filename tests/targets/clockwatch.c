/*
 * clockwatch MIB small|huge [RATE [THREADS]]: that much random memory, in small or huge pages, of which RATE MB a second are
 * written to, and so many threads that do nothing.
 *
 * A thread looks at the clock all the time.  Each line of standard input is a question:
 * pause    "pause US": the longest time since the last one that it did not get to look
 * fork     "fork US": how long fork(2) of this process takes
 * Ends with standard input.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "target.h"

enum { PAGE = 4096, BATCH = 64, NAP_US = 50 };

static char *memory;
static size_t pages;
static unsigned long rate;
static uint64_t longest;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void nap(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000 * 1000) };

	nanosleep(&t, NULL);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	return *x ^= *x << 17;
}

static void *watch(void *arg)
{
	uint64_t before = now_us(), now;

	for (;; before = now) {
		nap(NAP_US);
		now = now_us();
		if (now - before > __atomic_load_n(&longest, __ATOMIC_RELAXED))
			__atomic_store_n(&longest, now - before, __ATOMIC_RELAXED);
	}
	return arg;
}

/* A page of 4 KiB counts as all of it. */
static void *write_pages(void *arg)
{
	uint64_t x = 1, due = now_us();

	for (;;) {
		for (int i = 0; i < BATCH; i++)
			memory[next_random(&x) % pages * PAGE]++;
		due += (uint64_t)BATCH * PAGE / rate;
		if (due > now_us())
			nap(due - now_us());
	}
	return arg;
}

static void fill(bool huge)
{
	uint64_t x = 88172645463325252;

	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap");
	must(!madvise(memory, pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
	for (size_t i = 0; i < pages * PAGE / 8; i++)
		((uint64_t *)memory)[i] = next_random(&x);
}

static uint64_t fork_us(void)
{
	uint64_t begin = now_us(), us;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	us = now_us() - begin;
	must(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork");
	return us;
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char line[64];

	must(argc > 2, "usage: clockwatch MIB small|huge [RATE [THREADS]]");
	pages = strtoul(argv[1], NULL, 10) * 256;
	rate = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	fill(!strcmp(argv[2], "huge"));
	must(!pthread_create(&thread, NULL, watch, NULL), "thread");
	must(!rate || !pthread_create(&thread, NULL, write_pages, NULL), "thread");
	for (unsigned long i = argc > 4 ? strtoul(argv[4], NULL, 10) : 0; i; i--)
		must(!pthread_create(&thread, NULL, idle, NULL), "thread");
	target_ready();
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == 'f')
			printf("fork %llu\n", (unsigned long long)fork_us());
		else
			printf("pause %llu\n", (unsigned long long)__atomic_exchange_n(&longest, 0, __ATOMIC_RELAXED));
		fflush(stdout);
	}
}
