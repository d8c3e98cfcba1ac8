#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/live_peers.h"
#include "live/proc.h"

enum {
	WANTED_MAX = 16,	/* descriptors */
	HOLDERS_SHOWN = 3,
	LINKS_MAX = 1 << 18,	/* of all processes */
	SCAN_NS = 500000000,	/* of processor time: on a busy machine it is as much that is seen */
};

struct wanted {
	struct live_fd *fd;
	bool to_write;		/* the process has it for writing: who reads is looked for */
	bool is_socket;
	char link[160];		/* what the other end's descriptors are links to */
	char ino[24];		/* of a FIFO, whose link is a path */
	s32 pids[HOLDERS_SHOWN];
	size_t n;		/* processes */
	bool has_own;
};
struct scan {
	pid_t pid;
	struct wanted v[WANTED_MAX];
	size_t n;
	size_t links;
	u64 until;
	bool cut;		/* not all could be looked at */
};

u64 live_inode(const char *name)
{
	unsigned long long n;

	if (sscanf(name, "pipe:[%llu]", &n) == 1 || sscanf(name, "socket:[%llu]", &n) == 1)
		return n;
	return 0;
}

static bool open_flags(pid_t pid, s32 fd, unsigned *flags)
{
	char name[16], value[32];

	snprintf(name, sizeof(name), "%d", fd);
	return proc_fdinfo(pid, pid, name, "flags:", value, sizeof(value)) && sscanf(value, "%o", flags) == 1;
}

/* What a FIFO's link is can be any file's, too: the file system of one that does not answer is not asked. */
static bool want_path(struct scan *s, struct wanted *w)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", w->fd->fd);
	return *w->link == '/' && strncmp(w->link, "/dev/", 5) != 0 &&
	       proc_fdinfo(s->pid, s->pid, name, "ino:", w->ino, sizeof(w->ino));
}

static void want(struct scan *s, struct live *l, s32 number)
{
	const struct live_fd *known = live_fd_find(l, number);
	struct live_fd *fd = known ? &l->fds[known - l->fds] : NULL;
	struct wanted *w = &s->v[s->n];
	char file[32];
	unsigned flags;
	struct err ignored;
	u64 other;

	if (!fd || s->n == WANTED_MAX)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].fd == fd)
			return;
	*w = (struct wanted){ .fd = fd };
	snprintf(file, sizeof(file), "fd/%d", fd->fd);
	if (proc_readlink(s->pid, s->pid, file, w->link, sizeof(w->link), &ignored) || !open_flags(s->pid, fd->fd, &flags))
		return;
	w->to_write = (flags & O_ACCMODE) != O_RDONLY;
	w->is_socket = !strncmp(w->link, "socket:", 7);
	other = w->is_socket ? live_other_end(s->pid, fd->inode) : 0;
	if (w->is_socket)
		snprintf(w->link, sizeof(w->link), "socket:[%llu]", (unsigned long long)other);
	if (w->is_socket ? other != 0 : !strncmp(w->link, "pipe:", 5) || want_path(s, w))
		s->n++;
}

/* ---- all processes */

static bool is_other_end(const struct wanted *w, pid_t pid, s32 fd)
{
	unsigned flags;
	char name[16], ino[24];

	snprintf(name, sizeof(name), "%d", fd);
	if (w->is_socket)
		return true;
	if (*w->ino && (!proc_fdinfo(pid, pid, name, "ino:", ino, sizeof(ino)) || strcmp(ino, w->ino) != 0))
		return false;
	return open_flags(pid, fd, &flags) && (flags & O_ACCMODE) != (w->to_write ? O_WRONLY : O_RDONLY);
}

static void found(struct scan *s, struct wanted *w, pid_t pid)
{
	if (pid == s->pid) {
		w->has_own = true;
		return;
	}
	if (w->n && w->pids[min(w->n, (size_t)HOLDERS_SHOWN) - 1] == pid)
		return;
	if (w->n < HOLDERS_SHOWN)
		w->pids[w->n] = pid;
	w->n++;
}

static u64 ran_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* Has it been enough?  Then not all could be looked at. */
static bool is_over(struct scan *s)
{
	bool over = s->links > LINKS_MAX || ran_ns() > s->until;

	s->cut |= over;
	return over;
}

static void scan_process(struct scan *s, pid_t pid)
{
	DIR *dir scoped(scope_closedir) = NULL;
	struct dirent *d;
	char path[64], link[160];
	struct err ignored;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	/* One that has ended meanwhile has nothing open. */
	s->cut |= !dir && errno != ENOENT && errno != ESRCH;
	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		s->links++;
		if (is_over(s))
			return;
		snprintf(path, sizeof(path), "fd/%.16s", d->d_name);
		if (proc_readlink(pid, pid, path, link, sizeof(link), &ignored))
			continue;
		for (size_t i = 0; i < s->n; i++)
			if (!strcmp(link, s->v[i].link) && is_other_end(&s->v[i], pid, atoi(d->d_name)))
				found(s, &s->v[i], pid);
	}
}

static void scan_all(struct scan *s)
{
	DIR *dir scoped(scope_closedir) = opendir("/proc");
	struct dirent *d;

	s->until = ran_ns() + SCAN_NS;
	s->cut = !dir;
	while (dir && (d = readdir(dir)) && !is_over(s))
		if (isdigit((unsigned char)*d->d_name))
			scan_process(s, atoi(d->d_name));
}

/* ---- what was found */

/* "written by", "read by"; of a socket neither. */
static const char *verb(const struct wanted *w)
{
	return w->is_socket ? "the other end is of" : w->to_write ? "read by" : "written by";
}

static void describe(const struct scan *s, struct wanted *w)
{
	char *out = w->fd->others;
	size_t size = sizeof(w->fd->others), len;

	w->fd->is_own = w->has_own && !w->n && !s->cut;
	if (w->fd->is_own)
		snprintf(out, size, "%s this process only", verb(w));
	if (!w->n)
		return;
	len = (size_t)snprintf(out, size, "%s process", verb(w));
	for (size_t i = 0; i < min(w->n, (size_t)HOLDERS_SHOWN) && len < size; i++) {
		struct proc_stat st;
		struct err ignored;
		bool known = !proc_stat_group(w->pids[i], &st, &ignored);

		len += (size_t)snprintf(out + len, size - len, "%s %d%s%.16s%s", i ? "," : "", w->pids[i], known ? " (" : "",
					known ? st.comm : "", known ? ")" : "");
	}
	if (w->n > HOLDERS_SHOWN && len < size)
		len += (size_t)snprintf(out + len, size - len, " and %zu more", w->n - HOLDERS_SHOWN);
	if (w->has_own && len < size)
		snprintf(out + len, size - len, ", and this one");
}

void live_peers(pid_t pid, struct live *l)
{
	struct scan s = { .pid = pid };

	for (size_t i = 0; i < l->n_threads && s.n < WANTED_MAX; i++) {
		const struct live_thread *t = &l->threads[i];
		s32 fds[LIVE_POLLED_MAX];
		size_t n;

		if (!t->has_call)
			continue;
		n = live_polled(pid, t, fds, ARRAY_SIZE(fds));
		for (size_t k = 0; k < n; k++)
			want(&s, l, fds[k]);
		/* Another call's first argument may be a descriptor by chance: nobody asks for what was found then. */
		if (!n && t->args[0] <= INT32_MAX)
			want(&s, l, (s32)t->args[0]);
	}
	if (s.n)
		scan_all(&s);
	for (size_t i = 0; i < s.n; i++)
		describe(&s, &s.v[i]);
}
