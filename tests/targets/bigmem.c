/*
 * bigmem random SIZE | pattern SIZE | sparse MAPPED TOUCHED: one anonymous area.
 * random: dense, from a seeded generator; pattern: each page begins with its own
 * number and repeats one byte; sparse: TOUCHED bytes in runs of 16 pages, evenly
 * spread.  Prints "map START END".  SIGUSR1: "intact" or "damaged".
 */
#include "target.h"

#include <sys/mman.h>

#define PAGE 4096ul
#define RUN (16 * PAGE)

struct shape {
	const char *name;
	void (*fill)(char *p, size_t len, size_t touched);
	int (*check)(const char *p, size_t len, size_t touched);
};

static void random_fill(char *p, size_t len, size_t touched)
{
	(void)touched;
	target_fill(p, len, 1);
}

static int random_check(const char *p, size_t len, size_t touched)
{
	(void)touched;
	return target_filled(p, len, 1);
}

static void pattern_fill(char *p, size_t len, size_t touched)
{
	(void)touched;
	for (size_t at = 0; at < len; at += PAGE) {
		memset(p + at, (int)(at / PAGE % 251), PAGE);
		memcpy(p + at, &at, sizeof(at));
	}
}

static int pattern_check(const char *p, size_t len, size_t touched)
{
	(void)touched;
	for (size_t at = 0; at < len; at += PAGE)
		if (memcmp(p + at, &at, sizeof(at)) ||
		    (unsigned char)p[at + PAGE - 1] != at / PAGE % 251)
			return 0;
	return 1;
}

static size_t sparse_step(size_t len, size_t touched)
{
	size_t step = touched >= RUN ? len / (touched / RUN) : len;

	return step / PAGE * PAGE;
}

static void sparse_fill(char *p, size_t len, size_t touched)
{
	size_t step = sparse_step(len, touched);

	for (size_t at = 0; at + RUN <= len; at += step)
		target_fill(p + at, RUN, at + 1);
}

static int sparse_check(const char *p, size_t len, size_t touched)
{
	size_t step = sparse_step(len, touched);

	for (size_t at = 0; at + RUN <= len; at += step)
		if (!target_filled(p + at, RUN, at + 1))
			return 0;
	return 1;
}

static const struct shape shapes[] = {
	{ .name = "random", .fill = random_fill, .check = random_check },
	{ .name = "pattern", .fill = pattern_fill, .check = pattern_check },
	{ .name = "sparse", .fill = sparse_fill, .check = sparse_check },
};

static const struct shape *shape_find(const char *name)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (!strcmp(shapes[i].name, name))
			return &shapes[i];
	fprintf(stderr, "usage: bigmem random SIZE | pattern SIZE | sparse MAPPED TOUCHED\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const struct shape *s = shape_find(argc > 2 ? argv[1] : "");
	size_t len = target_size(argv[2]), touched = argc > 3 ? target_size(argv[3]) : len;
	char *p;

	target_begin();
	target_block_usr1();
	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(p != MAP_FAILED, "mmap");
	/* Else one touched page would bring 2 MiB with it. */
	if (s->fill == sparse_fill)
		madvise(p, len, MADV_NOHUGEPAGE);
	s->fill(p, len, touched);
	printf("map 0x%lx 0x%lx\n", (unsigned long)p, (unsigned long)p + len);
	target_ready();
	for (;;) {
		target_wait();
		puts(s->check(p, len, touched) ? "intact" : "damaged");
	}
}
