#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/sandbox.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/reader.h"

void reader_lock(void)
{
#ifndef TAGCORE_NO_SANDBOX
	(void)sandbox_enter();
#endif
}

int reader_unpack_limit(const char *arg, u64 *out, struct err *e)
{
	if (!strcmp(arg, "none"))
		*out = UINT64_MAX;
	else if (text_parse_u64(arg, 10, true, out) || !*out)
		return err_set(e, ERR_USAGE, "--unpack-limit %s is not a size (suffixes K M G) or none", arg);
	return 0;
}

int reader_open(struct core *core, const char *path, u64 unpack_limit, struct err *e)
{
	struct core_file file = { .cancel = &cli_cancelled, .unpack_limit = unpack_limit };
	int r = core_file_open(&file, path, e);

	if (r)
		return r;
	reader_lock();
	return core_open_file(core, &file, path, e);
}

enum { END_MS = 1000 };	/* for a child that was killed */

/* What a child has returned; not trusted. */
struct child_result {
	int r;
	bool is_set;
	u64 value;
	struct err e;
};

static void run_child(reader_fn *fn, void *arg, struct child_result *v)
{
	/* It has nothing to clean up, and nobody to report to. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	v->r = fn(arg, &v->value, &v->e);
	if ((fflush(stdout) || ferror(stdout)) && v->r >= 0) {
		v->r = err_set(&v->e, errno ? -errno : -EIO, "write standard output");
		/* EPIPE, as in "tagcore validate A B | head", is not reported: main.c prints no empty message. */
		if (v->r == -EPIPE)
			v->e.msg[0] = 0;
	}
	v->is_set = true;
	_exit(0);
}

static int explain_signal(int sig, struct err *e)
{
	if (sig == SIGXCPU)
		return err_set(e, ERR_LIMIT, "reading it took more processor time than it may have: given up");
	if (sig == SIGKILL)
		return err_set(e, ERR_UNSUPPORTED, "reading it ended by signal 9: somebody has sent it, or the kernel for want of memory");
	return err_set(e, ERR_UNSUPPORTED, "reading it ended by signal %d: a fault of this program", sig);
}

static int wait_child(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_set(e, -errno, "wait for the reader");
		if (cli_cancelled)
			kill(pid, SIGKILL);
	}
	if (cli_cancelled)
		return err_set(e, ERR_CANCELLED, "cancelled by a signal");
	if (WIFSIGNALED(status))
		return explain_signal(WTERMSIG(status), e);
	return 0;
}

static int take_result(const struct child_result *v, u64 *value, struct err *e)
{
	if (!v->is_set)
		return err_set(e, ERR_UNSUPPORTED, "reading it ended early: out of memory, or a fault of this program");
	if (v->r < 0 && e) {
		*e = v->e;
		e->msg[sizeof(e->msg) - 1] = 0;
		e->has_off = false;
		e->sentence = 0;
	}
	if (value)
		*value = v->value;
	return v->r;
}

int reader_child_start(struct reader_child *c, reader_fn *fn, void *arg, struct err *e)
{
	c->v = mmap(NULL, sizeof(*c->v), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->v == MAP_FAILED)
		return err_set(e, -errno, "start a reader");
	/* Else both would print what is waiting. */
	fflush(stdout);
	c->pid = fork();
	if (!c->pid)
		run_child(fn, arg, c->v);
	if (c->pid > 0)
		return 0;
	munmap(c->v, sizeof(*c->v));
	return err_set(e, -EAGAIN, "start a reader");
}

/* Killed, and waited for if it does end: not one that waits for a disk. */
static int kill_child(const struct reader_child *c, int sock, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = 0 };
	bool ended;

	kill(c->pid, SIGKILL);
	ended = poll(&p, 1, END_MS) == 1;
	while (waitpid(c->pid, NULL, ended ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	return err_set(e, ERR_CANCELLED, "cancelled by a signal");
}

int reader_child_end(struct reader_child *c, int sock, u64 *value, struct err *e)
{
	int r = sock >= 0 && cli_cancelled ? kill_child(c, sock, e) : wait_child(c->pid, e);

	if (!r)
		r = take_result(c->v, value, e);
	munmap(c->v, sizeof(*c->v));
	return r;
}

int reader_apart(reader_fn *fn, void *arg, u64 *value, struct err *e)
{
	struct reader_child c = { 0 };
	int r = reader_child_start(&c, fn, arg, e);

	return r ? r : reader_child_end(&c, -1, value, e);
}
