/*
 * drift [MIB [RATE]]: changes its memory all the time, RATE pages a second (0: as fast as it can), and keeps a
 * record of what is in it at a fixed address.  SIGUSR1: a secret of its is not to be dumped any more (madvise(2)).
 * drift check CORE: memory and record agree in a core, but for the one step that was under way.
 *
 * drift secret CORE: whether the secret is anywhere in the file.
 *
 * Pages are written, dropped (madvise(2)), moved (mremap(2)), unmapped and mapped anew.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "target.h"

enum { PAGE = 4096, BLOCK_PAGES = 256, BLOCKS_MAX = 1024, SECRET = 4 << 20 };

struct block {
	uint64_t addr;
	uint64_t value[BLOCK_PAGES];	/* in the first word of each page, and in its last */
};

struct record {
	uint64_t steps;
	uint64_t n;
	uint64_t busy;		/* block that is being changed; n: none */
	struct block blocks[BLOCKS_MAX];
};
#define RECORD ((struct record *)0x200000000000)

static struct record *r = RECORD;

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static uint64_t map_block(void)
{
	void *p = mmap(NULL, BLOCK_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	return (uint64_t)p;
}

static void forget(struct block *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		b->value[i] = 0;
}

static void write_page(struct block *b, unsigned page)
{
	volatile uint64_t *p = (volatile uint64_t *)(b->addr + page * PAGE);

	p[0] = p[PAGE / 8 - 1] = b->value[page] = r->steps;
}

static void drop(struct block *b, unsigned from)
{
	unsigned to = from + 16 < BLOCK_PAGES ? from + 16 : BLOCK_PAGES;

	must(!madvise((void *)(b->addr + from * PAGE), (to - from) * PAGE, MADV_DONTNEED), "madvise");
	forget(b, from, to);
}

/* To where another block has just been, or anywhere. */
static void move(struct block *b)
{
	void *to = (void *)map_block();

	b->addr = (uint64_t)mremap((void *)b->addr, BLOCK_PAGES * PAGE, BLOCK_PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	must(b->addr == (uint64_t)to, "mremap");
}

static void renew(struct block *b)
{
	must(!munmap((void *)b->addr, BLOCK_PAGES * PAGE), "munmap");
	b->addr = map_block();
	forget(b, 0, BLOCK_PAGES);
}

static void step(void)
{
	uint64_t x = next_random();
	struct block *b = &r->blocks[r->busy = x % r->n];
	unsigned page = x >> 20 & (BLOCK_PAGES - 1), what = x >> 40 & 1023;

	r->steps++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (what == 0)
		renew(b);
	else if (what == 1)
		move(b);
	else if (what < 8)
		drop(b, page);
	else
		write_page(b, page);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	r->busy = r->n;
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static char *secret;

/* Made up here, so that the program's own bytes do not have it. */
static void make_word(char word[16])
{
	for (int i = 0; i < 16; i++)
		word[i] = (char)(200 + i * 3);
}

static void hide_secret(int sig)
{
	(void)sig;
	madvise(secret, SECRET, MADV_DONTDUMP);
}

static void keep_secret(void)
{
	char word[16];

	make_word(word);
	secret = mmap(NULL, SECRET, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		_exit(1);
	for (size_t i = 0; i < SECRET; i += sizeof(word))
		memcpy(secret + i, word, sizeof(word));
	memset(word, 0, sizeof(word));
	signal(SIGUSR1, hide_secret);
}

static void run(uint64_t n, uint64_t rate)
{
	struct timespec nap = { .tv_nsec = rate ? (long)(64 * 1000000000ull / rate) : 0 };
	pthread_t thread;

	target_begin();
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (mmap(RECORD, sizeof(*r), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != RECORD)
		_exit(1);
	keep_secret();
	r->busy = r->n = n;
	for (uint64_t i = 0; i < n; i++)
		r->blocks[i].addr = map_block();
	for (uint64_t i = 0; i < n; i++)
		for (unsigned k = 0; k < BLOCK_PAGES; k++) {
			r->busy = i;
			r->steps++;
			write_page(&r->blocks[i], k);
		}
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	r->busy = n;
	target_ready();
	for (;;) {
		for (int i = 0; i < 64; i++)
			step();
		if (rate)
			nanosleep(&nap, NULL);
	}
}

/* ---- the check */

static const char *core;

/* Content of the core at @addr: NULL where it has none; zeros where a header has no bytes. */
static const void *at(uint64_t addr, uint64_t len)
{
	static const char zeros[PAGE];
	const Elf64_Ehdr *h = (const void *)core;
	const Elf64_Phdr *p = (const void *)(core + h->e_phoff);

	for (unsigned i = 0; i < h->e_phnum; i++, p++) {
		if (p->p_type != PT_LOAD || addr < p->p_vaddr || addr + len > p->p_vaddr + p->p_memsz)
			continue;
		return addr + len <= p->p_vaddr + p->p_filesz ? core + p->p_offset + (addr - p->p_vaddr)
							      : len <= sizeof(zeros) ? zeros : NULL;
	}
	return NULL;
}

static int check_block(const struct record *rec, uint64_t i)
{
	const struct block *b = &rec->blocks[i];
	int bad = 0;

	for (unsigned k = 0; k < BLOCK_PAGES; k++) {
		const uint64_t *p = at(b->addr + k * PAGE, PAGE);

		if (p && p[0] == b->value[k] && p[PAGE / 8 - 1] == b->value[k])
			continue;
		if (!bad++)
			printf("block %llu page %u at %llx: %lld, not %llu\n", (unsigned long long)i, k,
			       (unsigned long long)(b->addr + k * PAGE), p ? (long long)p[0] : -1, (unsigned long long)b->value[k]);
	}
	return bad;
}

static uint64_t open_core(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	must(fd >= 0 && !fstat(fd, &st), path);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(core != MAP_FAILED, path);
	return (uint64_t)st.st_size;
}

static int find_secret(const char *path)
{
	uint64_t size = open_core(path);
	char word[16];
	bool found;

	make_word(word);
	found = memmem(core, size, word, sizeof(word)) != NULL;
	puts(found ? "there" : "not there");
	return 0;
}

static int check(const char *path)
{
	const struct record *rec;
	int bad = 0;

	open_core(path);
	rec = at((uint64_t)RECORD, sizeof(*rec));
	if (!rec || rec->n > BLOCKS_MAX || !rec->n)
		return 2;
	for (uint64_t i = 0; i < rec->n; i++)
		if (i != rec->busy)
			bad += check_block(rec, i);
	printf("%d bad pages of %llu after %llu steps\n", bad, (unsigned long long)rec->n * BLOCK_PAGES,
	       (unsigned long long)rec->steps);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;

	if (argc > 2 && !strcmp(argv[1], "check"))
		return check(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "secret"))
		return find_secret(argv[2]);
	run(mib < BLOCKS_MAX ? mib : BLOCKS_MAX, argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
}
