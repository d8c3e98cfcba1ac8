/*
 * leaderexit [N]: the first thread has exited, N others (default 3) live on.
 * SIGUSR1: "alive".
 */
#include "target.h"

#include <pthread.h>

char leader_heap_marker[] = "the leader is gone";

static noinline void live_without_leader(void)
{
	for (;;) {
		target_wait();
		puts("alive");
	}
}

static void *survivor(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "survivor", 0, 0, 0);
	while (thread_state(getpid()) != 'Z')
		target_nap();
	target_wait_asleep();
	target_ready();
	live_without_leader();
	return NULL;
}

static noinline void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void *other(void *arg)
{
	prctl(PR_SET_NAME, "other", 0, 0, 0);
	sleep_for_ever();
	return arg;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 3;
	pthread_t t;

	target_begin();
	target_block_usr1();
	for (int i = 1; i < n; i++)
		must(pthread_create(&t, NULL, other, NULL) == 0, "pthread_create");
	must(pthread_create(&t, NULL, survivor, NULL) == 0, "pthread_create");
	pthread_exit(NULL);
}
