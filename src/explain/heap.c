#include <inttypes.h>
#include <string.h>

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

/* glibc's functions of the heap, which use what is before a block without a check: malloc/malloc.c. */
bool heap_is_allocator(const char *function)
{
	static const char *const names[] = { "free", "malloc", "realloc", "calloc", "_int_free", "_int_malloc", "_int_realloc", "cfree",
					     "unlink_chunk", "malloc_consolidate", "tcache_get", "tcache_put", "__libc_free", "__libc_malloc" };
	size_t len = strcspn(function, ".");

	/* gcc's "unlink_chunk.constprop.0". */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !strncmp(function, names[i], len))
			return true;
	return false;
}

/*
 * The first word of a block that is free is the next one's address, XORed with the block's own without its 12 low bits:
 * glibc since 2.32, malloc/malloc.c: PROTECT_PTR().
 */
static bool is_link(struct crash *c, u64 at, u64 word)
{
	const struct core_area *a = core_area_find(c->core, at);
	u64 next = word ^ at >> 12;
	bool known;

	return a && a->start <= at && !(at & 15) && core_area_prot(c->core, a, &known) & PF_W && known && !core_map_at(c->core, at) &&
	       (!next || (next > a->start && next < a->end && !(next & 15)));
}

bool heap_free_block(struct crash *c, u64 pointer, u64 *block, u64 *word)
{
	enum { OFFSET_MAX = 4096, STACK_BELOW = 128, STACK_BYTES = 1024 };
	unsigned size = c->core->layout.word;
	u64 from = c->sp - STACK_BELOW, at, v;

	/* The object's address is in a register or, as of code that was not optimized, on the stack. */
	for (unsigned i = 0; i < crash_n_regs(c) + STACK_BYTES / size; i++) {
		if (i < crash_n_regs(c) ? !*crash_reg_at(c, i, &at) :
		    !space_word(c->u, from + (u64)(i - crash_n_regs(c)) * size, &at))
			continue;
		if (space_word(c->u, at, &v) && pointer - v < OFFSET_MAX && is_link(c, at, v)) {
			*block = at;
			*word = v;
			return true;
		}
	}
	return false;
}
