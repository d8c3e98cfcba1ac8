/*
 * mteheap MODE: a heap that glibc tags (GLIBC_TUNABLES=glibc.mem.tagging=3,
 * which it gives itself).  Prints "block ADDR LEN" with the tag in bits 59:56
 * of each block that lives, then "ready PID", and waits for SIGUSR1.  Then
 * "overflow" writes past a block and "use-after-free" into a freed one, and
 * die of it; "sleep" ends.
 */
#include "mte.h"

#include <malloc.h>

/* Without rseq, where the kernel keeps a CPU number that changes at any time. */
#define TUNABLE "glibc.mem.tagging=3:glibc.pthread.rseq=0"
#define BLOCKS 16

static char *blocks[BLOCKS];

static noinline void overflow(char *p, size_t len)
{
	/* As a loop that forgets the end: the first byte that is not ours is in the next block. */
	for (volatile size_t i = 0; i < len + 24; i++)
		p[i] = 'o';
}

static noinline void use_after_free(char *volatile p)
{
	free(p);
	p[8] = 'u';
}

static size_t block_len(int i)
{
	return (size_t)(40 + 16 * i);
}

static void make_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(block_len(i));
		must(blocks[i] != NULL, "malloc");
		memset(blocks[i], 'a' + i, block_len(i));
		printf("block %lx %zu\n", (unsigned long)blocks[i], block_len(i));
	}
}

static void with_tunable(char **argv)
{
	const char *now = getenv("GLIBC_TUNABLES");

	if (now && strstr(now, TUNABLE))
		return;
	setenv("GLIBC_TUNABLES", TUNABLE, 1);
	execv("/proc/self/exe", argv);
	die("exec");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "sleep";

	with_tunable(argv);
	target_begin();
	target_block_usr1();
	if (!(getauxval(AT_HWCAP2) & HWCAP2_MTE)) {
		puts("skip no MTE here");
		return 77;
	}
	make_blocks();
	target_ready();
	target_wait();
	if (!strcmp(mode, "overflow"))
		overflow(blocks[0], block_len(0));
	if (!strcmp(mode, "use-after-free"))
		use_after_free(blocks[3]);
	return 0;
}
