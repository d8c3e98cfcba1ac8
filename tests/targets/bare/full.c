/*
 * full32: a 32-bit process with memory in its whole address space, and 200 threads: its core
 * would be larger than a 32-bit file can be.  Nothing of the memory is touched.
 */
#include "bare.h"

enum { N_THREADS = 200, STACK = 1024, PAGE = 4096, READ_WRITE = 3 };
enum { MAP_PRIVATE = 0x2, MAP_FIXED_NOREPLACE = 0x100000, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000 };

static uint8_t stacks[N_THREADS][STACK] __attribute__((aligned(16)));
static int tid;

static void stay(void *arg)
{
	(void)arg;
	for (;;)
		SYS3(NR_pause, 0, 0, 0);
}

static int map(unsigned long addr, unsigned long len)
{
	long r = bare_map(addr, len, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
						 (addr ? MAP_FIXED_NOREPLACE : 0));

	return (unsigned long)r < -4096ul;
}

/* The kernel keeps 1 MiB free below the stack, but only if it may choose. */
static void fill_gap(const void *sp)
{
	unsigned long at = (unsigned long)sp & ~(PAGE - 1ul);

	for (unsigned long n = 0; n < 1024; n++)
		map(at -= PAGE, PAGE);
}

int bare_main(int argc, char **argv)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	(void)argc;
	bare_begin();
	for (int i = 0; i < N_THREADS; i++)
		bare_must(bare_clone(flags, stacks[i] + STACK, stay, NULL, NULL, &tid), "clone");
	for (unsigned long len = 1ul << 30; len >= PAGE;)
		if (!map(0, len))
			len /= 2;
	fill_gap(argv);
	bare_say("ready ", bare_number(SYS3(NR_getpid, 0, 0, 0)).text, "", "");
	stay(NULL);
	return 0;
}
