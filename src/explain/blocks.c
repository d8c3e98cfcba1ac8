#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "elf/tags.h"
#include "explain/tagfault.h"

/*
 * glibc 2.36, malloc/malloc.c with glibc.mem.tagging: a chunk begins with a granule for prev_size and size, which keeps tag 0;
 * the rest, CHUNK_AVAILABLE_SIZE - that granule, has the block's tag, and tag 0 after free(3) (tag_region(),
 * tag_new_usable()).  Such a heap is in mappings, not at the break.
 */

enum {
	WINDOW = 1 << 20,	/* bytes looked at on each side */
	SIZE_FLAGS = 7,		/* PREV_INUSE, IS_MMAPPED, NON_MAIN_ARENA */
	IS_MMAPPED = 2,
	CHUNK_MIN = 32,
	CHAIN_LEAST = 3,	/* so many chunks make a heap likely: each is checked for its tags, too */
	NO_TAG = 0xff,
};

struct blocks {
	u64 start, end;		/* of what was looked at */
	u64 area_start, area_end;
	u8 *tags;		/* one a granule; NO_TAG: not known */
	u8 *mem;		/* NULL: not looked at */
	struct elffmt fmt;
	struct block *v;	/* chunks; NULL: runs of tags */
	size_t n;
};

static size_t granules(const struct blocks *b)
{
	return (size_t)((b->end - b->start) / TAG_GRANULE);
}

static int take_run(const struct core_tag_run *run, void *arg, struct err *e)
{
	struct blocks *b = arg;

	(void)e;
	for (u64 at = run->start; run->state == TAG_KNOWN && at < run->end && at >= b->start && at < b->end; at += TAG_GRANULE)
		b->tags[(at - b->start) / TAG_GRANULE] = run->tag;
	return 0;
}

bool blocks_tag(const struct blocks *b, u64 addr, u8 *tag)
{
	if (addr < b->start || addr >= b->end)
		return false;
	*tag = b->tags[(addr - b->start) / TAG_GRANULE];
	return *tag != NO_TAG;
}

/* ---- chunks */

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
static void find_chunks(struct blocks *b, u64 addr)
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

/* ---- */

static bool load(struct crash *c, struct blocks *b)
{
	size_t len = (size_t)(b->end - b->start), n = 0;
	struct err e;

	b->tags = malloc(len / TAG_GRANULE);
	if (!b->tags)
		return false;
	memset(b->tags, NO_TAG, len / TAG_GRANULE);
	if (core_tag_runs(c->core, b->start, b->end, take_run, b, &e) < 0)
		return false;
	b->mem = calloc(1, len);
	if (b->mem && core_read_present(c->core, b->start, b->mem, len, &n, &e))
		n = 0;
	/* Chunks are walked only where all of it is in the file. */
	if (n < len) {
		free(b->mem);
		b->mem = NULL;
	}
	return true;
}

struct blocks *blocks_open(struct crash *c, u64 addr)
{
	const struct core_area *a = core_area_find(c->core, addr);
	struct blocks *b;

	if (!a || a->start > addr || !a->mte)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->fmt = c->core->fmt;
	b->area_start = a->start;
	b->area_end = a->end;
	b->start = align_down(addr - a->start > WINDOW ? addr - WINDOW : a->start, TAG_GRANULE);
	b->end = align_down(a->end - addr > WINDOW ? addr + WINDOW : a->end, TAG_GRANULE);
	if (b->end <= b->start || !load(c, b)) {
		blocks_free(b);
		return NULL;
	}
	if (b->mem)
		find_chunks(b, addr);
	return b;
}

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	free(b->tags);
	free(b->mem);
	free(b->v);
	free(b);
}

bool blocks_is_glibc(const struct blocks *b)
{
	return b->v != NULL;
}

/* ---- which */

static bool run_at(const struct blocks *b, u64 addr, struct block *out)
{
	size_t n = granules(b), i, from, to;

	if (addr < b->start || addr >= b->end)
		return false;
	i = (size_t)((addr - b->start) / TAG_GRANULE);
	if (b->tags[i] == NO_TAG)
		return false;
	for (from = i; from && b->tags[from - 1] == b->tags[i]; from--)
		;
	for (to = i + 1; to < n && b->tags[to] == b->tags[i]; to++)
		;
	*out = (struct block){ .start = b->start + from * TAG_GRANULE, .end = b->start + to * TAG_GRANULE, .tag = b->tags[i],
			       .is_cut = (!from && b->start > b->area_start) || (to == n && b->end < b->area_end) };
	return true;
}

static size_t chunk_of(const struct blocks *b, u64 addr)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->v[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool blocks_at(const struct blocks *b, u64 addr, struct block *out, bool *in_header)
{
	size_t i;

	*in_header = false;
	if (!b->v)
		return run_at(b, addr, out);
	i = chunk_of(b, addr);
	if (i == b->n || addr < b->v[i].start - TAG_GRANULE)
		return false;
	*out = b->v[i];
	*in_header = addr < out->start;
	return true;
}

bool blocks_before(const struct blocks *b, const struct block *of, struct block *out)
{
	size_t i;

	if (!b->v)
		return of->start > b->start && run_at(b, of->start - 1, out);
	i = chunk_of(b, of->start);
	if (!i || i >= b->n)
		return false;
	*out = b->v[i - 1];
	return true;
}

bool blocks_after(const struct blocks *b, const struct block *of, struct block *out)
{
	size_t i;

	if (!b->v)
		return run_at(b, of->end, out);
	i = chunk_of(b, of->start) + 1;
	if (i >= b->n)
		return false;
	*out = b->v[i];
	return true;
}

bool blocks_nearest(const struct blocks *b, u64 addr, u8 tag, bool above, struct block *out)
{
	enum { STEPS = 4096 };
	struct block at;
	bool header;
	bool more = blocks_at(b, addr, &at, &header);

	for (int i = 0; more && i < STEPS; i++) {
		if (at.tag == tag && !(addr >= at.start && addr < at.end) && (above ? at.start > addr : at.end <= addr)) {
			*out = at;
			return true;
		}
		more = above ? blocks_after(b, &at, &at) : blocks_before(b, &at, &at);
	}
	return false;
}
