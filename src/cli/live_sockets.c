#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "cli/live_sockets.h"

enum { FILE_MAX = 16 << 20, ADDR_MAX = INET6_ADDRSTRLEN + 8 };

/* A socket's number in the kernel, and the descriptor. */
struct socket_fd {
	u64 inode;
	struct live_fd *fd;
};
struct sockets {
	struct socket_fd *v;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct socket_fd *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* All of that number: a descriptor may have copies. */
static void name_all(const struct sockets *s, u64 inode, const char *name)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].inode < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->n && s->v[lo].inode == inode; lo++)
		snprintf(s->v[lo].fd->name, sizeof(s->v[lo].fd->name), "%s", name);
}

/* "0100007F:1F90": words in the byte order of the machine (net/ipv4/tcp_ipv4.c: get_tcp4_sock()). */
static bool parse_address(const char *text, char *out)
{
	u32 words[4] = { 0 };
	size_t len = strcspn(text, ":"), n = len / 8;
	char ip[INET6_ADDRSTRLEN];
	unsigned port;

	if ((n != 1 && n != 4) || sscanf(text + len, ":%x", &port) != 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	if (!inet_ntop(n == 1 ? AF_INET : AF_INET6, words, ip, sizeof(ip)))
		return false;
	snprintf(out, ADDR_MAX, n == 1 ? "%s:%u" : "[%s]:%u", ip, port);
	return true;
}

/* proc_pid_net(5): sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode */
static void inet_line(const struct sockets *s, const char *kind, const char *line)
{
	char local[48], remote[48], a[ADDR_MAX], b[ADDR_MAX], name[2 * ADDR_MAX + 32];
	unsigned state;
	u64 inode;

	enum { TCP_LISTEN = 10 };	/* include/net/tcp_states.h */
	if (sscanf(line, " %*d: %47s %47s %x %*s %*s %*s %*u %*u %" SCNu64, local, remote, &state, &inode) != 4 ||
	    !parse_address(local, a) || !parse_address(remote, b))
		return;
	if (state == TCP_LISTEN)
		snprintf(name, sizeof(name), "%s %s, listening", kind, a);
	else
		snprintf(name, sizeof(name), "%s %s to %s", kind, a, b);
	name_all(s, inode, name);
}

/* Num RefCount Protocol Flags Type St Inode Path */
static void unix_line(const struct sockets *s, const char *kind, const char *line)
{
	char name[160], path[128] = "";
	u64 inode;

	if (sscanf(line, "%*s %*s %*s %*s %*s %*s %" SCNu64 " %127[^\n]", &inode, path) < 1)
		return;
	snprintf(name, sizeof(name), "%s socket%s%s, number %" PRIu64, kind, *path ? " " : "", path, inode);
	name_all(s, inode, name);
}

static const struct {
	const char *file, *kind;
	void (*line)(const struct sockets *s, const char *kind, const char *line);
} files[] = {
	{ "tcp", "tcp", inet_line }, { "tcp6", "tcp", inet_line }, { "udp", "udp", inet_line }, { "udp6", "udp", inet_line },
	{ "unix", "unix", unix_line },
};

static void read_file(pid_t pid, size_t i, const struct sockets *s)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64], *save = NULL;
	struct err ignored;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, files[i].file);
	if (io_slurp_text(path, &b, FILE_MAX, &ignored))
		return;
	for (char *line = strtok_r((char *)b.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		files[i].line(s, files[i].kind, line);
}

void live_sockets(pid_t pid, struct live *l)
{
	struct socket_fd *v auto_free = calloc(l->n_fds + 1, sizeof(*v));
	struct sockets s = { .v = v };

	for (size_t i = 0; v && i < l->n_fds; i++) {
		v[s.n].fd = &l->fds[i];
		s.n += sscanf(l->fds[i].name, "socket:[%" SCNu64 "]", &v[s.n].inode) == 1;
	}
	if (!s.n)
		return;
	qsort(v, s.n, sizeof(*v), compare);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		read_file(pid, i, &s);
}
