#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/util.h"
#include "live/live.h"
#include "live/proc.h"

/*
 * PTRACE_INTERRUPT wakes a thread as a signal does, but then no signal is
 * there.  Calls that return ERESTART* are restarted by the kernel (arch
 * do_signal()); those that return EINTR at once, epoll_wait among them, would
 * show the target an error that nothing of its own caused.  They have done
 * nothing yet (see the list in arch/), so the call is made again.  A relative
 * timeout starts anew.
 */

static u64 greg(const struct arch *a, const struct thread *th, unsigned i)
{
	return uint_get(a->fmt, th->gregs + a->gregs.regs[i].off, a->gregs.regs[i].size);
}

/* Bytes of the instruction that made the call. */
static u16 insn_len(const struct arch *a, const struct thread *th)
{
	const struct syscall_abi *abi = &a->syscall;

	return abi->mode_mask && greg(a, th, abi->mode_reg) & abi->mode_mask ? abi->mode_insn_len : abi->insn_len;
}

static bool returned_eintr(const struct arch *a, const struct thread *th)
{
	unsigned unused = 64 - 8u * a->gregs.regs[a->syscall.ret_reg].size;

	return (s64)(greg(a, th, a->syscall.ret_reg) << unused) >> unused == -EINTR;
}

static void put_greg(const struct arch *a, u8 *gregs, unsigned i, u64 value)
{
	uint_put(a->fmt, gregs + a->gregs.regs[i].off, a->gregs.regs[i].size, value);
}

static bool is_restartable(const struct syscall_abi *abi, u64 nr)
{
	for (size_t i = 0; i < abi->n_restartable; i++)
		if (abi->restartable[i] == nr)
			return true;
	return false;
}

/* The number of the call that has just returned to the thread, or -1. */
static u64 call_number(const struct arch *a, const struct thread *th)
{
	if (a->syscall.orig_reg >= 0)
		return greg(a, th, (unsigned)a->syscall.orig_reg);
	/* Known from before the stop, if the thread has not moved since. */
	if (th->was_blocked && th->call[2] == greg(a, th, a->sp) && th->call[3] == greg(a, th, a->pc) &&
	    th->call[0] == greg(a, th, a->syscall.nr_reg))
		return th->call[0];
	return (u64)-1;
}

/* A signal that is about to be delivered explains the EINTR: it stays. */
static bool signal_due(const struct target *t, const struct thread *th)
{
	struct proc_status st;
	struct err e;

	if (th->give_back || th->group_stopped)
		return true;
	return proc_status(t->pid, th->tid, &st, &e) || ((st.sig_pending | st.shared_pending) & ~st.sig_blocked);
}

int restart_syscall(const struct target *t, struct thread *th, struct err *e)
{
	const struct arch *a = t->arch;
	u8 gregs[sizeof(th->gregs)];
	struct iovec iov = { .iov_base = gregs, .iov_len = th->gregs_len };
	u64 nr;

	/* Of a thread in the other mode the call's number is not one of t->arch's. */
	if (!a->syscall.insn_len || th->other_mode || !returned_eintr(a, th))
		return 0;
	nr = call_number(a, th);
	if (!is_restartable(&a->syscall, nr) || signal_due(t, th))
		return 0;
	memcpy(gregs, th->gregs, sizeof(gregs));
	if (a->syscall.orig_reg < 0)
		put_greg(a, gregs, a->syscall.ret_reg, th->call[1]);
	put_greg(a, gregs, a->syscall.nr_reg, nr);
	put_greg(a, gregs, a->pc, greg(a, th, a->pc) - insn_len(a, th));
	if (ptrace(PTRACE_SETREGSET, th->tid, (void *)(uintptr_t)a->gregs.type, &iov) < 0 && errno != ESRCH)
		return err_set(e, -errno, "restart system call %llu of thread %d", (unsigned long long)nr, th->tid);
	th->restarted = true;
	return 0;
}

void restart_reconsider(const struct target *t, const struct thread *th)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)th->gregs, .iov_len = th->gregs_len };

	if (th->restarted && signal_due(t, th))
		ptrace(PTRACE_SETREGSET, th->tid, (void *)(uintptr_t)t->arch->gregs.type, &iov);
}
