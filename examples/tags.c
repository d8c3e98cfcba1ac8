/* tags CORE ADDRESS - the area that a pointer is in, and the memory tags around it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tagcore/tagcore.h>

static int print_run(const struct tagcore_tag_run *run, void *arg)
{
	(void)arg;
	printf("0x%" PRIx64 "-0x%" PRIx64 " ", run->start, run->end);
	if (run->state == TAGCORE_TAG_KNOWN)
		printf("tag 0x%x\n", run->tag);
	else
		puts("tag not in this core");
	return 0;
}

static int print_tags(struct tagcore_core *core, uint64_t pointer, struct tagcore_error *error)
{
	uint64_t addr = tagcore_memory_untag(core, pointer);
	const struct tagcore_area *area;

	TAGCORE_AREA_ITER(it, tagcore_core_mm(core), addr);
	area = tagcore_area_next(&it);
	if (!area || area->start > addr) {
		printf("0x%" PRIx64 " is in no area\n", addr);
		return tagcore_area_iter_end(&it, error);
	}
	printf("pointer tag 0x%x, area 0x%" PRIx64 "-0x%" PRIx64 " %s\n", tagcore_tag_of_pointer(pointer), area->start,
	       area->end, area->name ? area->name : "");
	return tagcore_tags_each(core, addr - addr % 256, addr - addr % 256 + 256, print_run, NULL, error);
}

int main(int argc, char **argv)
{
	struct tagcore_core *core = NULL;
	struct tagcore_error error;
	int r;

	if (argc != 3) {
		fputs("usage: tags CORE ADDRESS\n", stderr);
		return 2;
	}
	r = tagcore_core_open(&core, argv[1], NULL, &error);
	if (!r)
		r = print_tags(core, strtoull(argv[2], NULL, 16), &error);
	if (r)
		fprintf(stderr, "tags: %s\n", error.message);
	tagcore_core_close(core);
	return r != 0;
}
