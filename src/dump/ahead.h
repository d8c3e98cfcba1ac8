/* ahead.h - what /proc says of each thread of the stopped target, half of it read by a second thread of tagcore. */
#pragma once

#include <pthread.h>

#include "live/proc.h"
#include "live/target.h"

struct thread_info {
	struct proc_stat stat;		/* of the leader: times of all threads together */
	struct proc_status status;
};

/* A zeroed one has nothing. */
struct ahead {
	const struct target *target;
	struct thread_info *info;	/* one for each thread */
	size_t from;			/* those from here on have been read; both threads use it */
	bool ending;			/* so do they this */
	pthread_t thread;
	bool running;
};

/* Starts to read, last thread first, if there are enough threads to be worth it. */
void ahead_start(struct ahead *a, const struct target *t);
/* The information on thread @i of @t; read now if it has not been read yet. */
int ahead_get(const struct ahead *a, const struct target *t, size_t i, struct thread_info *out,
	      struct err *e) must_check;
void ahead_end(struct ahead *a);
