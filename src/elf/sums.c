#include <xxhash.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/note.h"
#include "elf/sums.h"

/* The descriptor: version, kind of checksum, size of blocks, bytes covered; then the values, and the note's own. */
enum { VERSION = 1, KIND_XXH3 = 1, HEAD = 24, OWN = 8 };
_Static_assert(SUMS_NOTE_HEAD == 12 + sizeof(TAGCORE_OWNER), "a note's header and its owner");
/* Far from VERSION: a bit or two that flip do not make it. */
#define VERSION_VOID 0xffffffffu

u64 sums_piece(const u8 *p, u64 number)
{
	return XXH3_64bits_withSeed(p, SUMS_PIECE, number);
}

u64 sums_block_for(u64 size)
{
	u64 block = SUMS_BLOCK_MIN;

	while (block < SUMS_BLOCK_MAX && size / block >= SUMS_BLOCKS)
		block *= 2;
	return block;
}

u64 sums_count(u64 covered, u64 block)
{
	return covered / block + (covered % block != 0);
}

u64 sums_note_size(u64 covered, u64 block)
{
	return SUMS_NOTE_HEAD + HEAD + 8 * sums_count(covered, block) + OWN;
}

static int put_uint(struct buf *b, struct elffmt fmt, unsigned size, u64 value, struct err *e)
{
	u8 raw[8];

	uint_put(fmt, raw, size, value);
	return buf_add(b, raw, size, e);
}

static int put_head(struct buf *b, struct elffmt fmt, u64 block, u64 covered, struct err *e)
{
	int r = put_uint(b, fmt, 4, VERSION, e);

	if (!r)
		r = put_uint(b, fmt, 4, KIND_XXH3, e);
	if (!r)
		r = put_uint(b, fmt, 8, block, e);
	return r ? r : put_uint(b, fmt, 8, covered, e);
}

int sums_note_put(struct buf *b, struct elffmt fmt, u64 block, u64 covered, const u64 *values, struct bytes after,
		  struct err *e)
{
	struct buf desc scoped(buf_fini) = { 0 };
	size_t at = b->len;
	int r = put_head(&desc, fmt, block, covered, e);

	for (u64 i = 0; !r && i < sums_count(covered, block); i++)
		r = put_uint(&desc, fmt, 8, values[i], e);
	if (!r)
		r = buf_zero(&desc, OWN, e);
	if (!r)
		r = note_put(b, fmt, TAGCORE_OWNER, NT_TAGCORE_CHECKSUMS, desc.p, desc.len, e);
	if (!r)
		uint_put(fmt, b->p + b->len - OWN, OWN,
			 sums_own((struct bytes){ .p = b->p + at, .len = b->len - at }, after));
	return r;
}

u64 sums_own(struct bytes note, struct bytes after)
{
	return XXH3_64bits(note.p, note.len - OWN) + (after.len ? XXH3_64bits_withSeed(after.p, after.len, 1) : 0);
}

u64 sums_own_stated(struct bytes desc, struct elffmt fmt)
{
	return uint_get(fmt, desc.p + desc.len - OWN, OWN);
}

int sums_note_get(struct bytes desc, struct elffmt fmt, u64 off, struct sums_note *out, struct err *e)
{
	struct sums_note n = { 0 };
	u64 version, kind;

	/* The rest of it means nothing any more, and may have been wrong before. */
	if (desc.len >= SUMS_VOID_LEN && uint_get(fmt, desc.p, 4) == VERSION_VOID) {
		*out = (struct sums_note){ .is_void = true };
		return 0;
	}
	if (desc.len < HEAD + OWN)
		return err_at(e, ERR_INPUT, off, "it has %zu bytes, too few for its fields", desc.len);
	version = uint_get(fmt, desc.p, 4);
	kind = uint_get(fmt, desc.p + 4, 4);
	n.block = uint_get(fmt, desc.p + 8, 8);
	n.covered = uint_get(fmt, desc.p + 16, 8);
	if (version != VERSION || kind != KIND_XXH3)
		return err_at(e, ERR_INPUT, off, "it is of version %llu with checksums of kind %llu: known is 1 with 1",
			      (unsigned long long)version, (unsigned long long)kind);
	if (n.block < SUMS_BLOCK_MIN || n.block > SUMS_BLOCK_MAX || n.block & (n.block - 1))
		return err_at(e, ERR_INPUT, off, "its blocks of %llu bytes are not a power of two from 1 MiB to 1 GiB",
			      (unsigned long long)n.block);
	if (n.covered != off)
		return err_at(e, ERR_INPUT, off, "it covers %llu bytes, and is at %llu", (unsigned long long)n.covered,
			      (unsigned long long)off);
	n.values = (struct bytes){ .p = desc.p + HEAD, .len = desc.len - HEAD - OWN, .off = desc.off + HEAD };
	if (n.values.len % 8 || n.values.len / 8 != sums_count(n.covered, n.block))
		return err_at(e, ERR_INPUT, off, "it has %zu checksums for %llu blocks", n.values.len / 8,
			      (unsigned long long)sums_count(n.covered, n.block));
	*out = n;
	return 0;
}

void sums_put_void(struct elffmt fmt, u8 p[SUMS_VOID_LEN])
{
	uint_put(fmt, p, SUMS_VOID_LEN, VERSION_VOID);
}
