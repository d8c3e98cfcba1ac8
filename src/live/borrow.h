/* borrow.h - a thread of a running process that is stopped for a moment, to make a system call. */
#pragma once

#include "live/target.h"

/* What is to be done with one stopped thread.  1: done; 0: another is to be tried; negative: an error. */
typedef int borrow_fn(struct target *t, struct thread *th, void *arg, struct err *e);

/*
 * Stops one thread after the other of those that wait in a system call, some 0.1 ms each, until @fn is
 * done, for up to @limit_ms.  1: it is; 0: no thread was to be had.  ERR_GONE: the process that
 * began at @start_time has ended.
 */
int borrow_thread(pid_t pid, u64 start_time, unsigned limit_ms, borrow_fn *fn, void *arg, struct err *e) must_check;
