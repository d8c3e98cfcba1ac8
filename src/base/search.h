/* search.h - the binary search: where in a sorted array a condition begins to hold. */
#pragma once

#include "base/types.h"

/*
 * The least index @i of [@from, @n) for which @cond, or @n.  @cond is an expression of @i, false
 * for the first rows and true for all that follow:
 *
 *	search_first(i, 0, n, v[i].start >= addr)	first at or above @addr
 *	search_first(i, 0, n, v[i].end > addr)		first that ends above it
 *	search_first(i, 0, n, v[i].start > addr) - 1	last at or below it, if the search is not 0
 */
#define search_first(i, from, n, cond) ({			\
	size_t search_lo_ = (from), search_hi_ = (n);		\
	while (search_lo_ < search_hi_) {			\
		size_t i = search_lo_ + (search_hi_ - search_lo_) / 2; \
		if (cond)					\
			search_hi_ = i;				\
		else						\
			search_lo_ = i + 1;			\
	}							\
	search_lo_;						\
})
