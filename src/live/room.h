/* room.h - whether the machine, and the control groups of a process, have room for copies of it. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

struct room_need {
	u64 memory;	/* bytes that the kernel charges to the process's groups */
	u64 tasks;
};

/*
 * Asked first, for where memory is at its limit a group's out-of-memory killer might choose the process itself.
 * ERR_LIMIT, with a sentence; what cannot be read has room.  Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/.
 */
int room_check(pid_t pid, const struct room_need *need, struct err *e) must_check;
