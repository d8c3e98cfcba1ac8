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
	u8 limit;		/* the argument that is a time limit, from 1; 0: it has none */
	bool limit_is_ms;	/* an int, negative without a limit; else a pointer */
};

struct hang_thread {
	s32 tid;
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
	const char *function;	/* a row's name in hang_locks.c: "pthread_mutex_lock"; or NULL */
	bool owner_sure;	/* by the function that waits, too, not only by what the memory looks like */
	bool is_recursive;	/* a mutex that its owner may lock again */
	struct wait *wait;	/* the text */
	size_t owner;		/* index of the thread that it waits for, or SIZE_MAX */
	size_t end;		/* of the chain of owners; SIZE_MAX: it ends in a circle */
};

struct hang {
	struct hang_thread *v;	/* by tid */
	size_t n;
	const struct live *live;	/* NULL: a core */
};

/* ---- hang.c */

/* c->hang and c->v->waits.  False: *r says why, or c->v->sentence. */
bool hang_gather(struct crash *c, struct err *e, int *r);
void hang_free(struct hang *h);

/* ---- hang_thread.c */

/* SIZE_MAX: no such thread. */
size_t hang_find(const struct hang *h, s32 tid);
/* "waits in read for fd 3", "runs": what it does, for a sentence. */
const char *hang_text(const struct hang_thread *t, char *out, size_t size);

/* ---- hang_calls.c: from registers */

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
/* t->kind, t->lock, t->owner and t->wait->on, of the function @f, or NULL.  @named: the functions around have names. */
void hang_lock(struct crash *c, struct hang_thread *t, const struct lock_function *f, bool named);

/* ---- hang_graph.c */

/* t->end of all; c->v->deadlocks. */
int graph_make(struct crash *c, struct err *e) must_check;
