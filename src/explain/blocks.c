#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/blocks.h"

/* The allocators whose blocks are known, in the order in which they are tried. */
static const struct {
	const char *name;
	void (*find)(struct blocks *b, u64 addr);
} heaps[] = {
	[HEAP_GLIBC] = { "glibc's, with memory tagging: its chunks could be walked", blocks_find_glibc },
	[HEAP_SCUDO] = { "Scudo's, LLVM's allocator: the headers of its blocks have checksums that agree", blocks_find_scudo },
};

enum { WINDOW = 1 << 20 };	/* bytes looked at on each side */

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
	for (size_t i = 0; b->mem && !b->v && i < ARRAY_SIZE(heaps); i++)
		if (heaps[i].find) {
			heaps[i].find(b, addr);
			b->heap = b->v ? (enum heap)i : HEAP_UNKNOWN;
		}
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

enum heap blocks_heap(const struct blocks *b)
{
	return b->heap;
}

const char *blocks_heap_name(const struct blocks *b)
{
	return heaps[b->heap].name;
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
	/* Scudo's blocks have a room each, which need not be used up, nor used. */
	if (i == b->n && b->heap == HEAP_SCUDO && addr < b->end)
		*out = (struct block){ .start = b->end, .end = b->end, .is_chunk = true, .is_freed = true };
	else if (i == b->n || (addr < b->v[i].start - TAG_GRANULE && b->heap != HEAP_SCUDO))
		return false;
	else
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
	if (!i)
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
