#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "base/own_files.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/opener.h"

/* ---- the process */

/* It must keep nothing open that others wait for the end of: it may be the last to end. */
static void keep_only(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	drop_files((const int[]){ sock, null }, 2);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

static _Noreturn void opener_run(const struct opener *o, int sock, pid_t parent)
{
	char path[PATH_MAX + 1];
	struct err e = { 0 };
	ssize_t len;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	keep_only(sock);
	while ((len = recv(sock, path, sizeof(path) - 1, 0)) > 0) {
		int fd auto_close = -1;

		path[len] = 0;
		fd = broker_open(o->broker, path, &e);
		if (!fdpass_send(sock, &e, sizeof(e), &fd, 1))
			break;
	}
	_exit(0);
}

/* ---- the one that asks */

static int start(struct opener *o, struct err *e)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_set(e, -errno, "start what opens files");
	o->pid = fork();
	if (!o->pid) {
		close(pair[0]);
		opener_run(o, pair[1], parent);
	}
	close(pair[1]);
	o->fd = pair[0];
	if (o->pid > 0)
		return 0;
	o->pid = 0;
	close(o->fd);
	return err_set(e, -EAGAIN, "start what opens files");
}

/* One that waits for a disk cannot be waited for; it ends when the disk answers. */
void opener_close(struct opener *o)
{
	struct pollfd p = { .fd = o->fd, .events = 0 };
	bool ended;

	if (!o->pid)
		return;
	kill(o->pid, SIGKILL);
	ended = poll(&p, 1, 1000) == 1;
	close(o->fd);
	while (waitpid(o->pid, NULL, ended ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	o->pid = 0;
}

/* 1: there is an answer; 0: not in time. */
static int wait_answer(const struct opener *o, const sigset_t *mask, const volatile sig_atomic_t *cancel)
{
	struct pollfd p = { .fd = o->fd, .events = POLLIN };
	struct timespec left = { .tv_sec = OPENER_WAIT_S };
	int r;

	do
		r = ppoll(&p, 1, &left, mask);
	while (r < 0 && errno == EINTR && !*cancel);
	return r;
}

int opener_open(struct opener *o, const char *path, const sigset_t *mask, const volatile sig_atomic_t *cancel, struct err *e)
{
	struct err answer;
	int r, fd = -1;

	if (o->n_hung >= OPENER_HUNG_MAX)
		return err_set(e, ERR_TIMEOUT, "%s is not opened: %u other files did not answer", path, o->n_hung);
	if (!*path || strlen(path) >= PATH_MAX)
		return err_set(e, *path ? -ENAMETOOLONG : -ENOENT, "open a file");
	r = o->pid ? 0 : start(o, e);
	if (r)
		return r;
	r = send(o->fd, path, strlen(path), MSG_NOSIGNAL) < 0 ? -1 : wait_answer(o, mask, cancel);
	if (r > 0 && fdpass_recv(o->fd, &answer, sizeof(answer), &fd, 1) == sizeof(answer)) {
		if (fd < 0)
			*e = answer;
		return fd < 0 ? min(answer.code, -1) : fd;
	}
	opener_close(o);
	if (*cancel)
		return err_set(e, ERR_CANCELLED, "cancelled by a signal");
	o->n_hung += !r;
	if (r)
		return err_set(e, ERR_UNSUPPORTED, "%s: what opens files has ended", path);
	return err_set(e, ERR_TIMEOUT, "%s did not answer within %d s", path, OPENER_WAIT_S);
}
