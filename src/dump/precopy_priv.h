/* precopy_priv.h - what the files of precopy.h share. */
#pragma once

#include "dump/dump_priv.h"

/* A place that is looked at. */
struct look {
	struct dump *d;
	struct place *place;
	u64 at;		/* stopped: the first page that has not been seen yet */
};

static inline u64 place_page_of(const struct dump *d, const struct place *p, u64 addr)
{
	return (addr - p->start) / d->page_size;
}

static inline u64 place_addr_of(const struct dump *d, const struct place *p, u64 page)
{
	return p->start + page * d->page_size;
}

/* The rest of [start, end), which is in the place, of a target that runs. */
int precopy_copy_running(struct dump *d, struct place *p, u64 start, u64 end, struct err *e) must_check;
/* Before the descriptor is closed, of a target that runs: its memory is not watched any more. */
void precopy_unwatch(struct dump *d);
/*
 * Where the piece ends that begins at @start and can be done at once, and *ns, what it will take.  It is of whole
 * page tables, so that no huge page is split.
 */
u64 precopy_piece(const struct dump *d, const struct place *p, u64 start, u64 *ns);
/* Bytes of all places. */
u64 precopy_rest(const struct dump *d);
