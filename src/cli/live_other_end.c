#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/live_peers.h"
#include "live/proc.h"

/* The socket that another one is connected to, on this machine. */

enum { FILE_MAX = 16 << 20 };

/* ---- AF_UNIX: sock_diag(7) has the peer, of our own network namespace only */

static bool same_net(pid_t pid)
{
	char ours[64], theirs[64];
	struct err ignored;

	return !proc_readlink(getpid(), getpid(), "ns/net", ours, sizeof(ours), &ignored) &&
	       !proc_readlink(pid, pid, "ns/net", theirs, sizeof(theirs), &ignored) && !strcmp(ours, theirs);
}

/* The attribute UNIX_DIAG_PEER of the answer, or 0. */
static u64 peer_of_answer(const u8 *p, size_t len)
{
	struct nlmsghdr h;
	struct rtattr a;

	if (len < NLMSG_HDRLEN)
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.nlmsg_len > len || h.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	for (size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg)); at + sizeof(a) <= h.nlmsg_len;) {
		u32 peer;

		memcpy(&a, p + at, sizeof(a));
		if (a.rta_len < sizeof(a) || at + a.rta_len > h.nlmsg_len)
			return 0;
		if (a.rta_type == UNIX_DIAG_PEER && a.rta_len >= RTA_LENGTH(sizeof(peer))) {
			memcpy(&peer, p + at + RTA_LENGTH(0), sizeof(peer));
			return peer;
		}
		at += RTA_ALIGN(a.rta_len);
	}
	return 0;
}

static u64 unix_peer(u64 inode)
{
	int fd auto_close = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} ask = {
		.h = { .nlmsg_len = sizeof(ask), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.r = { .sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX, .udiag_ino = (u32)inode, .udiag_show = UDIAG_SHOW_PEER,
		       .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
	};
	u8 answer[1024];
	ssize_t n;

	/* The kernel answers before send(2) returns. */
	if (fd < 0 || inode > UINT32_MAX || send(fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return 0;
	n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	return n > 0 ? peer_of_answer(answer, (size_t)n) : 0;
}

/* ---- TCP: the line with the same addresses the other way round, proc_pid_net(5) */

struct line {
	char local[48], remote[48];
	u64 inode;
};

static bool parse(const char *text, struct line *out)
{
	return sscanf(text, " %*d: %47s %47s %*x %*s %*s %*s %*u %*u %" SCNu64, out->local, out->remote, &out->inode) == 3;
}

/* The first line of which the inode, or else the two addresses, are those of @like. */
static bool find_line(const char *text, const struct line *like, bool by_inode, struct line *out)
{
	for (const char *at = text; at; at = strchr(at, '\n'), at += at ? 1 : 0)
		if (parse(at, out) && (by_inode ? out->inode == like->inode :
				       !strcmp(out->local, like->remote) && !strcmp(out->remote, like->local)))
			return true;
	return false;
}

static u64 tcp_peer(pid_t pid, u64 inode)
{
	static const char *const files[] = { "tcp", "tcp6" };
	struct line mine, other;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct buf b scoped(buf_fini) = { 0 };
		char path[64];
		struct err ignored;

		snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, files[i]);
		if (io_slurp_text(path, &b, FILE_MAX, &ignored))
			continue;
		if (find_line((const char *)b.p, &(struct line){ .inode = inode }, true, &mine) &&
		    find_line((const char *)b.p, &mine, false, &other))
			return other.inode;
	}
	return 0;
}

u64 live_other_end(pid_t pid, u64 inode)
{
	u64 peer = inode && same_net(pid) ? unix_peer(inode) : 0;

	return peer || !inode ? peer : tcp_peer(pid, inode);
}
