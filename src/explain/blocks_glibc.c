#include <stdlib.h>

#include "base/util.h"
#include "explain/blocks.h"

/*
 * glibc 2.36, malloc/malloc.c with glibc.mem.tagging: a chunk begins with a granule for prev_size and size, which keeps tag 0;
 * the rest, CHUNK_AVAILABLE_SIZE - that granule, has the block's tag, and tag 0 after free(3) (tag_region(),
 * tag_new_usable()).  Such a heap is in mappings, not at the break.
 */

enum {
	SIZE_FLAGS = 7,		/* PREV_INUSE, IS_MMAPPED, NON_MAIN_ARENA */
	IS_MMAPPED = 2,
	CHUNK_MIN = 32,
	CHAIN_LEAST = 3,	/* so many chunks make a heap likely: each is checked for its tags, too */
};

/* All @len bytes at @at have one tag, by the first granules and the last: an object is not touched by its tags' change. */
static bool has_one_tag(const struct blocks *b, u64 at, u64 end, u8 *tag)
{
	enum { FIRST = 64 };
	u64 last = min(end, b->end) - TAG_GRANULE;
	u8 t;

	if (!blocks_tag(b, at, tag))
		return false;
	for (u64 x = at; x < min(end, b->end) && x < at + FIRST * TAG_GRANULE; x += TAG_GRANULE)
		if (!blocks_tag(b, x, &t) || t != *tag)
			return false;
	return blocks_tag(b, last, &t) && t == *tag;
}

static bool chunk_at(const struct blocks *b, u64 at, u64 *size, u8 *tag)
{
	u64 word;
	u8 t;

	if (at + TAG_GRANULE >= b->end || !blocks_tag(b, at, &t) || t)
		return false;
	word = uint_get(b->fmt, b->mem + (at - b->start) + 8, 8);
	*size = word & ~(u64)SIZE_FLAGS;
	if (*size < CHUNK_MIN || *size % TAG_GRANULE || *size > b->area_end - at)
		return false;
	if (word & IS_MMAPPED && (at != b->area_start || *size % 4096))
		return false;
	return has_one_tag(b, at + TAG_GRANULE, at + *size, tag);
}

/* Chunks from @at to the end: how many; 0 when they are not such. */
static size_t chain(const struct blocks *b, u64 at, u64 must_reach, struct block *out)
{
	size_t n = 0;
	u64 size;
	u8 tag;

	while (at + CHUNK_MIN <= b->end && chunk_at(b, at, &size, &tag)) {
		if (out)
			out[n] = (struct block){ .start = at + TAG_GRANULE, .end = at + size, .tag = tag, .is_chunk = true,
						 .is_freed = !tag };
		n++;
		at += size;
	}
	/* It ends where the area does, or where what was looked at does; else it is damaged, or was none. */
	if (at < must_reach || (at + CHUNK_MIN <= b->end && n < 2 * CHAIN_LEAST))
		return 0;
	return n;
}

static bool is_heap(const struct blocks *b, u64 at, size_t n)
{
	u64 size;
	u8 tag;

	return n >= CHAIN_LEAST || (n == 1 && at == b->area_start && chunk_at(b, at, &size, &tag) &&
				    (uint_get(b->fmt, b->mem + (at - b->start) + 8, 8) & IS_MMAPPED));
}

/* Where the chain that has @addr begins: at the area's start, or after what an arena begins with, or anywhere. */
void blocks_find_glibc(struct blocks *b, u64 addr)
{
	enum { TRIES = 8192 };
	u64 at = b->start;
	size_t n = 0;

	for (int i = 0; i < TRIES && at < addr; i++, at += TAG_GRANULE) {
		u64 size;
		u8 tag;

		if (!chunk_at(b, at, &size, &tag))
			continue;
		n = chain(b, at, addr + 1, NULL);
		if (n && is_heap(b, at, n))
			break;
		n = 0;
	}
	/* The header itself may have the address. */
	if (!n && at == b->start && chunk_at(b, at, &(u64){ 0 }, &(u8){ 0 }))
		n = chain(b, at, addr + 1, NULL);
	if (!n || !is_heap(b, at, n))
		return;
	b->v = calloc(n, sizeof(*b->v));
	if (b->v)
		b->n = chain(b, at, addr + 1, b->v);
}
