/*
 * stackvars: three threads, each on a tagged stack (PROT_MTE) and with thread-local variables
 * of its own.  Prints "tagged ADDR TAG" for a granule of each stack, and "ready PID".
 */
#include "mte.h"

#include <pthread.h>

#define N 3
#define STACK (64 * PAGE)

_Thread_local long tls_data = 7, tls_bss;
_Thread_local long tls_far[5000];
static pthread_barrier_t all;

static noinline void wait_here(long n)
{
	volatile char granule[GRANULE] __attribute__((aligned(GRANULE))) = "on the stack";

	tag_granule((uintptr_t)granule, (unsigned)n + 3);
	printf("tagged %lx %ld\n", (unsigned long)granule, n + 3);
	pthread_barrier_wait(&all);
	for (;;)
		pause();
}

static void *run(void *arg)
{
	long n = (long)arg;

	mte_begin(0);
	tls_data = 100 + n;
	tls_bss = 200 + n;
	tls_far[4999] = 300 + n;
	wait_here(n);
	return NULL;
}

int main(void)
{
	target_begin();
	target_block_usr1();
	pthread_barrier_init(&all, NULL, N + 1);
	tls_data = 100;
	tls_bss = 200;
	tls_far[4999] = 300;
	for (long i = 1; i <= N; i++) {
		void *stack = mmap(NULL, STACK, RW | PROT_MTE, ANON, -1, 0);
		pthread_attr_t attr;
		pthread_t t;

		must(stack != MAP_FAILED, "mmap");
		pthread_attr_init(&attr);
		must(pthread_attr_setstack(&attr, stack, STACK) == 0, "pthread_attr_setstack");
		must(pthread_create(&t, &attr, run, (void *)i) == 0, "pthread_create");
	}
	pthread_barrier_wait(&all);
	target_ready();
	target_wait();
	return 0;
}
