#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/hang.h"

/* What a futex(2) is part of, and who has it: the locks of glibc, musl, Rust and what is known of others. */

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
	{ "pthread_once", WAIT_FUTEX, 2 }, { "pthread_once_slow", WAIT_FUTEX, 2 },
	/* libstdc++: the first use of a static variable. */
	{ "cxa_guard_acquire", WAIT_FUTEX, 2 },
};

/* What those wait for that have no kind of their own, and keep no owner. */
static const struct {
	const char *function, *on;
} plain[] = {
	{ "pthread_once", "pthread_once_t" }, { "pthread_once_slow", "pthread_once_t" },
	{ "cxa_guard_acquire", "guard of a static variable" },
	{ "lll_lock_wait", "lock inside the C library" }, { "lll_lock_wait_private", "lock inside the C library" },
};

/* libstdc++ 12, src/c++11/futex.cc: __atomic_futex_unsigned_base::_M_futex_wait_until() and its kin. */
static const char future_symbol[] = "ZNSt28__atomic_futex_unsigned_base";
static const struct lock_function future = { "std::future", WAIT_COND, 2 };

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

/* "<std::sys::sync::mutex::futex::Mutex>::lock_contended", and before Rust 1.90 the same without the brackets. */
bool lock_function_is_rust(const char *symbol)
{
	return !strncmp(symbol + (*symbol == '<'), "std::sys", 8);
}

const struct lock_function *lock_function_find(const char *symbol)
{
	size_t len;

	if (lock_function_is_rust(symbol)) {
		for (size_t i = 0; i < ARRAY_SIZE(rust); i++)
			if (strstr(symbol, "futex") && strstr(symbol, rust[i].part) && strstr(symbol, rust[i].method))
				return &rust[i].f;
		return NULL;
	}
	symbol += strspn(symbol, "_");
	if (!strncmp(symbol, future_symbol, sizeof(future_symbol) - 1))
		return &future;
	len = strcspn(symbol, "@.(");
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == len && !strncmp(functions[i].name, symbol, len))
			return &functions[i];
	return NULL;
}

/* What stdio locks a FILE by, sysdeps/nptl/stdio-lock.h: lock, count, and the owner's struct pthread. */
static bool own_by_stdio(struct crash *c, struct hang_thread *t)
{
	u64 owner;

	if (!space_word(c->u, t->lock + 8, &owner) || !owner || c->core->arch->tp.tls_above)
		return false;
	for (size_t i = 0; i < c->hang->n; i++)
		if (hang_thread_pointer(c, &c->hang->v[i]) == owner)
			return lock_own(c, t, (u64)c->hang->v[i].own_tid, true);
	return false;
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

	return lock_word(c, at, readers) && lock_word(c, at + 8, &phase) && phase <= 3 && lock_word(c, at + 12, &writers) && writers <= 3 &&
	       lock_word(c, at + (wide ? 24 : 28), writer) && lock_word(c, at + 28, &shared) && (!wide || shared <= 1) &&
	       (!*writer || hang_find_own(c->hang, *writer) != SIZE_MAX) && *readers >> 3 <= c->hang->n;
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
	if (found && lock_own(c, t, writer, true))
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

	if (op & FUTEX_PRIVATE || !lock_word(c, t->lock, &now) || now != (u32)t->args[2] ||
	    (s64)now == t->own_tid || !lock_own(c, t, now, sure))
		return false;
	t->kind = WAIT_JOIN;
	t->is_shared = false;
	put_fmt(t->wait->on, sizeof(t->wait->on), "the end of thread %d", t->wait->owner);
	return true;
}

/* musl 1.2.3, src/internal/pthread_impl.h, struct pthread: tid, errno, and what pthread_join() waits at, detach_state. */
static bool musl_join(struct crash *c, struct hang_thread *t)
{
	u64 tid;

	if (!(t->args[1] & FUTEX_PRIVATE) || !lock_word(c, t->lock - 8, &tid) || !lock_own(c, t, tid, true))
		return false;
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

	if (lock_word(c, t->lock, &now))
		put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64 ", value %" PRIu64, what, t->lock, now);
	else
		put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64, what, t->lock);
}

/* No function of a known name waits.  Where there are no names, what looks in every way like glibc's mutex may be one. */
static void unnamed(struct crash *c, struct hang_thread *t, bool named)
{
	if (!mutex_by_kernel(c, t) && (named || (!mutex_by_looks(c, t) && !join(c, t, false))))
		put_plain(c, t, "futex");
}

static bool put_known(struct crash *c, struct hang_thread *t, const struct lock_function *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(f->name, plain[i].function)) {
			t->kind = WAIT_MUTEX;
			put_plain(c, t, plain[i].on);
			return true;
		}
	return false;
}

void hang_lock(struct crash *c, struct hang_thread *t, const struct lock_function *f, bool named)
{
	if (!t->has_arg0 || !is_wait(t))
		return;
	t->lock = core_untag(c->core, u64_of_word(c->u, t->args[0]));
	t->is_shared = !(t->args[1] & FUTEX_PRIVATE);
	t->kind = f ? f->kind : WAIT_FUTEX;
	t->function = f ? f->name : NULL;
	if (f == &future) {
		put_plain(c, t, f->name);
	} else if (f && !strncmp(f->name, "Rust", 4)) {
		put_plain(c, t, f->name);
		if (f->kind == WAIT_MUTEX)
			put_fmt(t->wait->on, sizeof(t->wait->on), "%s 0x%" PRIx64 ", which keeps no owner", f->name, t->lock);
	} else if (f && f->kind == WAIT_MUTEX) {
		mutex_at(c, t);
	} else if (f && f->kind == WAIT_RWLOCK) {
		rwlock(c, t);
	} else if (f && f->kind == WAIT_COND) {
		cond_at(c, t);
	} else if (f && f->kind == WAIT_SEM) {
		put_plain(c, t, "semaphore");
	} else if (f && f->kind == WAIT_BARRIER) {
		put_fmt(t->wait->on, sizeof(t->wait->on), "barrier near 0x%" PRIx64, t->lock);
	} else if (f && f->kind == WAIT_JOIN) {
		if (!join(c, t, true) && !musl_join(c, t))
			put_fmt(t->wait->on, sizeof(t->wait->on), "the end of a thread");
	} else if (f && own_by_stdio(c, t)) {
		t->kind = WAIT_MUTEX;
		put_fmt(t->wait->on, sizeof(t->wait->on), "lock of a FILE, 0x%" PRIx64 ", owned by thread %d", t->lock, t->wait->owner);
	} else if (!f || !put_known(c, t, f)) {
		unnamed(c, t, named);
	}
}
