#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/io.h"
#include "base/open.h"
#include "base/scope.h"
#include "elf/elffmt.h"
#include "live/live.h"
#include "live/proc.h"

enum { E_MACHINE = 18 };	/* offset in the file header of either class: elf(5) */

/* What the program's file header says; false when it cannot be read. */
static bool read_program(const struct target *t, struct elffmt *fmt, u16 *machine)
{
	u8 head[E_MACHINE + 2];
	struct err ignored;
	char path[96];
	size_t n = 0;
	int fd auto_close = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/exe", t->pid, t->reader);
	fd = open_regular(path, NULL);
	if (fd < 0 || io_read_full(fd, head, sizeof(head), &n, path, &ignored) || n < sizeof(head) ||
	    elffmt_ident((struct bytes){ .p = head, .len = n }, fmt, &ignored))
		return false;
	*machine = (u16)uint_get(*fmt, head + E_MACHINE, 2);
	return true;
}

/*
 * 1: the auxiliary vector is one of 32-bit words: its first type is a small
 * number and the value beside it is not 0, so in 64-bit words only such a vector
 * begins with one that has an upper half.  create_elf_tables().
 */
static int has_narrow_auxv(const struct target *t, const struct arch *native, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = proc_slurp(t->pid, t->reader, "auxv", 1 << 16, &b, e);

	return r ? r : b.len >= 8 && uint_get(native->fmt, b.p, 8) >> 32;
}

bool machine_is_still(const struct target *t)
{
	const struct arch *native = arch_native();
	struct err ignored;

	/* Where it cannot be asked, machine_find() says why. */
	return !native->compat || has_narrow_auxv(t, native, &ignored) == (t->arch != native);
}

static int refuse(const struct target *t, const struct arch *native, const struct arch *a, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "process %d runs a program of %s: only %s%s%s processes can be dumped here",
		       t->pid, a ? a->name : "an unknown machine", native->name, native->compat ? " and " : "",
		       native->compat ? native->compat->name : "");
}

/*
 * As the kernel's own core: its class is that of the program that was started
 * (mm->binfmt; fs/compat_binfmt_elf.c), whatever mode a thread is in just now.
 */
int machine_find(struct target *t, struct err *e)
{
	const struct arch *native = arch_native(), *a = native;
	struct elffmt fmt;
	u16 machine;
	int r;

	if (!native)
		return err_set(e, ERR_UNSUPPORTED, "this machine has no register tables: no process can be dumped");
	if (read_program(t, &fmt, &machine)) {
		a = arch_find(machine, fmt, 0);
	} else if (native->compat) {
		r = has_narrow_auxv(t, native, e);
		if (r < 0)
			return r;
		a = r ? native->compat : native;
	}
	if (!a || (a != native && a != native->compat))
		return refuse(t, native, a, e);
	t->arch = a;
	return 0;
}

static const struct arch *mode_of(size_t regs_len)
{
	const struct arch *native = arch_native();

	if (native && regs_len == native->gregs.size)
		return native;
	return native && native->compat && regs_len == native->compat->gregs.size ? native->compat : NULL;
}

/*
 * PTRACE_GETREGSET answers in the form of the code that the thread runs just now.
 * Where a request gives this machine's form for all, that one is kept beside it:
 * only in that form can registers be written without touching others.  (The
 * 32-bit form of x86 has no base of FS, and to write FS sets one: putreg32() in
 * arch/x86/kernel/ptrace.c.)
 */
int machine_read(struct thread *th, struct err *e)
{
	const struct arch *native = arch_native();
	struct iovec iov = { .iov_base = th->gregs, .iov_len = sizeof(th->gregs) };

	th->mode = th->form = NULL;
	if (ptrace(PTRACE_GETREGSET, th->tid, (void *)(uintptr_t)native->gregs.type, &iov) < 0)
		return err_set(e, errno == ESRCH ? ERR_GONE : -errno, "read registers of thread %d", th->tid);
	th->gregs_len = iov.iov_len;
	th->mode = th->form = mode_of(iov.iov_len);
	memcpy(th->regs, th->gregs, sizeof(th->regs));
	if (th->mode && th->mode != native && native->gregs.request) {
		if (ptrace(native->gregs.request, th->tid, NULL, th->regs) < 0)
			return err_set(e, errno == ESRCH ? ERR_GONE : -errno, "read registers of thread %d", th->tid);
		th->form = native;
	}
	return 0;
}

int machine_write(const struct thread *th, const u8 *regs, struct err *e)
{
	const struct regset *set = &th->form->gregs;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)regs, .iov_len = set->size };
	long r = th->form == th->mode ? ptrace(PTRACE_SETREGSET, th->tid, (void *)(uintptr_t)set->type, &iov)
				      : ptrace(set->set_request, th->tid, NULL, regs);

	if (r < 0)
		return err_set(e, errno == ESRCH ? ERR_GONE : -errno, "write registers of thread %d", th->tid);
	return 0;
}

/* 64-bit registers cut to the 32-bit machine's, as genregs32_get() does: arch/x86/kernel/ptrace.c. */
static void narrow(const struct arch *a, struct thread *th)
{
	const struct arch *wide = arch_native();

	memset(th->gregs, 0, sizeof(th->gregs));
	for (size_t i = 0; i < a->gregs.n_regs; i++) {
		const struct reg *from = &wide->gregs.regs[a->wide_regs[i]], *to = &a->gregs.regs[i];

		uint_put(a->fmt, th->gregs + to->off, to->size, uint_get(wide->fmt, th->regs + from->off, from->size));
	}
}

int machine_gregs(const struct target *t, struct thread *th, struct err *e)
{
	const struct arch *a = t->arch;

	if (!th->mode) {
		int r = machine_read(th, e);

		if (r)
			return r;
	}
	th->other_mode = th->mode != a;
	if (!th->other_mode)
		return 0;
	if (th->form == a)
		memcpy(th->gregs, th->regs, sizeof(th->gregs));
	else if (th->mode && a->wide_regs)
		narrow(a, th);
	else
		return err_set(e, ERR_UNSUPPORTED, "thread %d has %zu bytes of registers, not the %u of %s",
			       th->tid, th->gregs_len, a->gregs.size, a->name);
	th->gregs_len = a->gregs.size;
	return 0;
}

bool machine_same_set(const struct target *t, const struct regset *set)
{
	const struct arch *native = arch_native();
	const struct arch *other = t->arch == native ? native->compat : native;
	const struct regset *same = other ? arch_regset(other, set->owner, set->type) : NULL;

	return same && same->size == set->size;
}
