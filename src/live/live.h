/* live.h - what target.c and stop.c share. */
#pragma once

#include <tagcore/target.h>

/* Opens the memory of t->reader anew; on error the old descriptor stays. */
int target_open_mem(struct target *t, struct err *e) must_check;

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
