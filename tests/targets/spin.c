/*
 * spin [N [NICE]]: N threads (default 2), of this nice value, that compute, in
 * integer and floating-point registers and in memory, what they have computed
 * before, and compare.
 * SIGUSR1: "ok ROUNDS" or "disturbed".
 */
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define WORDS 4096

static atomic_ulong rounds, faults;
static pthread_barrier_t all_are_here;

struct sum {
	uint64_t bits;
	double real;
};

static noinline struct sum compute(uint64_t *w)
{
	struct sum s = { .bits = 1, .real = 1.0 };
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < WORDS; i++)
		w[i] = target_random(&seed);
	for (int i = 0; i < WORDS; i++) {
		s.bits = s.bits * 6364136223846793005u + w[i];
		s.real = s.real * 0.5 + (double)(w[i] & 0xffff);
	}
	return s;
}

static void *spinner(void *arg)
{
	uint64_t *w = malloc(WORDS * sizeof(*w));
	struct sum first;

	must(w != NULL, "malloc");
	must(!arg || setpriority(PRIO_PROCESS, 0, atoi(arg)) == 0, "setpriority");
	/* Those that compute would keep the others from being made. */
	pthread_barrier_wait(&all_are_here);
	first = compute(w);
	for (;;) {
		struct sum s = compute(w);

		if (s.bits != first.bits || memcmp(&s.real, &first.real, sizeof(s.real)))
			atomic_fetch_add(&faults, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return arg;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2;
	pthread_t t;

	target_begin();
	target_block_usr1();
	must(pthread_barrier_init(&all_are_here, NULL, (unsigned)n + 1) == 0, "barrier");
	for (int i = 0; i < n; i++)
		must(pthread_create(&t, NULL, spinner, argv[1] ? argv[2] : NULL) == 0, "pthread_create");
	pthread_barrier_wait(&all_are_here);
	while (atomic_load(&rounds) < 10)
		target_nap();
	target_ready();
	for (;;) {
		target_wait();
		if (atomic_load(&faults))
			puts("disturbed");
		else
			printf("ok %lu\n", atomic_load(&rounds));
	}
}
