/* target.h - what every program to be dumped has in common: a bounded life and "ready PID". */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define noinline __attribute__((noinline))

static inline void die(const char *what)
{
	perror(what);
	exit(3);
}

static inline void must(int good, const char *what)
{
	if (!good)
		die(what);
}

/*
 * Ends by itself after TARGET_LIFE seconds (120), whatever becomes of the
 * test.  Yama's ptrace_scope 1 lets only parents trace: allow everybody.
 */
static inline void target_begin(void)
{
	const char *life = getenv("TARGET_LIFE");

	alarm(life ? (unsigned)atoi(life) : 120);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static inline void target_ready(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
}

/* State letter of a thread of this process, from /proc; 0 when it is gone. */
static inline char thread_state(pid_t tid)
{
	char path[64], text[512] = "";
	int fd, n;
	char *p;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = (int)read(fd, text, sizeof(text) - 1);
	close(fd);
	p = n > 0 ? strrchr(text, ')') : NULL;
	return p && p[1] == ' ' ? p[2] : 0;
}

static inline void target_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static inline int count_awake(pid_t self)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *de;
	int awake = 0;

	must(d != NULL, "/proc/self/task");
	while ((de = readdir(d))) {
		pid_t tid = atoi(de->d_name);

		if (tid > 0 && tid != self && !strchr("SDZX", thread_state(tid)))
			awake++;
	}
	closedir(d);
	return awake;
}

/* Returns when every other thread sleeps; gives up after 10 s. */
static inline void target_wait_asleep(void)
{
	pid_t self = (pid_t)syscall(SYS_gettid);

	for (int i = 0; i < 5000 && count_awake(self); i++)
		target_nap();
}

/* SIGUSR1 means "report"; it is blocked but for target_wait(), so none is lost. */
static volatile sig_atomic_t target_asked_;

static inline void target_on_usr1(int sig)
{
	(void)sig;
	target_asked_ = 1;
}

/* To be called before other threads are made, so that they inherit the mask. */
static inline void target_block_usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, target_on_usr1);
}

/* Sleeps in sigsuspend(2) until the next SIGUSR1. */
static inline void target_wait(void)
{
	sigset_t set;

	sigprocmask(SIG_SETMASK, NULL, &set);
	sigdelset(&set, SIGUSR1);
	while (!target_asked_)
		sigsuspend(&set);
	target_asked_ = 0;
}

/* xorshift64: the same bytes for the same seed, on every machine. */
static inline uint64_t target_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static inline void target_fill(void *p, size_t len, uint64_t seed)
{
	uint64_t *w = p, s = seed * 2654435761u + 1;

	for (size_t i = 0; i < len / sizeof(*w); i++)
		w[i] = target_random(&s);
}

static inline int target_filled(const void *p, size_t len, uint64_t seed)
{
	const uint64_t *w = p;
	uint64_t s = seed * 2654435761u + 1;

	for (size_t i = 0; i < len / sizeof(*w); i++)
		if (w[i] != target_random(&s))
			return 0;
	return 1;
}

/* "64K", "16M", "2G", in bytes. */
static inline size_t target_size(const char *s)
{
	char *end;
	size_t n = strtoull(s, &end, 0);

	switch (*end) {
	case 'G': return n << 30;
	case 'M': return n << 20;
	case 'K': return n << 10;
	default: return n;
	}
}

static inline double target_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
