/* area.h - an area and the state of the file that it maps: the input of the plan. */
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "mm/vma.h"

/* Facts about the file, as far as it could be opened. */
enum area_file {
	AREA_FILE_EXEC		= 1 << 0,	/* mode has an execute bit */
	AREA_FILE_ELF		= 1 << 1,	/* begins with \177ELF */
	AREA_FILE_UNLINKED	= 1 << 2,	/* no name is left: i_nlink is 0 */
	AREA_FILE_DAX		= 1 << 3,	/* STATX_ATTR_DAX */
	AREA_FILE_UNKNOWN	= 1 << 4,	/* it could not be opened or read: bits that are not set mean nothing */
	AREA_FILE_ELSEWHERE	= 1 << 5,	/* its name leads to no file here, or to another: a container's */
};

/*
 * @vma is borrowed from the list that the area was made from.  [map_start,
 * map_end) is the area as the kernel has it, which areas_split() may have cut.
 */
struct area {
	const struct vma *vma;
	u32 file;
	u64 map_start;
	u64 map_end;
};

/* The areas of a process, in address order.  Owns all. */
struct areas {
	struct vma_list list;
	struct area *v;
	size_t n;
};

struct target;

/*
 * Every area of the target, with VmFlags and file flags.  smaps walks
 * the page tables: 8 to 20 ms for a GiB of small pages.
 */
int areas_collect(const struct target *t, struct areas *out, struct err *e) must_check;

struct page_source;

/*
 * Brings @a, collected before the stop, up to date with the target that stands
 * still now.  Areas that are as they were keep what smaps said; if any has
 * changed, all are collected anew.  What may have been written to meanwhile, and
 * whose action depends on that, is looked up in @pages: mapped files, and if @reserved
 * memory without access, of which every thread has some.
 */
int areas_refresh(const struct target *t, struct page_source *pages, struct areas *a, bool reserved,
		  struct err *e) must_check;
void areas_fini(struct areas *a);

/* Splits areas at the @n addresses @at (page-aligned, rising); those at a border or in a gap do nothing. */
int areas_split(struct areas *a, const u64 *at, size_t n, struct err *e) must_check;

/*
 * Opens the file that an area of a live target maps, for reading: the descriptor,
 * or negative and why not.  Never through the target's memory, so nothing is
 * faulted in.
 */
int area_open_file(const struct target *t, const struct area *a, struct err *e) must_check;
