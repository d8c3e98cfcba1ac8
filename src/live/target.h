/* target.h - a live process: found, stopped, read, and resumed unharmed. */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

/* What became of a thread when the target was stopped. */
enum thread_stop {
	THREAD_SEIZED,		/* ours, not yet seen to stop */
	THREAD_STOPPED,		/* stopped; registers can be read */
	THREAD_UNSTOPPABLE,	/* did not stop in time: thread.why */
	THREAD_EXITED,		/* died on the way; forgotten by the kernel */
};

/* Why a thread did not stop: stop_wait.c has one row for each reason in a stop, unstopped.c the one without. */
struct stop_reason {
	const char *name;	/* uninterruptible, frozen, no-processor, in-kernel, no-stop */
	const char *text;	/* as it goes on after "thread 5 did not stop: " */
	bool sleeps;		/* it has a wchan */
};

/* One thread.  @gregs is its PRSTATUS register set as it was at the stop. */
struct thread {
	pid_t tid;
	enum thread_stop stop;
	char state;		/* of /proc/PID/task/TID/stat before the stop: R, S, D, T, … */
	char comm[64];		/* as the kernel gives it: up to 15 bytes, longer for kernel threads */
	bool group_stopped;	/* by SIGSTOP and its kin: stays stopped when detached */
	int give_back;		/* signal that arrived during the stop, delivered on detach; 0: none */
	bool has_siginfo;
	siginfo_t siginfo;	/* of the signal in give_back or of the group stop */
	u8 gregs[512];
	size_t gregs_len;
	bool other_mode;	/* runs 64-bit code in a 32-bit process just now, or the reverse */
	/* Its registers at the stop in the form that they can be written back in, and what they are now. */
	const struct arch *mode;	/* of the code that it runs just now; NULL: not read, or unknown */
	const struct arch *form;	/* of regs: mode, or this machine where that has all of them in any mode */
	u8 regs[512];
	bool broken;		/* our stop made its system call return EINTR */
	bool restarted;		/* that call is restarted: it resumes with other registers than regs */
	/*
	 * Where it waited before the stop, from /proc/TID/syscall: number, first argument, sp, pc.  Or the call that it
	 * had begun since, if that has returned EINTR: begun_call().
	 */
	bool was_blocked;
	u64 call[4];
	/* If it did not stop: */
	const struct stop_reason *why;
	char wchan[48];		/* the kernel's function that it sleeps in, or "" */
	u64 ran_ns;		/* how long it had run when some time had been waited for it */
};

struct files;

/* A process.  Owns @threads and its descriptors. */
struct target {
	pid_t pid;
	pid_t reader;		/* a live thread: its /proc files work when the leader's are empty */
	bool leader_exited;
	const struct arch *arch;	/* this machine, or the 32-bit one whose programs its kernel runs, too */
	struct thread *threads;	/* the leader first, unless it has exited */
	size_t n_threads;
	size_t cap_threads;
	int mem_fd;		/* /proc/PID/task/reader/mem, or -1 */
	u64 start_time;		/* clock ticks since boot: with pid, which process this is */
	bool unstopped;		/* it is neither traced nor stopped: target_look_unstopped() */
	bool execed;		/* at the stop it was another program than target_open() had found */
	u64 stopped_at;		/* CLOCK_MONOTONIC ns; 0 while it runs */
	u64 pause_ns;		/* how long the last stop lasted */
	bool urgent;		/* while it is stopped: our thread's nice value was raised from @nice */
	int nice;
	struct files *files;	/* by which its files are asked for; NULL: by a thread that begins and ends with each question */
};

struct target_opts {
	/*
	 * How long to wait for threads that do not stop, from when the last one did; ten
	 * times as long, from the beginning, while one of them is runnable.
	 */
	u32 stop_timeout_ms;
	const volatile sig_atomic_t *cancel;	/* != 0: give up; may be NULL */
};

/*
 * Finds the process and checks that it can be dumped; stops nothing.  @pid may
 * name any of its threads.  ERR_GONE: no such process, a zombie, a kernel
 * thread; -EPERM, -EACCES: the sentence says what forbids it and what would
 * help; ERR_UNSUPPORTED: a program of a machine that cannot be dumped here (x32).
 */
int target_open(struct target *t, pid_t pid, struct err *e) must_check;
/*
 * The same with t->files, which is to live longer.  @unstopped: it will not be stopped, and may have another
 * tracer.
 */
int target_open_with(struct target *t, pid_t pid, struct files *files, bool unstopped, struct err *e) must_check;

/*
 * *pid: the process that has a thread of that number; *tid: a thread of it by which its
 * /proc files can be read, see struct target.  ERR_GONE: it has no memory.
 */
int target_reader(pid_t *pid, pid_t *tid, struct err *e) must_check;

/*
 * Seizes and interrupts every thread, looking again until none is new.  After
 * success every thread is THREAD_STOPPED with its registers in gregs, or
 * THREAD_UNSTOPPABLE.  System calls that the stop interrupted have been restarted,
 * each as its thread stopped; gregs keep what the kernel's own core would
 * show.  @t is then what the process is at the stop: it may have run another
 * program, of another machine, since target_open(); see execed.  ERR_GONE: it has
 * ended, or its number is another process's by now.  On error the target runs
 * again.  ptrace(2), PTRACE_SEIZE.
 */
int target_stop(struct target *t, const struct target_opts *opts, struct err *e) must_check;

/*
 * In place of target_stop(), for one that was opened as @unstopped: all threads are THREAD_UNSTOPPABLE, with
 * what /proc says of them (state, name, wchan, sp and pc of a blocked one), and run on as they may.  From here
 * on target_read() reads the memory that this process had now, whatever program it runs later.
 */
int target_look_unstopped(struct target *t, struct err *e) must_check;
/* ERR_GONE: since target_look_unstopped() it has ended, or run another program. */
int target_is_same(const struct target *t, struct err *e) must_check;

/*
 * As target_stop() for one thread, which must be one of the process: t->threads has it alone.  The others
 * run on, and t->arch is what target_open() found.  ERR_GONE: it has ended, or did not stop in time.
 */
int target_stop_thread(struct target *t, pid_t tid, const struct target_opts *opts, struct err *e) must_check;

/* Resumes every thread, delivering the signals that arrived during the stop.  Does nothing if it runs already. */
void target_resume(struct target *t);

/* Resumes if need be and releases all.  Must always run; accepts a zeroed target. */
void target_close(struct target *t);

/* Register set @set of a stopped thread appended to @b.  1: done; 0: this thread has none, or not in this form. */
int target_regset(const struct target *t, const struct thread *th, const struct regset *set,
		  struct buf *b, struct err *e) must_check;

/*
 * Reads [addr, addr + len) of the target into @p.  *n is how much could be read
 * before the first unreadable byte (0 possible).  Faults pages in: ask only for
 * pages that are present or swapped.  Negative only when the target is gone.  What
 * the process itself may not read (PROT_NONE) is had for sure only while it is
 * stopped, in the thread that stopped it.
 */
int target_read(const struct target *t, u64 addr, void *p, size_t len, size_t *n,
		struct err *e) must_check;

/*
 * Memory tags of the granules from @addr (16-byte aligned), one a byte in @tags,
 * @n of them at most.  *got is how many could be read before the first page
 * without tags (0 possible).  Only in the thread that stopped the target, while
 * it is stopped.  Faults pages in, as target_read does.  ERR_GONE when the
 * target is gone.  ptrace(2), PTRACE_PEEKMTETAGS; arch/arm64/kernel/mte.c:
 * __access_remote_tags().
 */
int target_tags(const struct target *t, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e) must_check;
