#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "base/util.h"

/* For the descriptors: aligned as struct cmsghdr is. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
};

bool fdpass_send(int sock, const void *msg, size_t len, const int *fds, size_t n)
{
	union control c = { .buf = { 0 } };
	struct iovec iov = { (void *)msg, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int open[FDPASS_MAX];
	size_t n_open = 0;
	ssize_t sent;

	for (size_t i = 0; i < min(n, (size_t)FDPASS_MAX); i++)
		if (fds[i] >= 0)
			open[n_open++] = fds[i];
	if (n_open) {
		m.msg_control = c.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_open);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
						       .cmsg_len = CMSG_LEN(sizeof(int) * n_open) };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), open, sizeof(int) * n_open);
	}
	do
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)len;
}

ssize_t fdpass_recv(int sock, void *msg, size_t size, int *fds, size_t n)
{
	union control c = { .buf = { 0 } };
	struct iovec iov = { msg, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = sizeof(c.buf) };
	struct cmsghdr *h;
	ssize_t len;

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	do
		len = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	h = len < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return len;
	for (size_t i = 0; i < (h->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
		if (i < n)
			fds[i] = fd;
		else
			close(fd);
	}
	return len;
}
