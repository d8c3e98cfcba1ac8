/* stop_wait.h - how long to wait for threads to stop, and which of them are given up. */
#pragma once

#include "live/target.h"

/* Times are now_ns().  A zeroed one is new; it may begin several times in one stop. */
struct stop_wait {
	u64 timeout;
	u64 begin;		/* when it was begun first */
	u64 progress;		/* when one stopped last */
	u64 nap;		/* the last one's length */
	bool noted;		/* how much they have run so far */
};

/* When the threads have been interrupted: what was needed before that is not part of the wait. */
void stop_wait_begin(struct stop_wait *w, u32 timeout_ms);
/*
 * After all were looked at, when @seen of them had stopped and @waiting had not:
 * sleeps a little.  False: those are to be given up.  That is when none stopped for the
 * timeout and none of the others is runnable; or after ten times the timeout.
 */
bool stop_wait_more(struct stop_wait *w, struct target *t, size_t seen, size_t waiting);
/* Whether one that is THREAD_SEIZED will stop as soon as it is given a processor. */
bool stop_wait_one_runs(const struct target *t);
/* Each THREAD_SEIZED becomes THREAD_UNSTOPPABLE, with the reason. */
void stop_wait_give_up(struct target *t);
