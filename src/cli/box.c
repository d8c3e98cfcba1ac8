#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/box.h"
#include "cli/cmds.h"
#include "cli/opener.h"
#include "cli/sandbox.h"
#include "cli/watch.h"

struct box {
	reader_fn *fn;
	void *arg;
	struct unwind_opts *opts;
	int sock;		/* to the other of the two */
	int theirs;		/* the end that the child will have */
	sigset_t mask;		/* as it was */
	struct opener opener;
	struct watch watch;
};

/* ---- inside */

/* Asks the process outside for a file. */
static int ask(void *arg, const char *path, struct err *e)
{
	const struct box *b = arg;
	struct err answer;
	int fd;

	if (send(b->sock, path, strlen(path), MSG_NOSIGNAL) < 0 ||
	    fdpass_recv(b->sock, &answer, sizeof(answer), &fd, 1) != sizeof(answer))
		return err_set(e, ERR_UNSUPPORTED, "%s: nobody opens it", path);
	if (fd < 0 && e)
		*e = answer;
	return fd < 0 ? answer.code : fd;
}

static void lower(int resource, rlim_t cur, rlim_t most)
{
	struct rlimit l;

	if (getrlimit(resource, &l))
		return;
	l.rlim_max = min(l.rlim_max, most);
	l.rlim_cur = min(l.rlim_cur, cur);
	l.rlim_cur = min(l.rlim_cur, l.rlim_max);
	setrlimit(resource, &l);
}

void box_next(void)
{
	struct rlimit l;
	struct timespec used;

	/* The user's own limit (ulimit -t) is not moved: then the hard one is not ours. */
	if (getrlimit(RLIMIT_CPU, &l) || l.rlim_max != BOX_CPU_ALL_S || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used))
		return;
	l.rlim_cur = min((rlim_t)used.tv_sec + BOX_CPU_S, l.rlim_max);
	setrlimit(RLIMIT_CPU, &l);
}

/* What this process has already counts (Linux 6.12, mm/mmap.c: may_expand_vm()). */
static void set_limits(void)
{
	unsigned long long data = 0;
	struct rlimit cpu;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%*u %*u %*u %*u %*u %llu", &data) != 1)
		data = 0;
	if (f)
		fclose(f);
	data = data * (unsigned long long)sysconf(_SC_PAGESIZE) + ((unsigned long long)BOX_MEMORY_GIB << 30);
	lower(RLIMIT_DATA, data, RLIM_INFINITY);
	if (!getrlimit(RLIMIT_CPU, &cpu) && cpu.rlim_cur > BOX_CPU_S)
		lower(RLIMIT_CPU, BOX_CPU_S, BOX_CPU_ALL_S);
}

static int run_inside(void *arg, u64 *value, struct err *e)
{
	struct box *b = arg;

	close(b->sock);
	b->sock = b->theirs;
	b->opts->open_file = ask;
	b->opts->open_arg = b;
	sigprocmask(SIG_SETMASK, &b->mask, NULL);
	cli_end_by_signal();
	set_limits();
	(void)sandbox_enter_watched(b->sock);
	return b->fn(b->arg, value, e);
}

/* ---- outside */

static int open_file(void *arg, const char *path)
{
	struct box *b = arg;
	struct err e = { 0 };

	return opener_open(&b->opener, path, &b->mask, &cli_cancelled, &e);
}

/* False when it has ended. */
static bool answer(struct box *b)
{
	struct err e = { 0 };
	char path[PATH_MAX + 1];
	ssize_t len = recv(b->sock, path, sizeof(path) - 1, 0);
	int fd auto_close = -1;

	if (len <= 0)
		return false;
	path[len] = 0;
	fd = opener_open(&b->opener, path, &b->mask, &cli_cancelled, &e);
	return fdpass_send(b->sock, &e, sizeof(e), &fd, 1);
}

/* Until it ends, or a signal comes. */
static void serve(struct box *b)
{
	int fds[2];
	struct pollfd p[2] = { { .fd = b->sock, .events = POLLIN }, { .events = POLLIN } };

	if (fdpass_recv(b->sock, &(char){ 0 }, 1, fds, ARRAY_SIZE(fds)) != 1)
		return;
	b->watch.listener = fds[0];
	b->watch.memory = fds[1];
	for (;;) {
		p[1].fd = b->watch.listener;
		if (cli_cancelled || (ppoll(p, ARRAY_SIZE(p), NULL, &b->mask) < 0 && errno != EINTR) || cli_cancelled)
			return;
		if (p[1].revents & POLLIN)
			watch_answer(&b->watch);
		else if (p[1].revents)
			watch_close(&b->watch);
		if (p[0].revents && !answer(b))
			return;
	}
}

static void block_signals(sigset_t *mask)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaddset(&set, sigs[i]);
	sigprocmask(SIG_BLOCK, &set, mask);
}

static int run_outside(struct box *b, struct err *e)
{
	struct reader_child child = { 0 };
	int r = reader_child_start(&child, run_inside, b, e);

	close(b->theirs);
	if (!r) {
		b->watch.pid = child.pid;
		serve(b);
		r = reader_child_end(&child, b->sock, NULL, e);
	}
	close(b->sock);
	watch_close(&b->watch);
	opener_close(&b->opener);
	return r;
}

static bool is_apart(void)
{
#ifdef TAGCORE_NO_SANDBOX
	return false;
#else
	return true;
#endif
}

int box_run(reader_fn *fn, void *arg, struct unwind_opts *opts, struct err *e)
{
	struct box b = { .fn = fn, .arg = arg, .opts = opts,
			 .watch = { .listener = -1, .memory = -1, .open = open_file, .arg = &b } };
	int pair[2], r;

	cli_end_by_signal();
	if (!is_apart())
		return fn(arg, NULL, e);
	/* Signals end us at once until here: a directory, too, may be on a file system that does not answer. */
	r = broker_make(&b.opener.broker, opts, e);
	if (r)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		broker_free(b.opener.broker);
		return err_set(e, -errno, "start what unwinds");
	}
	b.sock = pair[0];
	b.theirs = pair[1];
	opts->dirs = broker_dirs(b.opener.broker);
	opts->fetch = unwind_fetch_start();
	block_signals(&b.mask);
	cli_signals();
	r = run_outside(&b, e);
	unwind_fetch_end(opts->fetch);
	opts->fetch = NULL;
	opts->dirs = NULL;
	broker_free(b.opener.broker);
	sigprocmask(SIG_SETMASK, &b.mask, NULL);
	cli_end_by_signal();
	return r;
}
