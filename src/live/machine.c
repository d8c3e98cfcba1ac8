#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <tagcore/elffmt.h>

#include "base/io.h"
#include "base/scope.h"
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
	fd = open(path, O_RDONLY | O_CLOEXEC);
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

/* 64-bit registers cut to the 32-bit machine's, as genregs32_get() does: arch/x86/kernel/ptrace.c. */
static bool narrow(const struct arch *a, struct thread *th)
{
	const struct arch *wide = arch_native();
	u8 out[sizeof(th->gregs)] = { 0 };

	if (!a->wide_regs || th->gregs_len != wide->gregs.size)
		return false;
	for (size_t i = 0; i < a->gregs.n_regs; i++) {
		const struct reg *from = &wide->gregs.regs[a->wide_regs[i]], *to = &a->gregs.regs[i];

		uint_put(a->fmt, out + to->off, to->size, uint_get(wide->fmt, th->gregs + from->off, from->size));
	}
	memcpy(th->gregs, out, sizeof(out));
	return true;
}

int machine_gregs(const struct target *t, struct thread *th, struct err *e)
{
	const struct regset *set = &t->arch->gregs;
	struct iovec iov = { .iov_base = th->gregs, .iov_len = sizeof(th->gregs) };

	if (ptrace(PTRACE_GETREGSET, th->tid, (void *)(uintptr_t)set->type, &iov) < 0)
		return err_set(e, errno == ESRCH ? ERR_GONE : -errno, "read registers of thread %d", th->tid);
	th->gregs_len = iov.iov_len;
	if (th->gregs_len == set->size)
		return 0;
	th->other_mode = true;
	if ((!set->request || ptrace(set->request, th->tid, NULL, th->gregs) < 0) && !narrow(t->arch, th))
		return err_set(e, ERR_UNSUPPORTED, "thread %d has %zu bytes of registers, not the %u of %s",
			       th->tid, th->gregs_len, set->size, t->arch->name);
	th->gregs_len = set->size;
	return 0;
}

bool machine_same_set(const struct target *t, const struct regset *set)
{
	const struct arch *native = arch_native();
	const struct arch *other = t->arch == native ? native->compat : native;
	const struct regset *same = other ? arch_regset(other, set->owner, set->type) : NULL;

	return same && same->size == set->size;
}
