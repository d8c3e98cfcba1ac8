/* process.h - a live process as a core of its stacks, in memory, to be unwound while the process runs on. */
#pragma once

#include "core/core.h"
#include "dump/dump.h"

/*
 * Stops process @pid once, shortly, and opens what unwinding needs of it as *core.  @report
 * says how that went, and which process it is: for unwind_opts.pid.  It must be released in
 * every case.
 */
int process_core(pid_t pid, u32 stop_timeout_ms, const volatile sig_atomic_t *cancel, struct core *core,
		 struct dump_report *report, struct err *e) must_check;
