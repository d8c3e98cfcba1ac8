#include "elf/tags.h"

void tags_pack(const u8 *tags, size_t n, u8 *packed)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		packed[i / 2] = (u8)((tags[i] & 0xf) | (tags[i + 1] & 0xf) << 4);
	if (n & 1)
		packed[n / 2] = tags[n - 1] & 0xf;
}
