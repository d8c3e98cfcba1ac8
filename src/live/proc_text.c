#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "live/proc_text.h"

/*
 * "PID (COMM) S PPID …": COMM may hold anything, ')' and newlines too, so the
 * last ')' ends it.  proc(5); fs/proc/array.c: do_task_stat().
 */
bool proc_text_stat(const char *text, struct proc_stat *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long flags, t[4], start, stack = 0;
	struct proc_stat s = { 0 };
	long nice;
	int n;

	if (!open || !close || close < open)
		return false;
	snprintf(s.comm, sizeof(s.comm), "%.*s", (int)(close - open - 1), open + 1);
	n = sscanf(close + 1, " %c %d %d %d %*d %*d %llu %*u %*u %*u %*u %llu %llu %llu %llu %*d %ld %*d %*d %llu"
		   " %*u %*d %*u %*u %*u %llu",
		   &s.state, &s.ppid, &s.pgrp, &s.sid, &flags, &t[0], &t[1], &t[2], &t[3], &nice, &start, &stack);
	if (n != 12)
		return false;
	s.flags = flags;
	s.utime = t[0];
	s.stime = t[1];
	s.cutime = t[2];
	s.cstime = t[3];
	s.nice = nice;
	s.start_time = start;
	s.start_stack = stack;
	*out = s;
	return true;
}

/* How a line of status is read. */
enum status_kind { ST_DEC, ST_HEX, ST_KB, ST_FOUR, ST_LAST };
static const struct status_row {
	const char *key;
	enum status_kind kind;
	size_t at;
	size_t size;
} status_rows[] = {
#define ROW(k, kind, m) { k, kind, offsetof(struct proc_status, m), sizeof(((struct proc_status *)0)->m) }
	ROW("Tgid", ST_DEC, tgid),
	ROW("TracerPid", ST_DEC, tracer),
	ROW("Uid", ST_FOUR, uid),
	ROW("Gid", ST_FOUR, gid),
	ROW("VmSize", ST_DEC, has_mm),
	ROW("VmRSS", ST_KB, vm_rss),
	ROW("RssShmem", ST_KB, rss_shmem),
	ROW("VmPTE", ST_KB, vm_pte),
	ROW("Threads", ST_DEC, threads),
	ROW("SigPnd", ST_HEX, sig_pending),
	ROW("ShdPnd", ST_HEX, shared_pending),
	ROW("SigBlk", ST_HEX, sig_blocked),
	ROW("SigIgn", ST_HEX, sig_ignored),
	ROW("SigCgt", ST_HEX, sig_caught),
	ROW("Seccomp", ST_DEC, seccomp),
	ROW("CapPrm", ST_HEX, cap_permitted),
	ROW("NSpid", ST_LAST, ns_pid),
#undef ROW
};

static void status_line(struct proc_status *s, const struct status_row *row, const char *value)
{
	u8 *at = (u8 *)s + row->at;
	const char *last = row->kind == ST_LAST ? strrchr(value, '\t') : NULL;
	u64 v = strtoull(last ? last : value, NULL, row->kind == ST_HEX ? 16 : 10);
	u32 four[4] = { 0 };

	if (row->kind == ST_KB)
		v *= 1024;
	if (row->kind == ST_FOUR) {
		if (sscanf(value, "%u %u %u %u", &four[0], &four[1], &four[2], &four[3]) == 4)
			memcpy(at, four, sizeof(four));
	} else if (row->size == 1) {
		*at = 1;
	} else {
		u32 v32 = (u32)v;

		memcpy(at, row->size == 8 ? (void *)&v : (void *)&v32, row->size);
	}
}

bool proc_text_status(char *text, struct proc_status *out)
{
	struct proc_status s = { 0 };
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');

		for (size_t i = 0; colon && i < ARRAY_SIZE(status_rows); i++)
			if (strlen(status_rows[i].key) == (size_t)(colon - line) &&
			    !strncmp(line, status_rows[i].key, (size_t)(colon - line)))
				status_line(&s, &status_rows[i], colon + 1);
	}
	*out = s;
	return s.tgid > 0;
}

/*
 * "NR ARG0 … ARG5 SP PC" in a call, "-1 SP PC" blocked elsewhere, "running".
 * fs/proc/base.c: proc_pid_syscall().
 */
bool proc_text_syscall(const char *text, u64 out[4])
{
	unsigned long long a[6], sp, pc;
	long long nr;

	if (sscanf(text, "%lld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx", &nr, &a[0], &a[1], &a[2], &a[3],
		   &a[4], &a[5], &sp, &pc) != 9) {
		if (sscanf(text, "-1 0x%llx 0x%llx", &sp, &pc) != 2)
			return false;
		nr = -1;
		a[0] = 0;
	}
	out[0] = (u64)nr;
	out[1] = a[0];
	out[2] = sp;
	out[3] = pc;
	return true;
}
