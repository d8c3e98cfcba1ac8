#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/hang.h"

/* Mutexes of glibc and musl, and who has them. */

bool lock_word(struct crash *c, u64 at, u64 *out)
{
	return space_uint(c->u, at, 4, out);
}

bool lock_own(struct crash *c, struct hang_thread *t, u64 own_tid, bool sure)
{
	size_t i = own_tid ? hang_find_own(c->hang, own_tid) : SIZE_MAX;

	if (i == SIZE_MAX)
		return false;
	t->owner = i;
	t->owner_sure = sure;
	t->wait->owner = c->hang->v[i].tid;
	return true;
}

/*
 * glibc 2.36, sysdeps/nptl/bits/struct_mutex.h (and x86's): with words of 8 bytes lock, count, owner, nusers, kind; with 4
 * lock, count, owner, kind, nusers.  nptl/pthreadP.h has the bits of kind.
 */
enum { KIND_RECURSIVE = 1, KIND_TYPE = 3, KIND_ROBUST = 16, KIND_SHARED = 128 };
struct glibc_mutex {
	u64 lock, owner, users, kind;
};

static bool glibc_mutex_at(struct crash *c, u64 at, struct glibc_mutex *out)
{
	enum { KINDS = 3 | 16 | 32 | 64 | 128 | 256 | 512 };
	bool wide = c->core->layout.word == 8;

	return lock_word(c, at, &out->lock) && lock_word(c, at + 8, &out->owner) &&
	       lock_word(c, at + (wide ? 12 : 16), &out->users) && lock_word(c, at + (wide ? 16 : 12), &out->kind) &&
	       !(out->kind & ~(u64)KINDS) && out->users <= c->hang->n && out->lock;
}

static bool is_pi(const struct hang_thread *t)
{
	u64 op = t->args[1] & FUTEX_CMD;

	return op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
}

/* The owner that the word itself has, and where it is none of the process. */
static bool own_by_word(struct crash *c, struct hang_thread *t)
{
	u64 v;

	if (!lock_word(c, t->lock, &v))
		return false;
	t->lost_owner = (s32)(v & FUTEX_TID_MASK);
	return lock_own(c, t, v & FUTEX_TID_MASK, true);
}

/*
 * musl 1.2.3, src/internal/pthread_impl.h: the type is the word before the lock, and 0 the only one whose lock has
 * no owner, but EBUSY (src/thread/pthread_mutex_lock.c).
 */
static bool musl_owner(struct crash *c, struct hang_thread *t)
{
	enum { TYPE = 15, SHARED = 128 };
	u64 type;

	if (!lock_word(c, t->lock - 4, &type) || type & ~(u64)(TYPE | SHARED) || !(type & TYPE))
		return false;
	t->is_recursive = (type & KIND_TYPE) == KIND_RECURSIVE;
	t->is_shared = type & SHARED;
	return own_by_word(c, t);
}

static bool glibc_owner(struct crash *c, struct hang_thread *t, const struct glibc_mutex *m)
{
	t->is_recursive = (m->kind & KIND_TYPE) == KIND_RECURSIVE;
	t->is_shared = m->kind & KIND_SHARED;
	t->lost_owner = (s32)m->owner;
	return lock_own(c, t, m->owner, true);
}

/*
 * What it waits for the word to change from: 2 in glibc's plain mutexes, whose owner is beside (nptl/lowlevellock.c); a
 * thread's id with FUTEX_WAITERS where the word has the owner, robust ones of glibc and most of musl.  No other value is
 * looked at: the word of a plain mutex, 2 or EBUSY, would be a thread's id, too.
 */
static bool owner_of(struct crash *c, struct hang_thread *t)
{
	enum { CONTENDED = 2, WAITERS = 0x80000000u };
	u32 from = (u32)t->args[2];
	struct glibc_mutex m;

	if (is_pi(t))
		return own_by_word(c, t);
	if (glibc_mutex_at(c, t->lock, &m) && (from == CONTENDED || (from & WAITERS && m.kind & KIND_ROBUST)))
		return glibc_owner(c, t, &m);
	return from & WAITERS && musl_owner(c, t);
}

static void put_mutex(const struct crash *c, struct hang_thread *t, bool found)
{
	char *out = t->wait->on;
	size_t size = sizeof(t->wait->on);

	if (found)
		t->lost_owner = 0;
	if (found)
		put_fmt(out, size, "mutex 0x%" PRIx64 ", owned by thread %d", t->lock, t->wait->owner);
	else if (t->lost_owner && c->hang->other_ns && !c->hang->n_own)
		put_fmt(out, size, "mutex 0x%" PRIx64 ", owned by thread %d of its own PID namespace", t->lock, t->lost_owner);
	else if (t->lost_owner)
		put_fmt(out, size, "mutex 0x%" PRIx64 ", whose owner %d is no thread of the process (any more)", t->lock,
			t->lost_owner);
	else
		put_fmt(out, size, "mutex 0x%" PRIx64 ", whose owner is not known", t->lock);
	if (!c->hang->n_own)
		t->lost_owner = 0;
}

/*
 * glibc 2.36, nptl/pthread_mutex_lock.c, __pthread_mutex_lock_full(): a thread to which the kernel has refused a mutex
 * that passes priority on, for it would wait for itself (EDEADLK), or the owner has gone (ESRCH), waits for a 0 of
 * its own to become something else, which never happens.
 */
static bool is_refused(struct crash *c, const struct hang_thread *t)
{
	u64 now;

	return !is_pi(t) && !(u32)t->args[2] && !t->timed && lock_word(c, t->lock, &now) && !now;
}

void mutex_at(struct crash *c, struct hang_thread *t)
{
	t->kind = WAIT_MUTEX;
	t->is_refused = is_refused(c, t);
	if (t->is_refused)
		put_fmt(t->wait->on, sizeof(t->wait->on), "a mutex that the kernel has refused to it");
	else
		put_mutex(c, t, owner_of(c, t));
}

bool mutex_by_kernel(struct crash *c, struct hang_thread *t)
{
	if (!is_pi(t))
		return false;
	t->kind = WAIT_MUTEX;
	put_mutex(c, t, own_by_word(c, t));
	return true;
}

bool mutex_by_looks(struct crash *c, struct hang_thread *t)
{
	u64 op = t->args[1] & FUTEX_CMD;
	struct glibc_mutex m;

	if (op != FUTEX_WAIT || (u32)t->args[2] != 2 || !glibc_mutex_at(c, t->lock, &m) || m.lock != 2 || !m.users ||
	    !lock_own(c, t, m.owner, false))
		return false;
	t->kind = WAIT_MUTEX;
	t->is_recursive = (m.kind & KIND_TYPE) == KIND_RECURSIVE;
	put_mutex(c, t, true);
	return true;
}

/* ---- condition variables */

/*
 * While it waits, glibc has on its stack, for a cancellation, its number among those who have waited, the condition
 * variable, the mutex, and how futex(2) is told who shares it (2.36, nptl/pthread_cond_wait.c: struct
 * _condvar_cleanup_buffer).  The condition variable begins with the next number, and has the word that it waits at.
 */
static bool is_cleanup(struct crash *c, const struct hang_thread *t, u64 at, u64 *cond, u64 *mutex)
{
	enum { COND_BYTES = 48 };
	u64 word = c->core->layout.word, wseq, next, private;

	return space_word(c->u, at + 8, cond) && *cond <= t->lock && t->lock - *cond < COND_BYTES &&
	       space_word(c->u, at + 8 + word, mutex) && *mutex && *mutex % 4 == 0 &&
	       lock_word(c, at + 8 + 2 * word, &private) && (private == 0 || private == FUTEX_PRIVATE) &&
	       space_uint(c->u, at, 8, &wseq) && space_uint(c->u, *cond, 8, &next) && wseq < next;
}

static bool cond_of_stack(struct crash *c, const struct hang_thread *t, u64 *cond, u64 *mutex)
{
	enum { STACK_MAX = 2048 };
	u64 word = c->core->layout.word;

	if (t->stack_from >= t->stack_to || t->stack_to - t->stack_from > STACK_MAX)
		return false;
	for (u64 at = align_up(t->stack_from, word); at < t->stack_to; at += word)
		if (is_cleanup(c, t, at, cond, mutex))
			return true;
	return false;
}

void cond_at(struct crash *c, struct hang_thread *t)
{
	char *out = t->wait->on;
	size_t size = sizeof(t->wait->on), i;
	u64 cond, mutex, owner;

	/* musl's is a list of those who wait, each of which waits at a word of its own (1.2.3, src/thread/pthread_cond_timedwait.c). */
	if (t->lock >= t->stack_from && t->lock < t->stack_to) {
		put_fmt(out, size, "a condition variable");
		return;
	}
	if (!cond_of_stack(c, t, &cond, &mutex)) {
		put_fmt(out, size, "condition variable near 0x%" PRIx64, t->lock);
		return;
	}
	i = lock_word(c, mutex + 8, &owner) && owner ? hang_find_own(c->hang, owner) : SIZE_MAX;
	put_fmt(out, size, "condition variable 0x%" PRIx64 " with mutex 0x%" PRIx64, cond, mutex);
	if (i != SIZE_MAX)
		put_fmt(out + strlen(out), size - strlen(out), ", which thread %d has", c->hang->v[i].tid);
}
