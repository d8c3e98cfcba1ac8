/* borrow.h - a thread of a running process that is stopped for a moment, to make a system call. */
#pragma once

#include "live/target.h"

/* What is to be done with a target, of which threads stand still.  1: done; 0: others are to be tried; negative: an error. */
typedef int borrow_fn(struct target *t, void *arg, struct err *e);

/*
 * Calls @fn with thread @tid of a running process stopped, or if that is 0, with all.  0, too, where it has ended or does
 * not stop soon.  ERR_GONE: the process that began at @start_time has ended.
 */
int borrow_thread(pid_t pid, u64 start_time, pid_t tid, borrow_fn *fn, void *arg, struct err *e) must_check;

/*
 * The same with one thread after the other of those that wait in a system call, some 0.1 ms each, until @fn is
 * done, for up to @limit_ms.  0: no thread was to be had.
 */
int borrow_any(pid_t pid, u64 start_time, unsigned limit_ms, borrow_fn *fn, void *arg, struct err *e) must_check;
