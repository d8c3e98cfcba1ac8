#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/uio.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/live_peers.h"

/* The sets of select(2), in this machine's own longs. */
enum { WORD_BITS = 8 * sizeof(unsigned long), WORDS = FD_SETSIZE / WORD_BITS };

/* How many bytes of the process's memory: it may be cut. */
static size_t read_there(pid_t pid, u64 addr, void *p, size_t len)
{
	struct iovec local = { p, len }, there = { (void *)(uintptr_t)addr, len };
	ssize_t n = addr ? process_vm_readv(pid, &local, 1, &there, 1, 0) : 0;

	return n > 0 ? (size_t)n : 0;
}

static size_t of_poll(pid_t pid, u64 addr, u64 n, s32 fds[], size_t max)
{
	struct pollfd polled[LIVE_POLLED_MAX];
	size_t most = min(max, ARRAY_SIZE(polled)), found = 0;
	size_t got = read_there(pid, addr, polled, (size_t)min(n, (u64)most) * sizeof(*polled));

	for (size_t i = 0; i < got / sizeof(*polled); i++)
		if (polled[i].fd >= 0)
			fds[found++] = polled[i].fd;
	return found;
}

static size_t of_select(pid_t pid, const u64 sets[3], u64 n, s32 fds[], size_t max)
{
	unsigned long any[WORDS] = { 0 }, one[WORDS];
	size_t found = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t got = read_there(pid, sets[i], one, sizeof(one)) / sizeof(*one);

		for (size_t k = 0; k < got; k++)
			any[k] |= one[k];
	}
	for (u64 fd = 0; fd < min(n, (u64)FD_SETSIZE) && found < max; fd++)
		if (any[fd / WORD_BITS] >> fd % WORD_BITS & 1)
			fds[found++] = (s32)fd;
	return found;
}

size_t live_polled(pid_t pid, const struct live_thread *t, s32 fds[], size_t max)
{
	char *name auto_free = t->has_call ? seccomp_syscall_resolve_num_arch(seccomp_arch_native(), (int)t->nr) : NULL;

	/* poll(2) after a stop; futex(2) and nanosleep(2), too, of which nobody asks for what was found by chance. */
	if (name && (!strcmp(name, "poll") || !strcmp(name, "ppoll") || !strcmp(name, "restart_syscall")))
		return of_poll(pid, t->args[0], t->args[1], fds, max);
	if (name && (!strcmp(name, "select") || !strcmp(name, "pselect6")))
		return of_select(pid, &t->args[1], t->args[0], fds, max);
	return 0;
}
