#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/live.h"
#include "live/permission.h"
#include "live/proc.h"
#include "live/target.h"
#include "mm/proc_file.h"

#define PF_KTHREAD 0x00200000	/* include/linux/sched.h */

/* How often the process may run another program while it is examined, before it is given up. */
enum { TRIES = 32 };

/* A thread that still has the process's memory: 1; 0: none has, *vanished when one was gone before it was asked. */
static int look_for_reader(struct target *t, bool *vanished, struct err *e)
{
	pid_t *tids auto_free = NULL;
	struct proc_status st;
	size_t n = 0;
	int r = proc_threads(t->pid, &tids, &n, e);

	*vanished = false;
	for (size_t i = 0; !r && i < n; i++) {
		r = proc_status(t->pid, tids[i], &st, e);
		if (r == ERR_GONE) {
			*vanished = true;
			r = 0;
		} else if (!r && st.has_mm) {
			t->reader = tids[i];
			t->leader_exited = tids[i] != t->pid;
			return 1;
		}
	}
	return r;
}

/*
 * ERR_GONE, with the reason, when none has.  A thread that runs another program
 * takes over the number of the first one, which has died by then: between two
 * questions the only thread that lives can seem to be gone.  fs/exec.c: de_thread().
 */
static int find_reader(struct target *t, struct err *e)
{
	struct proc_stat stat;
	bool vanished = true;
	int r = 0;

	for (int i = 0; !r && vanished && i < TRIES; i++)
		r = look_for_reader(t, &vanished, e);
	if (r > 0)
		return 0;
	if (!r)
		r = proc_stat(t->pid, t->pid, &stat, e);
	if (r)
		return r == ERR_GONE ? proc_no_process(t->pid, e) : r;
	if (stat.flags & PF_KTHREAD)
		return err_set(e, ERR_GONE, "process %d is a kernel thread and has no memory of its own: where it is, "
			       "/proc/%d/stack says", t->pid, t->pid);
	return err_set(e, ERR_GONE, "process %d has exited (state %c): its memory is gone; a core that the kernel may have "
		       "written is listed by coredumpctl info %d", t->pid, stat.state, t->pid);
}

/* ERR_GONE, too, where the thread that is asked has gone. */
static int ask_reader(struct target *t, struct proc_status *st, struct err *e)
{
	struct proc_stat stat;
	int r = target_open_mem(t, e);

	if (!r)
		r = proc_stat(t->pid, t->pid, &stat, e);
	if (r)
		return r;
	t->start_time = stat.start_time;
	r = machine_find(t, e);
	return r ? r : proc_status(t->pid, t->reader, st, e);
}

/* Through a thread that may exit between any two reads, or seem to: see find_reader(). */
static int open_by_reader(struct target *t, struct proc_status *st, struct err *e)
{
	int r = ERR_GONE;

	for (int i = 0; r == ERR_GONE && i < TRIES; i++) {
		r = find_reader(t, e);
		if (r)
			return r;
		r = ask_reader(t, st, e);
	}
	return r;
}

/* t->pid and *st of the process that has a thread of that number. */
static int find_process(struct target *t, struct proc_status *st, struct err *e)
{
	int r = proc_mounted(e);

	if (!r)
		r = proc_status(t->pid, t->pid, st, e);
	if (r)
		return r == ERR_GONE || r == -EPERM ? proc_no_process(t->pid, e) : r;
	t->pid = st->tgid;
	return 0;
}

static int open_checked(struct target *t, struct err *e)
{
	struct proc_status st;
	int r = find_process(t, &st, e);

	if (r)
		return r;
	if (t->pid == getpid())
		return err_set(e, ERR_USAGE, "process %d cannot stop itself to be saved", t->pid);
	r = open_by_reader(t, &st, e);
	if (!r && st.tracer && !t->unstopped)
		r = permission_traced(t->pid, st.tracer, e);
	return r;
}

int target_reader(pid_t *pid, pid_t *tid, struct err *e)
{
	struct target t = { .pid = *pid, .mem_fd = -1 };
	struct proc_status st;
	int r = find_process(&t, &st, e);

	if (!r)
		r = find_reader(&t, e);
	if (r)
		return r;
	*pid = t.pid;
	*tid = t.reader;
	return 0;
}

int target_open_with(struct target *t, pid_t pid, struct files *files, bool unstopped, struct err *e)
{
	int r;

	*t = (struct target){ .pid = pid, .mem_fd = -1, .files = files, .unstopped = unstopped };
	r = open_checked(t, e);
	if (r)
		target_close(t);
	return r;
}

int target_open(struct target *t, pid_t pid, struct err *e)
{
	return target_open_with(t, pid, NULL, false, e);
}

void target_close(struct target *t)
{
	target_resume(t);
	/* A zeroed target has pid 0 and no descriptor: its 0 is not ours to close. */
	if (t->pid)
		scope_close(&t->mem_fd);
	free(t->threads);
	*t = (struct target){ .mem_fd = -1 };
}

/*
 * How much of the buffer is the set.  SVE and its kin are given at their largest
 * possible size, with the end not even written: copy_regset_to_user().
 */
static size_t used_size(const struct target *t, const struct regset *set, const u8 *p, size_t len)
{
	u64 size;

	if (!set->sized || len < 4)
		return len;
	size = uint_get(t->arch->fmt, p, 4);
	return size < len ? (size_t)size : len;
}

static int regset_gone(const struct target *t, const struct thread *th, struct err *e)
{
	return err_set(e, ERR_GONE, "thread %d of process %d is gone", th->tid, t->pid);
}

/*
 * This thread or machine has none (ENODEV, EINVAL, of some sets ENXIO, ENODATA, EOPNOTSUPP, EIO),
 * or it could not be asked.
 */
static int regset_refused(const struct target *t, const struct thread *th, const struct regset *set, struct err *e)
{
	switch (errno) {
	case ESRCH:
		return regset_gone(t, th, e);
	case ENOMEM:
	case EPERM:
	case EACCES:
	case ENOSYS:
		return err_set(e, -errno, "read registers (%s) of thread %d", set->name, th->tid);
	}
	return 0;
}

/* The thread is in the other mode, and the set would come in that one's form. */
static int regset_by_request(const struct target *t, const struct thread *th, const struct regset *set,
			     struct buf *b, struct err *e)
{
	u8 *at = NULL;
	int r = set->request ? buf_reserve(b, set->size, &at, e) : 0;

	if (r || !set->request)
		return r;
	if (ptrace(set->request, th->tid, NULL, at) < 0)
		return errno == ESRCH ? regset_gone(t, th, e) : 0;
	b->len += set->size;
	return 1;
}

int target_regset(const struct target *t, const struct thread *th, const struct regset *set, struct buf *b,
		  struct err *e)
{
	size_t size = set->size ? set->size : 4096;
	struct iovec iov;
	u8 *at = NULL;
	int r;

	if (th->other_mode && !machine_same_set(t, set))
		return regset_by_request(t, th, set, b, e);
	for (;; size *= 4) {
		r = buf_reserve(b, size, &at, e);
		if (r)
			return r;
		memset(at, 0, size);
		iov = (struct iovec){ .iov_base = at, .iov_len = size };
		if (ptrace(PTRACE_GETREGSET, th->tid, (void *)(uintptr_t)set->type, &iov) < 0)
			return regset_refused(t, th, set, e);
		/* A full buffer may hold only the beginning: SVE and ZA run to 64 KiB and more. */
		if (set->size || iov.iov_len < size || size > 1 << 20)
			break;
	}
	if (set->unused && iov.iov_len == set->size && !memcmp(at, set->unused, set->size))
		return 0;
	iov.iov_len = used_size(t, set, at, iov.iov_len);
	b->len += iov.iov_len;
	return iov.iov_len > 0;
}

const struct thread *target_stopped_thread(const struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_STOPPED)
			return &t->threads[i];
	return NULL;
}

static int memory_gone(const struct target *t, struct err *e)
{
	return err_set(e, ERR_GONE, "process %d ended while it was read", t->pid);
}

/*
 * The rest of the page at @addr, word by word.  Where the process itself may not read
 * (PROT_NONE) and proc_mem.force_override=never forbids mem(5) to, only ptrace(2) still can
 * (Linux 6.12, commit 41e8149c8892; kernel/ptrace.c: generic_ptrace_peekdata()).  1 and *n
 * bytes; 0 where nothing can be read.
 */
static int peek_page(const struct target *t, u64 addr, u8 *p, size_t len, size_t *n, struct err *e)
{
	const struct thread *th = target_stopped_thread(t);
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	size_t done = 0;

	len = (size_t)min((u64)len, page - addr % page);
	while (th && done < len) {
		u64 at = align_down(addr + done, sizeof(long));
		size_t skip = (size_t)(addr + done - at), part = min(sizeof(long) - skip, len - done);
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, th->tid, (void *)(uintptr_t)at, NULL);
		if (errno == ESRCH)
			return memory_gone(t, e);
		if (errno)
			return 0;
		memcpy(p + done, (u8 *)&word + skip, part);
		done += part;
	}
	*n = done;
	return done > 0;
}

/* What mem(5) has, but at most one page that only ptrace(2) can read.  1 and *n bytes, or 0. */
static int read_some(const struct target *t, u64 addr, u8 *p, size_t len, size_t *n, struct err *e)
{
	ssize_t got;

	do
		got = pread(t->mem_fd, p, len, (off_t)addr);
	while (got < 0 && errno == EINTR);
	/* 0: the address space is gone, not the end of a file. */
	if (got == 0)
		return memory_gone(t, e);
	if (got < 0)
		return peek_page(t, addr, p, len, n, e);
	*n = (size_t)got;
	return 1;
}

int target_read(const struct target *t, u64 addr, void *p, size_t len, size_t *n, struct err *e)
{
	struct iovec local = { .iov_base = p, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };
	/* By its number it may be another program by now, where nothing holds it. */
	ssize_t got = t->unstopped ? 0 : process_vm_readv(t->reader, &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0, more = 0;
	int r = 1;

	/* It stops at PROT_NONE, and some containers forbid it: mem(5) reads on in both cases. */
	for (; r > 0 && done < len; done += more) {
		more = 0;
		r = read_some(t, addr + done, (u8 *)p + done, len - done, &more, e);
	}
	if (r < 0)
		return r;
	*n = done;
	return 0;
}
