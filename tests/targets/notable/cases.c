/*
 * cases.c - programs whose functions have no tables, and wait in the C library:
 * cases CASE.  Those that a test looks for are named case_*.
 */
#include "../target.h"

#include <pthread.h>

#define CASE noinline __attribute__((used))

static volatile int sink;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static CASE void case_pause(void)
{
	target_ready();
	pause();
	sink++;
}

static CASE void case_read(void)
{
	char c;
	int p[2];

	must(!pipe(p), "pipe");
	target_ready();
	must(read(p[0], &c, 1) >= 0, "read");
	sink++;
}

static CASE void case_sleep(void)
{
	struct timespec t = { .tv_sec = 1000 };

	target_ready();
	nanosleep(&t, NULL);
	sink++;
}

static CASE void case_cond(void)
{
	pthread_mutex_lock(&mutex);
	target_ready();
	pthread_cond_wait(&cond, &mutex);
	sink++;
}

static CASE void case_handler(int sig)
{
	sink = sig;
	case_pause();
	sink++;
}

static CASE void case_signal(void)
{
	signal(SIGUSR2, case_handler);
	raise(SIGUSR2);
	sink++;
}

static CASE int case_compare(const void *a, const void *b)
{
	case_pause();
	return *(const char *)a - *(const char *)b;
}

static CASE void case_sort(void)
{
	char v[] = "hello";

	qsort(v, 5, 1, case_compare);
	sink += v[0];
}

static CASE void *case_thread(void *arg)
{
	case_pause();
	return arg;
}

static CASE void case_join(void)
{
	pthread_t t;

	must(!pthread_create(&t, NULL, case_thread, NULL), "pthread_create");
	pthread_join(t, NULL);
	sink++;
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "pause", case_pause }, { "read", case_read }, { "sleep", case_sleep }, { "cond", case_cond },
	{ "signal", case_signal }, { "sort", case_sort }, { "join", case_join },
};

int main(int argc, char **argv)
{
	target_begin();
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name))
			cases[i].run();
	return sink ? 0 : 2;
}
