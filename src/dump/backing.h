/* backing.h - the file that an area maps: content that the target has not faulted in. */
#pragma once

#include "live/area.h"
#include "live/target.h"

/* An area's file, opened when first needed.  BACKING_NONE is a fresh one. */
struct backing {
	int fd;		/* -1: not tried yet, -2: cannot be opened */
	u64 size;	/* bytes */
	u64 allocated;	/* bytes of it that take room */
};
#define BACKING_NONE ((struct backing){ .fd = -1 })

/* True when the file is open; tries once. */
bool backing_open(struct backing *b, const struct target *t, const struct area *a);
void backing_close(struct backing *b);
/*
 * True when backing_next() does not find the holes that there may be: hugetlbfs
 * takes any offset below the size for data (Linux 6.12, fs/read_write.c:
 * default_llseek()).
 */
bool backing_hides_holes(const struct backing *b, const struct vma *v);
/*
 * The next bytes at or after @off that are not a hole: [*data, *hole), cut to
 * @end; both are @end when none follow.  *hole > @off always, so a walk ends
 * even on a file that changes.
 */
void backing_next(const struct backing *b, u64 off, u64 end, u64 *data, u64 *hole);
