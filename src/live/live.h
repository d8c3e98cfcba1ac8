/* live.h - what target.c and stop.c share. */
#pragma once

#include <tagcore/target.h>

/* Opens the memory of t->reader anew; on error the old descriptor stays. */
int target_open_mem(struct target *t, struct err *e) must_check;

/*
 * machine.c: t->arch, the machine of the program that was started, 32-bit ones of
 * this kernel among them.  ERR_UNSUPPORTED: one that cannot be dumped here.
 */
int machine_find(struct target *t, struct err *e) must_check;
/*
 * The stopped thread's PRSTATUS registers as t->arch has them, and
 * th->other_mode when it runs code of the other word size just now.  ERR_GONE
 * when it has died.
 */
int machine_gregs(const struct target *t, struct thread *th, struct err *e) must_check;
/* Whether a thread's set is the same in either mode. */
bool machine_same_set(const struct target *t, const struct regset *set);

/* Sets a call going again that our stop made return EINTR; th->gregs keep what they were. */
int restart_syscall(const struct target *t, struct thread *th, struct err *e) must_check;
/*
 * Just before the thread is let go: a signal that came while it was stopped
 * breaks the call as it would have without us, so the EINTR is put back.
 */
void restart_reconsider(const struct target *t, const struct thread *th);

/*
 * PTRACE_PEEKMTETAGS on a stopped tracee of this thread: one tag a byte, in as
 * many calls as it takes, up to the first page without tags.  ERR_GONE when the
 * tracee is.
 */
int peek_tags(pid_t tid, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e) must_check;
