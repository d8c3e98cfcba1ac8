/* process.h - a live process as a core of its stacks, in memory, to be unwound while the process runs on. */
#pragma once

#include "core/core.h"
#include "dump/dump.h"

/*
 * How long all threads stand still for one that does not stop, waiting for a disk
 * or in vfork(2): after that only its system call is shown.
 */
enum { PROCESS_STOP_TIMEOUT_MS = 1000 };	/* unless the user says otherwise */

/*
 * Stops process @pid once, shortly, and opens what unwinding needs of it as *core.  @report
 * says how that went, and which process it is: for unwind_opts.pid.  It must be released in
 * every case.  With @snapshot its stacks are copied from one, while it runs on.  @waits: the locks that threads
 * wait for, too.
 */
int process_core(pid_t pid, u32 stop_timeout_ms, enum snapshot_wish snapshot, bool waits,
		 const volatile sig_atomic_t *cancel, struct core *core, struct dump_report *report, struct err *e) must_check;
