#include "base/util.h"
#include "dump/ranges.h"

/*
 * What futex(2) is called with is part of a lock of a C library, 64 bytes at most: glibc 2.36,
 * sysdeps/x86/nptl/bits/pthreadtypes-arch.h, __SIZEOF_PTHREAD_RWLOCK_T 56.  It is not its first word everywhere.
 */
enum { LOCK_BEFORE = 64, LOCK_BYTES = 64 };

static bool is_futex(const struct syscall_abi *s, u64 nr)
{
	return nr && (nr == s->futex[0] || nr == s->futex[1]);
}

/* Where the thread waits, or 0.  A thread that is in no call may have such registers, too: then a page more is saved. */
static u64 futex_of(const struct dump *d, const struct thread *th)
{
	const struct arch *a = d->target.arch;
	const struct syscall_abi *s = &a->syscall;
	struct bytes regs = { .p = th->gregs, .len = th->gregs_len };
	u64 nr = 0, at = 0;
	struct err e;

	/* Where the result has replaced the first argument, /proc had it before the stop. */
	if (th->was_blocked && is_futex(s, th->call[0]))
		return arch_untag(a, th->call[1]);
	if (th->stop != THREAD_STOPPED || !s->futex[0] ||
	    reg_get(a, &a->gregs, s->orig_reg >= 0 ? (unsigned)s->orig_reg : s->nr_reg, regs, &nr, &e) ||
	    !is_futex(s, nr) || reg_get(a, &a->gregs, s->args[0], regs, &at, &e))
		return 0;
	return arch_untag(a, at);
}

int waits_add(struct dump *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++) {
		u64 at = futex_of(d, &d->target.threads[i]), end;

		if (at < LOCK_BEFORE || add_overflow(at, (u64)LOCK_BYTES, &end))
			continue;
		/* What is before it may be in no area. */
		r = ranges_add_memory(d, at - LOCK_BEFORE, at, e);
		if (!r)
			r = ranges_add_memory(d, at, end, e);
	}
	return r;
}
