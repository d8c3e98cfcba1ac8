/* overlay.h - a file with some of its bytes replaced, and perhaps more at its end; the file itself stays as it is. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "core/core.h"

/* @len bytes for position @off, which are at @at of the overlay's buffer. */
struct overlay_patch {
	u64 off;
	size_t len;
	size_t at;
};

/*
 * [0, settled) of @patches are sorted and disjoint, and visible to readers; the
 * rest becomes visible by overlay_commit().  A zeroed one with @base may be used.
 */
struct overlay {
	struct core_file *base;	/* borrowed */
	u64 base_size;		/* bytes of it that count */
	u64 size;		/* with what is appended */
	struct overlay_patch *patches;
	size_t n;
	size_t committed;
	size_t cap;
	struct buf data;
};

void overlay_init(struct overlay *o, struct core_file *base, u64 base_size);
void overlay_fini(struct overlay *o);
/* Replaces bytes at @off, from the next overlay_commit() on; past the end, the file grows. */
int overlay_put(struct overlay *o, u64 off, const void *p, size_t len, struct err *e) must_check;
/* Makes new patches visible; where they overlap ones that were visible already, the new ones win. */
int overlay_commit(struct overlay *o, struct err *e) must_check;
/* The whole as a file; @o must outlive it. */
void overlay_file(struct overlay *o, struct core_file *out);
