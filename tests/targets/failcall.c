/*
 * failcall CALL N ERRNO COMMAND... - runs COMMAND, of which the N-th call of that name fails with that error, in whatever
 * thread or child it is; the others are made.  Exits as COMMAND does; FAILCALL_SEEN in the environment is a file that then
 * has the number of those calls.  N 0: none fails.
 * failcall names - the calls that it knows.
 */
#include "target.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct named {
	const char *name;
	int value;
};

#define CALL(name) { #name, SYS_##name }
static const struct named calls[] = {
	CALL(openat), CALL(read), CALL(pread64), CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev), CALL(lseek),
	CALL(fallocate), CALL(ftruncate), CALL(fsync), CALL(fdatasync), CALL(linkat), CALL(renameat2), CALL(unlinkat),
	CALL(close), CALL(fstat), CALL(newfstatat), CALL(statfs), CALL(fstatfs), CALL(fcntl), CALL(ioctl), CALL(mmap),
	CALL(mprotect), CALL(clone3), CALL(socketpair), CALL(pidfd_open), CALL(sendto), CALL(recvfrom), CALL(process_vm_readv), CALL(getdents64),
	CALL(readlinkat), CALL(recvmsg), CALL(pipe2), CALL(memfd_create), CALL(clone),
#ifdef SYS_readlink
	CALL(readlink), CALL(poll),
#endif
};

static const struct named errors[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EINTR", EINTR }, { "EMFILE", EMFILE },
	{ "ENOMEM", ENOMEM }, { "EAGAIN", EAGAIN }, { "EPERM", EPERM }, { "EROFS", EROFS }, { "EFBIG", EFBIG },
	{ "ESTALE", ESTALE }, { "EBADF", EBADF }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES },
};

static int value_of(const struct named *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return v[i].value;
	errno = EINVAL;
	must(0, name);
	return -1;
}

static void send_fd(int to, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	must(sendmsg(to, &msg, 0) == 1, "sendmsg");
}

static int receive_fd(int from)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	must(recvmsg(from, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg), "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* The filter holds for what this process does before it is COMMAND, too: sendmsg(2) is none of the calls. */
static void run(int nr, int to, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };
	int fd;

	must(!prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	must(fd >= 0, "seccomp");
	send_fd(to, fd);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(126);
}

static void answer(int fd, unsigned long *seen, unsigned long n, int error)
{
	struct seccomp_notif ask = { 0 };
	struct seccomp_notif_resp reply = { 0 };

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask))
		return;
	reply.id = ask.id;
	if (++*seen == n)
		reply.error = -error;
	else
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/*
 * Until nobody is left whom the filter holds.  Before Linux 6.11 it holds a zombie, too (kernel/exit.c: release_task(), now
 * do_exit(), calls seccomp_filter_release()), so the child is waited for meanwhile.
 */
static unsigned long answer_all(int fd, pid_t child, int *status, unsigned long n, int error)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN } };
	unsigned long seen = 0;

	must(p[1].fd >= 0, "pidfd_open");
	while (poll(p, 2, -1) > 0 && !(p[0].revents & POLLHUP)) {
		if (p[0].revents)
			answer(fd, &seen, n, error);
		if (p[1].revents) {
			must(waitpid(child, status, 0) == child, "waitpid");
			p[1].fd = -1;
		}
	}
	if (p[1].fd >= 0)
		must(waitpid(child, status, 0) == child, "waitpid");
	return seen;
}

static void say_seen(unsigned long seen)
{
	const char *name = getenv("FAILCALL_SEEN");
	FILE *f = name ? fopen(name, "we") : NULL;

	if (!f)
		return;
	fprintf(f, "%lu\n", seen);
	fclose(f);
}

int main(int argc, char **argv)
{
	int pair[2], status = 0, nr, error;
	pid_t child;

	if (argc == 2 && !strcmp(argv[1], "names")) {
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			puts(calls[i].name);
		return 0;
	}
	if (argc < 5) {
		fprintf(stderr, "usage: failcall CALL N ERRNO COMMAND...\n");
		return 125;
	}
	nr = value_of(calls, sizeof(calls) / sizeof(calls[0]), argv[1]);
	error = value_of(errors, sizeof(errors) / sizeof(errors[0]), argv[3]);
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	child = fork();
	must(child >= 0, "fork");
	if (!child)
		run(nr, pair[1], argv + 4);
	close(pair[1]);
	say_seen(answer_all(receive_fd(pair[0]), child, &status, strtoul(argv[2], NULL, 10), error));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
