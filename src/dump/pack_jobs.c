#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/pack_jobs.h"

ZSTD_CCtx *pack_context(int level)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	if (c && (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) ||
		  ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)))) {
		ZSTD_freeCCtx(c);
		return NULL;
	}
	return c;
}

/* What a context of that level takes for a frame, in bytes: it is known when one has been used. */
static size_t context_size(int level)
{
	ZSTD_CCtx *c = pack_context(level);
	ZSTD_outBuffer out = { 0 };
	ZSTD_inBuffer in = { 0 };
	size_t size = 0;

	if (c && !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(c, PACK_FRAME_MAX)) &&
	    !ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)))
		size = ZSTD_sizeof_CCtx(c);
	ZSTD_freeCCtx(c);
	return size ? size : PACK_MEMORY_MAX;
}

static size_t count_threads(int level)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = min(PACK_MEMORY_MAX / context_size(level), (size_t)PACK_THREADS_MAX);

	n = min(n, cpus > 0 ? (size_t)cpus : 1);
	return n ? n : 1;
}

static int get_memory(struct pack_jobs *j, int level, struct err *e)
{
	j->out_cap = ZSTD_compressBound(PACK_FRAME_MAX);
	/* One for each thread, one that is being filled, and one that is being written. */
	j->n_jobs = j->n_threads + 2;
	j->jobs = calloc(j->n_jobs, sizeof(*j->jobs));
	for (size_t i = 0; j->jobs && i < j->n_jobs; i++) {
		j->jobs[i].in = malloc(PACK_FRAME_MAX);
		j->jobs[i].out = malloc(j->out_cap);
		if (!j->jobs[i].in || !j->jobs[i].out)
			return err_set(e, -ENOMEM, "buffers to compress in");
	}
	for (size_t i = 0; i < j->n_threads; i++) {
		j->contexts[i] = pack_context(level);
		if (!j->contexts[i])
			return err_set(e, -ENOMEM, "zstd level %d", level);
	}
	return j->jobs ? 0 : err_set(e, -ENOMEM, "buffers to compress in");
}

int pack_jobs_init(struct pack_jobs *j, int level, struct err *e)
{
	*j = (struct pack_jobs){ .n_threads = count_threads(level) };
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->filled_one, NULL);
	pthread_cond_init(&j->done_one, NULL);
	j->has_locks = true;
	return get_memory(j, level, e);
}

static void stop_threads(struct pack_jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->ending = true;
	pthread_cond_broadcast(&j->filled_one);
	pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < j->n_started; i++)
		pthread_join(j->threads[i], NULL);
}

void pack_jobs_fini(struct pack_jobs *j)
{
	if (j->has_locks) {
		stop_threads(j);
		pthread_cond_destroy(&j->filled_one);
		pthread_cond_destroy(&j->done_one);
		pthread_mutex_destroy(&j->lock);
	}
	for (size_t i = 0; j->jobs && i < j->n_jobs; i++) {
		free(j->jobs[i].in);
		free(j->jobs[i].out);
	}
	free(j->jobs);
	for (size_t i = 0; i < PACK_THREADS_MAX; i++)
		ZSTD_freeCCtx(j->contexts[i]);
	*j = (struct pack_jobs){ 0 };
}

/* ---- the threads that pack */

struct packer {
	struct pack_jobs *jobs;
	ZSTD_CCtx *context;
};

/* The next job that nobody works on, or NULL at the end. */
static struct pack_job *wait_for_job(struct pack_jobs *j)
{
	struct pack_job *job = NULL;

	pthread_mutex_lock(&j->lock);
	while (!j->ending && j->started == j->filled)
		pthread_cond_wait(&j->filled_one, &j->lock);
	if (!j->ending)
		job = &j->jobs[j->started++ % j->n_jobs];
	pthread_mutex_unlock(&j->lock);
	return job;
}

static void *pack(void *arg)
{
	struct packer p = *(struct packer *)arg;
	struct pack_job *job;

	free(arg);
	while ((job = wait_for_job(p.jobs))) {
		job->out_len = ZSTD_compress2(p.context, job->out, p.jobs->out_cap, job->in, job->in_len);
		pthread_mutex_lock(&p.jobs->lock);
		job->done = true;
		pthread_cond_signal(&p.jobs->done_one);
		pthread_mutex_unlock(&p.jobs->lock);
	}
	return NULL;
}

/* Fewer than were wanted will do. */
static int start_threads(struct pack_jobs *j, struct err *e)
{
	int r = 0;

	while (!r && j->n_started < j->n_threads) {
		struct packer *p = malloc(sizeof(*p));

		if (p)
			*p = (struct packer){ .jobs = j, .context = j->contexts[j->n_started] };
		r = p ? pthread_create(&j->threads[j->n_started], NULL, pack, p) : ENOMEM;
		if (r)
			free(p);
		else
			j->n_started++;
	}
	return j->n_started ? 0 : err_set(e, -r, "start a thread");
}

/* ---- the thread that fills */

struct pack_job *pack_jobs_next(struct pack_jobs *j)
{
	return j->filled - j->returned < j->n_jobs ? &j->jobs[j->filled % j->n_jobs] : NULL;
}

int pack_jobs_submit(struct pack_jobs *j, struct err *e)
{
	int r = j->n_started ? 0 : start_threads(j, e);

	if (r)
		return r;
	pthread_mutex_lock(&j->lock);
	j->jobs[j->filled % j->n_jobs].done = false;
	j->filled++;
	pthread_cond_signal(&j->filled_one);
	pthread_mutex_unlock(&j->lock);
	return 0;
}

struct pack_job *pack_jobs_oldest(struct pack_jobs *j, bool wait)
{
	struct pack_job *job = &j->jobs[j->returned % j->n_jobs];
	bool done;

	if (j->returned == j->filled)
		return NULL;
	pthread_mutex_lock(&j->lock);
	while (wait && !job->done)
		pthread_cond_wait(&j->done_one, &j->lock);
	done = job->done;
	pthread_mutex_unlock(&j->lock);
	return done ? job : NULL;
}

void pack_jobs_return(struct pack_jobs *j)
{
	j->returned++;
}
