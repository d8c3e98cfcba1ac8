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
#include "live/proc_text.h"

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

int proc_slurp_text(pid_t pid, pid_t tid, const char *file, size_t max, struct buf *b, struct err *e)
{
	int r = proc_slurp(pid, tid, file, max, b, e);

	return r ? r : buf_add(b, "", 1, e);
}

bool proc_fdinfo(pid_t pid, pid_t tid, const char *fd, const char *key, char *value, size_t size)
{
	struct buf b scoped(buf_fini) = { 0 };
	char file[64];
	const char *line;
	struct err ignored;

	snprintf(file, sizeof(file), "fdinfo/%.16s", fd);
	if (proc_slurp_text(pid, tid, file, PROC_TEXT_MAX, &b, &ignored))
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

int proc_stat(pid_t pid, pid_t tid, struct proc_stat *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = proc_slurp_text(pid, tid, "stat", PROC_TEXT_MAX, &b, e);

	if (!r && !proc_text_stat((char *)b.p, out))
		r = err_set(e, ERR_INPUT, "/proc/%d/task/%d/stat cannot be understood", pid, tid);
	return r;
}

int proc_stat_group(pid_t pid, struct proc_stat *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = io_slurp_text(path, &b, PROC_TEXT_MAX, e);
	if (!r && !proc_text_stat((char *)b.p, out))
		r = err_set(e, ERR_INPUT, "%s cannot be understood", path);
	return r;
}

int proc_status(pid_t pid, pid_t tid, struct proc_status *out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = proc_slurp_text(pid, tid, "status", PROC_TEXT_MAX, &b, e);

	if (!r && !proc_text_status((char *)b.p, out))
		r = err_set(e, ERR_INPUT, "/proc/%d/task/%d/status cannot be understood", pid, tid);
	return r;
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

int proc_syscall(pid_t pid, pid_t tid, u64 out[4])
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	return !proc_slurp_text(pid, tid, "syscall", PROC_TEXT_MAX, &b, &e) && proc_text_syscall((char *)b.p, out);
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
