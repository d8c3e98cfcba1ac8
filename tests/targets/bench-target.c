/*
 * bench-target.c - a process of a given shape, to be dumped.
 *
 *   bench-target dense MIB            private memory full of random bytes
 *   bench-target half MIB             the same, but every second page is text
 *   bench-target sparse GIB MIB       GIB mapped, MIB of it touched, a page here and there
 *   bench-target areas N              N areas of one page each, all with data
 *   bench-target threads N            N threads
 *
 * Prints "ready PID" when it has taken that shape, and lives until standard input ends.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define LIFETIME 1800	/* seconds: an orphan must not stay for ever */

static char *map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* xorshift64: neither compressible nor zero. */
static void fill_random(char *p, size_t len)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < len; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, sizeof(x));
	}
}

static int make_dense(const unsigned long *n)
{
	char *p = map(n[0] * MIB);

	if (!p)
		return -1;
	fill_random(p, n[0] * MIB);
	return 0;
}

/* Every second page is random, the others are text: what shrinks, and what does not. */
static int make_half(const unsigned long *n)
{
	char *p = map(n[0] * MIB);

	if (!p)
		return -1;
	fill_random(p, n[0] * MIB);
	for (size_t at = PAGE; at < n[0] * MIB; at += 2 * PAGE)
		for (size_t i = 0; i < PAGE; i += 32)
			snprintf(p + at + i, 32, "%030zu", at + i * 31 % 1000);
	return 0;
}

/* Single pages, evenly spread: the worst a sparse target can be. */
static int make_sparse(const unsigned long *n)
{
	size_t len = n[0] * 1024 * MIB, pages = n[1] * MIB / PAGE;
	char *p = map(len);

	if (!p || madvise(p, len, MADV_NOHUGEPAGE))
		return -1;
	for (size_t i = 0; i < pages; i++)
		fill_random(p + i * (len / pages), PAGE);
	return 0;
}

/* Neighbours of different protection do not merge. */
static int make_areas(const unsigned long *n)
{
	char *p = map(n[0] * PAGE);

	if (!p)
		return -1;
	for (unsigned long i = 0; i < n[0]; i++) {
		fill_random(p + i * PAGE, PAGE);
		if (i % 2 && mprotect(p + i * PAGE, PAGE, PROT_READ))
			return -1;
	}
	return 0;
}

static void *idle(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static int make_threads(const unsigned long *n)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 16 * PAGE))
		return -1;
	for (unsigned long i = 1; i < n[0]; i++) {
		if (pthread_create(&thread, &attr, idle, NULL))
			return -1;
	}
	return 0;
}

static const struct shape {
	const char *name;
	int (*make)(const unsigned long *n);
} shapes[] = {
	{ "dense", make_dense },
	{ "half", make_half },
	{ "sparse", make_sparse },
	{ "areas", make_areas },
	{ "threads", make_threads },
};

int main(int argc, char **argv)
{
	unsigned long n[2] = { argc > 2 ? strtoul(argv[2], NULL, 10) : 0, argc > 3 ? strtoul(argv[3], NULL, 10) : 0 };
	char c;

	alarm(LIFETIME);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (argc < 3 || strcmp(argv[1], shapes[i].name))
			continue;
		if (shapes[i].make(n)) {
			perror("bench-target");
			return 1;
		}
		printf("ready %d\n", getpid());
		fflush(stdout);
		while (read(0, &c, 1) > 0)
			;
		return 0;
	}
	fprintf(stderr, "usage: bench-target dense MIB | sparse GIB MIB | areas N | threads N\n");
	return 2;
}
