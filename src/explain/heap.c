#include <inttypes.h>

#include "base/util.h"
#include "explain/heap.h"

/*
 * The main heap, at the program's break: from its start on each chunk says in its second word how large it is; the last,
 * top, ends with the area (glibc 2.36, malloc/malloc.c: struct malloc_chunk).
 */
enum { SIZE_FLAGS = 7, CHUNKS_MAX = 1 << 20, CHUNKS_LEAST = 2, TCACHE_MIN = 0x250, TCACHE_MAX = 0x300 };

struct chunk {
	u64 at, size;
};

static bool read_size(struct crash *c, u64 at, u64 *word)
{
	return space_word(c->u, at + c->core->layout.word, word);
}

/* The heap of a program begins with the first thread's tcache, of 0x290 bytes since glibc 2.30. */
static bool is_heap(struct crash *c, const struct core_area *a)
{
	u64 word;
	bool known;

	return core_area_prot(c->core, a, &known) & PF_W && known && !core_map_at(c->core, a->start) && a->saved_end > a->start &&
	       read_size(c, a->start, &word) && (word & SIZE_FLAGS) == 1 && (word & ~7ull) >= TCACHE_MIN && (word & ~7ull) <= TCACHE_MAX;
}

static void show_bad(struct crash *c, const struct chunk *last, size_t n, u64 at, u64 word)
{
	for (size_t i = n > 2 ? n - 2 : 0; i < n; i++)
		show_mem(c, last[i % 4].at, "a block of 0x%" PRIx64 " bytes begins after this header", last[i % 4].size - (u64)2 * c->core->layout.word);
	show_mem(c, at, "here the next header should be, but its size is 0x%" PRIx64 ": the block before it was probably written past its end",
		 word);
}

static bool walk(struct crash *c, const struct core_area *a)
{
	struct chunk last[4];
	u64 at = a->start, align = (u64)2 * c->core->layout.word, word;
	size_t n = 0;

	while (n < CHUNKS_MAX && at < a->end && read_size(c, at, &word)) {
		u64 size = word & ~(u64)SIZE_FLAGS;

		if (size < 2 * align || size % align || size > a->end - at) {
			if (n >= CHUNKS_LEAST)
				show_bad(c, last, n, at, word);
			return n >= CHUNKS_LEAST;
		}
		last[n++ % 4] = (struct chunk){ at, size };
		at += size;
	}
	return false;
}

bool heap_show_damage(struct crash *c)
{
	bool found = false;

	enum { AREAS_MAX = 4096 };

	for (size_t i = 0; i < min(c->core->n_areas, (size_t)AREAS_MAX); i++)
		if (is_heap(c, &c->core->areas[i]))
			found |= walk(c, &c->core->areas[i]);
	return found;
}
