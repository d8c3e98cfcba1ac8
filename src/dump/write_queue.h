/* write_queue.h - the output's own thread: it writes what was read before, while we read on, and it waits for the output. */
#pragma once

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"
#include "dump/writer.h"

/*
 * All that is done with the output is done there, from opening it to giving it its name.  Disks, servers and readers
 * of pipes may stand still, some so that not even SIGKILL ends a call; who traces the target must never wait
 * for them without a limit, nor have the output among its descriptors.
 *
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
	bool dense;
};

struct queue_slot {
	u8 *buf;
	struct buf given;	/* bytes in place of those in @buf; freed when written */
	size_t used;
	struct queue_piece pieces[QUEUE_PIECES];
	size_t n;
};

/* Done by the writing thread, where it may wait: something with the output.  @arg is what write_queue_call() was given. */
typedef int (*write_queue_fn)(struct writer *w, void *arg, struct err *e);

/* Of both threads; whoever is done with it last frees it.  Under @lock, but for what is said otherwise. */
struct write_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* one of those below has changed */
	struct queue_slot *slots;
	u8 *bufs;
	size_t page_size;
	size_t in, out;		/* slots handed in and written, counted up */
	write_queue_fn call;	/* to be made when all slots have been written; NULL: none is waited for */
	void *arg;
	bool arg_left;		/* the one that reads does not wait for the call any more: to be freed */
	u64 skip;		/* zeros before it */
	int nice;		/* of the thread that reads */
	bool ending, ended;
	bool left;		/* the other one does not wait any more */
	struct err err;		/* of writing: what follows is not written */
	u64 since;		/* see struct writer; both use it */
	volatile sig_atomic_t give_up;	/* so do they this */
	struct writer writer;	/* of the writing thread alone while it writes */
};

/* The side that reads. */
struct write_queue {
	struct write_thread *t;
	const struct writer *writer;	/* of no meaning until all that was handed in is known to be written */
	u64 off;		/* of the output, as far as it has been handed in */
	u64 skip;		/* zeros before the next piece */
	u64 emitted;		/* bytes handed in */
	bool dense;		/* of what comes next, zero pages are written, too: something else may be in their place */
	/* How long anything below waits: */
	const volatile sig_atomic_t *cancel;	/* not NULL, and != 0: no longer */
	u64 limit_ns;		/* without any progress of the output; 0: for as long as it takes */
};

/*
 * Starts the writing thread, in a descriptor table of its own that has, of ours, @keep (see drop_files()).  To be
 * called before the target is stopped: it gets the memory, and page faults take longer than copying.
 */
int write_queue_init(struct write_queue *q, size_t page_size, int keep, struct err *e) must_check;
/* What follows is the next of the output of q->writer, which @fn of a write_queue_call() has opened. */
void write_queue_start(struct write_queue *q);

/*
 * Calls fn(writer, *arg) when all has been written, and returns what it does.  *arg is NULL or was
 * malloc'ed; if it is NULL afterwards the call has not ended, and it is not ours any more.
 *
 * Here and below: ERR_TIMEOUT and ERR_CANCELLED, as soon as the rules above say so, whatever the writing
 * thread does; if it has an error first, that.
 */
int write_queue_call(struct write_queue *q, write_queue_fn fn, void **arg, struct err *e) must_check;
/* Room for up to QUEUE_SLOT_SIZE bytes: *room bytes at *at, at least @least. */
int write_queue_room(struct write_queue *q, size_t least, u8 **at, size_t *room, struct err *e) must_check;
/* The first @len bytes of that room are the next of the output; zero pages become holes. */
int write_queue_emit(struct write_queue *q, size_t len, struct err *e) must_check;
/* All of @b, which it takes over, is the next of the output. */
int write_queue_give(struct write_queue *q, struct buf *b, struct err *e) must_check;
int write_queue_skip(struct write_queue *q, u64 len, struct err *e) must_check;
int write_queue_skip_to(struct write_queue *q, u64 off, struct err *e) must_check;
/* Waits until all that was handed in is written. */
int write_queue_flush(struct write_queue *q, struct err *e) must_check;
/* The next byte is the first again, see writer_rewind(). */
int write_queue_rewind(struct write_queue *q, struct err *e) must_check;

/*
 * Ends the writing thread, which aborts what is not finished.  False: it hangs in a call, and has been left
 * alone for that; the output's temporary file may stay, by the name in @temp ("": it has none), which may be
 * NULL.  Must always run; a zeroed queue is fine.
 */
bool write_queue_end(struct write_queue *q, char temp[WRITER_TEMP_MAX]);
