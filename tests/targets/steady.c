/*
 * steady [N [stopped]] - N threads (50) that check, as long as they live, what a process can check of itself: what they
 * compute in registers, the content of their pages, numbers that are handed round by pipes and futexes, limits of
 * sleeps, signals in their order, and that no call ends without a reason.
 * steady check CORE: whether the pages of all threads are of one instant.
 *
 * SIGUSR1: "noticed COUNT what ended COUNT moved after MS", as soon as every thread that moves has done so once more; or
 * "... stuck KIND", where one has not within 20 s.  stopped: the process may be stopped and continued by signals, which
 * ends some calls (signal(7)): that is no reason to notice them.
 */
#include "notice.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MAGIC 0x7374656164795f31ull
enum { THREADS_MAX = 512, WORDS = 508, STEPS = 30000, LATE_S = 20 };

/* A page for each thread: magic, so that it is found in a core, and what it has come to. */
static struct page {
	uint64_t magic, index, n_threads, n;
	uint64_t words[WORDS];
} pages[THREADS_MAX] __attribute__((aligned(4096)));

static unsigned n_threads = 50;
static unsigned moved[THREADS_MAX];
static int pipes[THREADS_MAX][2];
static uint32_t turns[THREADS_MAX];
static double late_s = LATE_S;	/* times $SLOWNESS */
static int may_end;	/* calls that SIGCONT ends, too */
static unsigned ended;	/* calls that a dump may end when all that is ours is killed, for nobody is there to make them again */

/* A call that only a signal's handler ends, and stopping and continuing. */
static void has_ended(const char *call)
{
	if (errno != EINTR)
		notice(call);
	else if (!may_end)
		__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static void nap_ms(long ms)
{
	struct timespec left = { .tv_nsec = ms * 1000000 }, begin, end;
	double took;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (nanosleep(&left, NULL))
		notice("nanosleep ended");
	clock_gettime(CLOCK_MONOTONIC, &end);
	took = (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
	if (took < (double)ms)
		notice("nanosleep was too short");
	if (took > late_s * 1000 && !may_end)
		notice("nanosleep was late");
}

/* ---- registers: as many values at once as any machine has for them */

typedef uint64_t vec __attribute__((vector_size(16)));

static noinline void compute(uint64_t seed, uint64_t out[12])
{
	uint64_t a = seed, b = seed + 1, c = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5;
	double p = 1, q = 2, r = 3, s = 4;
	vec v = { seed, seed ^ 77 }, w = { seed + 9, seed + 10 };

	for (int i = 0; i < STEPS; i++) {
		a = a * 6364136223846793005u + b;
		b = (b ^ c >> 7) + d;
		c += e * 31;
		d = (d << 9 | d >> 55) ^ f;
		e += a;
		f ^= b * 13;
		p = p * 0.5 + (double)(a & 0xffff);
		q = q * 0.25 + p;
		r = r * 0.125 + (double)(c & 0xfff);
		s = s * 0.5 + q;
		v = v * 17 + w;
		w ^= v << 5;
	}
	memcpy(out, (uint64_t[]){ a, b, c, d, e, f, v[0], v[1], w[0], w[1], (uint64_t)(s + q), (uint64_t)(r + p) },
	       12 * sizeof(*out));
}

static void registers(unsigned i)
{
	uint64_t first[12], again[12];

	compute(i, first);
	for (;;) {
		compute(i, again);
		if (memcmp(first, again, sizeof(first)))
			notice("registers differ");
		moved[i]++;
		/* One does so more often, but gives way to all others. */
		nap_ms(i ? 20 : 1);
	}
}

/* ---- memory: word after word, each generation's by its own rule */

static uint64_t word_of(uint64_t index, uint64_t n, unsigned w)
{
	return (index << 48 ^ n) * 2654435761u + w;
}

static void memory(unsigned i)
{
	struct page *p = &pages[i];

	for (;;) {
		for (unsigned w = 0; w < WORDS; w++)
			if (p->words[w] != word_of(i, p->n, w))
				notice("memory differs");
		for (unsigned w = 0; w < WORDS; w++)
			((volatile struct page *)p)->words[w] = word_of(i, p->n + 1, w);
		p->n++;
		moved[i]++;
		nap_ms(5);
	}
}

/* ---- numbers that go round: member @i has them from the one before it, of the same kind */

static unsigned ring_next(unsigned i);
static int is_first(unsigned i);

static void has_come(unsigned i, uint64_t n)
{
	if (n != pages[i].n + 1)
		notice("a number is lost, or came twice");
	pages[i].n = n;
	moved[i]++;
}

static void ring_of_pipes(unsigned i)
{
	uint64_t n = 1;

	if (is_first(i))
		has_come(i, n);
	for (;;) {
		if (is_first(i) && write(pipes[ring_next(i)][1], &n, sizeof(n)) != sizeof(n))
			notice("write ended");
		if (read(pipes[i][0], &n, sizeof(n)) != sizeof(n))
			notice("read ended");
		if (is_first(i)) {
			nap_ms(2);
			has_come(i, ++n);
			continue;
		}
		has_come(i, n);
		if (write(pipes[ring_next(i)][1], &n, sizeof(n)) != sizeof(n))
			notice("write ended");
	}
}

static uint32_t wait_turn(unsigned i, uint32_t before)
{
	uint32_t now;

	while ((now = __atomic_load_n(&turns[i], __ATOMIC_SEQ_CST)) == before)
		if (syscall(SYS_futex, &turns[i], FUTEX_WAIT_PRIVATE, before, NULL, NULL, 0) && errno != EAGAIN)
			notice("futex ended");
	return now;
}

static void give_turn(unsigned i, uint32_t n)
{
	__atomic_store_n(&turns[ring_next(i)], n, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &turns[ring_next(i)], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void ring_of_futexes(unsigned i)
{
	uint32_t n = 1;

	if (is_first(i))
		has_come(i, n);
	for (;;) {
		if (is_first(i)) {
			give_turn(i, n);
			wait_turn(i, n - 1);
			nap_ms(2);
			has_come(i, ++n);
		} else {
			n = wait_turn(i, n - (pages[i].n == 0));
			has_come(i, n);
			give_turn(i, n);
		}
	}
}

/* ---- calls that end by themselves, by a signal that is waited for, or never */

static void sleeps(unsigned i)
{
	struct timeval limit = { .tv_usec = 5000 };
	int ep = epoll_create1(EPOLL_CLOEXEC), sockets[2];
	struct epoll_event ev;
	char c;

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) &&
	     !setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), "socketpair");
	for (;;) {
		double begin = target_seconds();
		int r = epoll_wait(ep, &ev, 1, 20);

		if (r)
			has_ended("epoll_wait ended");
		if (!r && target_seconds() - begin < 0.0199)
			notice("epoll_wait was too short");
		if (poll(NULL, 0, 10))
			notice("poll ended");
		if (recv(sockets[0], &c, 1, 0) >= 0 || errno != EAGAIN)
			has_ended("recv ended");
		nap_ms(10);
		moved[i]++;
	}
}

static void signals(unsigned i)
{
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	for (int n = 1;; n += 2) {
		for (int k = 0; k < 2; k++)
			must(!pthread_sigqueue(pthread_self(), SIGRTMIN, (union sigval){ .sival_int = n + k }), "sigqueue");
		nap_ms(5);
		for (int k = 0; k < 2; k++) {
			int r;

			while ((r = sigwaitinfo(&set, &si)) < 0)
				has_ended("sigwaitinfo ended");
			if (r != SIGRTMIN || si.si_value.sival_int != n + k)
				notice("a signal is lost, or out of order");
		}
		moved[i]++;
	}
}

static void for_ever(unsigned i)
{
	struct epoll_event ev;
	int fds[2], ep = epoll_create1(EPOLL_CLOEXEC);
	char c;

	must(!pipe2(fds, O_CLOEXEC), "pipe");
	for (;; notice("a call without end has ended"))
		switch (i / 8 % 4) {
		case 0: (void)!read(fds[0], &c, 1); break;
		case 1:
			while (epoll_wait(ep, &ev, 1, -1) < 0)
				has_ended("epoll_wait ended");
			break;
		case 2: syscall(SYS_futex, &turns[i], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0); break;
		case 3: nanosleep(&(struct timespec){ .tv_sec = 100000 }, NULL); break;
		}
}

static const struct kind {
	const char *name;
	void (*run)(unsigned i);
	int ring, stays;
} kinds[] = {
	{ "registers", registers, 0, 0 }, { "memory", memory, 0, 0 }, { "pipes", ring_of_pipes, 1, 0 },
	{ "futexes", ring_of_futexes, 1, 0 }, { "pipes", ring_of_pipes, 1, 0 }, { "sleeps", sleeps, 0, 0 },
	{ "signals", signals, 0, 0 }, { "for ever", for_ever, 0, 1 },
};

static const struct kind *kind_of(unsigned i)
{
	return &kinds[i % (sizeof(kinds) / sizeof(kinds[0]))];
}

static int is_first(unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (kind_of(k)->run == kind_of(i)->run)
			return 0;
	return 1;
}

static unsigned ring_next(unsigned i)
{
	unsigned k = i;

	do
		k = (k + 1) % n_threads;
	while (kind_of(k)->run != kind_of(i)->run);
	return k;
}

static void *run(void *arg)
{
	unsigned i = (unsigned)(size_t)arg;

	setpriority(PRIO_PROCESS, 0, i ? 0 : 19);
	kind_of(i)->run(i);
	return NULL;
}

/* ---- a core */

static int bad_memory(const struct page *p, unsigned i)
{
	unsigned w = 0;

	while (w < WORDS && p->words[w] == word_of(i, p->n + 1, w))
		w++;
	for (; w < WORDS; w++)
		if (p->words[w] != word_of(i, p->n, w))
			return 1;
	return 0;
}

static int bad_ring(const struct page *const found[], unsigned i)
{
	const struct page *p = found[i], *next = found[ring_next(i)];

	return is_first(ring_next(i)) ? next->n != p->n && next->n != p->n + 1 : next->n != p->n && next->n + 1 != p->n;
}

static int check(const char *path)
{
	const struct page *found[THREADS_MAX] = { NULL };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned n = 0, bad = 0;
	const char *core;
	struct stat st;

	must(fd >= 0 && !fstat(fd, &st), path);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(core != MAP_FAILED, path);
	for (off_t at = 0; at + 4096 <= st.st_size; at += 4096) {
		const struct page *p = (const void *)(core + at);

		if (p->magic != MAGIC || p->index >= THREADS_MAX || found[p->index])
			continue;
		found[p->index] = p;
		n_threads = (unsigned)p->n_threads;
		n++;
	}
	for (unsigned i = 0; n == n_threads && i < n; i++)
		bad += kind_of(i)->run == memory ? bad_memory(found[i], i) : kind_of(i)->ring && bad_ring(found, i);
	printf("%u pages of %u, %u differ\n", n, n ? n_threads : 0, bad);
	return 0;
}

/* ---- */

/* The first that has not moved since @before, or NULL. */
static const char *still(const unsigned before[])
{
	for (unsigned i = 0; i < n_threads; i++)
		if (!kind_of(i)->stays && __atomic_load_n(&moved[i], __ATOMIC_SEQ_CST) == before[i])
			return kind_of(i)->name;
	return NULL;
}

static void answer(void)
{
	double begin = target_seconds();
	unsigned before[THREADS_MAX];
	const char *stuck;

	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		notice("wait");
	memcpy(before, moved, sizeof(before));
	while ((stuck = still(before)) && target_seconds() - begin < late_s)
		target_nap();
	if (stuck)
		printf("noticed %u %s ended %u stuck %s\n", noticed, what, ended, stuck);
	else
		printf("noticed %u %s ended %u moved after %.0f\n", noticed, what, ended, (target_seconds() - begin) * 1000);
	fflush(stdout);
}

/*
 * As a program has that does anything: pages below the stack pointer that are there.  Else a snapshot has no place for what
 * leads back from a call, should all of it be killed.
 */
static noinline void use_stack(void)
{
	volatile char below[32768];

	for (size_t i = 0; i < sizeof(below); i += 1024)
		below[i] = 1;
}

int main(int argc, char **argv)
{
	pthread_attr_t small;
	pthread_t thread;
	sigset_t set;

	if (argc > 2 && !strcmp(argv[1], "check"))
		return check(argv[2]);
	target_begin();
	use_stack();
	target_block_usr1();
	n_threads = argc > 1 ? (unsigned)atoi(argv[1]) : n_threads;
	must(n_threads >= 24 && n_threads <= THREADS_MAX, "24 to 512 threads");
	may_end = argc > 2;
	late_s *= getenv("SLOWNESS") ? atof(getenv("SLOWNESS")) : 1;
	signal(SIGCHLD, on_child);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (unsigned i = 0; i < n_threads; i++) {
		pages[i] = (struct page){ .magic = MAGIC, .index = i, .n_threads = n_threads };
		for (unsigned w = 0; w < WORDS; w++)
			pages[i].words[w] = word_of(i, 0, w);
		must(!pipe2(pipes[i], O_CLOEXEC), "pipe");
	}
	for (unsigned i = 0; i < n_threads; i++)
		must(pthread_create(&thread, &small, run, (void *)(size_t)i) == 0, "pthread_create");
	target_ready();
	for (;;) {
		target_wait();
		answer();
	}
}
