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
#include "live/live.h"
#include "live/proc.h"
#include "live/room.h"
#include "live/snapshot.h"
#include "live/undo.h"

#define UNSHARE 2u	/* CLOSE_RANGE_UNSHARE, include/uapi/linux/close_range.h */

enum {
	POISON_SP = 0x18,	/* the spawner's stack: it has none */
	AREA_BYTES = 512,	/* of the kernel's, for an area of the copy */
	TASK_BYTES = 256 << 10,	/* and for the two tasks with their stacks */
	WRITE_ROOM = 64 << 20,	/* for the copies of pages that the target writes to, if it has so much */
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

/* Children of a process that has left its pid namespace begin another one; their end would be its end: pid_namespaces(7). */
static int check_namespace(const struct target *t, struct err *e)
{
	char own[64] = "", children[64] = "";
	struct err ignored;

	if (proc_readlink(t->pid, t->reader, "ns/pid", own, sizeof(own), &ignored))
		return 0;
	if (proc_readlink(t->pid, t->reader, "ns/pid_for_children", children, sizeof(children), &ignored) || strcmp(own, children))
		return refuse(e, "children of the process would be in another pid namespace");
	return 0;
}

/*
 * At its limit the kernel kills the copy first, but frees its memory only after it has looked for the next one, which
 * may be the target: mm/mmap.c: exit_mmap() sets MMF_OOM_SKIP before tlb_finish_mmu().
 */
static u64 needed_memory(const struct areas *areas, const struct proc_status *st)
{
	return st->vm_pte + areas->n * AREA_BYTES + TASK_BYTES + min(st->vm_rss, (u64)WRITE_ROOM);
}

static int check_room(const struct target *t, u64 memory, struct err *e)
{
	const struct room_need need = { .memory = memory, .tasks = 2 };
	struct err why;

	return room_check(t->pid, &need, &why) ? refuse(e, why.msg) : 0;
}

/* All but the room.  *seccomp: the process has a filter, which may be suspended.  *memory: what is needed of it. */
static int check(const struct target *t, const struct areas *areas, bool *seccomp, u64 *memory, struct err *e)
{
	struct proc_status st;
	int r = inject_check(t, seccomp, e);

	if (r == ERR_UNSUPPORTED)
		return err_wrap(e, "no snapshot");
	if (!r)
		r = proc_status(t->pid, t->reader, &st, e);
	if (!r)
		r = check_areas(areas, e);
	if (!r)
		r = check_namespace(t, e);
	if (!r)
		*memory = needed_memory(areas, &st);
	return r;
}

int snapshot_check(const struct target *t, const struct areas *areas, u64 *room, struct err *e)
{
	bool unused;
	u64 memory = 0;
	int r = check(t, areas, &unused, &memory, e);

	if (r)
		return r;
	/* The target may grow until the stop. */
	*room = memory + memory / 8;
	if (!check_room(t, *room, e))
		return 0;
	r = check_room(t, memory, e);
	*room = r ? 0 : memory;
	return r;
}

bool snapshot_lacks(const struct area *a)
{
	const struct vma *v = a->vma;

	/* Pages of a file are not mapped in the copy, whose file would be asked for them. */
	if (a->file & AREA_FILE_UNASKED)
		return true;
	/* Private huge pages: where none is free, a write of the target's takes the copy's away (mm/hugetlb.c: unmap_ref_private()). */
	return v->flags & (VM_SHARED | VM_DONTCOPY | VM_WIPEONFORK | VM_IO | VM_PFNMAP | VM_HUGETLB);
}

/* ---- the copy */

static int refused_call(struct err *e, s64 ret)
{
	return err_set(e, ERR_UNSUPPORTED, "no snapshot: the kernel refused to copy the process: %s%s", strerror((int)-ret),
		       ret == -EAGAIN ? " (RLIMIT_NPROC, or pids.max of its cgroup)" : "");
}

/* It leaves no core of its own: 1 is also what a core handler is not called for. */
static void forbid_core(pid_t pid)
{
	struct rlimit one = { 1, 1 };

	prlimit(pid, RLIMIT_CORE, &one, NULL);
}

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

/* By the first thread that can.  Most processes have one that waits. */
static int make_spawner(struct snapshot *s, struct target *t, struct err *e)
{
	const u64 args[4] = { CLONE_VM | CLONE_FILES | CLONE_PTRACE, POISON_SP };
	struct inject_result out = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < t->n_threads; i++)
		if (inject_may_use(t, &t->threads[i]))
			r = inject_borrow(&s->inject, t, &t->threads[i], INJECT_CLONE, args, &out, e);
	s->spawner = out.child;
	if (r < 0)
		return r;
	if (!r)
		return refuse(e, "no thread of the process waits in a system call, free of signals that are pending or that "
			      "only the call blocks, or runs where a call would change nothing (rseq(2), SVE)");
	if (out.ret < 0 || !out.child)
		return refused_call(e, out.ret);
	s->spawner_there = (u64)out.ret;
	forbid_core(s->spawner);
	return 0;
}

/*
 * A child of the target's, as the spawner is, and like it without an exit signal: kernel/fork.c:
 * copy_process().  Were it the spawner's, and both were killed, then a target that is init of its namespace
 * or a subreaper would get it, and SIGCHLD: kernel/exit.c: reparent_leader().
 */
static int make_copy(struct snapshot *s, struct err *e)
{
	const u64 args[4] = { CLONE_FILES | CLONE_PTRACE | CLONE_PARENT };
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
	r = inject_adopt(&s->inject, s->copy, e);
	forbid_core(s->copy);
	offer_to_oom(s->copy);
	return r;
}

/* Read as a process that has one stopped thread. */
static int open_memory(struct snapshot *s, const struct target *t, struct err *e)
{
	struct target *m = &s->memory;

	*m = (struct target){ .pid = s->copy, .reader = s->copy, .arch = t->arch, .mem_fd = -1, .files = t->files };
	m->threads = calloc(1, sizeof(*m->threads));
	if (!m->threads)
		return err_set(e, -ENOMEM, "a thread");
	m->threads[0] = (struct thread){ .tid = s->copy, .stop = THREAD_STOPPED };
	m->n_threads = m->cap_threads = 1;
	return target_open_mem(m, e);
}

/* At most @max areas of the target's that are shared, and that @which has. */
static int unmap_shared(struct snapshot *s, const struct areas *areas, bool (*which)(const struct vma *v), size_t max,
			struct err *e)
{
	struct inject_result out;
	int r = 0;

	for (size_t i = 0; !r && i < areas->n && max; i++) {
		const struct vma *v = areas->v[i].vma;
		const u64 range[4] = { v->start, v->end - v->start };

		if (!which(v))
			continue;
		max--;
		r = inject_own(&s->inject, s->copy, INJECT_MUNMAP, range, &out, e);
	}
	return r;
}

static bool is_shared(const struct vma *v)
{
	return v->flags & VM_SHARED && !(v->flags & VM_DONTCOPY);
}

/* Who attaches SysV shared memory is counted: shmctl(2), shm_nattch.  Its name: ipc/shm.c: newseg(). */
static bool is_sysv(const struct vma *v)
{
	return is_shared(v) && v->name && !strncmp(v->name, "/SYSV", 5);
}

static int take(struct snapshot *s, struct target *t, const struct areas *areas, u64 room, struct err *e)
{
	const struct vma *vdso = inject_vdso(areas);
	bool seccomp = false;
	u64 memory = 0;
	int r = check(t, areas, &seccomp, &memory, e);

	if (!r && memory > room)
		r = check_room(t, memory, e);
	if (!r && !vdso)
		r = refuse(e, "the process has no vdso");
	if (!r)
		r = inject_open(&s->inject, t, vdso, undo_find_code(t, areas), seccomp, e);
	if (!r)
		r = make_spawner(s, t, e);
	if (r)
		return r;
	r = make_copy(s, e);
	if (!r)
		r = unmap_shared(s, areas, is_sysv, UNMAP_MAX, e);
	if (!r)
		r = open_memory(s, t, e);
	/* One of ours: the target may live. */
	if (r == ERR_GONE)
		return refuse(e, "the copy was killed while it was made");
	return r ? r : snapshot_end_spawner(s, t, e);
}

int snapshot_take(struct snapshot *s, struct target *t, const struct areas *areas, u64 room, struct err *e)
{
	int r;

	*s = (struct snapshot){ .target = t->pid, .start_time = t->start_time, .memory.mem_fd = -1 };
	r = take(s, t, areas, room, e);
	if (r)
		snapshot_end(s, t);
	return r;
}

/* ---- while the target runs on */

void snapshot_part(struct snapshot *s, const struct areas *areas)
{
	const u64 all[4] = { 0, UINT32_MAX, UNSHARE };
	struct inject_result out;
	struct err ignored;

	if (inject_own(&s->inject, s->copy, INJECT_CLOSE_RANGE, all, &out, &ignored) ||
	    unmap_shared(s, areas, is_shared, UNMAP_MAX, &ignored))
		return;
}
