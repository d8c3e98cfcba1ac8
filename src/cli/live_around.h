/* live_around.h - what is around a process that hangs: files it waits to lock, what its epoll watches, its parent. */
#pragma once

#include "base/err.h"
#include "explain/explain.h"

/* l->file_locks, from /proc/locks. */
void live_file_locks(pid_t pid, struct live *l);
/* The descriptors that an epoll instance watches, added to its name.  After live_sockets(). */
void live_epolls(pid_t pid, struct live *l);
/* l->parent and its threads. */
int live_parent(pid_t pid, struct live *l, struct err *e) must_check;
