#include <string.h>

#include "base/util.h"
#include "core/unpack.h"

static const struct unpacker_ops *const unpackers[] = {
	&unpacker_zstd_ops,
	&unpacker_gz_ops,
	&unpacker_xz_ops,
};

/* pzstd(1) writes a skippable frame before the first: any of 16 magics, of the same bytes but for four bits. */
static const u8 skippable[] = { 0x50, 0x2a, 0x4d, 0x18 };

const struct unpacker_ops *unpacker_find(const u8 *head, size_t len)
{
	if (len >= sizeof(skippable) && (head[0] & 0xf0) == skippable[0] &&
	    !memcmp(head + 1, skippable + 1, sizeof(skippable) - 1))
		return &unpacker_zstd_ops;
	for (size_t i = 0; i < ARRAY_SIZE(unpackers); i++)
		if (len >= unpackers[i]->magic_len && !memcmp(head, unpackers[i]->magic, unpackers[i]->magic_len))
			return unpackers[i];
	return NULL;
}
