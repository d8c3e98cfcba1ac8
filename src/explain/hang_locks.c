#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/hang.h"

/* What a futex(2) is part of, and who has it: the locks of glibc, musl, Rust and what is known of others. */

/* include/uapi/linux/futex.h */
enum {
	FUTEX_WAIT = 0, FUTEX_LOCK_PI = 6, FUTEX_WAIT_BITSET = 9, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_LOCK_PI2 = 13,
	FUTEX_CMD = 0x7f, FUTEX_PRIVATE = 128, FUTEX_TID_MASK = 0x3fffffff,
};

/* Names without leading underscores; the low-level lock is part of all the others. */
static const struct lock_function functions[] = {
	{ "lll_lock_wait", WAIT_FUTEX, 1 }, { "lll_lock_wait_private", WAIT_FUTEX, 1 },
	{ "pthread_mutex_lock", WAIT_MUTEX, 3 }, { "pthread_mutex_lock_full", WAIT_MUTEX, 3 },
	{ "pthread_mutex_timedlock", WAIT_MUTEX, 3 }, { "pthread_mutex_clocklock", WAIT_MUTEX, 3 },
	{ "pthread_mutex_clocklock_common", WAIT_MUTEX, 3 }, { "pthread_mutex_cond_lock", WAIT_MUTEX, 4 },
	{ "pthread_mutex_cond_lock_full", WAIT_MUTEX, 4 },
	{ "pthread_rwlock_rdlock", WAIT_RWLOCK, 3 }, { "pthread_rwlock_wrlock", WAIT_RWLOCK, 3 },
	{ "pthread_rwlock_timedrdlock", WAIT_RWLOCK, 3 }, { "pthread_rwlock_timedwrlock", WAIT_RWLOCK, 3 },
	{ "pthread_rwlock_clockrdlock", WAIT_RWLOCK, 3 }, { "pthread_rwlock_clockwrlock", WAIT_RWLOCK, 3 },
	{ "pthread_cond_wait", WAIT_COND, 3 }, { "pthread_cond_timedwait", WAIT_COND, 3 },
	{ "pthread_cond_clockwait", WAIT_COND, 3 }, { "pthread_cond_wait_common", WAIT_COND, 3 },
	{ "pthread_join", WAIT_JOIN, 3 }, { "pthread_timedjoin_np", WAIT_JOIN, 3 }, { "pthread_clockjoin_np", WAIT_JOIN, 3 },
	{ "pthread_clockjoin_ex", WAIT_JOIN, 3 },
	{ "sem_wait", WAIT_SEM, 3 }, { "sem_timedwait", WAIT_SEM, 3 }, { "sem_clockwait", WAIT_SEM, 3 },
	{ "new_sem_wait_slow64", WAIT_SEM, 3 }, { "new_sem_wait_slow32", WAIT_SEM, 3 }, { "new_sem_wait", WAIT_SEM, 3 },
	{ "pthread_barrier_wait", WAIT_BARRIER, 3 },
};

/* Rust's own, which have no owner: library/std/src/sys/sync/mutex/futex.rs and its neighbours. */
static const struct rust_lock {
	const char *part, *method;
	struct lock_function f;
} rust[] = {
	{ "utex", "lock_contended", { "Rust's Mutex", WAIT_MUTEX, 2 } },
	{ "ondvar", "wait", { "Rust's Condvar", WAIT_COND, 2 } },
	{ "wlock", "read_contended", { "Rust's RwLock", WAIT_RWLOCK, 2 } },
	{ "wlock", "write_contended", { "Rust's RwLock", WAIT_RWLOCK, 2 } },
	{ "thread", "park", { "Rust's park", WAIT_COND, 2 } },
};

const struct lock_function *lock_function_find(const char *symbol)
{
	size_t len;

	if (strncmp(symbol, "std::", 5) == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(rust); i++)
			if (strstr(symbol, "futex") && strstr(symbol, rust[i].part) && strstr(symbol, rust[i].method))
				return &rust[i].f;
		return NULL;
	}
	symbol += strspn(symbol, "_");
	len = strcspn(symbol, "@.(");
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == len && !strncmp(functions[i].name, symbol, len))
			return &functions[i];
	return NULL;
}

static bool word(struct crash *c, u64 at, u64 *out)
{
	return space_uint(c->u, at, 4, out);
}

static bool own(struct crash *c, struct hang_thread *t, u64 tid, bool sure)
{
	size_t i = tid <= INT32_MAX ? hang_find(c->hang, (s32)tid) : SIZE_MAX;

	if (!tid || i == SIZE_MAX)
		return false;
	t->owner = i;
	t->owner_sure = sure;
	t->wait->owner = (s32)tid;
	return true;
}

/* ---- mutexes */

/*
 * glibc 2.36, sysdeps/nptl/bits/struct_mutex.h (and x86's): with words of 8 bytes lock, count, owner, nusers, kind; with 4
 * lock, count, owner, kind, nusers.  pthread/pthreadP.h has the bits of kind.
 */
struct glibc_mutex {
	u64 lock, owner, users, kind;
};

static bool glibc_mutex_at(struct crash *c, u64 at, struct glibc_mutex *out)
{
	enum { KINDS = 3 | 16 | 32 | 64 | 128 | 256 | 512, CEILING_SHIFT = 19 };
	bool wide = c->core->layout.word == 8;

	return word(c, at, &out->lock) && word(c, at + 8, &out->owner) && word(c, at + (wide ? 12 : 16), &out->users) &&
	       word(c, at + (wide ? 16 : 12), &out->kind) && !(out->kind & ~(u64)KINDS) && out->users <= c->hang->n &&
	       out->lock;
}

/* A lock word of a mutex that is robust or passes priority on has the owner itself, as musl's have (src/thread). */
static bool own_by_word(struct crash *c, struct hang_thread *t, bool sure)
{
	u64 v;

	return word(c, t->lock, &v) && own(c, t, v & FUTEX_TID_MASK, sure);
}

/* What stdio locks a FILE by, sysdeps/nptl/stdio-lock.h: lock, count, and the owner's struct pthread. */
static bool own_by_stdio(struct crash *c, struct hang_thread *t)
{
	const struct arch *a = c->core->arch;
	struct core_regset s;
	u64 owner, tp;

	if (!space_word(c->u, t->lock + 8, &owner) || !owner || !a->tp.set)
		return false;
	for (size_t i = 0; i < c->hang->n; i++) {
		const struct core_thread *th = c->hang->v[i].thread;

		if (th && core_thread_regset(c->core, th, a->tp.set->name, &s) &&
		    !reg_get(a, s.set, a->tp.reg, s.desc, &tp, NULL) && tp == owner && !a->tp.tls_above)
			return own(c, t, (u64)th->tid, true);
	}
	return false;
}

static void mutex(struct crash *c, struct hang_thread *t, bool sure)
{
	struct glibc_mutex m = { 0 };
	bool found = false;

	t->kind = WAIT_MUTEX;
	if (glibc_mutex_at(c, t->lock, &m)) {
		t->is_recursive = (m.kind & 3) == 1;
		found = own(c, t, m.owner, sure);
	}
	if (!found)
		found = own_by_word(c, t, sure);
	if (found)
		put_fmt(t->wait->on, sizeof(t->wait->on), "mutex 0x%" PRIx64 ", owned by thread %d", t->lock, t->wait->owner);
	else if (m.owner)
		put_fmt(t->wait->on, sizeof(t->wait->on), "mutex 0x%" PRIx64 ", whose owner %" PRIu64 " is no thread (any more)",
			t->lock, m.owner);
	else
		put_fmt(t->wait->on, sizeof(t->wait->on), "mutex 0x%" PRIx64 ", whose owner is not known", t->lock);
}

/* ---- reader-writer locks */

/*
 * glibc 2.36, sysdeps/nptl/bits/struct_rwlock.h: readers, writers, wrphase_futex, writers_futex, and the writer after two
 * more words, or of 32-bit programs three.  Any of the three is what a thread waits at.
 */
static bool rwlock_at(struct crash *c, u64 at, u64 *readers, u64 *writer)
{
	u64 phase, writers, shared;
	bool wide = c->core->layout.word == 8;

	return word(c, at, readers) && word(c, at + 8, &phase) && phase <= 3 && word(c, at + 12, &writers) && writers <= 3 &&
	       word(c, at + (wide ? 24 : 28), writer) && word(c, at + 28, &shared) && (!wide || shared <= 1) &&
	       (!*writer || hang_find(c->hang, (s32)*writer) != SIZE_MAX) && *readers >> 3 <= c->hang->n;
}

static void rwlock(struct crash *c, struct hang_thread *t)
{
	static const u8 words[] = { 8, 12, 0 };
	u64 at = t->lock, readers = 0, writer = 0;
	bool found = false;

	for (size_t i = 0; !found && i < ARRAY_SIZE(words); i++) {
		found = rwlock_at(c, at - words[i], &readers, &writer) && (writer || readers >> 3);
		if (found)
			t->lock = at - words[i];
	}
	if (found && own(c, t, writer, true))
		put_fmt(t->wait->on, sizeof(t->wait->on), "rwlock 0x%" PRIx64 ", written by thread %d", t->lock, t->wait->owner);
	else if (found)
		put_fmt(t->wait->on, sizeof(t->wait->on), "rwlock 0x%" PRIx64 ", read by %" PRIu64 " (it does not say by whom)",
			t->lock, readers >> 3);
	else
		put_fmt(t->wait->on, sizeof(t->wait->on), "rwlock at or before 0x%" PRIx64 ", whose owner is not known", at);
}

/* ---- threads that end */

/*
 * The kernel clears a thread's tid, in its struct pthread, and wakes who waits there, for any process:
 * CLONE_CHILD_CLEARTID; glibc 2.36, nptl/pthread_join_common.c waits without FUTEX_PRIVATE for that value.
 */
static bool join(struct crash *c, struct hang_thread *t, bool sure)
{
	u64 now, op = t->args[1];

	if (op & FUTEX_PRIVATE || !word(c, t->lock, &now) || now != (u32)t->args[2] || (s32)now == t->tid ||
	    !own(c, t, now, sure))
		return false;
	t->kind = WAIT_JOIN;
	put_fmt(t->wait->on, sizeof(t->wait->on), "the end of thread %d", t->wait->owner);
	return true;
}

/* ---- */

static bool is_wait(const struct hang_thread *t)
{
	u64 op = t->args[1] & FUTEX_CMD;

	return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 ||
	       op == FUTEX_WAIT_REQUEUE_PI;
}

static void put_plain(struct crash *c, struct hang_thread *t, const char *what)
{
	u64 now;

	if (word(c, t->lock, &now))
		put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64 ", value %" PRIu64, what, t->lock, now);
	else
		put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64, what, t->lock);
}

/* No function of a known name waits.  Where there are no names, what looks in every way like glibc's mutex may be one. */
static void unnamed(struct crash *c, struct hang_thread *t, bool named)
{
	u64 op = t->args[1] & FUTEX_CMD;
	struct glibc_mutex m;

	if ((op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) && own_by_word(c, t, true)) {
		t->kind = WAIT_MUTEX;
		put_fmt(t->wait->on, sizeof(t->wait->on), "mutex 0x%" PRIx64 ", owned by thread %d", t->lock, t->wait->owner);
	} else if (!named && op == FUTEX_WAIT && (u32)t->args[2] == 2 && glibc_mutex_at(c, t->lock, &m) && m.lock == 2 &&
		   m.users && hang_find(c->hang, (s32)m.owner) != SIZE_MAX) {
		mutex(c, t, false);
	} else if (named || !join(c, t, false)) {
		put_plain(c, t, "futex");
	}
}

void hang_lock(struct crash *c, struct hang_thread *t, const struct lock_function *f, bool named)
{
	if (!t->has_arg0 || !is_wait(t))
		return;
	t->lock = core_untag(c->core, u64_of_word(c->u, t->args[0]));
	t->kind = f ? f->kind : WAIT_FUTEX;
	t->function = f ? f->name : NULL;
	if (f && !strncmp(f->name, "Rust", 4)) {
		put_plain(c, t, f->name);
		if (f->kind == WAIT_MUTEX)
			put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64 ", which keeps no owner", f->name, t->lock);
	} else if (f && f->kind == WAIT_MUTEX) {
		mutex(c, t, true);
	} else if (f && f->kind == WAIT_RWLOCK) {
		rwlock(c, t);
	} else if (f && f->kind == WAIT_COND) {
		put_fmt(t->wait->on, sizeof(t->wait->on), "condition variable near 0x%" PRIx64, t->lock);
	} else if (f && f->kind == WAIT_SEM) {
		put_plain(c, t, "semaphore");
	} else if (f && f->kind == WAIT_BARRIER) {
		put_fmt(t->wait->on, sizeof(t->wait->on), "barrier near 0x%" PRIx64, t->lock);
	} else if (f && f->kind == WAIT_JOIN) {
		if (!join(c, t, true))
			put_fmt(t->wait->on, sizeof(t->wait->on), "the end of a thread");
	} else if (f && own_by_stdio(c, t)) {
		t->kind = WAIT_MUTEX;
		put_fmt(t->wait->on, sizeof(t->wait->on), "lock of a FILE, 0x%" PRIx64 ", owned by thread %d", t->lock, t->wait->owner);
	} else {
		unnamed(c, t, named);
	}
}
