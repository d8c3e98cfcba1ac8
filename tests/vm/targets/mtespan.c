/*
 * mtespan MAPPED TOUCHED tagged|plain: one anonymous area of MAPPED MiB; TOUCHED
 * MiB of it are written, in single pages evenly spread, and have tags if tagged.
 */
#include "mte.h"

#define MIB (1ul << 20)

int main(int argc, char **argv)
{
	size_t len = argc > 3 ? strtoul(argv[1], NULL, 10) * MIB : 0;
	size_t touched = argc > 3 ? strtoul(argv[2], NULL, 10) * MIB : 0;
	struct tagging t = { 1, 1, 0 };
	int tagged;
	char *p;

	if (!touched || touched > len) {
		fprintf(stderr, "usage: mtespan MAPPED TOUCHED tagged|plain\n");
		return 2;
	}
	tagged = !strcmp(argv[3], "tagged");
	t.step = (unsigned)(len / touched);
	target_begin();
	if (tagged)
		mte_begin(PR_MTE_TCF_SYNC);
	p = mmap(NULL, len, tagged ? RW | PROT_MTE : RW, ANON | MAP_NORESERVE, -1, 0);
	must(p != MAP_FAILED && madvise(p, len, MADV_NOHUGEPAGE) == 0, "mmap");
	for (size_t at = 0; at < len; at += t.step * PAGE)
		target_fill(p + at, PAGE, at + 1);
	if (tagged)
		tag_area(p, len, &t);
	target_ready();
	for (;;)
		pause();
}
