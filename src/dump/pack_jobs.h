/* pack_jobs.h - frames of zstd, packed by several threads and handed back in their order. */
#pragma once

#include <pthread.h>
#include <zstd.h>

#include "base/err.h"
#include "base/types.h"

enum {
	PACK_FRAME_MAX = 1 << 20,	/* bytes that go into a frame */
	PACK_THREADS_MAX = 8,
	PACK_MEMORY_MAX = 32 << 20,	/* for the threads' contexts, all together; one is had in any case */
};

/* One frame: what goes in, and when it is done what came out. */
struct pack_job {
	u8 *in;
	size_t in_len;
	u8 *out;
	size_t out_len;		/* or an error of zstd's */
	bool done;
};

/*
 * A ring of frames.  One thread fills and takes them back, in the order in which they were
 * filled; the others pack.  Counters only grow; a job is at its number modulo @n_jobs.
 */
struct pack_jobs {
	struct pack_job *jobs;
	size_t n_jobs;
	size_t out_cap;
	ZSTD_CCtx *contexts[PACK_THREADS_MAX];
	pthread_t threads[PACK_THREADS_MAX];
	size_t n_threads;	/* to be started with the first frame */
	size_t n_started;
	pthread_mutex_t lock;
	pthread_cond_t filled_one;
	pthread_cond_t done_one;
	u64 filled, started, returned;
	bool ending;
	bool has_locks;
};

/* For frames with a checksum of what they unpack to, so that any reader finds damage.  NULL without memory. */
ZSTD_CCtx *pack_context(int level);

/* Gets all memory; the threads begin with the first frame, as urgent as its giver is then.  Release in any case. */
int pack_jobs_init(struct pack_jobs *j, int level, struct err *e) must_check;
void pack_jobs_fini(struct pack_jobs *j);

/* The job to be filled: its @in has room for PACK_FRAME_MAX bytes.  NULL: the oldest must be taken back first. */
struct pack_job *pack_jobs_next(struct pack_jobs *j);
/* That job is filled, and may be packed. */
int pack_jobs_submit(struct pack_jobs *j, struct err *e) must_check;
/*
 * The oldest job, if it is done; with @wait it is waited for.  NULL: there is none, or not
 * done.  To be given back by pack_jobs_return().
 */
struct pack_job *pack_jobs_oldest(struct pack_jobs *j, bool wait);
void pack_jobs_return(struct pack_jobs *j);
