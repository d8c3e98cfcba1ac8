/*
 * manyareas N: one mapping cut into N areas of one page by alternating
 * protections; every fourth page has content.  Prints "map START END".
 */
#include "target.h"

#include <sys/mman.h>

#define PAGE 4096ul

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	char *p;

	target_begin();
	target_block_usr1();
	p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED, "mmap");
	madvise(p, n * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < n; i += 4)
		target_fill(p + i * PAGE, PAGE, i + 1);
	for (size_t i = 0; i < n; i += 2)
		must(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0, "mprotect");
	printf("map 0x%lx 0x%lx\n", (unsigned long)p, (unsigned long)p + n * PAGE);
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
