/*
 * demo.c - the sample program of "make demo": named threads that do different things, a string on
 * the heap, and a counter that shows it runs.  Each line on standard input is answered by
 * "counter N"; ends when standard input does.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LIFETIME 300	/* seconds: an orphan must not stay for ever */

struct order {
	int number;
	char *customer;
};

struct order *last_order;	/* what the debugger is asked for; not static, or it is optimised away */
static atomic_ulong counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void *count(void *arg)
{
	(void)arg;
	for (;;) {
		atomic_fetch_add(&counter, 1);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return NULL;
}

static void *wait_for_work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;)
		pthread_cond_wait(&never, &lock);
	return NULL;
}

static void *sleep_long(void *arg)
{
	(void)arg;
	for (;;)
		sleep(LIFETIME);
	return NULL;
}

static const struct part {
	const char *name;
	void *(*run)(void *arg);
} parts[] = {
	{ "counter", count },
	{ "worker", wait_for_work },
	{ "sleeper", sleep_long },
};

static __attribute__((noinline)) void answer_lines(void)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		printf("counter %lu\n", atomic_load(&counter));
		fflush(stdout);
	}
}

int main(void)
{
	alarm(LIFETIME);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	last_order = malloc(sizeof(*last_order));
	if (!last_order)
		return 1;
	*last_order = (struct order){ .number = 42, .customer = strdup("one core, well done") };
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, parts[i].run, NULL))
			return 1;
		pthread_setname_np(thread, parts[i].name);
	}
	answer_lines();
	return last_order->number != 42;
}
