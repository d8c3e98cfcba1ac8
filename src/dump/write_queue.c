#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/monotonic.h"
#include "base/own_files.h"
#include "base/util.h"
#include "dump/write_queue.h"

enum { LOOK_MS = 20 };	/* between looks at the flag that cancels, and at the output */
/* Who cancels is answered by what the writing thread says of it, if that comes soon. */
#define LAST_WORD_NS 250000000ull
/* How long the end of the thread, and of its temporary file, is waited for. */
#define END_NS 1000000000ull

/* ---- the writing thread */

static int write_slot(struct write_thread *t, const struct queue_slot *s, struct err *e)
{
	const u8 *from = s->given.p ? s->given.p : s->buf;
	int r = 0;

	for (size_t i = 0; !r && i < s->n; i++) {
		r = writer_skip(&t->writer, s->pieces[i].skip, e);
		if (!r && s->pieces[i].dense)
			r = writer_emit(&t->writer, from, s->pieces[i].len, e);
		else if (!r)
			r = writer_emit_sparse(&t->writer, from, s->pieces[i].len, t->page_size, e);
		from += s->pieces[i].len;
	}
	return r;
}

/* As urgent as who waits for it: the thread was started before it became so.  Under t->lock. */
static void follow_nice(const struct write_thread *t, int *nice)
{
	if (*nice != t->nice && setpriority(PRIO_PROCESS, 0, t->nice))
		errno = 0;	/* then it is as urgent as it was */
	*nice = t->nice;
}

static void note_given_up(struct write_thread *t)
{
	if (t->give_up && !t->err.code)
		err_set(&t->err, ERR_CANCELLED, "cancelled");
}

/* Both are called with t->lock, and give it away meanwhile.  After an error slots are taken all the same. */
static void do_slot(struct write_thread *t)
{
	struct queue_slot *s = &t->slots[t->out % QUEUE_SLOTS];
	struct err e;

	note_given_up(t);
	if (!t->err.code) {
		pthread_mutex_unlock(&t->lock);
		int r = write_slot(t, s, &e);
		pthread_mutex_lock(&t->lock);
		if (r)
			t->err = e;
	}
	buf_fini(&s->given);
	t->out++;
}

static void do_call(struct write_thread *t)
{
	write_queue_fn fn = t->call;
	struct err e;

	note_given_up(t);
	if (!t->err.code) {
		pthread_mutex_unlock(&t->lock);
		int r = writer_skip(&t->writer, t->skip, &e);
		if (!r)
			r = fn(&t->writer, t->arg, &e);
		__atomic_store_n(&t->since, 0, __ATOMIC_RELAXED);
		pthread_mutex_lock(&t->lock);
		if (r)
			t->err = e;
	}
	if (t->arg_left)
		free(t->arg);
	t->call = NULL;
}

static void work(struct write_thread *t)
{
	int nice = t->nice;

	while (!t->ending || t->out != t->in || t->call) {
		follow_nice(t, &nice);
		if (t->out != t->in)
			do_slot(t);
		else if (t->call)
			do_call(t);
		else
			pthread_cond_wait(&t->moved, &t->lock);
		pthread_cond_broadcast(&t->moved);
	}
}

static void free_thread(struct write_thread *t)
{
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	for (size_t i = 0; t->slots && i < QUEUE_SLOTS; i++)
		buf_fini(&t->slots[i].given);
	free(t->slots);
	free(t->bufs);
	free(t);
}

struct start {
	struct write_thread *t;
	int keep;
};

static void *write_output(void *arg)
{
	struct start start = *(struct start *)arg;
	struct write_thread *t = start.t;
	bool left;

	free(arg);
	if (own_table())
		drop_files(&start.keep, 1);
	pthread_mutex_lock(&t->lock);
	work(t);
	pthread_mutex_unlock(&t->lock);
	writer_close(&t->writer);
	pthread_mutex_lock(&t->lock);
	t->ended = true;
	left = t->left;
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
	if (left)
		free_thread(t);
	return NULL;
}

/* ---- the thread that reads: waiting */

static bool stands_still(const struct write_queue *q)
{
	u64 since = __atomic_load_n(&q->t->since, __ATOMIC_RELAXED), now = now_ns();

	return q->limit_ns && since && now > since && now - since > q->limit_ns;
}

/* One of several waits for what is to move; *cancelled_at: 0 before the first.  With the lock. */
static int wait_moved(struct write_queue *q, u64 *cancelled_at, struct err *e)
{
	struct timespec until = monotonic_in(LOOK_MS * 1000000ull);

	if (q->cancel && *q->cancel) {
		q->t->give_up = 1;
		*cancelled_at = *cancelled_at ? *cancelled_at : now_ns();
		if (now_ns() - *cancelled_at > LAST_WORD_NS)
			return err_set(e, ERR_CANCELLED, "cancelled while the output stood still");
	}
	if (stands_still(q))
		return err_set(e, ERR_TIMEOUT, "the output has stood still for %g s", (double)q->limit_ns / 1e9);
	pthread_cond_timedwait(&q->t->moved, &q->t->lock, &until);
	return 0;
}

static int error_of(const struct write_thread *t, struct err *e)
{
	if (t->err.code && e)
		*e = t->err;
	return t->err.code;
}

/* Hands in the slot being filled and waits for a free one. */
static int hand_in(struct write_queue *q, struct err *e)
{
	struct write_thread *t = q->t;
	struct queue_slot *next;
	u64 cancelled_at = 0;
	int r;

	pthread_mutex_lock(&t->lock);
	t->in++;
	pthread_cond_broadcast(&t->moved);
	while (!(r = error_of(t, e)) && t->in - t->out == QUEUE_SLOTS)
		if ((r = wait_moved(q, &cancelled_at, e)))
			break;
	/* A slot that is still being written is not to be touched. */
	next = r ? NULL : &t->slots[t->in % QUEUE_SLOTS];
	pthread_mutex_unlock(&t->lock);
	if (r)
		return r;
	next->used = 0;
	next->n = 0;
	return 0;
}

int write_queue_call(struct write_queue *q, write_queue_fn fn, void **arg, struct err *e)
{
	struct write_thread *t = q->t;
	u64 cancelled_at = 0;
	int r = t->slots[t->in % QUEUE_SLOTS].n ? hand_in(q, e) : 0;

	if (r)
		return r;
	pthread_mutex_lock(&t->lock);
	t->skip = q->skip;
	q->skip = 0;
	t->arg = arg ? *arg : NULL;
	t->call = fn;
	pthread_cond_broadcast(&t->moved);
	while (t->call && !r)
		r = wait_moved(q, &cancelled_at, e);
	if (!t->call)
		r = error_of(t, e);
	else if (arg)
		*arg = NULL;
	t->arg_left = t->call;
	pthread_mutex_unlock(&t->lock);
	return r;
}

/* ---- the output */

static int get_memory(struct write_thread *t, struct err *e)
{
	t->slots = calloc(QUEUE_SLOTS, sizeof(*t->slots));
	t->bufs = malloc((size_t)QUEUE_SLOTS * QUEUE_SLOT_SIZE);
	if (!t->slots || !t->bufs)
		return err_set(e, -ENOMEM, "copy buffers");
	/* Not zero: malloc and zeros become calloc, which touches nothing. */
	memset(t->bufs, 1, (size_t)QUEUE_SLOTS * QUEUE_SLOT_SIZE);
	for (size_t i = 0; i < QUEUE_SLOTS; i++)
		t->slots[i].buf = t->bufs + i * QUEUE_SLOT_SIZE;
	return 0;
}

static void init_locks(struct write_thread *t)
{
	pthread_mutex_init(&t->lock, NULL);
	monotonic_init(&t->moved);
}

static int start_thread(struct write_thread *t, int keep, struct err *e)
{
	struct start *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return err_set(e, -ENOMEM, "a thread");
	*s = (struct start){ t, keep };
	r = pthread_create(&t->thread, NULL, write_output, s);
	if (!r)
		return 0;
	free(s);
	return err_set(e, -r, "start the writing thread");
}

int write_queue_init(struct write_queue *q, size_t page_size, int keep, struct err *e)
{
	struct write_thread *t = calloc(1, sizeof(*t));
	int r;

	*q = (struct write_queue){ 0 };
	if (!t)
		return err_set(e, -ENOMEM, "a thread");
	init_locks(t);
	t->page_size = page_size;
	t->writer = (struct writer){ .cancel = &t->give_up, .since = &t->since };
	t->nice = getpriority(PRIO_PROCESS, 0);
	r = get_memory(t, e);
	if (!r)
		r = start_thread(t, keep, e);
	if (r) {
		free_thread(t);
		return r;
	}
	q->t = t;
	q->writer = &t->writer;
	return 0;
}

void write_queue_start(struct write_queue *q)
{
	pthread_mutex_lock(&q->t->lock);
	q->t->nice = getpriority(PRIO_PROCESS, 0);
	q->off = q->writer->off;
	pthread_mutex_unlock(&q->t->lock);
}

int write_queue_room(struct write_queue *q, size_t least, u8 **at, size_t *room, struct err *e)
{
	struct queue_slot *s = &q->t->slots[q->t->in % QUEUE_SLOTS];

	if (s->n == QUEUE_PIECES || QUEUE_SLOT_SIZE - s->used < least) {
		int r = hand_in(q, e);

		if (r)
			return r;
		s = &q->t->slots[q->t->in % QUEUE_SLOTS];
	}
	*at = s->buf + s->used;
	*room = QUEUE_SLOT_SIZE - s->used;
	return 0;
}

static void add_piece(struct write_queue *q, struct queue_slot *s, size_t len)
{
	/* What follows the last piece without a hole goes to the writer with it: small stacks in one call. */
	if (s->n && !q->skip && s->pieces[s->n - 1].dense == q->dense)
		s->pieces[s->n - 1].len += len;
	else
		s->pieces[s->n++] = (struct queue_piece){ .skip = q->skip, .len = len, .dense = q->dense };
	s->used += len;
	q->skip = 0;
	q->off += len;
	q->emitted += len;
}

int write_queue_emit(struct write_queue *q, size_t len, struct err *e)
{
	struct queue_slot *s = &q->t->slots[q->t->in % QUEUE_SLOTS];

	add_piece(q, s, len);
	/* Full enough that the other side should not wait for more. */
	return s->used > QUEUE_SLOT_SIZE / 2 ? hand_in(q, e) : 0;
}

int write_queue_give(struct write_queue *q, struct buf *b, struct err *e)
{
	struct queue_slot *s = &q->t->slots[q->t->in % QUEUE_SLOTS];
	int r = s->n ? hand_in(q, e) : 0;

	if (r || !b->len)
		return r;
	s = &q->t->slots[q->t->in % QUEUE_SLOTS];
	s->given = *b;
	*b = (struct buf){ 0 };
	add_piece(q, s, s->given.len);
	return hand_in(q, e);
}

int write_queue_skip(struct write_queue *q, u64 len, struct err *e)
{
	int r = output_advance(&q->off, len, e);

	q->skip += r ? 0 : len;
	return r;
}

int write_queue_skip_to(struct write_queue *q, u64 off, struct err *e)
{
	u64 len = 0;
	int r = output_gap(q->off, off, &len, e);

	return r ? r : write_queue_skip(q, len, e);
}

static int all_is_written(struct writer *w, void *arg, struct err *e)
{
	(void)w, (void)arg, (void)e;
	return 0;
}

int write_queue_flush(struct write_queue *q, struct err *e)
{
	return write_queue_call(q, all_is_written, NULL, e);
}

static int rewind_writer(struct writer *w, void *arg, struct err *e)
{
	(void)arg;
	return writer_rewind(w, e);
}

int write_queue_rewind(struct write_queue *q, struct err *e)
{
	int r = write_queue_call(q, rewind_writer, NULL, e);

	q->off = 0;
	return r;
}

/* ---- the end */

/* False: it is on its own from now on. */
static bool wait_ended(struct write_thread *t)
{
	struct timespec until = monotonic_in(END_NS);
	bool ended;
	int r = 0;

	pthread_mutex_lock(&t->lock);
	t->ending = true;
	t->give_up = 1;
	pthread_cond_broadcast(&t->moved);
	while (!t->ended && !r)
		r = pthread_cond_timedwait(&t->moved, &t->lock, &until);
	ended = t->ended;
	t->left = !ended;
	pthread_mutex_unlock(&t->lock);
	return ended;
}

bool write_queue_end(struct write_queue *q, char temp[WRITER_TEMP_MAX])
{
	struct write_thread *t = q->t;
	pthread_t thread;

	*q = (struct write_queue){ 0 };
	if (!t)
		return true;
	thread = t->thread;
	if (temp)
		memcpy(temp, t->writer.temp, WRITER_TEMP_MAX);
	if (!wait_ended(t)) {
		pthread_detach(thread);
		return false;
	}
	pthread_join(thread, NULL);
	free_thread(t);
	return true;
}
