/* write_queue.h - copies in two threads: one reads memory while the other writes what was read before. */
#pragma once

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"
#include "dump/writer.h"

/*
 * A GiB of memory costs the kernel some 0.2 s to copy to us and 0.4 s to copy to
 * a file: in parallel they take the longer of the two, and the target waits only for
 * the reading: what is left in the slots then is written when it runs again.
 * A few slots of fixed size are used in turn; the writer gets the same calls in the same
 * order as with one thread.
 *
 * All slots together fit into a processor's own cache.  More of them would let the
 * reader sleep less often, but 16 MiB took twice the processor time of 1 MiB, and
 * on a busy machine processor time is what the pause consists of.
 */
enum { QUEUE_SLOTS = 4, QUEUE_SLOT_SIZE = 256 << 10, QUEUE_PIECES = 128 };

/* @skip zeros, then @len bytes of the slot. */
struct queue_piece {
	u64 skip;
	size_t len;
};

struct queue_slot {
	u8 *buf;
	struct buf given;	/* bytes in place of those in @buf; freed when written */
	size_t used;
	struct queue_piece pieces[QUEUE_PIECES];
	size_t n;
};

struct write_queue {
	struct writer *writer;
	size_t page_size;
	struct queue_slot *slots;
	u8 *bufs;
	u64 off;		/* of the output, as far as it has been handed in */
	u64 skip;		/* zeros before the next piece */
	u64 emitted;		/* bytes handed in */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* one of the three below has changed */
	size_t in, out;		/* slots handed in and written, counted up */
	bool ending;
	bool running;
	struct err err;		/* of the writing side */
};

/* Gets the memory.  To be called before the target is stopped: page faults take longer than copying. */
int write_queue_init(struct write_queue *q, size_t page_size, struct err *e) must_check;
/* Starts the writing thread at the writer's place; @writer is not to be used until write_queue_end(). */
int write_queue_start(struct write_queue *q, struct writer *writer, struct err *e) must_check;
/* Room for up to QUEUE_SLOT_SIZE bytes: *room bytes at *at, at least @least. */
int write_queue_room(struct write_queue *q, size_t least, u8 **at, size_t *room, struct err *e) must_check;
/* The first @len bytes of that room are the next of the output; zero pages become holes. */
int write_queue_emit(struct write_queue *q, size_t len, struct err *e) must_check;
/* All of @b, which it takes over, is the next of the output. */
int write_queue_give(struct write_queue *q, struct buf *b, struct err *e) must_check;
int write_queue_skip(struct write_queue *q, u64 len, struct err *e) must_check;
int write_queue_skip_to(struct write_queue *q, u64 off, struct err *e) must_check;
/* Waits until all is written, and gives the writer back.  Must always run; a zeroed one is fine. */
int write_queue_end(struct write_queue *q, struct err *e);
