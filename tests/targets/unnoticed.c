/*
 * unnoticed [log | errno | trap | kill | subreaper | shared MIB | check CORE [MIB]] - sees what a process can see of a dump that
 * ought not to be noticed.
 *
 * Threads that count whatever happens to them: a call that ends without a reason, a child that wait(2) finds,
 * SIGCHLD, the end of a socket that its peer does not get.  One writes a number, which grows, into one page after
 * the other: at any instant no page has less than the next, nor two more.  A page begins with PAGE_MAGIC and the number.
 * SIGUSR1: "noticed COUNT what rounds COUNT".  check CORE [MIB]: "512 pages of one instant and MIB MiB", or what is wrong.
 * log, …: a filter does that for clone(2) and others that are made for it, as long as it is not suspended.  shared: the
 * pages are shared memory of so many MiB, of which the rest is random.
 */
#include "notice.h"

#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PAGE_MAGIC 0x6e6f746963656421ull
enum { PAGES = 512, PAGE = 4096 };

static unsigned rounds;

static void *write_pages(void *arg)
{
	volatile uint64_t *pages = arg;

	for (uint64_t n = 1;; n++)
		for (int i = 0; i < PAGES; i++)
			pages[(size_t)i * PAGE / 8 + 1] = n;
	return NULL;
}

static void *wait_for_children(void *arg)
{
	(void)arg;
	for (;;) {
		if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
			notice("wait");
		if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD)
			notice("blocking wait");
		__atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
		target_nap();
	}
	return NULL;
}

static void *sleep_long(void *arg)
{
	(void)arg;
	for (;;)
		if (nanosleep(&(struct timespec){ .tv_sec = 100000 }, NULL))
			notice("nanosleep");
	return NULL;
}

static void *wait_epoll(void *arg)
{
	struct epoll_event ev;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	(void)arg;
	for (;;) {
		epoll_wait(fd, &ev, 1, -1);
		notice("epoll_wait");
	}
	return NULL;
}

static void *wait_futex(void *arg)
{
	static int word;

	(void)arg;
	for (;;) {
		syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
		notice("futex");
	}
	return NULL;
}

static void *close_sockets(void *arg)
{
	(void)arg;
	for (;;) {
		struct pollfd p = { .events = POLLIN };
		char c;
		int ends[2];

		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
		target_nap();
		close(ends[0]);
		p.fd = ends[1];
		if (poll(&p, 1, 20000) != 1 || read(ends[1], &c, 1) != 0)
			notice("a socket without end");
		close(ends[1]);
	}
	return NULL;
}

static void on_trap(int sig)
{
	(void)sig;
	notice("SIGSYS");
}

/* wait4(2) is its own, too. */
static void filter(const char *what_for)
{
	static const struct { const char *name; unsigned action; } actions[] = {
		{ "log", SECCOMP_RET_LOG }, { "errno", SECCOMP_RET_ERRNO | EPERM }, { "trap", SECCOMP_RET_TRAP },
		{ "kill", SECCOMP_RET_KILL_PROCESS },
	};
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(what_for, actions[i].name))
			f[4].k = actions[i].action;
	signal(SIGSYS, on_trap);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0, "seccomp");
}

/* Pages in a core have their place in memory's order, and their own magic; the rest of @mib shared MiB follows. */
static int check(const char *path, const char *mib)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	const uint64_t *words = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	size_t rest = mib ? ((size_t)atoi(mib) << 20) - (size_t)PAGES * PAGE : 0, after = 0;
	uint64_t first = 0, last = 0;
	int n = 0, good = 1;

	must(fd >= 0 && words != MAP_FAILED, path);
	for (size_t at = 0; at + PAGE <= (size_t)size; at += PAGE) {
		const uint64_t *page = words + at / 8;

		if (page[0] != PAGE_MAGIC)
			continue;
		first = n ? first : page[1];
		good &= !n || page[1] <= last;
		last = page[1];
		after = at + PAGE;
		n++;
	}
	printf("%d pages of %s", n, good && first - last <= 1 ? "one instant" : "several");
	if (rest && after + rest <= (size_t)size && target_filled((const char *)words + after, rest, 1))
		printf(" and %s MiB", mib);
	puts("");
	return 0;
}

int main(int argc, char **argv)
{
	static void *(*const threads[])(void *) = { write_pages, wait_for_children, sleep_long, wait_epoll, wait_futex, close_sockets };
	int shared = argc > 2 && !strcmp(argv[1], "shared");
	size_t len = shared ? (size_t)atoi(argv[2]) << 20 : (size_t)PAGES * PAGE;
	uint64_t *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	sigset_t set;
	int sig;

	if (argc > 2 && !strcmp(argv[1], "check"))
		return check(argv[2], argc > 3 ? argv[3] : NULL);
	target_begin();
	if (argc > 1 && !strcmp(argv[1], "subreaper"))
		must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "subreaper");
	must(pages != MAP_FAILED, "mmap");
	for (size_t i = 0; i < PAGES; i++)
		pages[i * PAGE / 8] = PAGE_MAGIC;
	target_fill((char *)pages + (size_t)PAGES * PAGE, len - (size_t)PAGES * PAGE, 1);
	signal(SIGCHLD, on_child);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		pthread_t t;

		must(pthread_create(&t, NULL, threads[i], pages) == 0, "pthread_create");
	}
	if (argc > 1 && strcmp(argv[1], "subreaper"))
		filter(argv[1]);
	target_ready();
	for (;;) {
		must(sigwait(&set, &sig) == 0, "sigwait");
		printf("noticed %u %s rounds %u\n", noticed, what, rounds);
		fflush(stdout);
	}
}
