/*
 * churn [N]: N threads (default 2) that map, protect, unmap, and make and join
 * threads without end.  SIGUSR1: "alive ROUNDS", which grow.
 */
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PAGE 4096

static atomic_ulong rounds;

static void *brief(void *arg)
{
	return arg;
}

static void churn_map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	p[0] = p[(pages - 1) * PAGE] = 1;
	mprotect(p + PAGE, PAGE, PROT_NONE);
	munmap(p, pages * PAGE);
}

static void *churner(void *arg)
{
	pthread_t t;

	for (size_t i = 0;; i++) {
		churn_map(3 + i % 60);
		if (i % 8 == 0) {
			must((errno = pthread_create(&t, NULL, brief, NULL)) == 0, "pthread_create");
			pthread_join(t, NULL);
		}
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
	for (int i = 0; i < n; i++)
		must(pthread_create(&t, NULL, churner, NULL) == 0, "pthread_create");
	while (atomic_load(&rounds) < 10)
		target_nap();
	target_ready();
	for (;;) {
		target_wait();
		printf("alive %lu\n", atomic_load(&rounds));
	}
}
