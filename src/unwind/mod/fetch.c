#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/fetch_child.h"

/*
 * libdebuginfod (0.188) bounds neither: DEBUGINFOD_TIMEOUT, 90 seconds for each 100 KiB,
 * is tried three times; DEBUGINFOD_MAXTIME is not set by itself, and counts one try;
 * DEBUGINFOD_MAXSIZE trusts the size that the server states, which it need not
 * state.  And what cancels it, a progress function that returns 1, leaves a file in the
 * cache that says "there is none" (debuginfod-client.c: debuginfod_query_server()).
 */
enum {
	DEFAULT_MAXTIME = 90,			/* seconds, for a file */
	DEFAULT_MAXSIZE = 1 << 30,		/* bytes of a file */
	END_MS = 1000,				/* for the child to clean up */
};

struct fetch {
	pid_t pid;
	pid_t owner;		/* who has started it, and may end it */
	int fd;			/* a socket to the child */
	bool off;		/* no server is asked any more */
	u64 max_s, max_bytes;	/* 0: no limit */
};

/* A setting of libdebuginfod, read as it does: 0 and anything but a number mean no limit. */
static u64 setting(const char *name, u64 otherwise)
{
	const char *text = getenv(name);
	long v = text ? atol(text) : 0;

	return !text ? otherwise : v > 0 ? (u64)v : 0;
}

/* ---- the child's beginning and end */

static bool start(struct fetch *f, const sigset_t *mask)
{
	int pair[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	f->owner = parent;
	f->pid = fork();
	if (!f->pid) {
		close(pair[0]);
		fetch_child(pair[1], parent, mask, f->max_bytes);
	}
	close(pair[1]);
	f->fd = pair[0];
	if (f->pid < 0)
		scope_close(&f->fd);
	return f->pid > 0;
}

/* SIGTERM makes it remove unfinished files; if it does not end it is killed, and if it waits for a disk, left. */
static void stop(struct fetch *f)
{
	struct pollfd p = { .fd = f->fd, .events = 0 };
	bool ended;

	if (f->pid <= 0)
		return;
	if (f->owner != getpid()) {
		f->off = true;
		return;
	}
	kill(f->pid, SIGTERM);
	/* Until its end is closed. */
	ended = poll(&p, 1, END_MS) == 1;
	if (!ended)
		kill(f->pid, SIGKILL);
	ended |= poll(&p, 1, END_MS) == 1;
	close(f->fd);
	while (waitpid(f->pid, NULL, ended ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	f->pid = 0;
	f->off = true;
}

void fetch_close(struct fetch *f)
{
	if (f)
		stop(f);
	free(f);
}

void unwind_fetch_end(struct fetch *f)
{
	fetch_close(f);
}

/* ---- signals that end programs */

/*
 * Blocked while we wait for the child, and seen by poll(2); the mask is restored
 * after the cleanup, and then they have their usual effect.
 */
static void keep_back(sigset_t *set, sigset_t *old)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa;

	sigemptyset(set);
	pthread_sigmask(SIG_SETMASK, NULL, old);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		/* One that is ignored would become visible by being blocked. */
		if (!sigismember(old, sigs[i]) && !sigaction(sigs[i], NULL, &sa) && sa.sa_handler != SIG_IGN)
			sigaddset(set, sigs[i]);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* ---- a question and its answer */

static s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (s64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 1: there is an answer; 0: not in time; -1: a signal came first. */
static int wait_answer(struct fetch *f, const sigset_t *set)
{
	/* Who has not started it has nothing to clean up: signals end it as they come. */
	int signals auto_close = f->owner == getpid() ? signalfd(-1, set, SFD_CLOEXEC) : -1;
	struct pollfd p[] = { { .fd = f->fd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	s64 end = now_ms() + (s64)min(f->max_s, (u64)INT32_MAX) * 1000, left = -1;

	do {
		if (f->max_s)
			left = max(end - now_ms(), (s64)0);
		if (poll(p, 2, (int)min(left, (s64)INT32_MAX)) < 0 && errno != EINTR)
			return 0;
		if (p[1].revents)
			return -1;
		if (p[0].revents)
			return 1;
	} while (left);
	return 0;
}

/* Why no server is asked any more; "" for a usable answer. */
static void explain(const struct fetch *f, enum fetch_result r, char why[FETCH_WHY_SIZE])
{
	unsigned long long bytes = f->max_bytes;

	if (r == FETCH_TOO_LARGE)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: a file is larger than %llu bytes (DEBUGINFOD_MAXSIZE)", bytes);
	else if (r == FETCH_NOT_WRITTEN && bytes)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: a file is larger than %llu bytes (DEBUGINFOD_MAXSIZE), or the cache "
			 "has no room for it", bytes);
	else if (r == FETCH_NOT_WRITTEN)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: the cache has no room for a file");
	else if (r == FETCH_TOO_SLOW)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: the server is too slow (DEBUGINFOD_TIMEOUT, DEBUGINFOD_MAXTIME)");
}

/* Ends with the answer, or with a child that is gone and @why. */
static bool ask(struct fetch *f, const struct fetch_question *q, const sigset_t *set, struct fetch_answer *a,
		char why[FETCH_WHY_SIZE])
{
	bool sent = send(f->fd, q, sizeof(*q), MSG_NOSIGNAL) == sizeof(*q);
	int r = sent ? wait_answer(f, set) : 1;
	bool has = sent && r > 0 && recv(f->fd, a, sizeof(*a), 0) == sizeof(*a);

	if (r < 0)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: ended by a signal");
	else if (!r)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: no file within %llu s (DEBUGINFOD_MAXTIME)", (unsigned long long)f->max_s);
	else if (!has)
		snprintf(why, FETCH_WHY_SIZE, "debuginfod: the client library has failed");
	else
		explain(f, a->result, why);
	if (*why) {
		strncat(why, "; no server is asked any more", FETCH_WHY_SIZE - strlen(why) - 1);
		stop(f);
	}
	return has && a->result == FETCH_GOOD;
}

static struct fetch *fetch_make(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct fetch *f = calloc(1, sizeof(*f));

	if (f)
		*f = (struct fetch){ .fd = -1, .off = !urls || !*urls, .max_s = setting("DEBUGINFOD_MAXTIME", DEFAULT_MAXTIME),
				     .max_bytes = setting("DEBUGINFOD_MAXSIZE", DEFAULT_MAXSIZE) };
	return f;
}

struct fetch *unwind_fetch_start(void)
{
	struct fetch *f = fetch_make();
	sigset_t mask;

	if (!f || f->off) {
		free(f);
		return NULL;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!start(f, &mask))
		f->off = true;
	return f;
}

bool fetch_file(struct unwind *u, enum fetch_kind kind, const u8 *id, size_t len, char path[FETCH_PATH_SIZE],
		char why[FETCH_WHY_SIZE])
{
	struct fetch_question q = { .kind = kind, .len = (u32)min(len, sizeof(q.id)) };
	struct fetch *f = u->opts.fetch;
	struct fetch_answer a = { 0 };
	sigset_t set, old;
	bool found;

	*why = 0;
	if (!f)
		f = u->fetch = u->fetch ? u->fetch : fetch_make();
	if (!f || f->off)
		return false;
	memcpy(q.id, id, q.len);
	if (f->pid > 0 && f->owner != getpid()) {
		found = ask(f, &q, &set, &a, why);
	} else {
		keep_back(&set, &old);
		found = (f->pid > 0 || start(f, &old)) && ask(f, &q, &set, &a, why);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (found)
		snprintf(path, FETCH_PATH_SIZE, "%.*s", (int)sizeof(a.path) - 1, a.path);
	return found;
}
