/* tags.h - arm64 memory tags as a core file stores them: four bits for sixteen bytes. */
#pragma once

#include "base/types.h"

/*
 * A granule is 16 bytes of memory with one tag of 4 bits.  A byte of a
 * PT_AARCH64_MEMTAG_MTE segment holds two: the low nibble is the lower granule.
 * So byte i stands for [p_vaddr + 32 i, p_vaddr + 32 (i + 1)).  Linux 6.12,
 * Documentation/arch/arm64/memory-tagging-extension.rst, "Core dump support".
 */
enum {
	TAG_GRANULE = 16,
	TAG_BYTE_SPAN = 32,	/* bytes of memory that one stored byte describes */
};

/*
 * Packs @n tags, one a byte as PTRACE_PEEKMTETAGS gives them, into (n + 1) / 2
 * bytes.  Bits above the lowest four are dropped.  An odd last tag leaves the
 * high nibble 0.
 */
void tags_pack(const u8 *tags, size_t n, u8 *packed);
/* The tag of granule @index, counted from the beginning of the segment. */
static inline u8 tags_get(const u8 *packed, size_t index)
{
	return index & 1 ? packed[index / 2] >> 4 : packed[index / 2] & 0xf;
}

/* A pointer's own tag, bits 59:56. */
static inline u8 tags_of_pointer(u64 ptr)
{
	return ptr >> 56 & 0xf;
}
