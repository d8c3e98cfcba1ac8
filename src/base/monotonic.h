/* monotonic.h - waits with a limit, by CLOCK_MONOTONIC. */
#pragma once

#include <pthread.h>
#include <time.h>

#include "base/util.h"

static inline void monotonic_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* For pthread_cond_timedwait() on such a one. */
static inline struct timespec monotonic_in(u64 ns)
{
	u64 at = now_ns() + ns;

	return (struct timespec){ .tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000) };
}
