/* blocks.h - the blocks around an address, as blocks.c and the files of each allocator share them. */
#pragma once

#include "elf/tags.h"
#include "explain/tagfault.h"

enum { NO_TAG = 0xff };
struct blocks {
	u64 start, end;		/* of what was looked at */
	u64 area_start, area_end;
	u8 *tags;		/* one a granule; NO_TAG: not known */
	u8 *mem;		/* NULL: not looked at */
	struct elffmt fmt;
	enum heap heap;
	struct block *v;	/* chunks, by address; NULL: runs of tags */
	size_t n;
};

/* Fills b->v and b->n, if the memory around @addr is such a heap. */
void blocks_find_glibc(struct blocks *b, u64 addr);
void blocks_find_scudo(struct blocks *b, u64 addr);
