#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/util.h"
#include "live/files.h"
#include "live/live.h"

/*
 * A thread that runs code of its own may make a call in between, like one that is interrupted by a signal
 * whose handler makes it, if its registers are as before afterwards and nothing else depends on where it is.
 *
 * That something are restartable sequences: while it is stopped, the kernel has yet to look whether the program counter is in one,
 * and does so as it goes on, at the place of our call: it would take the sequence for left, and not abort it.  Without
 * one, or with the program counter outside, it does what it does after any interruption: kernel/rseq.c: rseq_ip_fixup(),
 * since v6.19 include/linux/rseq_entry.h: rseq_update_user_cs().
 */
enum { RSEQ_CS = 8 };	/* rseq_cs in struct rseq: include/uapi/linux/rseq.h */

/* include/uapi/linux/rseq.h: struct rseq_cs. */
struct sequence {
	u32 version, flags;
	u64 start, len, abort;
};

/* include/uapi/linux/ptrace.h: struct ptrace_rseq_configuration, since v5.13; glibc 2.36 has it under another name. */
struct configuration {
	u64 area;
	u32 size, signature, flags, pad;
};
#define GET_RSEQ_CONFIGURATION 0x420f

/* What it says is the process's own word, and may lead to a file whose server does not answer. */
static bool read_there(const struct target *t, u64 addr, void *p, size_t len)
{
	struct err ignored;
	size_t n = 0;

	return !files_read_memory(t, arch_untag(t->arch, addr), p, len, &n, &ignored) && n == len;
}

static bool is_in_sequence(const struct target *t, const struct thread *th)
{
	u64 pc = machine_reg(th->form, th->regs, th->form->pc), at = 0;
	struct configuration c = { 0 };
	struct sequence s;

	/* An older kernel cannot say. */
	if (ptrace(GET_RSEQ_CONFIGURATION, th->tid, (void *)sizeof(c), &c) < 0)
		return true;
	if (!c.area)
		return false;
	if (!read_there(t, c.area + RSEQ_CS, &at, sizeof(at)))
		return true;
	return at && (!read_there(t, at, &s, sizeof(s)) || pc - s.start < s.len);
}

/* Registers that a system call discards, as the head of their set says. */
static bool has_volatile(const struct thread *th, const struct volatile_set *v)
{
	u8 head[64] = { 0 };
	struct iovec iov = { .iov_base = head, .iov_len = sizeof(head) };
	u16 flags;

	/* A machine without them. */
	if (ptrace(PTRACE_GETREGSET, th->tid, (void *)(uintptr_t)v->type, &iov) < 0)
		return false;
	memcpy(&flags, head + v->flags_off, sizeof(flags));
	return flags & v->active;
}

bool own_code_may_call(const struct target *t, const struct thread *th)
{
	const struct inject_abi *abi = th->form->inject;

	for (size_t i = 0; i < abi->n_volatile; i++)
		if (has_volatile(th, &abi->volatile_sets[i]))
			return false;
	return !is_in_sequence(t, th);
}
