#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dump/pump.h"

static int write_slot(struct pump *p, const struct pump_slot *s, struct err *e)
{
	const u8 *from = s->given.p ? s->given.p : s->buf;
	int r = 0;

	for (size_t i = 0; !r && i < s->n; i++) {
		r = writer_skip(p->writer, s->pieces[i].skip, e);
		if (!r)
			r = writer_emit_sparse(p->writer, from, s->pieces[i].len, p->page_size, e);
		from += s->pieces[i].len;
	}
	return r;
}

/* The writing side.  After an error it goes on taking slots, so that nobody waits for it. */
static void *write_slots(void *arg)
{
	struct pump *p = arg;
	struct err e;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->out == p->in && !p->ending)
			pthread_cond_wait(&p->moved, &p->lock);
		if (p->out == p->in)
			break;
		if (!p->err.code) {
			pthread_mutex_unlock(&p->lock);
			int r = write_slot(p, &p->slots[p->out % PUMP_SLOTS], &e);
			pthread_mutex_lock(&p->lock);
			if (r)
				p->err = e;
		}
		buf_fini(&p->slots[p->out % PUMP_SLOTS].given);
		p->out++;
		pthread_cond_signal(&p->moved);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pump_init(struct pump *p, size_t page_size, struct err *e)
{
	*p = (struct pump){ .page_size = page_size };
	p->slots = calloc(PUMP_SLOTS, sizeof(*p->slots));
	p->bufs = malloc((size_t)PUMP_SLOTS * PUMP_SLOT_SIZE);
	if (!p->slots || !p->bufs)
		return err_set(e, -ENOMEM, "copy buffers");
	/* Not zero: malloc and zeros become calloc, which touches nothing. */
	memset(p->bufs, 1, (size_t)PUMP_SLOTS * PUMP_SLOT_SIZE);
	for (size_t i = 0; i < PUMP_SLOTS; i++)
		p->slots[i].buf = p->bufs + i * PUMP_SLOT_SIZE;
	return 0;
}

int pump_start(struct pump *p, struct writer *writer, struct err *e)
{
	int r;

	p->writer = writer;
	p->off = writer->off;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->moved, NULL);
	r = pthread_create(&p->thread, NULL, write_slots, p);
	if (r)
		return err_set(e, -r, "start the writing thread");
	p->running = true;
	return 0;
}

/* Hands in the slot being filled and waits for a free one. */
static int hand_in(struct pump *p, struct err *e)
{
	struct pump_slot *next;
	int r;

	pthread_mutex_lock(&p->lock);
	p->in++;
	pthread_cond_signal(&p->moved);
	while (p->in - p->out == PUMP_SLOTS)
		pthread_cond_wait(&p->moved, &p->lock);
	r = p->err.code;
	if (r && e)
		*e = p->err;
	pthread_mutex_unlock(&p->lock);
	next = &p->slots[p->in % PUMP_SLOTS];
	next->used = 0;
	next->n = 0;
	return r;
}

int pump_room(struct pump *p, size_t least, u8 **at, size_t *room, struct err *e)
{
	struct pump_slot *s = &p->slots[p->in % PUMP_SLOTS];

	if (s->n == PUMP_PIECES || PUMP_SLOT_SIZE - s->used < least) {
		int r = hand_in(p, e);

		if (r)
			return r;
		s = &p->slots[p->in % PUMP_SLOTS];
	}
	*at = s->buf + s->used;
	*room = PUMP_SLOT_SIZE - s->used;
	return 0;
}

static void add_piece(struct pump *p, struct pump_slot *s, size_t len)
{
	/* What follows the last piece without a hole goes to the writer with it: small stacks in one call. */
	if (s->n && !p->skip)
		s->pieces[s->n - 1].len += len;
	else
		s->pieces[s->n++] = (struct pump_piece){ .skip = p->skip, .len = len };
	s->used += len;
	p->skip = 0;
	p->off += len;
	p->emitted += len;
}

int pump_emit(struct pump *p, size_t len, struct err *e)
{
	struct pump_slot *s = &p->slots[p->in % PUMP_SLOTS];

	add_piece(p, s, len);
	/* Full enough that the other side should not wait for more. */
	return s->used > PUMP_SLOT_SIZE / 2 ? hand_in(p, e) : 0;
}

int pump_give(struct pump *p, struct buf *b, struct err *e)
{
	struct pump_slot *s = &p->slots[p->in % PUMP_SLOTS];
	int r = s->n ? hand_in(p, e) : 0;

	if (r || !b->len)
		return r;
	s = &p->slots[p->in % PUMP_SLOTS];
	s->given = *b;
	*b = (struct buf){ 0 };
	add_piece(p, s, s->given.len);
	return hand_in(p, e);
}

int pump_skip(struct pump *p, u64 len, struct err *e)
{
	u64 off;

	if (add_overflow(p->off, len, &off) || off > INT64_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the output would be larger than a file can be");
	p->off = off;
	p->skip += len;
	return 0;
}

int pump_skip_to(struct pump *p, u64 off, struct err *e)
{
	if (off < p->off)
		return err_set(e, ERR_UNSUPPORTED, "writer at 0x%llx cannot go back to 0x%llx",
			       (unsigned long long)p->off, (unsigned long long)off);
	return pump_skip(p, off - p->off, e);
}

static int join(struct pump *p, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	p->in++;	/* the slot being filled, empty or not */
	p->ending = true;
	pthread_cond_signal(&p->moved);
	while (p->out != p->in)
		pthread_cond_wait(&p->moved, &p->lock);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	pthread_cond_destroy(&p->moved);
	pthread_mutex_destroy(&p->lock);
	if (p->err.code && e)
		*e = p->err;
	return p->err.code ? p->err.code : writer_skip(p->writer, p->skip, e);
}

int pump_end(struct pump *p, struct err *e)
{
	int r = p->running ? join(p, e) : 0;

	free(p->slots);
	free(p->bufs);
	*p = (struct pump){ 0 };
	return r;
}
