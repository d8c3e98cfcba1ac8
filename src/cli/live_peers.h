/* live_peers.h - who is at the other end of what a thread reads from or writes to. */
#pragma once

#include "explain/explain.h"

/* The number in "pipe:[12]" or "socket:[12]", else 0. */
u64 live_inode(const char *name);

/*
 * live_fd.others and .is_own of the pipes, FIFOs and sockets that a thread of process @pid is in a call for, from
 * /proc/PID/fd of all processes that may be looked at.  Bounded in time and number: what is not found is not said.
 */
void live_peers(pid_t pid, struct live *l);

/* ---- live_polled.c */

enum { LIVE_POLLED_MAX = 8 };
/* The first @max descriptors, at most LIVE_POLLED_MAX, that a thread waits for in poll(2) or select(2): 0 if it does not. */
size_t live_polled(pid_t pid, const struct live_thread *t, s32 fds[], size_t max);

/* ---- live_other_end.c */

/* The number of the socket that socket @inode of process @pid is connected to on this machine, or 0. */
u64 live_other_end(pid_t pid, u64 inode);
