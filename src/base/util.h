/* util.h - the small arithmetic that every room needs. */
#pragma once

#include <time.h>

#include "base/types.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ({ __typeof__(a) min_a_ = (a); __typeof__(b) min_b_ = (b); min_a_ < min_b_ ? min_a_ : min_b_; })
#define max(a, b) ({ __typeof__(a) max_a_ = (a); __typeof__(b) max_b_ = (b); max_a_ > max_b_ ? max_a_ : max_b_; })

/* True when a + b (or a * b) does not fit; else *out is it. */
#define add_overflow(a, b, out) __builtin_add_overflow(a, b, out)
#define mul_overflow(a, b, out) __builtin_mul_overflow(a, b, out)

/* @align is a power of two; the caller knows that @v + @align fits. */
static inline u64 align_up(u64 v, u64 align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline u64 align_down(u64 v, u64 align)
{
	return v & ~(align - 1);
}

/* a * b, or UINT64_MAX where that does not fit. */
static inline u64 mul_clip(u64 a, u64 b)
{
	u64 product;

	return mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/*
 * The end of a range that may reach up to 2^64, or is said to go further: UINT64_MAX
 * stands for that, as no range of pages or granules ends at it.
 */
static inline u64 range_end(u64 start, u64 len)
{
	u64 end;

	return add_overflow(start, len, &end) ? UINT64_MAX : end;
}

static inline u64 range_len(u64 start, u64 end)
{
	return end - start + (end == UINT64_MAX);
}

/* True when a range that ends so has something above @addr, or @addr itself. */
static inline bool ends_above(u64 end, u64 addr)
{
	return end > addr || end == UINT64_MAX;
}

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* Nanoseconds for which this thread has had a processor. */
static inline u64 cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}
