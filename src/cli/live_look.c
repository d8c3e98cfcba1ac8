#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/live_around.h"
#include "cli/live_look.h"
#include "cli/live_peers.h"
#include "cli/live_sockets.h"
#include "live/proc.h"

enum { BETWEEN_MS = 200, FDS_MAX = 1 << 16, CHILDREN_MAX = 1 << 10, TEXT_MAX = 1 << 20 };

void live_fini(struct live *l)
{
	free(l->threads);
	free(l->fds);
	free(l->children);
	free(l->parent_tids);
}

/* ---- threads */

/* A file of a thread as text, cut; false when it cannot be read. */
static bool text_of(pid_t pid, pid_t tid, const char *file, char *out, size_t size)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err ignored;

	*out = 0;
	if (proc_slurp(pid, tid, file, TEXT_MAX, &b, &ignored) || !b.len)
		return false;
	snprintf(out, size, "%.*s", (int)min(b.len, size), (const char *)b.p);
	out[strcspn(out, "\n")] = 0;
	return true;
}

/* What a thread had of the processor; in ns. */
struct counted {
	u64 run, ready, times;
};

/*
 * How long it has run, in ns, and waited to run, and how often: Documentation/scheduler/sched-stats.rst,
 * /proc/PID/schedstat; or by its clock ticks where the kernel does not count them.
 */
static struct counted ran(pid_t pid, pid_t tid)
{
	unsigned long long run = 0, ready = 0, times = 0;
	struct proc_stat s;
	char text[96];
	struct err ignored;

	if (text_of(pid, tid, "schedstat", text, sizeof(text)) && sscanf(text, "%llu %llu %llu", &run, &ready, &times) == 3)
		return (struct counted){ run, ready, times };
	if (!proc_stat(pid, tid, &s, &ignored))
		run = (s.utime + s.stime) * (1000000000 / (u64)sysconf(_SC_CLK_TCK));
	return (struct counted){ .run = run };
}

/* The same as proc_syscall(), with all arguments; a call of which nothing else is known waits in the kernel. */
static void call_of(pid_t pid, struct live_thread *t)
{
	unsigned long long a[6];
	char text[256];
	long long nr;

	if (!text_of(pid, t->tid, "syscall", text, sizeof(text)) ||
	    sscanf(text, "%lld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx", &nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]) != 7 ||
	    nr < 0)
		return;
	t->has_call = true;
	t->nr = (u64)nr;
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		t->args[i] = a[i];
}

static int compare_threads(const void *a, const void *b)
{
	const struct live_thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int list_threads(pid_t pid, struct live *l, struct err *e)
{
	pid_t *tids auto_free = NULL;
	size_t n = 0;

	if (proc_threads(pid, &tids, &n, e))
		return 0;
	l->threads = calloc(n + 1, sizeof(*l->threads));
	if (!l->threads)
		return err_set(e, -ENOMEM, "%zu threads", n);
	for (size_t i = 0; i < n; i++)
		l->threads[i].tid = tids[i];
	l->n_threads = n;
	qsort(l->threads, n, sizeof(*l->threads), compare_threads);
	return 0;
}

/* What it does now. */
static void state_of(pid_t pid, struct live_thread *t)
{
	struct proc_stat s;
	struct err ignored;

	if (!proc_stat(pid, t->tid, &s, &ignored))
		t->state = s.state;
	t->has_call = false;
	call_of(pid, t);
	/* "0": it runs, or nobody may know. */
	if (t->state != 'D' || !text_of(pid, t->tid, "wchan", t->wchan, sizeof(t->wchan)) || !strcmp(t->wchan, "0"))
		*t->wchan = 0;
}

static void first_look(pid_t pid, struct live_thread *t, struct counted *c)
{
	struct proc_status status;
	struct err ignored;

	*c = ran(pid, t->tid);
	if (!proc_status(pid, t->tid, &status, &ignored))
		t->ns_tid = status.ns_pid;
	state_of(pid, t);
}

/* *c is now.  True when the thread has run; then it is somewhere else, perhaps. */
static bool look_again(pid_t pid, struct live_thread *t, struct counted *c)
{
	struct counted now = ran(pid, t->tid);

	t->ran_ns = now.run > c->run ? now.run - c->run : 0;
	t->ready_ns = now.ready > c->ready ? now.ready - c->ready : 0;
	t->moved = now.run != c->run || now.times != c->times;
	*c = now;
	/* One that was stopped before us stops again, some time after it was let go. */
	if (t->moved)
		state_of(pid, t);
	return t->moved;
}

/*
 * Every thread runs for a moment after a stop, to begin its call again, and on a busy machine some time later: what has
 * run is looked at once more.
 */
static void looks(pid_t pid, struct live *l, struct counted *c, u64 began)
{
	enum { BETWEEN_NS = BETWEEN_MS * 1000000, TIMES = 2 };
	bool moved = true;

	for (int n = 0; moved && n < TIMES; n++) {
		u64 passed = now_ns() - began, now;

		if (passed < BETWEEN_NS)
			usleep((useconds_t)((BETWEEN_NS - passed) / 1000));
		moved = false;
		now = now_ns();
		l->between_ns = now - began;
		for (size_t i = 0; i < l->n_threads; i++)
			moved |= look_again(pid, &l->threads[i], &c[i]);
		began = now;
	}
}

/* ---- descriptors and children */

static int compare_fds(const void *a, const void *b)
{
	const struct live_fd *x = a, *y = b;

	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

static int list_fds(pid_t pid, struct live *l, struct err *e)
{
	DIR *dir scoped(scope_closedir) = NULL;
	struct dirent *d;
	char path[64];
	size_t cap = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (!r && dir && l->n_fds < FDS_MAX && (d = readdir(dir))) {
		struct err ignored;

		if (!isdigit((unsigned char)*d->d_name))
			continue;
		r = array_grow((void **)&l->fds, l->n_fds, &cap, sizeof(*l->fds), "descriptors", e);
		if (r)
			break;
		l->fds[l->n_fds] = (struct live_fd){ .fd = atoi(d->d_name) };
		snprintf(path, sizeof(path), "fd/%.16s", d->d_name);
		if (proc_readlink(pid, pid, path, l->fds[l->n_fds].name, sizeof(l->fds->name), &ignored))
			continue;
		l->fds[l->n_fds].inode = live_inode(l->fds[l->n_fds].name);
		l->n_fds++;
	}
	if (l->n_fds)
		qsort(l->fds, l->n_fds, sizeof(*l->fds), compare_fds);
	return r;
}

/* proc_pid_children(5): those of one of its threads. */
static int add_children(pid_t pid, pid_t tid, struct live *l, size_t *cap, struct err *e)
{
	char text[4096], *save = NULL;
	int r = 0;

	if (!text_of(pid, tid, "children", text, sizeof(text)))
		return 0;
	for (char *w = strtok_r(text, " ", &save); !r && w && l->n_children < CHILDREN_MAX; w = strtok_r(NULL, " ", &save)) {
		struct proc_stat s;
		struct err ignored;

		if (proc_stat_group(atoi(w), &s, &ignored))
			continue;
		r = array_grow((void **)&l->children, l->n_children, cap, sizeof(*l->children), "children", e);
		if (r)
			break;
		l->children[l->n_children] = (struct live_child){ .pid = atoi(w), .state = s.state };
		snprintf(l->children[l->n_children++].comm, sizeof(s.comm), "%s", s.comm);
	}
	return r;
}

int live_look(pid_t pid, struct live *out, struct err *e)
{
	struct counted *c auto_free = NULL;
	size_t cap = 0;
	u64 began;
	int r = list_threads(pid, out, e);

	out->pid = pid;
	if (r)
		return r;
	c = calloc(out->n_threads + 1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "%zu threads", out->n_threads);
	began = now_ns();
	for (size_t i = 0; i < out->n_threads; i++)
		first_look(pid, &out->threads[i], &c[i]);
	r = list_fds(pid, out, e);
	for (size_t i = 0; !r && i < out->n_threads; i++)
		r = add_children(pid, out->threads[i].tid, out, &cap, e);
	if (!r)
		r = live_parent(pid, out, e);
	if (r)
		return r;
	live_sockets(pid, out);
	live_epolls(pid, out);
	live_file_locks(pid, out);
	looks(pid, out, c, began);
	/* By now every thread is back in its call. */
	live_peers(pid, out);
	return 0;
}
