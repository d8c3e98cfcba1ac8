/* blocked.h - what the threads of blocked wait on: pipes, sockets, locks, children. */
#pragma once

#include "target.h"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

struct call;

/* What a call waits on; @fd[1] written or closed wakes it where that is enough. */
struct site {
	const struct call *call;
	pthread_t thread;
	pid_t tid;
	int fd[2];
	int id;		/* SysV object, or child */
	int word;	/* futex */
	char *ring;	/* io_uring */
	struct io_uring_sqe *sqes;
	struct io_sqring_offsets sq_off;
	int late;	/* woken too early: the call's own time limit was not kept */
};

struct call {
	const char *name;
	int (*make)(struct site *s);	/* NULL: a pipe */
	long (*wait)(struct site *s);
	void (*wake)(struct site *s);	/* NULL: writes a byte to fd[1] */
	long want;			/* result of a call that was not disturbed */
};

static int make_socket(struct site *s)
{
	struct timeval limit = { .tv_sec = 60 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s->fd) < 0)
		return -1;
	return setsockopt(s->fd[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int make_sem(struct site *s)
{
	s->id = semget(IPC_PRIVATE, 1, 0600);
	return s->id;
}

static int make_msg(struct site *s)
{
	s->id = msgget(IPC_PRIVATE, 0600);
	return s->id;
}

static int make_nothing(struct site *s)
{
	(void)s;
	return 0;
}

/* An open file of its own holds the lock that the thread wants. */
static int make_lock(struct site *s)
{
	char name[32];

	snprintf(name, sizeof(name), "lock.%d", (int)getpid());
	s->fd[1] = open(name, O_RDWR | O_CREAT, 0600);
	s->fd[0] = open(name, O_RDWR);
	unlink(name);
	return s->fd[0] < 0 ? -1 : flock(s->fd[1], LOCK_EX);
}

static int make_child(struct site *s)
{
	char c;

	if (pipe(s->fd) < 0)
		return -1;
	s->id = fork();
	if (s->id == 0) {
		alarm(120);
		close(s->fd[1]);
		_exit(read(s->fd[0], &c, 1) == 1 ? 0 : 1);
	}
	return s->id;
}

static int make_eventfd(struct site *s)
{
	s->fd[0] = s->fd[1] = eventfd(0, 0);
	return s->fd[0];
}

static int make_mq(struct site *s)
{
	char name[32];

	snprintf(name, sizeof(name), "/tagcore.%d", (int)getpid());
	s->id = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	mq_unlink(name);
	return s->id;
}

/* A listening socket in fd[0]; fd[1] is to connect to it. */
static int make_listener(struct site *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	/* Its name is found by the kernel. */
	s->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	s->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	return s->fd[1] < 0 || bind(s->fd[0], (struct sockaddr *)&at, sizeof(at.sun_family)) ? -1 : listen(s->fd[0], 1);
}

/* A ring of requests in fd[0], of which none is ever made but by wake_uring(). */
static int make_uring(struct site *s)
{
	struct io_uring_params p = { 0 };

	s->fd[0] = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (s->fd[0] < 0)
		return -1;
	s->ring = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd[0],
		       IORING_OFF_SQ_RING);
	s->sqes = mmap(NULL, p.sq_entries * sizeof(*s->sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd[0],
		       IORING_OFF_SQES);
	s->sq_off = p.sq_off;
	return s->ring == MAP_FAILED || s->sqes == MAP_FAILED ? -1 : 0;
}
