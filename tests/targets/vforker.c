/*
 * vforker [SECONDS]: one thread is in vfork(2), whose child sleeps SECONDS
 * (default 5), so that it cannot be stopped meanwhile.  SIGUSR1: "alive".
 */
#include "target.h"

#include <pthread.h>
#include <sys/wait.h>

static unsigned seconds;
static volatile pid_t vforking;

static noinline void blocked_in_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		sleep(seconds);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void *vforker(void *arg)
{
	vforking = (pid_t)syscall(SYS_gettid);
	blocked_in_vfork();
	puts("vfork done");
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
	target_begin();
	target_block_usr1();
	must(pthread_create(&t, NULL, vforker, NULL) == 0, "pthread_create");
	while (!vforking || thread_state(vforking) != 'D')
		target_nap();
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
