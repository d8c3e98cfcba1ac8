/* apilive.h - a process to be looked at by the public interface: two threads, and memory of which half is written. */
#pragma once

#include "helper.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>

#include <tagcore/tagcore.h>

enum { MAPPED = 64 * 4096 };

struct shared {
	char *mapping;	/* MAPPED bytes, of which the first half is written */
	pid_t thread;
};

static inline void *wait_for_ever(void *arg)
{
	struct shared *s = arg;

	s->thread = gettid();
	for (;;)
		pause();
	return NULL;
}

static inline void set_up(void *arg)
{
	struct shared *s = arg;
	pthread_t t;

	s->mapping = child_anon(MAPPED);
	memset(s->mapping, 7, MAPPED / 2);
	child_check(pthread_create(&t, NULL, wait_for_ever, s) == 0);
	while (!((volatile struct shared *)s)->thread)
		sched_yield();
}

struct live {
	struct child c;
	struct shared *s;
};

static inline void start(struct live *l)
{
	l->s = shared_new(sizeof(*l->s));
	child_start(&l->c, set_up, l->s);
}

static inline void finish(struct live *l)
{
	child_stop(&l->c);
	munmap(l->s, sizeof(*l->s));
}

static inline void start_traceable(struct live *l)
{
	start(l);
	if (ptrace(PTRACE_SEIZE, l->c.pid, NULL, NULL)) {
		int why = errno;

		finish(l);
		skip_because("ptrace is not permitted: %s", strerror(why));
	}
	ptrace(PTRACE_INTERRUPT, l->c.pid, NULL, NULL);
	waitpid(l->c.pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, l->c.pid, NULL, NULL);
}

static inline void good(int r, const struct tagcore_error *error)
{
	if (r < 0)
		fail_msg("%d: %s", r, error->message);
}

/* Nobody traces it any more, and it is not stopped. */
static inline void assert_runs(pid_t pid)
{
	char path[64], text[4096] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	assert_non_null(strstr(text, "TracerPid:\t0\n"));
	assert_null(strstr(text, "State:\tT"));
}
