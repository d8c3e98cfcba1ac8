#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/borrow.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/snapshot.h"

#define UNSHARE 2u	/* CLOSE_RANGE_UNSHARE, include/uapi/linux/close_range.h */

enum {
	POISON_SP = 0x18,	/* the spawner's stack: it has none */
	END_MS = 500,		/* for a thread of the target that waits in a system call */
	UNMAP_MAX = 1024,	/* shared areas that the copy gives up, some 20 us each */
};

/* ---- whether */

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_UNSUPPORTED, "no snapshot: %s", why);
}

static int check_areas(const struct areas *areas, struct err *e)
{
	for (size_t i = 0; i < areas->n; i++) {
		u32 flags = areas->v[i].vma->flags;

		/* fork(2) may wait for a monitor that stands still: UFFD_FEATURE_EVENT_FORK; fs/userfaultfd.c: dup_userfaultfd(). */
		if (flags & (VM_UFFD_WAITS | VM_UFFD_WP))
			return refuse(e, "the process has memory with a userfaultfd monitor, which fork(2) may wait for");
		/* clone(2) without CLONE_VFORK maps a new one into the target: arch/x86/kernel/shstk.c: shstk_alloc_thread_stack(). */
		if (flags & VM_SHADOW_STACK)
			return refuse(e, "the process has shadow stacks, of which clone(2) would add one to it");
	}
	return 0;
}

/* *seccomp: the process has a filter, which may be suspended. */
static int check(const struct target *t, const struct areas *areas, bool *seccomp, struct err *e)
{
	int r = inject_check(t, seccomp, e);

	if (r == ERR_UNSUPPORTED)
		return err_wrap(e, "no snapshot");
	return r ? r : check_areas(areas, e);
}

int snapshot_check(const struct target *t, const struct areas *areas, struct err *e)
{
	bool unused;

	return check(t, areas, &unused, e);
}

bool snapshot_lacks(const struct vma *v)
{
	/* Private huge pages: where none is free, a write of the target's takes the copy's away (mm/hugetlb.c: unmap_ref_private()). */
	return v->flags & (VM_SHARED | VM_DONTCOPY | VM_WIPEONFORK | VM_IO | VM_PFNMAP | VM_HUGETLB);
}

/* ---- the copy */

static int refused_call(struct err *e, s64 ret)
{
	return err_set(e, ERR_UNSUPPORTED, "no snapshot: the kernel refused to copy the process: %s%s", strerror((int)-ret),
		       ret == -EAGAIN ? " (RLIMIT_NPROC, or pids.max of its cgroup)" : "");
}

/* Nothing of ours may outlive us, nor leave a core of its own: 1 is also what a core handler is not called for. */
static int tame(const struct snapshot *s, pid_t pid, struct err *e)
{
	struct rlimit one = { 1, 1 };
	int status;
	int r = inject_wait(pid, &status, e);

	if (!r)
		r = inject_options(pid, s->inject.options | PTRACE_O_EXITKILL, e);
	if (!r)
		prlimit(pid, RLIMIT_CORE, &one, NULL);
	return r;
}

/* By the first thread that can.  Most processes have one that waits. */
static int make_spawner(struct snapshot *s, struct target *t, struct err *e)
{
	const u64 args[4] = { CLONE_VM | CLONE_FILES | CLONE_PTRACE, POISON_SP };
	struct inject_result out = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < t->n_threads; i++)
		if (inject_may_use(t, &t->threads[i]))
			r = inject_borrow(&s->inject, &t->threads[i], INJECT_CLONE, args, &out, e);
	s->spawner = out.child;
	if (r < 0)
		return r;
	if (!r)
		return refuse(e, "no thread of the process waits in a system call, free of signals");
	if (out.ret < 0 || !out.child)
		return refused_call(e, out.ret);
	s->spawner_there = (u64)out.ret;
	return tame(s, s->spawner, e);
}

static int make_copy(struct snapshot *s, struct err *e)
{
	const u64 args[4] = { CLONE_FILES | CLONE_PTRACE };
	struct inject_result out = { 0 };
	u64 begin = now_ns();
	int r = inject_own(&s->inject, s->spawner, INJECT_CLONE, args, &out, e);

	s->copy = out.child;
	if (r < 0)
		return r;
	if (out.ret < 0 || !out.child)
		return refused_call(e, out.ret);
	s->copy_there = (u64)out.ret;
	s->fork_ns = now_ns() - begin;
	return tame(s, s->copy, e);
}

/* Read as a process that has one stopped thread. */
static int open_memory(struct snapshot *s, const struct target *t, struct err *e)
{
	struct target *m = &s->memory;

	*m = (struct target){ .pid = s->copy, .reader = s->copy, .arch = t->arch, .mem_fd = -1 };
	m->threads = calloc(1, sizeof(*m->threads));
	if (!m->threads)
		return err_set(e, -ENOMEM, "a thread");
	m->threads[0] = (struct thread){ .tid = s->copy, .stop = THREAD_STOPPED };
	m->n_threads = m->cap_threads = 1;
	return target_open_mem(m, e);
}

static int take(struct snapshot *s, struct target *t, const struct areas *areas, struct err *e)
{
	const struct vma *vdso = inject_vdso(areas);
	bool seccomp = false;
	int r = check(t, areas, &seccomp, e);

	if (!r && !vdso)
		r = refuse(e, "the process has no vdso");
	if (!r)
		r = inject_open(&s->inject, t, vdso, seccomp, e);
	if (!r)
		r = make_spawner(s, t, e);
	if (!r)
		r = make_copy(s, e);
	if (!r)
		r = open_memory(s, t, e);
	return r;
}

int snapshot_take(struct snapshot *s, struct target *t, const struct areas *areas, struct err *e)
{
	int r;

	*s = (struct snapshot){ .target = t->pid, .start_time = t->start_time, .memory.mem_fd = -1 };
	r = take(s, t, areas, e);
	if (r)
		snapshot_end(s, t);
	return r;
}

/* ---- while the target runs on */

/* Where memory is short, the copy is to go first.  It shares nothing with the target that this would change. */
static void offer_to_oom(pid_t copy)
{
	char path[64];
	int fd auto_close = -1;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", copy);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1000", 4) != 4)
		return;
}

void snapshot_part(struct snapshot *s, const struct areas *areas)
{
	const u64 all[4] = { 0, UINT32_MAX, UNSHARE };
	struct inject_result out;
	struct err ignored;
	size_t n = 0;

	offer_to_oom(s->copy);
	if (inject_own(&s->inject, s->copy, INJECT_CLOSE_RANGE, all, &out, &ignored) ||
	    inject_own(&s->inject, s->spawner, INJECT_CLOSE_RANGE, all, &out, &ignored))
		return;
	for (size_t i = 0; i < areas->n && n < UNMAP_MAX; i++) {
		const struct vma *v = areas->v[i].vma;
		const u64 range[4] = { v->start, v->end - v->start };

		if (!(v->flags & VM_SHARED) || v->flags & VM_DONTCOPY)
			continue;
		n++;
		if (inject_own(&s->inject, s->copy, INJECT_MUNMAP, range, &out, &ignored))
			return;
	}
}

/* ---- the end */

static void kill_and_wait(pid_t pid)
{
	struct err ignored;
	int status;

	if (pid && !kill(pid, SIGKILL))
		while (!inject_wait(pid, &status, &ignored))
			ptrace(PTRACE_CONT, pid, NULL, NULL);
}

static int wait_there(const struct inject *i, pid_t tid, u64 child, struct err *e)
{
	const u64 args[4] = { child, 0, WNOHANG | __WALL };
	struct inject_result out;

	return inject_own(i, tid, INJECT_WAIT4, args, &out, e);
}

/* 1: taken off the target's hands; 0: this thread was not to be had. */
static int reap_by(const struct snapshot *s, const struct target *t, struct thread *th, struct err *e)
{
	const u64 args[4] = { s->spawner_there, 0, WNOHANG | __WALL };
	struct inject_result out;
	int r = inject_may_use(t, th) ? inject_borrow(&s->inject, th, INJECT_WAIT4, args, &out, e) : 0;

	return r > 0 ? out.ret == (s64)s->spawner_there || out.ret == -ECHILD : r;
}

static int reap_by_stopped(const struct snapshot *s, struct target *t, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < t->n_threads; i++)
		r = reap_by(s, t, &t->threads[i], e);
	return r;
}

static int reap_by_borrowed(struct target *t, struct thread *th, void *arg, struct err *e)
{
	return reap_by(arg, t, th, e);
}

/* A target that has ended has left it to init, or to whoever is in its place. */
static bool reap_spawner(struct snapshot *s, struct target *stopped)
{
	struct err e;
	int r;

	if (stopped && stopped->n_threads)
		return reap_by_stopped(s, stopped, &e) > 0;
	r = borrow_thread(s->target, s->start_time, END_MS, reap_by_borrowed, s, &e);
	return r > 0 || r == ERR_GONE;
}

bool snapshot_end(struct snapshot *s, struct target *stopped)
{
	struct err ignored;
	bool clean = true;

	kill_and_wait(s->copy);
	if (s->copy)
		clean = !wait_there(&s->inject, s->spawner, s->copy_there, &ignored);
	kill_and_wait(s->spawner);
	if (s->spawner)
		clean = reap_spawner(s, stopped) && clean;
	free(s->memory.threads);
	/* A zeroed one has no descriptor: its 0 is not ours to close. */
	if (s->memory.pid)
		scope_close(&s->memory.mem_fd);
	*s = (struct snapshot){ .memory.mem_fd = -1 };
	return clean;
}
