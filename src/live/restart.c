#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "live/live.h"
#include "live/proc.h"

/*
 * PTRACE_INTERRUPT wakes a thread as a signal does, but then no signal is
 * there.  Calls that return ERESTART* are restarted by the kernel (arch
 * do_signal()); those that return EINTR at once, epoll_wait among them, would
 * show the target an error that nothing of its own caused.  They have done
 * nothing yet (see the list in arch/), so the call is made again.  A relative
 * timeout starts anew.
 *
 * It is done as each thread stops: should we be killed a moment later, only the
 * threads in between show an EINTR.  And it is done by what the thread itself
 * runs just now, not by the machine of the process: that may be another one
 * (Wine), or may not be known yet (exec).
 */

static u64 reg(const struct thread *th, unsigned i)
{
	return machine_reg(th->form, th->regs, i);
}

/* Bytes of the instruction that made the call. */
static u16 insn_len(const struct thread *th)
{
	const struct syscall_abi *abi = &th->form->syscall;

	return abi->mode_mask && reg(th, abi->mode_reg) & abi->mode_mask ? abi->mode_insn_len : abi->insn_len;
}

/*
 * Whose numbers the thread's last system call went by.  Not always its mode's:
 * 64-bit code of x86 can make 32-bit calls (int $0x80).  The low half of the
 * kernel's number for it is the ELF machine: include/uapi/linux/audit.h;
 * kernel/ptrace.c: ptrace_get_syscall_info(), since v5.3.
 */
static const struct arch *call_arch(const struct thread *th)
{
	const struct arch *native = arch_native();
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, th->tid, (void *)sizeof(info), &info) <= 0)
		return th->mode;
	if (native->compat && (info.arch & 0xffff) == native->compat->machine)
		return native->compat;
	return (info.arch & 0xffff) == native->machine ? native : NULL;
}

/* By the low half alone: it is all that a 32-bit call returns. */
static bool returned_eintr(const struct thread *th)
{
	return (s32)reg(th, th->form->syscall.ret_reg) == -EINTR;
}

static bool is_restartable(const struct arch *a, u64 nr)
{
	for (size_t i = 0; a && i < a->syscall.n_restartable; i++)
		if (a->syscall.restartable[i] == nr)
			return true;
	return false;
}

/* The number of the call that has just returned to the thread, or one that no call has. */
static u64 call_number(const struct thread *th)
{
	const struct arch *a = th->form;

	if (a->syscall.orig_reg >= 0)
		return (u32)reg(th, (unsigned)a->syscall.orig_reg);
	/* Known from before the stop, if the thread has not moved since. */
	if (th->was_blocked && th->call[2] == reg(th, a->sp) && th->call[3] == reg(th, a->pc) &&
	    th->call[0] == reg(th, a->syscall.nr_reg))
		return th->call[0];
	return UINT32_MAX;
}

/* Where no register keeps the number, what was seen before the stop must still be so; the call may be restarted. */
bool restart_in_call(const struct thread *th)
{
	const struct arch *a = th->form;
	u64 pc;

	if (!a || !a->syscall.insn_len)
		return false;
	if (a->syscall.orig_reg >= 0)
		return (s64)reg(th, (unsigned)a->syscall.orig_reg) >= 0;
	pc = reg(th, a->pc);
	return th->was_blocked && th->call[2] == reg(th, a->sp) && (th->call[3] == pc || th->call[3] == pc + insn_len(th));
}

/* Of those that restart_syscall(2) goes on with, is it one whose time limit is relative? */
static bool is_timed(const struct thread *th, const u8 *regs, const struct timed_call *c)
{
	const struct syscall_abi *abi = &th->form->syscall;

	return machine_reg(th->form, regs, abi->nr_reg) == c->nr && machine_reg(th->form, regs, c->limit_reg) &&
	       (machine_reg(th->form, regs, c->flags_reg) & c->mask) == c->flags;
}

void restart_timed(const struct thread *th, u8 *regs)
{
	const struct syscall_abi *abi = &th->form->syscall;

	if (!th->was_blocked || th->call[3] != machine_reg(th->form, regs, th->form->pc) + insn_len(th))
		return;
	for (size_t i = 0; i < abi->n_timed; i++)
		if (is_timed(th, regs, &abi->timed[i])) {
			machine_put_reg(th->form, regs, abi->nr_reg, abi->restart_call);
			return;
		}
}

static u64 bit(int sig)
{
	return sig > 0 ? 1ull << (sig - 1) : 0;
}

/*
 * Those of @signals that end a system call or the process.  An ignored signal is
 * delivered to a traced thread, but is dropped then, and would not have woken an
 * untraced one: sig_ignored(), sig_handler_ignored(), kernel/signal.c.
 */
static u64 waking_signals(const struct proc_status *st, u64 signals)
{
	u64 by_default = (bit(SIGCONT) | bit(SIGCHLD) | bit(SIGWINCH) | bit(SIGURG)) & ~st->sig_caught;

	return signals & ~(st->sig_ignored | by_default);
}

/* A signal that is about to be delivered explains the EINTR: it stays. */
static bool signal_due(const struct target *t, const struct thread *th)
{
	struct proc_status st;
	struct err e;

	if (proc_status(t->pid, th->tid, &st, &e))
		return true;
	return waking_signals(&st, bit(th->give_back) | ((st.sig_pending | st.shared_pending) & ~st.sig_blocked));
}

u64 restart_shared_signals(const struct target *t, const struct thread *th)
{
	struct proc_status st;
	struct err e;

	if (!t->n_threads || proc_status(t->pid, th ? th->tid : t->threads[0].tid, &st, &e))
		return 0;
	return waking_signals(&st, st.shared_pending & ~(th ? st.sig_blocked : 0));
}

/* The registers with which the thread makes its call once more. */
static void make_again(const struct thread *th, u8 *regs)
{
	const struct syscall_abi *abi = &th->form->syscall;

	memcpy(regs, th->regs, sizeof(th->regs));
	if (abi->orig_reg < 0)
		machine_put_reg(th->form, regs, abi->ret_reg, th->call[1]);
	machine_put_reg(th->form, regs, abi->nr_reg, call_number(th));
	machine_put_reg(th->form, regs, th->form->pc, reg(th, th->form->pc) - insn_len(th));
}

/* From broken to restarted, or back. */
static void change(struct thread *th)
{
	u8 again[sizeof(th->regs)];
	struct err ignored;

	make_again(th, again);
	/* It fails only for a thread that has just been killed. */
	if (!machine_write(th, th->restarted ? th->regs : again, &ignored))
		th->restarted = !th->restarted;
}

void restart_reconsider(const struct target *t, struct thread *th)
{
	if (th->broken && signal_due(t, th) == th->restarted)
		change(th);
}

/* Where no register keeps the number: in a stop of our own the kernel may tell what the call was. */
static void look_for_call(const struct target *t, struct thread *th)
{
	if (call_number(th) == UINT32_MAX && !th->give_back && is_restartable(th->form, reg(th, th->form->syscall.nr_reg)) &&
	    begun_call(t, th, insn_len(th), th->call))
		th->was_blocked = true;
}

void restart_stopped(const struct target *t, struct thread *th)
{
	th->broken = th->form && th->form->syscall.insn_len && returned_eintr(th) && !th->group_stopped;
	if (th->broken)
		look_for_call(t, th);
	th->broken = th->broken && is_restartable(call_arch(th), call_number(th));
	th->restarted = false;
	/* Reading signals from /proc takes ten times as long as the rest, and other threads wait. */
	if (th->broken && !th->give_back)
		change(th);
	else
		restart_reconsider(t, th);
}
