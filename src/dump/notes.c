#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/xsave.h"
#include "elf/note.h"
#include "live/proc.h"

/*
 * The notes, in the order and with the content of the kernel's own core:
 * Linux 6.12, fs/binfmt_elf.c: fill_note_info(), write_note_info(),
 * fill_prstatus(), fill_psinfo(), fill_files_note().
 */

enum {
	NOTES_LEN = 4096,		/* of a thread, about: 3500 bytes on x86-64, and lines for its stack's areas */
	UNWIND_NOTES_LEN = 512,		/* of a thread, with what unwinding reads only */
	AREA_LINE_LEN = 128,
};

static int put(struct dump *d, const char *owner, u32 type, const void *desc, size_t len, struct err *e)
{
	return note_put(&d->notes, d->target.arch->fmt, owner, type, desc, len, e);
}

static void set_time(s64 out[2], u64 ticks)
{
	u64 hz = (u64)sysconf(_SC_CLK_TCK);

	out[0] = (s64)(ticks / hz);
	out[1] = (s64)(ticks % hz * 1000000 / hz);
}

/* For a thread that did not stop, only what was in /proc/TID/syscall: zeros for one that ran. */
static void partial_gregs(const struct arch *a, const struct thread *th, u8 *gregs)
{
	const struct reg *regs = a->gregs.regs;

	if (!th->was_blocked)
		return;
	uint_put(a->fmt, gregs + regs[a->sp].off, regs[a->sp].size, th->call[2]);
	uint_put(a->fmt, gregs + regs[a->pc].off, regs[a->pc].size, th->call[3]);
	if (a->syscall.orig_reg >= 0)
		uint_put(a->fmt, gregs + regs[a->syscall.orig_reg].off, regs[a->syscall.orig_reg].size, th->call[0]);
}

static const struct regset *fp_set(const struct dump *d)
{
	return arch_regset(d->target.arch, "CORE", NT_PRFPREG);
}

/* SET_PR_FPVALID is left out where the machine has no such set: on arm, but for old ones of 32 bits. */
static int read_fpregs(const struct dump *d, const struct thread *th, struct buf *b, struct err *e)
{
	const struct regset *set = fp_set(d);

	return set && th->stop == THREAD_STOPPED && !d->opts->unwind_only ? target_regset(&d->target, th, set, b, e) : 0;
}

/* What /proc says of a thread. */
static int fill_info(struct dump *d, const struct thread *th, struct prstatus *s, struct err *e)
{
	struct thread_info info;
	const struct proc_stat *st = &info.stat;
	int r = ahead_get(&d->ahead, &d->target, (size_t)(th - d->target.threads), &info, e);

	if (r)
		return r;
	s->sigpend = info.status.sig_pending;
	s->sighold = info.status.sig_blocked;
	s->ppid = st->ppid;
	s->pgrp = st->pgrp;
	s->sid = st->sid;
	set_time(s->utime, st->utime);
	set_time(s->stime, st->stime);
	set_time(s->cutime, st->cutime);
	set_time(s->cstime, st->cstime);
	return 0;
}

static int put_prstatus(struct dump *d, const struct thread *th, bool fpvalid, struct err *e)
{
	const struct arch *a = d->target.arch;
	struct buf b scoped(buf_fini) = { 0 };
	u8 partial[sizeof(th->gregs)] = { 0 };
	struct prstatus s = {
		.si_signo = th->give_back, .cursig = th->give_back,
		.si_code = th->has_siginfo ? th->siginfo.si_code : 0,
		.si_errno = th->has_siginfo ? th->siginfo.si_errno : 0,
		.pid = th->tid,
		.fpvalid = fpvalid,
		.regs = { .p = th->gregs, .len = th->gregs_len },
	};
	int r = d->opts->unwind_only ? 0 : fill_info(d, th, &s, e);

	if (th->stop != THREAD_STOPPED) {
		partial_gregs(a, th, partial);
		s.regs = (struct bytes){ .p = partial, .len = a->gregs.size };
	}
	if (!r)
		r = prstatus_put(a, &s, &b, e);
	return r ? r : put(d, "CORE", NT_PRSTATUS, b.p, b.len, e);
}

/* The arguments in one line: every NUL becomes a blank, the last one too.  fill_psinfo(). */
static int fill_psargs(const struct dump *d, char out[81], struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = proc_slurp(d->target.pid, d->target.reader, "cmdline", 16 << 20, &b, e);
	size_t n = min(b.len, (size_t)79);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		out[i] = b.p[i] ? (char)b.p[i] : ' ';
	out[n] = 0;
	return 0;
}

/*
 * A user or group id where there are only 16 bits for it: high2lowuid(),
 * include/linux/highuid.h.  @kind: "uid" or "gid".
 */
static u32 ugid(const struct arch *a, u32 id, const char *kind)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err ignored;
	char path[64];

	if (a->ugid_size >= sizeof(id) || id <= UINT16_MAX)
		return id;
	snprintf(path, sizeof(path), "/proc/sys/kernel/overflow%s", kind);
	if (io_slurp_text(path, &b, 64, &ignored))
		return 65534;	/* DEFAULT_OVERFLOWUID */
	return (u32)strtoul((char *)b.p, NULL, 10);
}

static int put_prpsinfo(struct dump *d, struct err *e)
{
	static const char states[] = "RSDTZW";
	const struct arch *a = d->target.arch;
	const struct thread *th = &d->target.threads[0];
	struct buf b scoped(buf_fini) = { 0 };
	struct proc_status status;
	struct proc_stat st;
	const char *state;
	struct prpsinfo s;
	int r = proc_stat_group(d->target.pid, &st, e);

	if (!r)
		r = proc_status(d->target.pid, d->target.reader, &status, e);
	if (r)
		return r;
	/* As it was before we stopped it.  A leader that has exited is TASK_DEAD, 1 << 7, which has no letter. */
	state = th->tid == d->target.pid ? strchr(states, th->state == 't' ? 'T' : th->state) : NULL;
	s = (struct prpsinfo){
		.state = state ? (s32)(state - states) : 8, .sname = state ? *state : '.', .nice = (s32)st.nice, .flag = st.flags,
		.uid = ugid(a, status.uid[0], "uid"), .gid = ugid(a, status.gid[0], "gid"),
		.pid = d->target.pid, .ppid = st.ppid, .pgrp = st.pgrp, .sid = st.sid,
	};
	memcpy(s.fname, st.comm, strnlen(st.comm, 15));
	r = fill_psargs(d, s.psargs, e);
	if (!r)
		r = prpsinfo_put(a, &s, &b, e);
	return r ? r : put(d, "CORE", NT_PRPSINFO, b.p, b.len, e);
}

/*
 * One per thread that stopped: the kernel has one, of the signal that killed; a live thread
 * has its own, or none, which is all zeros.  Of one that did not stop it is not known.
 */
static int put_siginfo(struct dump *d, const struct thread *th, struct err *e)
{
	static const siginfo_t none;
	struct buf b scoped(buf_fini) = { 0 };
	int r = th->stop != THREAD_STOPPED ? 0 : siginfo_put(d->target.arch, th->has_siginfo ? &th->siginfo : &none, &b, e);

	return r || !b.len ? r : put(d, "CORE", NT_SIGINFO, b.p, b.len, e);
}

/*
 * Up to and including AT_NULL.  For a 32-bit process /proc gives some more zeros, since
 * auxv_read() looks for the end in words of its own size: fs/proc/base.c.
 */
static size_t auxv_len(const struct arch *a, const struct buf *b)
{
	size_t pair = 2 * (size_t)a->word, at = 0;

	while (at + pair <= b->len && uint_get(a->fmt, b->p + at, a->word) != AT_NULL)
		at += pair;
	return min(at + pair, b->len);
}

static int put_auxv(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = proc_slurp(d->target.pid, d->target.reader, "auxv", 1 << 16, &b, e);

	return r ? r : put(d, "CORE", NT_AUXV, b.p, auxv_len(d->target.arch, &b), e);
}

/*
 * The kernel's note has the name itself, where maps has "\012" for a newline and
 * as well as for a backslash and three digits; the link in map_files shows which.
 */
static int put_name(const struct dump *d, const struct area *a, struct buf *b, struct err *e)
{
	const char *name = a->vma->name ? a->vma->name : "";
	char link[64], exact[4096];
	struct err ignored;
	int r = 0;

	snprintf(link, sizeof(link), "../../map_files/%llx-%llx", (unsigned long long)a->map_start,
		 (unsigned long long)a->map_end);
	if (strstr(name, "\\012") && d->target.reader == d->target.pid &&
	    !proc_readlink(d->target.pid, d->target.reader, link, exact, sizeof(exact), &ignored))
		return buf_add(b, exact, strlen(exact) + 1, e);
	while (!r && *name) {
		bool newline = !strncmp(name, "\\012", 4);

		r = buf_add(b, newline ? "\n" : name, 1, e);
		name += newline ? 4 : 1;
	}
	return r ? r : buf_add(b, "", 1, e);
}

/*
 * Debuggers read from the file what the core does not have.  In a core of stacks that is
 * right only for what is as in the file now and later: not for pages that should have been
 * saved and are not, nor for memory that others may write to.
 */
static bool is_in_file(const struct dump *d, size_t i)
{
	const struct area *a = &d->areas.v[i];

	if (!d->opts->stacks || d->plan.v[i].action != PLAN_OMIT)
		return true;
	return !(a->vma->flags & VM_SHARED && !(a->file & AREA_FILE_ELF)) && !plan_has_range(&d->ranges, a->vma);
}

/* Four words a mapped file: start, end, offset in pages; then the names in the same order. */
static int put_file(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct buf names scoped(buf_fini) = { 0 };
	const struct arch *a = d->target.arch;
	u64 n = 0;
	u8 word[3][8];
	int r = buf_zero(&b, 2 * a->word, e);

	for (size_t i = 0; !r && i < d->areas.n; i++) {
		const struct vma *v = d->areas.v[i].vma;

		if (vma_is_anon(v) || vma_is_special(v) || !is_in_file(d, i))
			continue;
		uint_put(a->fmt, word[0], a->word, v->start);
		uint_put(a->fmt, word[1], a->word, v->end);
		uint_put(a->fmt, word[2], a->word, v->pgoff / d->page_size);
		for (int k = 0; !r && k < 3; k++)
			r = buf_add(&b, word[k], a->word, e);
		if (!r)
			r = put_name(d, &d->areas.v[i], &names, e);
		n++;
	}
	if (r || !n)
		return r;
	uint_put(a->fmt, b.p, a->word, n);
	uint_put(a->fmt, b.p + a->word, a->word, d->page_size);
	r = buf_add(&b, names.p, names.len, e);
	return r ? r : put(d, "CORE", NT_FILE, b.p, b.len, e);
}

/* @fpregs have been read already, or are empty. */
static int put_regsets(struct dump *d, const struct thread *th, const struct buf *fpregs, struct err *e)
{
	const struct arch *a = d->target.arch;
	struct buf b scoped(buf_fini) = { 0 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < a->n_sets; i++) {
		if (d->opts->unwind_only && !a->sets[i].unwind)
			continue;
		if (&a->sets[i] == fp_set(d)) {
			r = fpregs->len ? put(d, "CORE", NT_PRFPREG, fpregs->p, fpregs->len, e) : 0;
			continue;
		}
		b.len = 0;
		r = target_regset(&d->target, th, &a->sets[i], &b, e);
		if (r > 0)
			r = put(d, a->sets[i].owner, a->sets[i].type, b.p, b.len, e);
	}
	return r < 0 ? r : 0;
}

static int put_process(struct dump *d, struct err *e)
{
	int r = put_prpsinfo(d, e);

	if (!r)
		r = put_siginfo(d, &d->target.threads[0], e);
	if (!r)
		r = put_auxv(d, e);
	return r ? r : put_file(d, e);
}

static bool is_known(const struct thread *th)
{
	return th->stop == THREAD_STOPPED || (th->stop == THREAD_UNSTOPPABLE && th->was_blocked);
}

/*
 * gdb 16 crashes, and LLDB opens nothing, without any PRSTATUS: where there is no thread to have one, the first has,
 * with pc and sp of 0, as the kernel has it for threads that never were in user mode.
 */
static bool is_placeholder(const struct dump *d, size_t i)
{
	if (i != 0)
		return false;
	for (size_t k = 0; k < d->target.n_threads; k++)
		if (is_known(&d->target.threads[k]))
			return false;
	return true;
}

/* A thread that has died since the stop, by SIGKILL, takes the whole process with it. */
static int put_thread(struct dump *d, size_t i, struct err *e)
{
	const struct thread *th = &d->target.threads[i];
	bool known = is_known(th) || is_placeholder(d, i);
	struct buf fpregs scoped(buf_fini) = { 0 };
	int r = read_fpregs(d, th, &fpregs, e);

	if (r >= 0)
		r = known ? put_prstatus(d, th, r > 0, e) : 0;
	if (!r && i == 0)
		r = put_process(d, e);
	else if (!r && known && !d->opts->unwind_only)
		r = put_siginfo(d, th, e);
	return r || th->stop != THREAD_STOPPED ? r : put_regsets(d, th, &fpregs, e);
}

/*
 * A page of new memory costs more time than the notes that go into it (0.03 ms a thread in a
 * virtual machine, a third of the time that its notes take), so what they are likely to need is
 * touched while the target still runs.  It is no bound: notes that are larger grow the buffer.
 * Nor is it an error that the thread asked is gone: it may just be running another program.
 */
int dump_notes_reserve(struct dump *d, struct err *e)
{
	size_t a_thread = d->opts->unwind_only ? UNWIND_NOTES_LEN : NOTES_LEN;
	struct proc_status st;
	struct err ignored;
	u8 *at = NULL;
	size_t len;
	int r = proc_status(d->target.pid, d->target.reader, &st, &ignored);

	/* It reads a file, which the conversion of a time would do in the pause. */
	tzset();
	len = (r ? 1 : st.threads) * a_thread + d->areas.n * AREA_LINE_LEN;
	r = buf_reserve(&d->notes, len, &at, e);
	/* Not zero: see write_queue_init(). */
	if (!r)
		memset(at, 1, len);
	return r;
}

int dump_notes(struct dump *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++)
		r = put_thread(d, i, e);
	ahead_end(&d->ahead);
	if (!r)
		r = xsave_layout_note(d->target.arch->fmt, &d->notes, e);
	return r ? r : dump_tagcore_notes(d, e);
}
