/* pageset.h - a set of pages: a bit each, in leaves that are there when a page of theirs is. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/* Pages are numbered from 0. */
struct pageset {
	u64 n_pages;
	u64 **leaves;
	u64 count;	/* pages in it */
};

/* Of pages [0, @n_pages). */
int pageset_init(struct pageset *s, u64 n_pages, struct err *e) must_check;
void pageset_fini(struct pageset *s);

/* Pages [@from, @to) are in it, or not. */
int pageset_add(struct pageset *s, u64 from, u64 to, struct err *e) must_check;
void pageset_remove(struct pageset *s, u64 from, u64 to);
bool pageset_has(const struct pageset *s, u64 page);
/* How many of pages [@from, @to) are in it. */
u64 pageset_count(const struct pageset *s, u64 from, u64 to);
/* The first run of pages of [@from, @to) that are in it: false if there is none. */
bool pageset_next(const struct pageset *s, u64 from, u64 to, u64 *start, u64 *end);
