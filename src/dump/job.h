/* job.h - one dump in a thread of its own, whose exit detaches the target whatever happened. */
#pragma once

#include "dump/dump.h"

/*
 * dump_run() in a fresh thread, which is the tracer.  A thread that could not be
 * stopped cannot be detached either; the kernel detaches it when its tracer
 * exits (exit_ptrace()), and that must not wait for the next process's dump.
 *
 * Signals are blocked in it: the handlers of the program run in its other threads, and
 * SIGPIPE or SIGXFSZ, which go to the thread that wrote, are an error of write(2) alone.
 */
int dump_job(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e) must_check;
