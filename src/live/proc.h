/* proc.h - what /proc says of a process, parsed once and strictly. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

/* /proc/PID/task/TID/stat, proc(5); times in clock ticks. */
struct proc_stat {
	char comm[64];
	char state;
	s32 ppid, pgrp, sid;
	u64 flags;
	u64 utime, stime, cutime, cstime;
	s64 nice;
	u64 start_time;
	u64 start_stack;	/* highest address of the first thread's; 0: it may not be asked */
};
int proc_stat(pid_t pid, pid_t tid, struct proc_stat *out, struct err *e) must_check;
/* /proc/PID/stat: the same, but times are those of all threads together. */
int proc_stat_group(pid_t pid, struct proc_stat *out, struct err *e) must_check;

/* /proc/PID/task/TID/status; signal sets are masks, sizes are bytes. */
struct proc_status {
	s32 tgid;
	s32 tracer;
	u32 threads;
	u32 uid[4], gid[4];	/* real, effective, saved, file system */
	u64 sig_pending, shared_pending, sig_blocked, sig_ignored, sig_caught;
	u64 vm_rss, vm_pte, rss_shmem;
	bool has_mm;		/* VmSize is there: neither a zombie nor a kernel thread */
	u32 seccomp;
	u64 cap_permitted;	/* bits, capabilities(7) */
	s32 ns_pid;		/* its id in its own PID namespace, the innermost */
};
int proc_status(pid_t pid, pid_t tid, struct proc_status *out, struct err *e) must_check;

/* A whole file of thread @tid ("auxv", "cmdline", …), appended to @b. */
int proc_slurp(pid_t pid, pid_t tid, const char *file, size_t max, struct buf *b, struct err *e) must_check;

/* The same, with a NUL behind it, which counts. */
int proc_slurp_text(pid_t pid, pid_t tid, const char *file, size_t max, struct buf *b, struct err *e) must_check;

/*
 * What follows @key, which begins a line of what the kernel says of descriptor @fd (proc_pid_fdinfo(5)), up to
 * its end: false if there is no such line or descriptor.  @value is NUL-terminated, cut to @size.
 */
bool proc_fdinfo(pid_t pid, pid_t tid, const char *fd, const char *key, char *value, size_t size);

/* The threads of a process, in the kernel's order: *tids is malloc'ed. */
int proc_threads(pid_t pid, pid_t **tids, size_t *n, struct err *e) must_check;

/* 1 and out[] = number, first argument, sp, pc of the call @tid is blocked in; 0: it runs or may not be asked. */
int proc_syscall(pid_t pid, pid_t tid, u64 out[4]);

/* Target of the link /proc/PID/task/TID/@file; NUL-terminated, cut to @size. */
int proc_readlink(pid_t pid, pid_t tid, const char *file, char *out, size_t size, struct err *e) must_check;
