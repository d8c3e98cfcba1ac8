/* inject.h - system calls made for a thread that stands still, by its registers alone; see struct inject_abi. */
#pragma once

#include "live/area.h"
#include "live/target.h"
#include "mm/vma.h"

struct inject {
	const struct arch *arch;
	u64 pc;		/* of the instruction that calls, in the target's vdso */
	unsigned long options;	/* PTRACE_O_* with which calls are made */
	u64 undo;	/* code that calls rt_sigreturn(2) there; 0: none is known */
};

/* What came of a call. */
struct inject_result {
	s64 ret;	/* -errno on failure */
	pid_t child;	/* of INJECT_CLONE, its number here */
};

/*
 * Where the target's vdso calls the kernel.  ERR_UNSUPPORTED: this machine, or this vdso, is not
 * known.  @t is stopped.  @seccomp: its filter is not to see the calls.  @undo: see undo.h.
 */
int inject_open(struct inject *i, const struct target *t, const struct vma *vdso, u64 undo, bool seccomp,
		struct err *e) must_check;

/*
 * Whether calls can be made for @t, as far as it can be known while it runs.  ERR_UNSUPPORTED: no, and why.
 * *seccomp: the process has a filter, which can be suspended.
 */
int inject_check(const struct target *t, bool *seccomp, struct err *e) must_check;

/* The area of the vdso; NULL: there is none. */
const struct vma *inject_vdso(const struct areas *areas);

/* Whether a call can be made for @th: it is stopped where that changes nothing, and no signal waits for it. */
bool inject_may_use(const struct target *t, const struct thread *th);

/*
 * Makes the call for a thread of the target, which is as before afterwards: registers, signals,
 * options.  A process that it makes has stopped and dies with us.  1: it was made, or refused by the kernel (*out); 0: a signal came first, which
 * @th->give_back has: take another thread.  ERR_GONE: the thread has died.
 */
int inject_borrow(const struct inject *i, const struct target *t, struct thread *th, enum inject_call call,
		  const u64 args[4], struct inject_result *out, struct err *e) must_check;

/* A process that a call has made: waits for its first stop.  It dies with us, and can make calls. */
int inject_adopt(const struct inject *i, pid_t pid, struct err *e) must_check;

/* The same for a process of ours, traced and stopped, which stays wherever the call leaves it. */
int inject_own(const struct inject *i, pid_t tid, enum inject_call call, const u64 args[4],
	       struct inject_result *out, struct err *e) must_check;

/* Waits for a stop of @tid, or its end, for some time: *status as by wait(2).  ERR_GONE: it has ended. */
int inject_wait(pid_t tid, int *status, struct err *e) must_check;
