#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "live/proc.h"

/*
 * A line of status has all supplementary groups: up to NGROUPS_MAX (65536, include/uapi/linux/limits.h)
 * numbers of 11 bytes.  The bound is for what is no such file.
 */
enum { PROC_TEXT_MAX = 16 << 20 };

static void task_path(char out[96], pid_t pid, pid_t tid, const char *file)
{
	snprintf(out, 96, "/proc/%d/task/%d/%s", pid, tid, file);
}

int proc_slurp(pid_t pid, pid_t tid, const char *file, size_t max, struct buf *b, struct err *e)
{
	char path[96];
	int r;

	task_path(path, pid, tid, file);
	r = io_slurp(path, b, max, e);
	if (r == -ENOENT || r == -ESRCH)
		return err_set(e, ERR_GONE, "process %d has no thread %d any more", pid, tid);
	return r;
}

/* The text of a file, NUL-terminated. */
static int slurp_text(pid_t pid, pid_t tid, const char *file, struct buf *b, struct err *e)
{
	int r = proc_slurp(pid, tid, file, PROC_TEXT_MAX, b, e);

	return r ? r : buf_add(b, "", 1, e);
}

bool proc_fdinfo(pid_t pid, pid_t tid, const char *fd, const char *key, char *value, size_t size)
{
	struct buf b scoped(buf_fini) = { 0 };
	char file[64];
	const char *line;
	struct err ignored;

	snprintf(file, sizeof(file), "fdinfo/%.16s", fd);
	if (slurp_text(pid, tid, file, &b, &ignored))
		return false;
	for (line = (const char *)b.p; line; line = strchr(line, '\n'), line += line ? 1 : 0) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

/*
 * "PID (COMM) S PPID …": COMM may hold anything, ')' and newlines too, so the
 * last ')' ends it.  proc(5); fs/proc/array.c: do_task_stat().
 */
static int parse_stat(char *text, struct proc_stat *out)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long flags, t[4], start, stack = 0;
	struct proc_stat s = { 0 };
	long nice;
	int n;

	if (!open || !close || close < open)
		return -1;
	snprintf(s.comm, sizeof(s.comm), "%.*s", (int)(close - open - 1), open + 1);
	n = sscanf(close + 1, " %c %d %d %d %*d %*d %llu %*u %*u %*u %*u %llu %llu %llu %llu %*d %ld %*d %*d %llu"
		   " %*u %*d %*u %*u %*u %llu",
		   &s.state, &s.ppid, &s.pgrp, &s.sid, &flags, &t[0], &t[1], &t[2], &t[3], &nice, &start, &stack);
	if (n != 12)
		return -1;
	s.flags = flags;
	s.utime = t[0];
	s.stime = t[1];
	s.cutime = t[2];
	s.cstime = t[3];
	s.nice = nice;
	s.start_time = start;
	s.start_stack = stack;
	*out = s;
	return 0;
}

int proc_stat(pid_t pid, pid_t tid, struct proc_stat *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = slurp_text(pid, tid, "stat", &b, e);

	if (!r && parse_stat((char *)b.p, out))
		r = err_set(e, ERR_INPUT, "/proc/%d/task/%d/stat cannot be understood", pid, tid);
	return r;
}

int proc_stat_group(pid_t pid, struct proc_stat *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = io_slurp(path, &b, PROC_TEXT_MAX, e);
	if (!r)
		r = buf_add(&b, "", 1, e);
	if (!r && parse_stat((char *)b.p, out))
		r = err_set(e, ERR_INPUT, "%s cannot be understood", path);
	return r;
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

int proc_status(pid_t pid, pid_t tid, struct proc_status *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct proc_status s = { 0 };
	char *save = NULL;
	int r = slurp_text(pid, tid, "status", &b, e);

	if (r)
		return r;
	for (char *line = strtok_r((char *)b.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');

		for (size_t i = 0; colon && i < ARRAY_SIZE(status_rows); i++)
			if (strlen(status_rows[i].key) == (size_t)(colon - line) &&
			    !strncmp(line, status_rows[i].key, (size_t)(colon - line)))
				status_line(&s, &status_rows[i], colon + 1);
	}
	if (s.tgid <= 0)
		return err_set(e, ERR_INPUT, "/proc/%d/task/%d/status cannot be understood", pid, tid);
	*out = s;
	return 0;
}

/* readdir(3): NULL is the end only where errno stays 0.  1 and *out, 0, or the error. */
static int next_tid(DIR *dir, const char *path, pid_t *out, struct err *e)
{
	struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (d && !isdigit((unsigned char)d->d_name[0]));
	if (!d)
		return errno ? err_set(e, -errno, "read %s", path) : 0;
	*out = (pid_t)atoi(d->d_name);
	return 1;
}

int proc_threads(pid_t pid, pid_t **tids, size_t *n, struct err *e)
{
	DIR *dir scoped(scope_closedir) = NULL;
	pid_t *list auto_free = NULL;
	size_t len = 0, cap = 0;
	char path[64];
	pid_t tid = 0;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? err_set(e, ERR_GONE, "no process %d", pid)
				       : err_set(e, -errno, "open %s", path);
	while ((r = next_tid(dir, path, &tid, e)) > 0) {
		r = array_grow((void **)&list, len, &cap, sizeof(*list), "list of threads", e);
		if (r)
			return r;
		list[len++] = tid;
	}
	if (r)
		return r;
	*tids = take_ptr(list);
	*n = len;
	return 0;
}

/*
 * "NR ARG0 … ARG5 SP PC" in a call, "-1 SP PC" blocked elsewhere, "running".
 * fs/proc/base.c: proc_pid_syscall().
 */
int proc_syscall(pid_t pid, pid_t tid, u64 out[4])
{
	struct buf b scoped(buf_fini) = { 0 };
	unsigned long long a[6], sp, pc;
	long long nr;
	struct err e;

	if (slurp_text(pid, tid, "syscall", &b, &e))
		return 0;
	if (sscanf((char *)b.p, "%lld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx", &nr, &a[0], &a[1],
		   &a[2], &a[3], &a[4], &a[5], &sp, &pc) != 9) {
		if (sscanf((char *)b.p, "-1 0x%llx 0x%llx", &sp, &pc) != 2)
			return 0;
		nr = -1;
		a[0] = 0;
	}
	out[0] = (u64)nr;
	out[1] = a[0];
	out[2] = sp;
	out[3] = pc;
	return 1;
}

int proc_readlink(pid_t pid, pid_t tid, const char *file, char *out, size_t size, struct err *e)
{
	char path[96];
	ssize_t n;

	task_path(path, pid, tid, file);
	n = readlink(path, out, size - 1);
	if (n < 0)
		return err_set(e, -errno, "read link %s", path);
	out[n] = 0;
	return 0;
}
