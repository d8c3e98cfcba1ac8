/* hang.h - a process that has not crashed: what each of its threads waits for, and who has that. */
#pragma once

#include "explain/crash.h"

enum wait_kind {
	WAIT_NOT,	/* it runs, or nothing is known of it */
	WAIT_CALL,	/* in a system call that nothing more is known of */
	WAIT_MUTEX,
	WAIT_RWLOCK,
	WAIT_JOIN,	/* for the end of a thread */
	WAIT_COND,
	WAIT_SEM,
	WAIT_BARRIER,
	WAIT_FUTEX,	/* of something that is not known */
	WAIT_INPUT,
	WAIT_OUTPUT,
	WAIT_EVENTS,	/* poll(2) and the like, accept(2) */
	WAIT_CHILD,
	WAIT_SLEEP,
	WAIT_SIGNAL,
	WAIT_FILE_LOCK,
};

/* A system call by which threads wait. */
struct wait_call {
	const char *name;
	enum wait_kind kind;
	bool has_fd;		/* its first argument */
	u8 path;		/* the argument that is a file's name, from 1; 0: it has none */
	u8 limit;		/* the argument that is a time limit, from 1; 0: it has none */
	bool limit_is_ms;	/* an int, negative without a limit; else a pointer */
};

struct hang_thread {
	s32 tid;
	s32 own_tid;	/* the same in its own PID namespace, as locks have it; 0: not known */
	const struct core_thread *thread;	/* NULL: it did not stop */
	const struct live_thread *live;		/* NULL: not known */
	enum wait_kind kind;
	const struct wait_call *call;	/* of the table, or NULL */
	bool in_call;
	bool has_arg0;
	bool timed;		/* it waits for a limited time */
	u64 nr;
	u64 args[6];
	u64 lock;		/* address of what it waits for, or 0 */
	u64 stack_from, stack_to;	/* the frames of @function, and of what it has called; 0: not known */
	const char *function;	/* a row's name in hang_locks.c: "pthread_mutex_lock"; or NULL */
	bool owner_sure;	/* by the function that waits, too, not only by what the memory looks like */
	bool is_recursive;	/* a mutex that its owner may lock again */
	bool is_refused;	/* a mutex that it will never get: mutex_at() */
	s32 lost_owner;		/* the lock's owner by its own_tid, of which the process has none; 0: it has, or is not known */
	bool is_shared;		/* a mutex that is for several processes */
	struct wait *wait;	/* the text */
	size_t owner;		/* index of the thread that it waits for, or SIZE_MAX */
	size_t end;		/* of the chain of owners; SIZE_MAX: it ends in a circle */
};

struct hang {
	struct hang_thread *v;	/* by tid */
	size_t n;
	const struct live *live;	/* NULL: a core */
	size_t *by_own;		/* indices of @v, by own_tid */
	size_t n_own;
	bool other_ns;		/* the process is in another PID namespace than who has saved it */
	bool guessed_ns;	/* own_tid is from the memory of the C library */
};

/* ---- hang.c */

/* c->hang and c->v->waits.  False: *r says why, or c->v->sentence. */
bool hang_gather(struct crash *c, struct err *e, int *r);
void hang_free(struct hang *h);

/* ---- hang_thread.c */

/* SIZE_MAX: no such thread. */
size_t hang_find(const struct hang *h, s32 tid);
/* The same by own_tid, of any value that memory has. */
size_t hang_find_own(const struct hang *h, u64 own_tid);
/* "waits in read for fd 3", "runs": what it does, for a sentence. */
const char *hang_text(const struct hang_thread *t, char *out, size_t size);

/* ---- hang_about.c: what rows say of threads */

/* The verdict is about this thread first; its evidence has it as place.  The other's frames, after those. */
void hang_about(struct crash *c, const struct hang_thread *t);
void hang_about_too(struct crash *c, const struct hang_thread *t);
/* Evidence: what it does. */
void hang_show(struct crash *c, const struct hang_thread *t);
/* What is missing of a core, where it matters. */
void hang_show_core(struct crash *c, const struct hang_thread *t);
/* It ran between the looks. */
bool hang_moved(const struct hang_thread *t);
/* It waits for another thread, or for something outside. */
bool hang_is_idle(const struct hang_thread *t);
/* It used the processor between the looks, most of the time. */
bool hang_is_busy(const struct crash *c, const struct hang_thread *t);
/* Of threads that do not go on: a core is one moment. */
void hang_sure(struct crash *c, enum sure live, const char *text);
const struct hang_thread *hang_thread_of(const struct crash *c, s32 tid);

/* ---- hang_calls.c: from registers */

/* The number of the system call that a thread of a core was in, if its registers show one. */
bool hang_call_of(struct crash *c, const struct core_thread *t, s32 *nr);
/* t->nr, t->args, t->in_call, t->call, t->kind, and w->call. */
void hang_call(struct crash *c, struct hang_thread *t);
/* t->wait->on, of a call that is no futex(2). */
void hang_call_on(struct crash *c, struct hang_thread *t);
/* The row of that name, or NULL. */
const struct wait_call *wait_call_find(const char *name);

/* ---- hang_locks.c: of futex(2) */

/* What the function of a C library waits for; NULL for others. */
struct lock_function {
	const char *name;
	enum wait_kind kind;
	u8 rank;	/* the highest of a stack's counts */
};
const struct lock_function *lock_function_find(const char *symbol);
/* The name as the source has it is to be looked for, not the linker's. */
bool lock_function_is_rust(const char *symbol);
/* t->kind, t->lock, t->owner and t->wait->on, of the function @f, or NULL.  @named: the functions around have names. */
void hang_lock(struct crash *c, struct hang_thread *t, const struct lock_function *f, bool named);

/* ---- hang_mutex.c */

/* include/uapi/linux/futex.h */
enum {
	FUTEX_WAIT = 0, FUTEX_LOCK_PI = 6, FUTEX_WAIT_BITSET = 9, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_LOCK_PI2 = 13,
	FUTEX_CMD = 0x7f, FUTEX_PRIVATE = 128, FUTEX_TID_MASK = 0x3fffffff,
};
/* 32 bits of memory. */
bool lock_word(struct crash *c, u64 at, u64 *out);
/* The owner is the thread with that own_tid: false when the process has none. */
bool lock_own(struct crash *c, struct hang_thread *t, u64 own_tid, bool sure);
/* A function that locks mutexes waits at t->lock. */
void mutex_at(struct crash *c, struct hang_thread *t);
/* A mutex whose owner the kernel knows; one that looks like glibc's.  False: it is none. */
bool mutex_by_kernel(struct crash *c, struct hang_thread *t);
bool mutex_by_looks(struct crash *c, struct hang_thread *t);

/* A function that waits for a condition variable waits at t->lock: t->wait->on. */
void cond_at(struct crash *c, struct hang_thread *t);

/* ---- hang_tids.c */

/* 0: not known. */
u64 hang_thread_pointer(const struct crash *c, const struct hang_thread *t);
/* own_tid of all threads. */
int hang_own_tids(struct crash *c, struct err *e) must_check;

/* ---- hang_graph.c */

/* t->end of all; c->v->deadlocks. */
int graph_make(struct crash *c, struct err *e) must_check;
