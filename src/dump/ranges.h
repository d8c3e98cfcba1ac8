/* ranges.h - what --stacks saves, collected as ranges while the target is stopped. */
#pragma once

#include "dump/dump_priv.h"

/* The pages of [start, end) are to be saved, as far as they are mapped. */
int ranges_add(struct dump *d, u64 start, u64 end, struct err *e) must_check;
/* As ranges_add(), but only in memory that is saved by ranges: not the vdso, which stays one area, nor device memory. */
int ranges_add_memory(struct dump *d, u64 start, u64 end, struct err *e) must_check;

/*
 * The pages of area @v in [start, end) of which the process has a private copy.  Runs
 * with a small gap between them become one range: what is in the gap is saved, too.
 * @whole: so do the gaps at the ends.
 */
int ranges_add_copies(struct dump *d, const struct vma *v, u64 start, u64 end, bool whole, struct err *e) must_check;
/* stack_range.c: pages from @sp up to where its stack ends, as far as is known; false: it is in no memory.  @tp may be 0. */
bool stack_range(const struct dump *d, u64 sp, u64 tp, struct plan_range *out);
/* interrupted.c: adds stacks that signal handlers on alternate stacks have interrupted; d->ranges has stacks alone. */
int interrupted_add_stacks(struct dump *d, struct err *e) must_check;
/* jit.c: adds code near addresses on the stacks that is in no file; d->ranges has stacks alone. */
int jit_add_code(struct dump *d, struct err *e) must_check;
/* waits.c: adds the locks that threads wait for in futex(2). */
int waits_add(struct dump *d, struct err *e) must_check;
/* Sorts d->ranges, and joins those that overlap or touch. */
void ranges_merge(struct dump *d);

/* The area that @addr is in, or NULL. */
const struct vma *dump_area_at(const struct dump *d, u64 addr);
/* Index in d->areas of the first that ends above @addr, or d->areas.n. */
size_t dump_area_index(const struct dump *d, u64 addr);
/* Before the first dump_peek(); d->peeked.bytes is the caller's to free. */
int dump_peek_init(struct dump *d, struct err *e) must_check;
/* Reads what is in memory, so that the target does not grow: all @len bytes, or false. */
bool dump_peek(struct dump *d, u64 addr, void *buf, size_t len);

/*
 * Reads the first stretch of [*start, end) that is in memory, of at most @size bytes: 0 when there is
 * none; else its length, and *start is where it begins.  Both are multiples of the page size.
 */
size_t dump_peek_next(struct dump *d, u64 *start, u64 end, u8 *buf, size_t size);

/* What variables need: written pages of mapped files, .bss.  Leaves in *tls what the modules have of it. */
struct tls_blocks {
	u64 total;	/* bytes of all modules' blocks, with room for their alignment */
	u64 largest;	/* of one */
	u64 n;		/* modules that have one */
};
int variables_add(struct dump *d, struct tls_blocks *tls, struct err *e) must_check;
/* struct pthread and the thread-local variables of the thread whose thread pointer is @tp. */
int variables_add_thread(struct dump *d, u64 tp, const struct tls_blocks *tls, struct err *e) must_check;
