/* guardian.h - a dump in a process of its own, which outlives the command long enough to do the target no harm. */
#pragma once

#include "dump/dump.h"

/*
 * dump_run() in a child that is the tracer: in a session of its own and with all signals blocked, so that
 * neither a terminal nor a kill of the command meets it at the few moments at which a snapshot must not be
 * given up.  When the command dies, it cancels the dump and ends.
 */
int guardian_run(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e) must_check;
