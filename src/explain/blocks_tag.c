#include "explain/blocks.h"

bool blocks_tag(const struct blocks *b, u64 addr, u8 *tag)
{
	if (addr < b->start || addr >= b->end)
		return false;
	*tag = b->tags[(addr - b->start) / TAG_GRANULE];
	return *tag != NO_TAG;
}
