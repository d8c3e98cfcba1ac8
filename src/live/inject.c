#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/uapi.h"
#include "base/util.h"
#include "live/inject.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/undo.h"

enum {
	POISON = 0x18,		/* below the lowest address that a process may map: vm.mmap_min_addr */
	WAIT_S = 60,		/* for one stop: to copy the page tables of 1 TiB takes half of it */
	TRIES = 16,		/* of a call that signals keep away */
	RESTARTNOINTR = 513,	/* include/linux/errno.h */
	USER_DISPATCH = 2,	/* SYS_USER_DISPATCH, include/uapi/asm-generic/siginfo.h */
};

/* ---- whether */

/* This machine's calls are known, and the program is one of its own. */
static bool is_known(const struct target *t)
{
	return t->arch == arch_native() && t->arch->inject;
}

/* A filter may kill the process for a call that is not its own; only CAP_SYS_ADMIN can suspend it. */
static bool may_suspend_seccomp(void)
{
	struct proc_status st;
	struct err ignored;

	return geteuid() == 0 && !proc_status(getpid(), getpid(), &st, &ignored) && !st.seccomp;
}

int inject_check(const struct target *t, bool *seccomp, struct err *e)
{
	struct proc_status st;
	int r;

	if (!is_known(t))
		return err_set(e, ERR_UNSUPPORTED, "it is not known how to make a system call for a program of this machine");
	r = proc_status(t->pid, t->reader, &st, e);
	if (r)
		return r;
	*seccomp = st.seccomp;
	if (st.seccomp && !may_suspend_seccomp())
		return err_set(e, ERR_UNSUPPORTED, "the process has a seccomp filter, which only CAP_SYS_ADMIN may suspend");
	return 0;
}

const struct vma *inject_vdso(const struct areas *areas)
{
	for (size_t i = 0; i < areas->n; i++)
		if (areas->v[i].vma->name && !strcmp(areas->v[i].vma->name, "[vdso]"))
			return areas->v[i].vma;
	return NULL;
}

/* ---- where the vdso calls the kernel */

/* @len bytes at @addr of the target are those at @ours. */
static bool is_same(const struct target *t, u64 addr, const u8 *ours, size_t len)
{
	u8 theirs[sizeof(((struct inject_code *)NULL)->bytes)];
	struct err ignored;
	size_t n = 0;

	return !target_read(t, addr, theirs, len, &n, &ignored) && n == len && !memcmp(theirs, ours, len);
}

/* One kernel gives all processes of one word size the same vdso: it is looked for in ours. */
int inject_open(struct inject *i, const struct target *t, const struct vma *vdso, u64 undo, bool seccomp,
		struct err *e)
{
	const u8 *ours = (const u8 *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	u64 len = vma_len(vdso);

	*i = (struct inject){ .arch = t->arch, .options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE, .undo = undo };
	if (seccomp)
		i->options |= PTRACE_O_SUSPEND_SECCOMP;
	for (size_t k = 0; ours && is_known(t) && k < t->arch->inject->n_codes; k++) {
		const struct inject_code *c = &t->arch->inject->codes[k];
		const u8 *at = memmem(ours, len, c->bytes, c->len);

		if (at && is_same(t, vdso->start + (u64)(at - ours), at, c->len)) {
			i->pc = vdso->start + (u64)(at - ours);
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "no call in its vdso that is known");
}

/* ---- registers */

static int get_regs(const struct inject *i, pid_t tid, u8 *regs, struct err *e)
{
	struct iovec iov = { .iov_base = regs, .iov_len = i->arch->gregs.size };

	return ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)i->arch->gregs.type, &iov) < 0
		? machine_refused(tid, "read registers", e) : 0;
}

static int set_regs(const struct inject *i, pid_t tid, const u8 *regs, struct err *e)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)regs, .iov_len = i->arch->gregs.size };

	return ptrace(PTRACE_SETREGSET, tid, (void *)(uintptr_t)i->arch->gregs.type, &iov) < 0
		? machine_refused(tid, "write registers", e) : 0;
}

/* Those with which the call is made. */
static void make_regs(const struct inject *i, u8 *regs, enum inject_call call, const u64 args[4])
{
	const struct inject_abi *abi = i->arch->inject;

	for (size_t k = 0; k < abi->n_poison; k++)
		machine_put_reg(i->arch, regs, abi->poison[k], POISON);
	for (size_t k = 0; k < 4; k++)
		machine_put_reg(i->arch, regs, i->arch->syscall.args[k], args[k]);
	if (abi->clear)
		machine_put_reg(i->arch, regs, abi->clear_reg, machine_reg(i->arch, regs, abi->clear_reg) & ~abi->clear);
	machine_put_reg(i->arch, regs, i->arch->syscall.nr_reg, abi->numbers[call]);
	machine_put_reg(i->arch, regs, i->arch->pc, i->pc);
	/* It is in no call: what the registers say is not to be made again. */
	if (i->arch->syscall.orig_reg >= 0)
		machine_put_reg(i->arch, regs, (unsigned)i->arch->syscall.orig_reg, UINT64_MAX);
}

/* The same where the number is no general register.  -1: it is in no call. */
static int put_number(const struct inject *i, pid_t tid, int number, struct err *e)
{
	struct iovec iov = { .iov_base = &number, .iov_len = sizeof(number) };
	u32 type = i->arch->inject->number_set;

	return type && ptrace(PTRACE_SETREGSET, tid, (void *)(uintptr_t)type, &iov) < 0
		? machine_refused(tid, "write the number of the call", e) : 0;
}

/* ---- to run */

/* It takes 10 to 50 us but for clone(2), so it is asked often at first. */
int inject_wait(pid_t tid, int *status, struct err *e)
{
	u64 begin = now_ns();
	struct timespec nap = { .tv_nsec = 50 * 1000 };

	for (;;) {
		u64 waited = now_ns() - begin;
		pid_t r = waitpid(tid, status, __WALL | WNOHANG);

		if (r < 0 && errno != EINTR)
			return err_set(e, ERR_GONE, "thread %d has ended", tid);
		if (r == tid)
			return WIFSTOPPED(*status) ? 0 : err_set(e, ERR_GONE, "thread %d has ended", tid);
		if (waited > WAIT_S * 1000000000ull)
			return err_set(e, -ETIMEDOUT, "wait for thread %d", tid);
		if (waited < 100 * 1000)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
}

static int resume(pid_t tid, int request, int *status, struct err *e)
{
	return ptrace(request, tid, NULL, NULL) < 0 ? machine_refused(tid, "resume", e) : inject_wait(tid, status, e);
}

/* PTRACE_O_TRACESYSGOOD is set. */
static bool is_call_stop(int status)
{
	return status >> 8 == (SIGTRAP | 0x80);
}

static bool is_clone_stop(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_CLONE << 8);
}

/*
 * To the call.  A thread that was stopped with its group before it was interrupted has a second stop of
 * the same kind to report: kernel/signal.c: do_jobctl_trap().
 */
static int enter_call(pid_t tid, int *status, struct err *e)
{
	int r;

	for (int k = 0; k < TRIES; k++) {
		r = resume(tid, PTRACE_SYSCALL, status, e);
		if (r || *status >> 16 != PTRACE_EVENT_STOP)
			break;
	}
	return r;
}

/* From a call's beginning to the stop after it.  1: made; 0: *status is another stop. */
static int finish_call(const struct inject *i, pid_t tid, struct inject_result *out, int *status, struct err *e)
{
	u8 regs[512];
	unsigned long child = 0;
	int r;

	r = resume(tid, PTRACE_SYSCALL, status, e);
	if (!r && is_clone_stop(*status)) {
		ptrace(PTRACE_GETEVENTMSG, tid, NULL, &child);
		out->child = (pid_t)child;
		r = resume(tid, PTRACE_SYSCALL, status, e);
	}
	if (!r)
		r = get_regs(i, tid, regs, e);
	if (r)
		return r;
	out->ret = (s64)machine_reg(i->arch, regs, i->arch->syscall.ret_reg);
	return is_call_stop(*status);
}

/* The same from where it stands. */
static int run_call(const struct inject *i, pid_t tid, struct inject_result *out, int *status, struct err *e)
{
	int r = enter_call(tid, status, e);

	*out = (struct inject_result){ 0 };
	return r || !is_call_stop(*status) ? r : finish_call(i, tid, out, status, e);
}

static int start_call(const struct inject *i, pid_t tid, const u8 *from, enum inject_call call, const u64 args[4],
		      struct err *e)
{
	u8 regs[512];
	int r;

	memcpy(regs, from, sizeof(regs));
	make_regs(i, regs, call, args);
	r = put_number(i, tid, -1, e);
	return r ? r : set_regs(i, tid, regs, e);
}

/* A signal to its process group may have come to it, too: it is dropped, for there is nobody to handle it. */
int inject_own(const struct inject *i, pid_t tid, enum inject_call call, const u64 args[4],
	       struct inject_result *out, struct err *e)
{
	u8 regs[512];
	int r = get_regs(i, tid, regs, e), status = 0;

	for (int k = 0; !r && k < TRIES; k++) {
		r = start_call(i, tid, regs, call, args, e);
		if (!r)
			r = run_call(i, tid, out, &status, e);
		if (r > 0 && out->ret != -RESTARTNOINTR)
			return 0;
		r = r < 0 ? r : 0;
	}
	return r ? r : err_set(e, -EINTR, "process %d gets too many signals", tid);
}

static int set_options(pid_t tid, unsigned long options, struct err *e)
{
	return ptrace(PTRACE_SETOPTIONS, tid, NULL, (void *)options) < 0 ? machine_refused(tid, "set options", e) : 0;
}

int inject_adopt(const struct inject *i, pid_t pid, struct err *e)
{
	int status;
	int r = inject_wait(pid, &status, e);

	return r ? r : set_options(pid, i->options | PTRACE_O_EXITKILL, e);
}

/* ---- a thread of the target */

/*
 * A call with a mask of its own (ppoll(2), sigsuspend(2), epoll_pwait(2), …) has set @blocked, and PTRACE_GETSIGMASK
 * gives the mask that comes back with the call's end, as here it does when the call for us begins: kernel/ptrace.c:
 * ptrace_request(); kernel/signal.c: set_user_sigmask().  Then the call is made again, mask and all.  Signals
 * that the thread's own mask blocks stay pending for it meanwhile; those that only the call's blocks would come too early.
 */
static bool keeps_out(pid_t tid, u64 blocked)
{
	u64 own = 0;

	return !ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(own), &own) && !(blocked & ~own);
}

bool inject_may_use(const struct target *t, const struct thread *th)
{
	struct proc_status st;
	struct err ignored;

	return th->stop == THREAD_STOPPED && !th->give_back && th->form == t->arch && th->mode == t->arch &&
	       !proc_status(t->pid, th->tid, &st, &ignored) &&
	       !((st.sig_pending | st.shared_pending) & ~st.sig_blocked) && keeps_out(th->tid, st.sig_blocked) &&
	       (restart_in_call(th) || own_code_may_call(t, th));
}

/*
 * Back to a stop as the first one was, before the kernel decides about signals and calls to be
 * restarted: it has not run a single instruction.  It may be a signal that it stops for.
 */
static int stop_again(struct thread *th, int *status, struct err *e)
{
	int r = ptrace(PTRACE_INTERRUPT, th->tid, NULL, NULL) < 0 ? machine_refused(th->tid, "stop", e) : 0;

	return r ? r : resume(th->tid, PTRACE_CONT, status, e);
}

/* What is to be made, and how the registers were. */
struct borrowed {
	const struct inject *i;
	const struct thread *th;
	enum inject_call call;
	u64 args[4];
	u8 regs[512];
	struct undo undo;
	u64 end;	/* of the instruction that calls */
};

/*
 * The thread is about to call rt_sigreturn(2), by which it would go on as before: it makes our call instead, and comes to
 * that one again.  At no instant is it anywhere else.
 */
static int instead_of_return(struct borrowed *b, struct inject_result *out, int *status, struct err *e)
{
	const struct arch *a = b->i->arch;
	u8 regs[512];
	int r;

	memcpy(regs, b->regs, sizeof(regs));
	machine_put_reg(a, regs, a->pc, b->undo.pc);
	machine_put_reg(a, regs, a->sp, b->undo.sp);
	if (a->syscall.orig_reg >= 0)
		machine_put_reg(a, regs, (unsigned)a->syscall.orig_reg, UINT64_MAX);
	r = put_number(b->i, b->th->tid, -1, e);
	if (!r)
		r = set_regs(b->i, b->th->tid, regs, e);
	if (!r)
		r = enter_call(b->th->tid, status, e);
	if (r || !is_call_stop(*status))
		return r;
	for (size_t k = 0; k < ARRAY_SIZE(b->args); k++)
		machine_put_reg(a, regs, a->syscall.args[k], b->args[k]);
	if (b->call == INJECT_CLONE)
		machine_put_reg(a, regs, a->syscall.args[1], b->undo.child_sp);
	if (a->syscall.orig_reg >= 0)
		machine_put_reg(a, regs, (unsigned)a->syscall.orig_reg, a->inject->numbers[b->call]);
	r = set_regs(b->i, b->th->tid, regs, e);
	if (!r)
		r = put_number(b->i, b->th->tid, a->inject->numbers[b->call], e);
	return r ? r : finish_call(b->i, b->th->tid, out, status, e);
}

static int make_call(struct borrowed *b, struct inject_result *out, int *status, struct err *e)
{
	pid_t tid = b->th->tid;
	int r;

	*out = (struct inject_result){ 0 };
	if (b->undo.pc)
		return instead_of_return(b, out, status, e);
	r = start_call(b->i, tid, b->regs, b->call, b->args, e);
	return r ? r : run_call(b->i, tid, out, status, e);
}

/* As early as can be, and once more where all that is written counts: in syscall stops arm64 keeps its x7. */
static int give_back(const struct borrowed *b, struct thread *th, bool in_call, int *status, struct err *e)
{
	int r = set_regs(b->i, th->tid, b->regs, e);

	if (!r && in_call)
		r = stop_again(th, status, e);
	if (!r)
		r = set_regs(b->i, th->tid, b->regs, e);
	return r ? r : set_options(th->tid, 0, e);
}

/*
 * The call was none: syscall user dispatch (prctl(2), PR_SET_SYSCALL_USER_DISPATCH) takes those that a program
 * which it emulates makes, and did so with ours.  kernel/entry/syscall_user_dispatch.c.
 */
static bool is_dispatched(const struct borrowed *b)
{
	const struct thread *th = b->th;
	const siginfo_t *s = &th->siginfo;

	return th->give_back == SIGSYS && th->has_siginfo && s->si_code == USER_DISPATCH &&
	       (u64)(uintptr_t)s->si_call_addr == b->end;
}

int inject_borrow(const struct inject *i, const struct target *t, struct thread *th, enum inject_call call,
		  const u64 args[4], struct inject_result *out, struct err *e)
{
	struct borrowed b = { .i = i, .th = th, .call = call, .args = { args[0], args[1], args[2], args[3] } };
	struct err later;
	int status = 0, made, r;

	r = set_options(th->tid, i->options, e);
	if (!r)
		r = get_regs(i, th->tid, b.regs, e);
	if (r)
		return r;
	undo_begin(&b.undo, t, th, b.regs, i->undo, i->pc);
	b.end = b.undo.pc ? b.undo.end : i->pc + i->arch->syscall.insn_len;
	made = make_call(&b, out, &status, e);
	restart_timed(th, b.regs);
	r = give_back(&b, th, made > 0, &status, &later);
	/* What it made must not go on with a frame that is not there any more. */
	if (out->child && inject_adopt(i, out->child, &later) == ERR_GONE)
		out->child = 0;
	undo_end(&b.undo, t);
	if (!r && made >= 0)
		stop_note_signal(th, status);
	if (!r && made == 0 && is_dispatched(&b))
		th->give_back = 0;
	if (r && made >= 0)
		return err_set(e, r, "%s", later.msg);
	return made > 0 && out->ret == -RESTARTNOINTR ? 0 : made;
}
