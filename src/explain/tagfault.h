/* tagfault.h - a memory tag fault: the blocks around the address, and which of them the pointer was for. */
#pragma once

#include "explain/crash.h"

/* A block of a heap whose chunks could be walked, or a run of equal tags. */
struct block {
	u64 start, end;		/* what the program may use; end 0: none */
	u8 tag;
	bool is_chunk;		/* of a heap that is known, with a header of a granule before @start */
	bool is_freed;		/* glibc: all of it has tag 0; Scudo: by its header */
	bool is_cut;		/* a run that goes on beyond what was looked at */
};

/* Tags and chunks around an address. */
struct blocks;
struct blocks *blocks_open(struct crash *c, u64 addr);
void blocks_free(struct blocks *b);
enum heap { HEAP_UNKNOWN, HEAP_GLIBC, HEAP_SCUDO };
enum heap blocks_heap(const struct blocks *b);
/* "glibc's, ..."; NULL for one that is not known, where blocks are runs of equal tags. */
const char *blocks_heap_name(const struct blocks *b);
/* The tag of the granule at @addr, if it is among them. */
bool blocks_tag(const struct blocks *b, u64 addr, u8 *tag);
/* The block that has @addr, or whose header has; *in_header. */
bool blocks_at(const struct blocks *b, u64 addr, struct block *out, bool *in_header);
/* The one before, the one after. */
bool blocks_before(const struct blocks *b, const struct block *of, struct block *out);
bool blocks_after(const struct blocks *b, const struct block *of, struct block *out);
/* The nearest block with @tag below or above @addr, but not the one that has it. */
bool blocks_nearest(const struct blocks *b, u64 addr, u8 tag, bool above, struct block *out);

enum mte_kind {
	MTE_UNKNOWN, MTE_OVERFLOW, MTE_UNDERFLOW, MTE_USE_AFTER_FREE, MTE_REUSED, MTE_DOUBLE_FREE, MTE_WILD,
};

struct mte {
	u8 pointer_tag, memory_tag;
	bool has_memory_tag;
	struct blocks *blocks;	/* NULL: no tags are there */
	struct block at;	/* has the address, or its header does */
	bool in_header;
	enum mte_kind kind;
	enum sure sure;
	char why[240];
	struct block of;	/* the block that the pointer was for; end 0: not known */
	char by[8];		/* the register that says so, or "" */
	u64 by_value;
	bool on_stack;		/* the address is in a thread's stack: */
	u64 stack_sp;		/* its stack pointer */
	bool is_equal;		/* another block of that tag is as near: @other */
	struct block other;
};
/* Made once; NULL when it is no synchronous tag fault. */
const struct mte *mte_of(struct crash *c);
void mte_free(struct mte *m);

/* ---- stale.c: pointers whose tag is not the memory's, as evidence */
void mte_show_stale(struct crash *c);
