#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dump/write_queue.h"

static int write_slot(struct write_queue *q, const struct queue_slot *s, struct err *e)
{
	const u8 *from = s->given.p ? s->given.p : s->buf;
	int r = 0;

	for (size_t i = 0; !r && i < s->n; i++) {
		r = writer_skip(q->writer, s->pieces[i].skip, e);
		if (!r)
			r = writer_emit_sparse(q->writer, from, s->pieces[i].len, q->page_size, e);
		from += s->pieces[i].len;
	}
	return r;
}

/* The writing side.  After an error it goes on taking slots, so that nobody waits for it. */
static void *write_slots(void *arg)
{
	struct write_queue *q = arg;
	struct err e;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		while (q->out == q->in && !q->ending)
			pthread_cond_wait(&q->moved, &q->lock);
		if (q->out == q->in)
			break;
		if (!q->err.code) {
			pthread_mutex_unlock(&q->lock);
			int r = write_slot(q, &q->slots[q->out % QUEUE_SLOTS], &e);
			pthread_mutex_lock(&q->lock);
			if (r)
				q->err = e;
		}
		buf_fini(&q->slots[q->out % QUEUE_SLOTS].given);
		q->out++;
		pthread_cond_signal(&q->moved);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

int write_queue_init(struct write_queue *q, size_t page_size, struct err *e)
{
	*q = (struct write_queue){ .page_size = page_size };
	q->slots = calloc(QUEUE_SLOTS, sizeof(*q->slots));
	q->bufs = malloc((size_t)QUEUE_SLOTS * QUEUE_SLOT_SIZE);
	if (!q->slots || !q->bufs)
		return err_set(e, -ENOMEM, "copy buffers");
	/* Not zero: malloc and zeros become calloc, which touches nothing. */
	memset(q->bufs, 1, (size_t)QUEUE_SLOTS * QUEUE_SLOT_SIZE);
	for (size_t i = 0; i < QUEUE_SLOTS; i++)
		q->slots[i].buf = q->bufs + i * QUEUE_SLOT_SIZE;
	return 0;
}

int write_queue_start(struct write_queue *q, struct writer *writer, struct err *e)
{
	int r;

	q->writer = writer;
	q->off = writer->off;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->moved, NULL);
	r = pthread_create(&q->thread, NULL, write_slots, q);
	if (r)
		return err_set(e, -r, "start the writing thread");
	q->running = true;
	return 0;
}

/* Hands in the slot being filled and waits for a free one. */
static int hand_in(struct write_queue *q, struct err *e)
{
	struct queue_slot *next;
	int r;

	pthread_mutex_lock(&q->lock);
	q->in++;
	pthread_cond_signal(&q->moved);
	while (q->in - q->out == QUEUE_SLOTS)
		pthread_cond_wait(&q->moved, &q->lock);
	r = q->err.code;
	if (r && e)
		*e = q->err;
	pthread_mutex_unlock(&q->lock);
	next = &q->slots[q->in % QUEUE_SLOTS];
	next->used = 0;
	next->n = 0;
	return r;
}

int write_queue_room(struct write_queue *q, size_t least, u8 **at, size_t *room, struct err *e)
{
	struct queue_slot *s = &q->slots[q->in % QUEUE_SLOTS];

	if (s->n == QUEUE_PIECES || QUEUE_SLOT_SIZE - s->used < least) {
		int r = hand_in(q, e);

		if (r)
			return r;
		s = &q->slots[q->in % QUEUE_SLOTS];
	}
	*at = s->buf + s->used;
	*room = QUEUE_SLOT_SIZE - s->used;
	return 0;
}

static void add_piece(struct write_queue *q, struct queue_slot *s, size_t len)
{
	/* What follows the last piece without a hole goes to the writer with it: small stacks in one call. */
	if (s->n && !q->skip)
		s->pieces[s->n - 1].len += len;
	else
		s->pieces[s->n++] = (struct queue_piece){ .skip = q->skip, .len = len };
	s->used += len;
	q->skip = 0;
	q->off += len;
	q->emitted += len;
}

int write_queue_emit(struct write_queue *q, size_t len, struct err *e)
{
	struct queue_slot *s = &q->slots[q->in % QUEUE_SLOTS];

	add_piece(q, s, len);
	/* Full enough that the other side should not wait for more. */
	return s->used > QUEUE_SLOT_SIZE / 2 ? hand_in(q, e) : 0;
}

int write_queue_give(struct write_queue *q, struct buf *b, struct err *e)
{
	struct queue_slot *s = &q->slots[q->in % QUEUE_SLOTS];
	int r = s->n ? hand_in(q, e) : 0;

	if (r || !b->len)
		return r;
	s = &q->slots[q->in % QUEUE_SLOTS];
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

static int join(struct write_queue *q, struct err *e)
{
	pthread_mutex_lock(&q->lock);
	q->in++;	/* the slot being filled, empty or not */
	q->ending = true;
	pthread_cond_signal(&q->moved);
	while (q->out != q->in)
		pthread_cond_wait(&q->moved, &q->lock);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	pthread_cond_destroy(&q->moved);
	pthread_mutex_destroy(&q->lock);
	if (q->err.code && e)
		*e = q->err;
	return q->err.code ? q->err.code : writer_skip(q->writer, q->skip, e);
}

int write_queue_end(struct write_queue *q, struct err *e)
{
	int r = q->running ? join(q, e) : 0;

	free(q->slots);
	free(q->bufs);
	*q = (struct write_queue){ 0 };
	return r;
}
