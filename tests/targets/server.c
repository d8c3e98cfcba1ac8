/*
 * server HOW: a server of debuginfod that does no good, at a free port of 127.0.0.1.
 *	silent		takes requests and never answers
 *	endless		answers with zeros for ever
 *	packed		the same, packed: a thousand times as many
 *	announced	says that it will send a terabyte, and sends nothing
 * "port N", then "ready PID"; "request" for each one.
 */
#include "target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void send_all(int fd, const void *p, size_t len)
{
	if (send(fd, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(0);
}

static void send_text(int fd, const char *text)
{
	send_all(fd, text, strlen(text));
}

static void silent(int fd)
{
	char c;

	while (recv(fd, &c, 1, 0) > 0)
		;
}

static void endless(int fd)
{
	static const char zeros[1 << 16];

	send_text(fd, "HTTP/1.0 200 OK\r\n\r\n");
	for (;;)
		send_all(fd, zeros, sizeof(zeros));
}

/* A block of fixed codes: 258 zeros by a byte and a bit (RFC 1951, 3.2.6), 8 times in 13 bytes. */
static void packed(int fd)
{
	/* gzip's header; then, not the last block: a zero, and again and again the 258 before, from distance 1. */
	static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	unsigned char bits[1 << 16] = { 0 };
	size_t at = 0;

	send_text(fd, "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
	send_all(fd, head, sizeof(head));
	/* BFINAL 0, BTYPE 01; literal 0 is 00110000; length 258 is 11000101, distance 1 is 00000. */
#define PUT(bit) (bits[at / 8] |= (unsigned char)((bit) << at % 8), at++)
#define CODE(text) do { for (const char *t = (text); *t; t++) PUT(*t - '0'); } while (0)
	CODE("010" "00110000");
	while (at + 13 <= 8 * sizeof(bits))
		CODE("11000101" "00000");
	send_all(fd, bits, at / 8);
	for (size_t n = at / 8 * 8; ; n = at / 8 * 8) {
		/* On from the bits of the byte that was not whole. */
		unsigned char rest = at % 8 ? bits[at / 8] : 0;

		memset(bits, 0, sizeof(bits));
		bits[0] = rest;
		at -= n;
		while (at + 13 <= 8 * sizeof(bits))
			CODE("11000101" "00000");
		send_all(fd, bits, at / 8);
	}
}

static void announced(int fd)
{
	send_text(fd, "HTTP/1.0 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
	silent(fd);
}

static const struct {
	const char *name;
	void (*serve)(int fd);
} ways[] = { { "silent", silent }, { "endless", endless }, { "packed", packed }, { "announced", announced } };

static void serve(int fd, void (*how)(int fd))
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	printf("request\n");
	fflush(stdout);
	how(fd);
	_exit(0);
}

static void listen_at(int fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 16) == 0 &&
	     getsockname(fd, (struct sockaddr *)&a, &len) == 0, "listen");
	printf("port %d\n", ntohs(a.sin_port));
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	target_begin();
	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, argv[1])) {
			listen_at(fd);
			target_ready();
			for (;;) {
				int client = accept(fd, NULL, NULL);

				if (client >= 0) {
					serve(client, ways[i].serve);
					close(client);
				}
			}
		}
	fprintf(stderr, "usage: see server.c\n");
	return 2;
}
