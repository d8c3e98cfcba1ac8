#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/live_around.h"
#include "live/proc.h"

enum { FILE_MAX = 1 << 20, EPOLLS_MAX = 16, TARGETS_MAX = 1 << 10, TARGETS_SHOWN = 3, PARENT_TIDS_MAX = 1 << 12 };

/* ---- /proc/locks */

/* Linux 6.12, fs/locks.c: lock_get_status() and locks_show(): a lock's line, then those who wait for it with "->". */
struct lock_line {
	long long id;
	char kind[8];
	s32 pid;
	bool waits;
};

static bool parse_lock(const char *text, struct lock_line *out)
{
	int at = 0;

	*out = (struct lock_line){ 0 };
	if (sscanf(text, "%lld: %n", &out->id, &at) != 1 || !at)
		return false;
	out->waits = !strncmp(text + at, "->", 2);
	return sscanf(text + at + (out->waits ? 2 : 0), " %7s %*s %*s %d", out->kind, &out->pid) == 2;
}

static void add_lock(struct live *l, const struct lock_line *has)
{
	struct live_file_lock *out = &l->file_locks[l->n_file_locks];
	struct proc_stat s;
	struct err ignored;

	if (l->n_file_locks == LIVE_FILE_LOCKS_MAX)
		return;
	*out = (struct live_file_lock){ .pid = max(has->pid, 0) };
	snprintf(out->kind, sizeof(out->kind), "%s", has->kind);
	if (out->pid && !proc_stat_group(out->pid, &s, &ignored))
		snprintf(out->comm, sizeof(out->comm), "%s", s.comm);
	l->n_file_locks++;
}

void live_file_locks(pid_t pid, struct live *l)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct lock_line has = { 0 }, line;
	struct err ignored;

	if (io_slurp_text("/proc/locks", &b, FILE_MAX, &ignored))
		return;
	for (const char *at = (const char *)b.p; at && *at; at = strchr(at, '\n'), at += at ? 1 : 0) {
		if (!parse_lock(at, &line))
			continue;
		if (!line.waits)
			has = line;
		else if (line.pid == pid && line.id == has.id)
			add_lock(l, &has);
	}
}

/* ---- epoll */

/* "tfd:        5 events:       19 data: …", proc_pid_fdinfo(5). */
static void epoll_targets(pid_t pid, struct live *l, struct live_fd *f)
{
	struct buf b scoped(buf_fini) = { 0 };
	size_t n = 0, len = 0;
	char file[32], text[sizeof(f->name)] = "";
	struct err ignored;

	snprintf(file, sizeof(file), "fdinfo/%d", f->fd);
	if (proc_slurp_text(pid, pid, file, FILE_MAX, &b, &ignored))
		return;
	for (const char *at = (const char *)b.p; at && n < TARGETS_MAX; at = strchr(at, '\n'), at += at ? 1 : 0) {
		const struct live_fd *of;
		int fd;

		if (sscanf(at, "tfd: %d", &fd) != 1 || n++ >= TARGETS_SHOWN || len >= sizeof(text))
			continue;
		of = live_fd_find(l, fd);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d%s%s", n > 1 ? "; " : "", fd, of ? " " : "",
					of ? of->name : "");
	}
	snprintf(f->name, sizeof(f->name), "epoll of %zu%s%.*s%s", n, n ? ": " : "", (int)sizeof(f->name) - 32, text,
		 n > TARGETS_SHOWN ? "; ..." : "");
}

void live_epolls(pid_t pid, struct live *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_fds && n < EPOLLS_MAX; i++)
		if (!strcmp(l->fds[i].name, "anon_inode:[eventpoll]") && ++n)
			epoll_targets(pid, l, &l->fds[i]);
}

/* ---- the parent: after fork(2) the owners of copied locks are its threads */

/* Else ids mean different threads there. */
static bool same_pid_namespace(pid_t a, pid_t b)
{
	char of_a[64], of_b[64];
	struct err ignored;

	return !proc_readlink(a, a, "ns/pid", of_a, sizeof(of_a), &ignored) &&
	       !proc_readlink(b, b, "ns/pid", of_b, sizeof(of_b), &ignored) && !strcmp(of_a, of_b);
}

int live_parent(pid_t pid, struct live *l, struct err *e)
{
	pid_t *tids auto_free = NULL;
	struct proc_status status;
	struct proc_stat s;
	size_t n = 0;
	struct err ignored;

	if (proc_stat(pid, pid, &s, &ignored) || s.ppid <= 1 || !same_pid_namespace(pid, s.ppid) ||
	    proc_threads(s.ppid, &tids, &n, &ignored))
		return 0;
	l->parent = s.ppid;
	n = min(n, (size_t)PARENT_TIDS_MAX);
	l->parent_tids = calloc(n + 1, sizeof(*l->parent_tids));
	if (!l->parent_tids)
		return err_set(e, -ENOMEM, "%zu threads", n);
	for (size_t i = 0; i < n; i++)
		if (!proc_status(s.ppid, tids[i], &status, &ignored))
			l->parent_tids[l->n_parent_tids++] = status.ns_pid;
	return 0;
}
