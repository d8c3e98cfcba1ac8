#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/fetch_child.h"

/*
 * libdebuginfod, loaded here only, as libdw does it: it comes with libcurl and what
 * that needs.  elfutils/debuginfod.h.
 */
struct client;
struct library {
	struct client *(*begin)(void);
	int (*find[2])(struct client *c, const unsigned char *id, int len, char **path);	/* enum fetch_kind */
};

/* Between libdebuginfod's two names of a file; both are in .../BUILD-ID/: "debuginfo", "debuginfo.XXXXXX". */
enum { TEMP_SUFFIX = 7 };

/* What a handler has to know: of this process, which does nothing else. */
static struct {
	int fd;
	char dir[2 * CORE_BUILD_ID_MAX + 3];	/* "/BUILD-ID/" */
} child;

/* ---- the end, at any time, by a handler: only calls that signal-safety(7) has, and snprintf() of a number */

/* An unfinished file has a name that the finished one does not have; it is open as long as it is being written. */
static void remove_if_unfinished(const char *path)
{
	const char *dir = *child.dir ? strstr(path, child.dir) : NULL;
	const char *name = dir ? dir + strlen(child.dir) : NULL, *dot = name ? strchr(name, '.') : NULL;
	char parent[FETCH_PATH_SIZE];

	if (!dot || strchr(name, '/') || strlen(dot) != TEMP_SUFFIX)
		return;
	unlink(path);
	memcpy(parent, path, (size_t)(name - path) - 1);
	parent[name - path - 1] = 0;
	/* If nothing else is there. */
	rmdir(parent);
}

static void remove_unfinished(void)
{
	char link[32], path[FETCH_PATH_SIZE];

	for (int fd = 3; fd < 1024; fd++) {
		ssize_t len;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, path, sizeof(path) - 1);
		path[max(len, (ssize_t)0)] = 0;
		if (len > 0)
			remove_if_unfinished(path);
	}
}

/* SIGTERM: the parent asks, or has ended.  SIGXFSZ: the file is larger than allowed. */
static void on_end(int sig)
{
	struct fetch_answer a = { .result = FETCH_TOO_LARGE };

	remove_unfinished();
	if (sig == SIGXFSZ)
		send(child.fd, &a, sizeof(a), MSG_NOSIGNAL);
	_exit(0);
}

/* ---- the beginning */

static void set_signals(const sigset_t *mask, pid_t parent)
{
	struct sigaction end = { .sa_handler = on_end }, ignore = { .sa_handler = SIG_IGN };
	/* A terminal sends them to both of us: what they mean here is the parent's to say. */
	static const int parents[] = { SIGINT, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t set = *mask;

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		sigaction(parents[i], &ignore, NULL);
	sigfillset(&end.sa_mask);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGXFSZ, &end, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigdelset(&set, SIGTERM);
	sigdelset(&set, SIGXFSZ);
	sigprocmask(SIG_SETMASK, &set, NULL);
	if (getppid() != parent)
		_exit(0);
}

/* Compressed transfers, too, are bounded by this: what counts is what is written. */
static void set_limits(u64 max_bytes)
{
	struct rlimit l;

	if (max_bytes && !getrlimit(RLIMIT_FSIZE, &l) && l.rlim_cur > max_bytes) {
		l.rlim_cur = max_bytes;
		setrlimit(RLIMIT_FSIZE, &l);
	}
	/*
	 * Where the user has not said otherwise.  libdebuginfod has 90 seconds, and asks three
	 * times, at once; and again for a file that had begun to come, which it then takes
	 * for absent (0.188), and notes that in its cache.
	 */
	setenv("DEBUGINFOD_TIMEOUT", "20", 0);
	setenv("DEBUGINFOD_RETRY_LIMIT", "0", 0);
}

static struct client *load(struct library *l)
{
	void *so = dlopen("libdebuginfod.so.1", RTLD_NOW);

	/* ISO C has no way from an object's address to a function's: POSIX, dlsym(). */
	if (!so)
		return NULL;
	*(void **)&l->begin = dlsym(so, "debuginfod_begin");
	*(void **)&l->find[FETCH_DEBUGINFO] = dlsym(so, "debuginfod_find_debuginfo");
	*(void **)&l->find[FETCH_EXECUTABLE] = dlsym(so, "debuginfod_find_executable");
	return l->begin && l->find[0] && l->find[1] ? l->begin() : NULL;
}

/* What is open in the parent is no business of this one, and would be kept open by it. */
static void close_inherited(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 2 && null >= 0; i++)
		dup2(null, i);
	for (int i = 3; i < 1024; i++)
		if (i != fd && i != null)
			close(i);
}

/* ---- questions */

/* libdebuginfod's errors.  EIO: not all of a piece could be written, as when the limit is inside of it. */
static enum fetch_result result_of(int r)
{
	switch (r) {
	case -ETIME: case -ETIMEDOUT: return FETCH_TOO_SLOW;
	case -EFBIG: return FETCH_TOO_LARGE;
	case -EIO: case -ENOSPC: case -EDQUOT: return FETCH_NOT_WRITTEN;
	default: return FETCH_NONE;
	}
}

static void answer(const struct library *l, struct client *c, const struct fetch_question *q, struct fetch_answer *a)
{
	char *path auto_free = NULL;
	int r;

	for (u32 i = 0; i < q->len; i++)
		snprintf(child.dir + 1 + 2 * i, 4, "%02x/", q->id[i]);
	child.dir[0] = '/';
	r = l->find[q->kind](c, q->id, (int)q->len, &path);
	child.dir[0] = 0;
	a->result = result_of(r);
	if (r >= 0 && path && snprintf(a->path, sizeof(a->path), "%s", path) < (int)sizeof(a->path))
		a->result = FETCH_GOOD;
	if (r >= 0)
		close(r);
}

_Noreturn void fetch_child(int fd, pid_t parent, const sigset_t *mask, u64 max_bytes)
{
	struct library l = { 0 };
	struct fetch_question q;
	struct client *c;

	child.fd = fd;
	set_signals(mask, parent);
	close_inherited(fd);
	set_limits(max_bytes);
	c = load(&l);
	while (recv(fd, &q, sizeof(q), 0) == sizeof(q)) {
		struct fetch_answer a = { .result = FETCH_NONE };

		if (c && q.kind <= FETCH_EXECUTABLE && q.len && q.len <= sizeof(q.id))
			answer(&l, c, &q, &a);
		if (send(fd, &a, sizeof(a), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}
