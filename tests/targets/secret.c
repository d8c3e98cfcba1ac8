/*
 * secret: a page that holds a secret only while MADV_DONTDUMP is in force, on
 * and off as fast as can be.  A dump may come at any moment and must never have
 * it.  The secret is in no other place: it is made byte by byte from another text.
 */
#include "target.h"

#include <sys/mman.h>

#define PAGE 4096ul
#define MASK 0x15

/* "the-secret-of-the-page" under the veil. */
static volatile const char masked[] = {
	't' ^ MASK, 'h' ^ MASK, 'e' ^ MASK, '-' ^ MASK, 's' ^ MASK, 'e' ^ MASK, 'c' ^ MASK, 'r' ^ MASK,
	'e' ^ MASK, 't' ^ MASK, '-' ^ MASK, 'o' ^ MASK, 'f' ^ MASK, '-' ^ MASK, 't' ^ MASK, 'h' ^ MASK,
	'e' ^ MASK, '-' ^ MASK, 'p' ^ MASK, 'a' ^ MASK, 'g' ^ MASK, 'e' ^ MASK,
};

int main(void)
{
	/* Alone among pages without access, so that it is an area of its own. */
	char *map = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *page = map + PAGE;

	target_begin();
	must(map != MAP_FAILED && !mprotect(map + PAGE, PAGE, PROT_READ | PROT_WRITE), "mmap");
	target_ready();
	for (;;) {
		must(!madvise(map + PAGE, PAGE, MADV_DONTDUMP), "MADV_DONTDUMP");
		for (size_t i = 0; i < sizeof(masked); i++)
			page[i] = (char)(masked[i] ^ MASK);
		for (volatile int i = 0; i < 20000; i++)
			;
		for (size_t i = 0; i < sizeof(masked); i++)
			page[i] = 0;
		must(!madvise(map + PAGE, PAGE, MADV_DODUMP), "MADV_DODUMP");
	}
}
