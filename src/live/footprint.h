/* footprint.h - how large a process is: what a dump must not change, and what it costs where it does. */
#pragma once

#include <sys/types.h>

#include "base/types.h"

/* Bytes; 0 where it is not known. */
struct footprint {
	u64 rss;	/* VmRSS */
	u64 pte;	/* VmPTE */
	u64 shmem;	/* RssShmem */
	/* Of /proc/PID/smaps_rollup, which walks the page tables; only if asked for: */
	u64 huge;	/* AnonHugePages */
	u64 own;	/* Private_Dirty: written pages that no other process has (any more) */
};

void footprint_read(pid_t pid, pid_t tid, bool rollup, struct footprint *out);
