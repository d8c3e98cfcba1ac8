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
	AREA_FILE_FOUND		= 1 << 6,
	AREA_FILE_LINKED	= 1 << 15,	/* by the kernel's own link to it, without a path */
	AREA_FILE_OPENED	= 1 << 14,	/* and it could be read */
	/* Of its file system: */
	AREA_FILE_MEMORY	= 1 << 7,	/* in memory (tmpfs): to read it waits for nobody */
	AREA_FILE_REMOTE	= 1 << 8,	/* of a server, which may not answer */
	AREA_FILE_FUSE		= 1 << 9,	/* one of those is a process */
	AREA_FILE_SERVED	= 1 << 10,	/* and it is the target itself, */
	AREA_FILE_MAY_BE_SERVED	= 1 << 11,	/* or perhaps: see fuse.h */
	AREA_FILE_SILENT	= 1 << 12,	/* the server did not answer */
	AREA_FILE_STUCK		= 1 << 13,	/* and pages that had been in memory by then were not any more */
	AREA_FILE_SYSTEM	= AREA_FILE_MEMORY | AREA_FILE_REMOTE | AREA_FILE_FUSE | AREA_FILE_SERVED |
				  AREA_FILE_MAY_BE_SERVED | AREA_FILE_SILENT | AREA_FILE_STUCK,
};
/* While the target is stopped these are not to be asked for anything. */
#define AREA_FILE_UNASKED (AREA_FILE_SERVED | AREA_FILE_MAY_BE_SERVED | AREA_FILE_SILENT)

/*
 * @vma is borrowed from the list that the area was made from.  [map_start,
 * map_end) is the area as the kernel has it, which areas_split() may have cut.
 */
struct area {
	const struct vma *vma;
	u32 file;
	u64 allocated;	/* bytes of the file that take room, if it was opened */
	u64 map_start;
	u64 map_end;
	bool withdrawn;	/* by a madvise(MADV_DONTDUMP) that was seen when the plan had been carried out in part */
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
 * the page tables: 8 to 20 ms for a GiB of small pages.  Files are asked for by t->files, if that is not NULL.
 */
int areas_collect(const struct target *t, struct areas *out, struct err *e) must_check;

/* The same of a target that has been looked at before: of files that are still mapped where they were, @a knows. */
int areas_collect_again(const struct target *t, struct areas *a, struct err *e) must_check;

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
