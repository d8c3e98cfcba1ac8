#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>

#include "base/util.h"
#include "live/files.h"
#include "live/live.h"
#include "live/proc.h"

/*
 * A call that had not been begun when we looked, and that our stop has made return EINTR, on a machine where the result takes
 * the place of the first argument.  The kernel keeps that argument (orig_x0, arch/arm64/include/asm/ptrace.h), and tells
 * it with the others at a stop for seccomp(2): kernel/ptrace.c: ptrace_get_syscall_info(), since v5.3.  That the stop is one
 * it takes from the code of its siginfo, which a tracer may change, and which nothing reads at a stop by PTRACE_INTERRUPT.
 * (To write the number, NT_ARM_SYSTEM_CALL, and to read /proc/TID/syscall then does not help: that overwrites orig_x0.)
 *
 * It is the first argument of the last call, and that may be rt_sigreturn(2): what a handler returns to is the EINTR of a
 * signal, which stays.  So the process must have no handlers, or the argument be one that such a call takes.
 */

enum {
	FRAME_MAX = 1 << 20,	/* sigtimedwait(3)'s set is mostly a variable of who calls: this far above the stack pointer, in bytes */
	/* fs/aio.c: struct aio_ring, at the address that is the first argument of io_getevents(2). */
	AIO_MAGIC_OFF = 16,
	AIO_MAGIC = 0xa10a10a1,
};

static bool has_number(const struct target *t, u64 addr, u16 len, u32 want)
{
	struct err ignored;
	u32 there = 0;
	size_t n = 0;

	return !files_read_memory(t, addr, &there, len, &n, &ignored) && n == len && le32toh(there) == want;
}

static bool is_call_insn(const struct target *t, const struct thread *th, u64 pc, u16 len)
{
	const struct syscall_abi *abi = &th->form->syscall;
	u32 want = len == abi->insn_len ? abi->insn : abi->mode_insn;

	return want && has_number(t, pc - len, len, want);
}

static bool ask_first_argument(const struct thread *th, u64 *arg)
{
	siginfo_t as_it_is, as_asked;
	struct __ptrace_syscall_info info = { 0 };
	bool told;

	if (ptrace(PTRACE_GETSIGINFO, th->tid, NULL, &as_it_is))
		return false;
	as_asked = as_it_is;
	as_asked.si_code = SIGTRAP | PTRACE_EVENT_SECCOMP << 8;
	if (ptrace(PTRACE_SETSIGINFO, th->tid, NULL, &as_asked))
		return false;
	told = ptrace(PTRACE_GET_SYSCALL_INFO, th->tid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_SECCOMP;
	ptrace(PTRACE_SETSIGINFO, th->tid, NULL, &as_it_is);
	*arg = info.seccomp.args[0];
	return told;
}

static bool is_descriptor_of(const struct target *t, const struct thread *th, u64 fd, const char *kind)
{
	char name[32], link[64];
	struct err ignored;

	snprintf(name, sizeof(name), "fd/%u", (u32)fd);
	return !proc_readlink(t->pid, th->tid, name, link, sizeof(link), &ignored) && strncmp(link, kind, strlen(kind)) == 0;
}

static bool is_taken(const struct target *t, const struct thread *th, enum first_argument takes, u64 arg, u64 sp)
{
	switch (takes) {
	case TAKES_EPOLL: return is_descriptor_of(t, th, arg, "anon_inode:[eventpoll]");
	case TAKES_SOCKET: return is_descriptor_of(t, th, arg, "socket:[");
	case TAKES_RING: return is_descriptor_of(t, th, arg, "anon_inode:[io_uring]");
	case TAKES_AIO: return has_number(t, arg + AIO_MAGIC_OFF, sizeof(u32), AIO_MAGIC);
	case TAKES_VARIABLE: return arg - sp < FRAME_MAX;
	}
	return false;
}

/* But for those that a C library has for pthread_cancel(3) and setuid(2): signals 32 and 33 (glibc's internal-signals.h). */
static bool has_no_handler(const struct target *t, const struct thread *th)
{
	const u64 own = 1ull << (32 - 1) | 1ull << (33 - 1);
	struct proc_status st;
	struct err ignored;

	return !proc_status(t->pid, th->tid, &st, &ignored) && !(st.sig_caught & ~own);
}

static bool is_argument(const struct target *t, const struct thread *th, u64 nr, u64 arg, u64 sp)
{
	const struct syscall_abi *abi = &th->form->syscall;

	for (size_t i = 0; i < abi->n_begun; i++)
		if (abi->begun[i].nr == nr && is_taken(t, th, abi->begun[i].takes, arg, sp))
			return true;
	return has_no_handler(t, th);
}

bool begun_call(const struct target *t, const struct thread *th, u16 insn_len, u64 call[4])
{
	const struct syscall_abi *abi = &th->form->syscall;
	u64 nr = machine_reg(th->form, th->regs, abi->nr_reg), sp = machine_reg(th->form, th->regs, th->form->sp);
	u64 pc = machine_reg(th->form, th->regs, th->form->pc), arg;

	if (!is_call_insn(t, th, pc, insn_len) || !ask_first_argument(th, &arg) || !is_argument(t, th, nr, arg, sp))
		return false;
	memcpy(call, (u64[]){ nr, arg, sp, pc }, 4 * sizeof(*call));
	return true;
}
