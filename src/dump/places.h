/* places.h - where areas have been put in the output before the stop, while what is in them may still change. */
#pragma once

#include "base/err.h"
#include "base/pageset.h"
#include "base/types.h"

/* A part of an area that is in the core, [start, end): pages are numbered from @start. */
struct place {
	u64 start;
	u64 end;
	u64 off;		/* in the output */
	bool watched;		/* it is known which of its pages are written to: */
	struct pageset stored;	/* pages that have bytes in the output, */
	struct pageset rest;	/* and those that have been written to since, or are not there yet */
	struct pageset lost;	/* at the stop: of the stored ones, those without content by now */
};

/* By address. */
struct places {
	struct place *v;
	size_t n;
};

struct dump;

/* From d->segs and d->layout, with what the plan has of each area. */
int places_make(struct places *p, const struct dump *d, struct err *e) must_check;
void places_fini(struct places *p);

/* The place that has all of [start, end), or NULL. */
struct place *places_find(const struct places *p, u64 start, u64 end);
/* Anything of [start, end) is in a place that is watched. */
bool places_watch(const struct places *p, u64 start, u64 end);
/* Where the last one ends in the output. */
u64 places_end(const struct places *p);
/* Offsets of those of d->segs that have a place. */
void places_assign(const struct places *p, struct dump *d);
