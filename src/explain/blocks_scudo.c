#include <stdlib.h>

#include "base/util.h"
#include "explain/blocks.h"
#include "explain/scudo.h"

/*
 * LLVM 14 and 19, compiler-rt/lib/scudo/standalone: blocks of one size class are in rooms of one size, in a region of their own
 * (primary64.h); the header's granule before a block has tag 0, the block a random one, and another when it is
 * freed (combined.h: prepareTaggedChunk(), retagBlock()).  A header's checksum is made of a random number of the
 * process, the block's address and the header, by CRC-32C, of which the halves are xored (chunk.h: computeChecksum()): it
 * is linear, so checksum ^ crc(address, header) is one number for all headers of a process, and for nothing else.
 */

enum { LEAST = 3, SIZE_MAX_BYTES = 256 << 10, OFFSET_MAX = 4096 };

struct possible {
	u32 key;	/* the class, and that number */
	u32 granule;	/* of the block, from the first that was looked at */
};

struct scudo_chunk scudo_header(u64 word)
{
	return (struct scudo_chunk){ .class_id = (u8)word, .state = word >> 8 & 3, .size = (u32)(word >> 12) & 0xfffff,
				     .offset = (u16)(word >> 32), .checksum = (u16)(word >> 48) };
}

/* CRC-32C as the processors' instructions compute it: without complements. */
static u32 crc32c(u32 crc, u64 word)
{
	enum { BITS = 64 };
	const u32 reflected = 0x82f63b78;

	for (unsigned i = 0; i < BITS; i++, word >>= 1) {
		u32 bit = (crc ^ (u32)word) & 1;

		crc = crc >> 1 ^ (bit ? reflected : 0);
	}
	return crc;
}

static u64 word_at(const struct blocks *b, u64 addr)
{
	return uint_get(b->fmt, b->mem + (addr - b->start), 8);
}

static bool is_plausible(const struct blocks *b, u64 block, const struct scudo_chunk *h)
{
	u8 tag;

	return h->class_id && h->state != SCUDO_NO_STATE && h->size <= SIZE_MAX_BYTES && h->offset <= OFFSET_MAX &&
	       h->size <= b->area_end - block && (!blocks_tag(b, block - SCUDO_HEADER, &tag) || !tag);
}

static int by_key(const void *a, const void *b)
{
	const struct possible *x = a, *y = b;

	return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->granule < y->granule ? -1 : 1;
}

/* All places whose words could be headers. */
static size_t candidates(const struct blocks *b, struct possible *out, size_t max)
{
	enum { CHECKSUM_AT = 48 };
	size_t n = 0;

	for (u64 block = b->start + SCUDO_HEADER; block < b->end && n < max; block += TAG_GRANULE) {
		u64 word = word_at(b, block - SCUDO_HEADER);
		struct scudo_chunk h = scudo_header(word);
		u32 crc;

		if (!is_plausible(b, block, &h))
			continue;
		crc = crc32c(crc32c(0, block), word & ((1ull << CHECKSUM_AT) - 1));
		out[n++] = (struct possible){ .key = (u32)h.class_id << 16 | (u16)(h.checksum ^ crc ^ crc >> 16),
					       .granule = (u32)((block - b->start) / TAG_GRANULE) };
	}
	return n;
}

/* The most of one key, of which chance has few: *from, and how many. */
static size_t most(const struct possible *v, size_t n, size_t *from)
{
	size_t best = 0;

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && v[end].key == v[i].key; end++)
			;
		if (end - i > best) {
			best = end - i;
			*from = i;
		}
	}
	return best;
}

static void take(struct blocks *b, const struct possible *v, size_t n)
{
	b->v = calloc(n, sizeof(*b->v));
	for (size_t i = 0; b->v && i < n; i++) {
		u64 block = b->start + (u64)v[i].granule * TAG_GRANULE;
		struct scudo_chunk h = scudo_header(word_at(b, block - SCUDO_HEADER));
		u8 tag = 0;

		/* What is left of a larger one in the same room. */
		if (b->n && block < b->v[b->n - 1].end)
			continue;
		blocks_tag(b, block, &tag);
		b->v[b->n++] = (struct block){ .start = block, .end = block + h.size, .tag = tag, .is_chunk = true,
					       .is_freed = h.state != SCUDO_IN_USE };
	}
}

void blocks_find_scudo(struct blocks *b, u64 addr)
{
	size_t max = (size_t)((b->end - b->start) / TAG_GRANULE), n, from = 0;
	struct possible *v = calloc(max, sizeof(*v));

	(void)addr;
	n = v ? candidates(b, v, max) : 0;
	if (n)
		qsort(v, n, sizeof(*v), by_key);
	n = most(v, n, &from);
	if (n >= LEAST)
		take(b, v + from, n);
	free(v);
}
