#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/io.h"
#include "base/open.h"
#include "base/scope.h"
#include "base/uapi.h"
#include "elf/elffmt.h"
#include "live/files.h"
#include "live/live.h"
#include "live/proc.h"

/* The beginning of the program's file, read where its server may not answer. */
struct program {
	struct worker_job job;
	char path[96];
	u8 head[sizeof(Elf64_Ehdr)];
	size_t n;
};

static void run_read(struct worker_job *job)
{
	struct program *p = (struct program *)job;
	struct err ignored;
	int fd auto_close = open_regular(p->path, NULL);

	if (fd < 0 || io_read_full(fd, p->head, sizeof(p->head), &p->n, p->path, &ignored))
		p->n = 0;
}

static void drop_program(struct worker_job *job)
{
	free(job);
}

/* 0, with *n bytes of it: none where it cannot be read. */
static int read_head(struct files *f, const struct target *t, u8 head[sizeof(Elf64_Ehdr)], size_t *n, struct err *e)
{
	struct program *p = calloc(1, sizeof(*p));
	int r;

	*n = 0;
	if (!p)
		return err_set(e, -ENOMEM, "a program");
	p->job = (struct worker_job){ run_read, drop_program };
	snprintf(p->path, sizeof(p->path), "/proc/%d/task/%d/exe", t->pid, t->reader);
	r = worker_call(&f->worker, &p->job, e);
	if (!r) {
		memcpy(head, p->head, p->n);
		*n = p->n;
	}
	if (r != ERR_TIMEOUT && r != ERR_CANCELLED)
		free(p);
	else
		worker_leave(&f->worker, &p->job);
	return r == ERR_TIMEOUT ? 0 : r;
}

/* What the program's file header says; *known: it could be read. */
static int read_program(const struct target *t, GElf_Ehdr *out, bool *known, struct err *e)
{
	struct files own scoped(files_fini) = FILES_INIT;
	u8 head[sizeof(Elf64_Ehdr)];
	struct elffmt fmt;
	struct err ignored;
	size_t n;
	int r = read_head(t->files ? t->files : &own, t, head, &n, e);

	*known = !r && n && !elffmt_ident((struct bytes){ .p = head, .len = n }, &fmt, &ignored) &&
		 !elffmt_get_ehdr(fmt, (struct bytes){ .p = head, .len = n }, out, &ignored);
	return r;
}

/* The auxiliary vector, as the kernel made it for the code that it started: create_elf_tables(). */
static int read_auxv(const struct target *t, struct buf *out, struct err *e)
{
	return proc_slurp(t->pid, t->reader, "auxv", 1 << 16, out, e);
}

/*
 * It is one of 32-bit words: its first type is a small number and the value
 * beside it is not 0, so in 64-bit words only such a vector begins with one that
 * has an upper half.
 */
static bool is_narrow(const struct buf *auxv, const struct arch *native)
{
	return native->word == 8 && auxv->len >= 8 && uint_get(native->fmt, auxv->p, 8) >> 32;
}

/*
 * The program came to run through binfmt_misc with the flag T: /proc/PID/exe is the
 * file that was asked for, of whatever machine, and the code that runs is its
 * interpreter's.  Linux 7.3, fs/exec.c: bprm_identity_file(); bprm_at_flags().
 */
static bool is_transparent(const struct buf *auxv, const struct arch *native)
{
	unsigned w = is_narrow(auxv, native) ? 4 : native->word;

	for (size_t at = 0; at + 2 * w <= auxv->len; at += 2 * w)
		if (uint_get(native->fmt, auxv->p + at, w) == AT_FLAGS)
			return uint_get(native->fmt, auxv->p + at + w, w) & UAPI_AT_FLAGS_TRANSPARENT_INTERP;
	return false;
}

bool machine_is_still(const struct target *t)
{
	const struct arch *native = arch_native();
	struct buf auxv scoped(buf_fini) = { 0 };
	struct err ignored;

	/* Where it cannot be asked, machine_find() says why. */
	return !native->compat || read_auxv(t, &auxv, &ignored) || is_narrow(&auxv, native) == (t->arch != native);
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
	struct buf auxv scoped(buf_fini) = { 0 };
	GElf_Ehdr h = { 0 };
	bool known = false;
	int r;

	if (!native)
		return err_set(e, ERR_UNSUPPORTED, "this machine has no register tables: no process can be dumped");
	r = read_program(t, &h, &known, e);
	if (r)
		return r;
	r = read_auxv(t, &auxv, e);
	if (r && !known)
		return r;
	if (known && !is_transparent(&auxv, native))
		a = arch_find(h.e_machine, (struct elffmt){ h.e_ident[EI_CLASS], h.e_ident[EI_DATA] }, h.e_flags);
	else if (is_narrow(&auxv, native))
		a = native->compat;
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

int machine_refused(pid_t tid, const char *what, struct err *e)
{
	return err_set(e, errno == ESRCH ? ERR_GONE : -errno, "%s of thread %d", what, tid);
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
		return machine_refused(th->tid, "read registers", e);
	th->gregs_len = iov.iov_len;
	th->mode = th->form = mode_of(iov.iov_len);
	memcpy(th->regs, th->gregs, sizeof(th->regs));
	if (th->mode && th->mode != native && native->gregs.request) {
		if (ptrace(native->gregs.request, th->tid, NULL, th->regs) < 0)
			return machine_refused(th->tid, "read registers", e);
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
		return machine_refused(th->tid, "write registers", e);
	return 0;
}

u64 machine_reg(const struct arch *a, const u8 *regs, unsigned i)
{
	return uint_get(a->fmt, regs + a->gregs.regs[i].off, a->gregs.regs[i].size);
}

void machine_put_reg(const struct arch *a, u8 *regs, unsigned i, u64 value)
{
	uint_put(a->fmt, regs + a->gregs.regs[i].off, a->gregs.regs[i].size, value);
}

/* 64-bit registers cut to the 32-bit machine's, as genregs32_get() does: arch/x86/kernel/ptrace.c. */
static void narrow(const struct arch *a, struct thread *th)
{
	const struct arch *wide = arch_native();

	memset(th->gregs, 0, sizeof(th->gregs));
	for (unsigned i = 0; i < a->gregs.n_regs; i++)
		machine_put_reg(a, th->gregs, i, machine_reg(wide, th->regs, a->wide_regs[i]));
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
