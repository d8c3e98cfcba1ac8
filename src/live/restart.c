#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

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

/* Is what is known of its call true of where it stands? */
static bool knows_call(const struct thread *th)
{
	const struct arch *a = th->form;

	return th->was_blocked && th->call[2] == reg(th, a->sp) && th->call[3] == reg(th, a->pc) &&
	       th->call[0] == reg(th, a->syscall.nr_reg);
}

/* The number of the call that has just returned to the thread, or one that no call has. */
static u64 call_number(const struct thread *th)
{
	const struct arch *a = th->form;

	if (a->syscall.orig_reg >= 0)
		return (u32)reg(th, (unsigned)a->syscall.orig_reg);
	return knows_call(th) ? th->call[0] : UINT32_MAX;
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

static bool put_number(const struct thread *th, s32 nr)
{
	struct iovec iov = { .iov_base = &nr, .iov_len = sizeof(nr) };

	return ptrace(PTRACE_SETREGSET, th->tid, (void *)(uintptr_t)th->form->inject->number_set, &iov) == 0;
}

/* Reads no page that is not there: that would make the process larger, or wait for whoever serves it. */
static bool read_there(const struct target *t, u64 addr, u8 *p, size_t len, bool anonymous)
{
	return proc_are_there(t->pid, addr, addr + len, anonymous) && pread(t->mem_fd, p, len, (off_t)addr) == (ssize_t)len;
}

static bool follows_call(const struct target *t, const struct thread *th)
{
	u16 len = insn_len(th);
	u8 code[8];

	return read_there(t, reg(th, th->form->pc) - len, code, len, false) &&
	       !memcmp(code, th->form->inject->codes[0].bytes, len);
}

/*
 * Has a handler returned to where the thread stands?  Then the EINTR is its signal's, and the last call was rt_sigreturn(2).
 * Its frame, with the stack pointer and the program counter beside each other, is below the stack still, unless the
 * handler had another stack.
 */
static bool has_been_handled(const struct target *t, const struct thread *th)
{
	enum { STEP = 4 << 10, STEPS = 4 };
	u64 sp = reg(th, th->form->sp), end = align_down(sp, STEP), at[2] = { sp, reg(th, th->form->pc) };
	struct proc_status st;
	struct err ignored;
	u8 below[STEP];

	if (!proc_status(t->pid, th->tid, &st, &ignored) && !st.sig_caught)
		return false;
	for (unsigned i = 0; i <= STEPS && end >= i * STEP; i++) {
		size_t len = i ? STEP : (size_t)(sp - end);

		if (!read_there(t, end - i * STEP, below, len, true))
			break;
		if (memmem(below, len, at, sizeof(at)))
			return true;
	}
	return false;
}

/*
 * Where no register keeps the first argument, and the thread had not begun its call when it was looked at: the kernel
 * forgets at the stop that there was a call, but not the argument.  Told the number, it shows both.
 * arch/arm64/kernel/signal.c: do_signal(), forget_syscall(); asm/syscall.h: syscall_get_arguments().
 */
static void learn_call(const struct target *t, struct thread *th)
{
	const struct arch *a = th->form;
	u64 nr = reg(th, a->syscall.nr_reg);

	if (a->syscall.orig_reg >= 0 || !a->inject || !a->inject->number_set || knows_call(th) ||
	    !is_restartable(call_arch(th), nr) || !follows_call(t, th) || has_been_handled(t, th) || !put_number(th, (s32)nr))
		return;
	th->was_blocked = proc_syscall(t->pid, th->tid, th->call);
	put_number(th, -1);
}

void restart_stopped(const struct target *t, struct thread *th)
{
	if (th->form && th->form->syscall.insn_len && returned_eintr(th))
		learn_call(t, th);
	th->broken = th->form && th->form->syscall.insn_len && returned_eintr(th) &&
		     is_restartable(call_arch(th), call_number(th)) && !th->group_stopped;
	th->restarted = false;
	/* Reading signals from /proc takes ten times as long as the rest, and other threads wait. */
	if (th->broken && !th->give_back)
		change(th);
	else
		restart_reconsider(t, th);
}
