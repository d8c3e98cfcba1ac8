/*
 * threads [N]: N threads (default 4), named, each blocked in a function that a
 * backtrace shows, with locals and globals that a debugger can print, and a
 * heap whose bytes are known.  SIGUSR1: every thread answers a roll call.
 */
#include "target.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>

#define HEAP_LEN (64 * 1024)	/* below malloc's mmap threshold: in [heap] */

volatile int global_marker = 0x5eed;
char marker_text[] = "tagcore was here";
uint64_t *heap_pattern;
_Thread_local volatile int tls_marker;

static atomic_int roll;		/* number of the roll call; a futex */
static atomic_int answers;	/* threads that answered it; a futex */

static void futex_wait(atomic_int *at, int value)
{
	syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_int *at)
{
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static noinline void wait_for_roll(void)
{
	int seen = 0;

	for (;;) {
		atomic_fetch_add(&answers, 1);
		futex_wake(&answers);
		while (atomic_load(&roll) == seen)
			futex_wait(&roll, seen);
		seen = atomic_load(&roll);
	}
}

/* A frame of its own, and after the call something to do, so that it stays on the stack. */
#define WAITER(name, base) \
	static noinline void wait_in_##name(int number) \
	{ \
		volatile int local_##name = (base) + number; \
		wait_for_roll(); \
		local_##name++; \
	}
WAITER(alpha, 1000)
WAITER(beta, 2000)
WAITER(gamma, 3000)
WAITER(delta, 4000)

static void (*const waiters[])(int) = {
	wait_in_alpha, wait_in_beta, wait_in_gamma, wait_in_delta,
};

static void *worker(void *arg)
{
	int number = (int)(intptr_t)arg;
	char name[16];

	snprintf(name, sizeof(name), "worker %d", number);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	tls_marker = number + 7000;
	waiters[number % 4](number);
	return NULL;
}

static void wait_for_answers(int n)
{
	int got;

	while ((got = atomic_load(&answers)) < n)
		futex_wait(&answers, got);
}

static void call_roll(int n)
{
	atomic_store(&answers, 0);
	atomic_fetch_add(&roll, 1);
	futex_wake(&roll);
	wait_for_answers(n);
	printf("alive %d heap %s\n", n,
	       target_filled(heap_pattern, HEAP_LEN, 42) ? "intact" : "damaged");
}

static void start_workers(int n)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = 0; i < n; i++)
		must((errno = pthread_create(&t, &attr, worker, (void *)(intptr_t)i)) == 0,
		     "pthread_create");
	wait_for_answers(n);
	target_wait_asleep();
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	volatile int local_main = 4711;

	target_begin();
	target_block_usr1();
	heap_pattern = malloc(HEAP_LEN);
	must(heap_pattern != NULL, "malloc");
	target_fill(heap_pattern, HEAP_LEN, 42);
	start_workers(n);
	target_ready();
	for (; local_main; local_main++) {
		target_wait();
		call_roll(n);
	}
}
