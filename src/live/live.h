/* live.h - stopping a target, in steps: threads, machine, system calls, priority; shared by the files of src/live. */
#pragma once

#include "live/target.h"

/* Opens the memory of t->reader anew; on error the old descriptor stays. */
int target_open_mem(struct target *t, struct err *e) must_check;

/* The signal that a thread has stopped for, by waitpid's @status, if it is one: to be given back. */
void stop_note_signal(struct thread *th, int status);

/*
 * All threads stand still: is it the process that target_open() found, and which
 * program does it run now?  ERR_GONE; t->arch, t->execed and the threads' names.
 */
int target_look_again(struct target *t, struct err *e) must_check;

/* Puts the leader first, as the kernel's own core has it; t->reader and t->leader_exited.  ERR_GONE: there are none. */
int threads_sort(struct target *t, struct err *e) must_check;
/* th->wchan: the kernel's function that it sleeps in, or "". */
void thread_read_wchan(const struct target *t, struct thread *th);
/* Appends to t->threads. */
int threads_add(struct target *t, const struct thread *th, struct err *e) must_check;
/* It has no memory any more, and will not run. */
bool thread_is_dead(char state);

/* Any that stands still: all share the memory.  NULL: none does. */
const struct thread *target_stopped_thread(const struct target *t);

/*
 * Seizes what is not ours yet.  *n_changed grows by those, and by the threads that have come
 * to an end since they were listed: it may be that one has become another.
 */
int seize_new(struct target *t, size_t *n_changed, struct err *e) must_check;

/* Seizes one thread.  1: done; 0: it has died. */
int seize_one(struct target *t, pid_t tid, struct err *e) must_check;

/*
 * machine.c: t->arch, the machine of the program that was started, 32-bit ones of
 * this kernel among them.  ERR_UNSUPPORTED: one that cannot be dumped here.
 */
int machine_find(struct target *t, struct err *e) must_check;
/* Whether t->arch may still be it, without a look at a file: that could take its time while all stand still. */
bool machine_is_still(const struct target *t);
/*
 * As a thread has stopped: its registers in th->gregs, of th->mode, and in
 * th->regs, of th->form.  ERR_GONE when it has died.
 */
int machine_read(struct thread *th, struct err *e) must_check;
/* What errno says after ptrace(2) has refused to @what ("read registers", …) of a thread: ERR_GONE if it has died. */
int machine_refused(pid_t tid, const char *what, struct err *e);
/* Number @i of @a's general registers in @regs, which are in the form of its gregs. */
u64 machine_reg(const struct arch *a, const u8 *regs, unsigned i);
void machine_put_reg(const struct arch *a, u8 *regs, unsigned i, u64 value);
/* What the thread will run on with, in the form of th->form. */
int machine_write(const struct thread *th, const u8 *regs, struct err *e) must_check;
/*
 * When t->arch is sure: th->gregs in its form, and th->other_mode.  May be called
 * once after each machine_read(); what that could not do is tried again.
 */
int machine_gregs(const struct target *t, struct thread *th, struct err *e) must_check;
/* Whether a thread's set is the same in either mode. */
bool machine_same_set(const struct target *t, const struct regset *set);

/*
 * As a thread has stopped, after machine_read(): a system call that our stop made
 * return EINTR is restarted.  th->gregs and th->regs keep what they were.
 */
void restart_stopped(const struct target *t, struct thread *th);
/*
 * When all have stopped, and just before the thread is detached: a signal that has
 * arrived interrupts the call as it would have without us, so the EINTR is put back; one
 * that another thread has taken does not.
 */
void restart_reconsider(const struct target *t, struct thread *th);
/*
 * Whether @th stopped in a system call: there no code of its own is half-way through anything that a
 * look at its program counter would end (rseq(2)).
 */
bool restart_in_call(const struct thread *th);
/*
 * Of a thread that stopped by PTRACE_INTERRUPT behind an instruction that makes calls, @insn_len bytes, with EINTR: whether it
 * is known what it has called, as @call (see struct thread).
 */
bool begun_call(const struct target *t, const struct thread *th, u16 insn_len, u64 call[4]);
/* Whether one that did not, whose machine has inject, may make a call where it stands all the same. */
bool own_code_may_call(const struct target *t, const struct thread *th);
/*
 * Where the kernel has set @regs back to the beginning of a call that has a time limit, and will only as the
 * thread runs on remember how much is left: if it has to run another call first, @regs go on with that.
 */
void restart_timed(const struct thread *th, u8 *regs);
/* Signals to the process as a whole that @th will take when it is resumed, as a mask; NULL: that any thread may. */
u64 restart_shared_signals(const struct target *t, const struct thread *th);

/*
 * PTRACE_PEEKMTETAGS on a stopped tracee of this thread: one tag a byte, in as
 * many calls as it takes, up to the first page without tags.  ERR_GONE when the
 * tracee is.
 */
int peek_tags(pid_t tid, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e) must_check;

/*
 * urgent.c: while the target is stopped for us, the calling thread, and those that
 * it starts, run before others where we may ask for that; and as before afterwards.
 */
void urgent_begin(struct target *t);
void urgent_end(struct target *t);
