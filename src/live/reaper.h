/* reaper.h - takes note of threads of ours that die while we cannot look. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * A thread that runs another program holds its process's cred_guard_mutex until
 * all others have died, and those that are traced have died only when their
 * tracer has waited for them; PTRACE_SEIZE of another thread waits for that mutex,
 * for ever: fs/exec.c, de_thread(); kernel/ptrace.c, ptrace_attach().  Only a
 * second thread of ours can wait for them meanwhile.  It takes no stop, which is
 * for the first one to see.
 */
struct reaper {
	pid_t *tids;
	size_t n;
	size_t cap;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool running;
	bool ending;
};

/* A zeroed reaper: one of ours that may die.  May be called before the start and after it. */
int reaper_add(struct reaper *r, pid_t tid, struct err *e) must_check;
/* Nothing happens if it runs already. */
int reaper_start(struct reaper *r, struct err *e) must_check;
void reaper_end(struct reaper *r);
