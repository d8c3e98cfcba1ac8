#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/own_files.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/guardian.h"

enum { LOOK_MS = 20 };	/* between looks at the flag that cancels */
#define END_NS 1000000000ull

/* What the guardian says; numbers, pointers to literals and to the options are the same in both: fork(2). */
struct message {
	int result;
	size_t path_len;
	struct err err;
	struct dump_report report;
};

/* ---- the guardian */

struct guardian {
	int fd;
	int signals;		/* signalfd(2) */
	volatile sig_atomic_t cancel;
};

/* A byte, that the command has gone, or a signal: all are blocked, and who ends services sends one to each process. */
static void *wait_for_cancel(void *arg)
{
	struct guardian *g = arg;
	struct pollfd p[] = { { .fd = g->fd, .events = POLLIN }, { .fd = g->signals, .events = POLLIN } };
	const int keep[] = { g->fd, g->signals };

	if (own_table())
		drop_files(keep, ARRAY_SIZE(keep));
	while (poll(p, ARRAY_SIZE(p), -1) < 0 && errno == EINTR)
		;
	g->cancel = 1;
	return NULL;
}

static int open_signals(void)
{
	static const int end[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(end); i++)
		sigaddset(&set, end[i]);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Where nobody listens any more, the dump is being cancelled.  SIGPIPE is blocked. */
static void say(int fd, const void *p, size_t len)
{
	struct err ignored;

	if (io_write_full(fd, p, len, "the command", &ignored))
		return;
}

static void say_end(int fd, int result, const struct dump_report *r, const struct err *e)
{
	struct message m = { .result = result, .report = *r, .err = *e };

	m.path_len = r->path ? strlen(r->path) : 0;
	say(fd, &m, sizeof(m));
	say(fd, r->path, m.path_len);
	say(fd, r->missing.v, r->missing.n * sizeof(*r->missing.v));
	say(fd, r->guard.v, r->guard.n * sizeof(*r->guard.v));
	say(fd, r->unmatched.v, r->unmatched.n * sizeof(*r->unmatched.v));
	say(fd, r->unstopped, r->n_unstopped * sizeof(*r->unstopped));
}

static void guard(int fd, pid_t pid, const struct dump_opts *given)
{
	struct guardian g = { .fd = fd, .signals = open_signals() };
	struct dump_opts opts = *given;
	struct dump_report report = { 0 };
	struct err e = { 0 };
	pthread_t thread;
	int r;

	setsid();
	opts.cancel = &g.cancel;
	opts.keep_fd = fd;
	r = pthread_create(&thread, NULL, wait_for_cancel, &g);
	opts.own_files = own_table();
	r = r ? err_set(&e, -r, "start a thread") : dump_run(pid, &opts, &report, &e);
	say_end(fd, r, &report, &e);
	_exit(0);
}

/* ---- the command */

static int lost(struct err *e)
{
	return err_set(e, ERR_GONE, "the process that saves was killed");
}

static int get(int fd, void *p, size_t len, struct err *e)
{
	size_t n;
	int r = io_read_full(fd, p, len, &n, "the process that saves", e);

	return r ? r : n < len ? lost(e) : 0;
}

/* *list: @n rows of @size bytes, malloc'ed, and a byte that is 0 after them. */
static int get_list(int fd, void *list, size_t n, size_t size, struct err *e)
{
	u8 *p = n ? calloc(1, n * size + 1) : NULL;
	int r;

	if (!n)
		return 0;
	r = p ? get(fd, p, n * size, e) : err_set(e, -ENOMEM, "report");
	if (r)
		free(p);
	else
		memcpy(list, &p, sizeof(p));
	return r;
}

/* Lists that have not come are empty. */
static int get_report(int fd, const struct message *m, struct dump_report *r, struct err *e)
{
	int ret;

	*r = m->report;
	r->path = NULL;
	r->missing.v = NULL;
	r->guard.v = NULL;
	r->unmatched.v = NULL;
	r->unstopped = NULL;
	ret = get_list(fd, &r->path, m->path_len, 1, e);
	if (!ret)
		ret = get_list(fd, &r->missing.v, r->missing.n, sizeof(*r->missing.v), e);
	if (!ret)
		ret = get_list(fd, &r->guard.v, r->guard.n, sizeof(*r->guard.v), e);
	if (!ret)
		ret = get_list(fd, &r->unmatched.v, r->unmatched.n, sizeof(*r->unmatched.v), e);
	if (!ret)
		ret = get_list(fd, &r->unstopped, r->n_unstopped, sizeof(*r->unstopped), e);
	if (!ret)
		return 0;
	dump_report_fini(r);
	return ret;
}

static int listen_to(int fd, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct message m;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool cancelled = false;
	int r;

	do {
		if (!cancelled && opts->cancel && *opts->cancel) {
			cancelled = true;
			say(fd, "", 1);
		}
	} while (poll(&p, 1, LOOK_MS) <= 0);
	r = get(fd, &m, sizeof(m), e);
	if (!r)
		r = get_report(fd, &m, report, e);
	if (r)
		return r;
	if (m.result)
		*e = m.err;
	return m.result;
}

/* It ends at once, unless an output that stands still has it: then it goes when that does. */
static void wait_for(pid_t guardian)
{
	const struct timespec nap = { .tv_nsec = 1000 * 1000 };
	u64 end = now_ns() + END_NS;
	pid_t r;

	while (((r = waitpid(guardian, NULL, WNOHANG)) == 0 || (r < 0 && errno == EINTR)) && now_ns() < end)
		nanosleep(&nap, NULL);
}

int guardian_run(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	int ends[2];
	pid_t guardian;
	int r;

	*report = (struct dump_report){ .pid = pid };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return err_set(e, -errno, "socketpair");
	guardian = fork();
	if (!guardian) {
		close(ends[0]);
		guard(ends[1], pid, opts);
	}
	close(ends[1]);
	r = guardian < 0 ? err_set(e, -errno, "fork") : listen_to(ends[0], opts, report, e);
	close(ends[0]);
	if (guardian > 0)
		wait_for(guardian);
	return r;
}
