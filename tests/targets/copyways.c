/*
 * copyways MIB OUTPUT [direct] - ways of copying MIB MiB of another process's memory into a file: seconds of each, a line
 * "WAY KIB SECONDS", the least of three.  For make bench: it is what the plain dump's way was chosen by.
 *
 * single    one thread reads a piece and writes it
 * handover  one thread reads, one writes: four buffers between them
 * disjoint  two threads, each of which reads and writes the next piece that nobody has
 * mapped    the same, read into the file's own pages, mapped
 * populated the same, the pages of each piece made first (MADV_POPULATE_WRITE)
 * whole     the same, all of them made first (MAP_POPULATE)
 * huge      as mapped, with huge pages for the file, where it has them
 */
#include "target.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { ROUNDS = 3, SLOTS = 4, THREADS = 2, PAGE = 4096 };

static char *memory, *map;
static size_t size, piece;
static const char *path;
static pid_t child;
static int fd, direct;

static void copy_in(char *to, size_t k)
{
	struct iovec local = { to, piece }, there = { memory + k * piece, piece };

	must(process_vm_readv(child, &local, 1, &there, 1, 0) == (ssize_t)piece, "process_vm_readv");
}

static void copy_out(const char *from, size_t k)
{
	must(pwrite(fd, from, piece, (off_t)(k * piece)) == (ssize_t)piece, "pwrite");
}

static char *buffer(void)
{
	char *b = aligned_alloc(PAGE, piece);

	must(b != NULL, "memory");
	memset(b, 1, piece);
	return b;
}

static void single(void)
{
	char *b = buffer();

	for (size_t k = 0; k < size / piece; k++) {
		copy_in(b, k);
		copy_out(b, k);
	}
	free(b);
}

/* ---- one reads, one writes */

static char *slots[SLOTS];
static size_t in, out;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static void wait_until_not(const size_t *a, const size_t *b, size_t distance)
{
	pthread_mutex_lock(&lock);
	while (*a - *b == distance)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static void has_moved(size_t *counter)
{
	pthread_mutex_lock(&lock);
	++*counter;
	pthread_cond_signal(&moved);
	pthread_mutex_unlock(&lock);
}

static void *write_slots(void *arg)
{
	for (size_t k = 0; k < size / piece; k++) {
		wait_until_not(&in, &out, 0);
		copy_out(slots[k % SLOTS], k);
		has_moved(&out);
	}
	return arg;
}

static void handover(void)
{
	pthread_t writer;

	in = out = 0;
	for (int i = 0; i < SLOTS; i++)
		slots[i] = buffer();
	must(!pthread_create(&writer, NULL, write_slots, NULL), "a thread");
	for (size_t k = 0; k < size / piece; k++) {
		wait_until_not(&in, &out, SLOTS);
		copy_in(slots[k % SLOTS], k);
		has_moved(&in);
	}
	pthread_join(writer, NULL);
	for (int i = 0; i < SLOTS; i++)
		free(slots[i]);
}

/* ---- each does both */

static size_t next;
static int populate;

static void *copy_next(void *arg)
{
	char *b = map ? NULL : buffer();
	size_t k;

	while ((k = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < size / piece) {
		if (populate)
			must(!madvise(map + k * piece, piece, MADV_POPULATE_WRITE), "MADV_POPULATE_WRITE");
		copy_in(map ? map + k * piece : b, k);
		if (!map)
			copy_out(b, k);
	}
	free(b);
	return arg;
}

static void disjoint(void)
{
	pthread_t threads[THREADS];

	next = 0;
	for (int i = 0; i < THREADS; i++)
		must(!pthread_create(&threads[i], NULL, copy_next, NULL), "a thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void into_map(int flags, int advice)
{
	must(!ftruncate(fd, (off_t)size), "ftruncate");
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
	must(map != MAP_FAILED, "mmap");
	if (advice)
		madvise(map, size, advice);
	disjoint();
	munmap(map, size);
	map = NULL;
}

static void mapped(void)
{
	into_map(0, 0);
}

static void populated(void)
{
	populate = 1;
	into_map(0, 0);
	populate = 0;
}

static void whole(void)
{
	into_map(MAP_POPULATE, 0);
}

static void huge(void)
{
	into_map(0, MADV_HUGEPAGE);
}

static double one_round(void (*copy)(void))
{
	double begin;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (direct ? O_DIRECT : 0), 0600);
	must(fd >= 0, path);
	begin = target_seconds();
	copy();
	begin = target_seconds() - begin;
	close(fd);
	unlink(path);
	return begin;
}

static const struct way {
	const char *name;
	void (*copy)(void);
	int maps;
} ways[] = {
	{ "single", single, 0 }, { "handover", handover, 0 }, { "disjoint", disjoint, 0 }, { "mapped", mapped, 1 },
	{ "populated", populated, 1 }, { "whole", whole, 1 }, { "huge", huge, 1 },
};

static void try(const struct way *w)
{
	double least = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double took = one_round(w->copy);

		least = took < least ? took : least;
	}
	printf("%s %zu %.3f\n", w->name, piece >> 10, least);
}

/* With pages of its own in all of @memory. */
static void start_child(void)
{
	int filled[2];
	char c;

	must(!pipe(filled), "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		target_fill(memory, size, 1);
		must(write(filled[1], "", 1) == 1, "write");
		for (;;)
			pause();
	}
	must(read(filled[0], &c, 1) == 1, "read");
}

int main(int argc, char **argv)
{
	must(argc >= 3, "usage: copyways MIB OUTPUT [direct]");
	target_begin();
	alarm(600);
	size = (size_t)atoi(argv[1]) << 20;
	path = argv[2];
	direct = argc > 3;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap");
	madvise(memory, size, MADV_NOHUGEPAGE);
	start_child();
	for (piece = 64 << 10; piece <= 4 << 20; piece *= 4)
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			if (!direct || !ways[i].maps)
				try(&ways[i]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
