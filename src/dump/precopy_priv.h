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

/* The rest of a place, of a target that runs. */
int precopy_copy_running(struct dump *d, struct place *p, struct err *e) must_check;
/* Bytes of all places. */
u64 precopy_rest(const struct dump *d);
