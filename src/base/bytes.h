/* bytes.h - a bounds-checked window on bytes that somebody else wrote. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/*
 * @len bytes at @p, which were read from file position @off (for messages).
 * Borrowed: whoever made the window owns the memory.
 */
struct bytes {
	const u8 *p;
	size_t len;
	u64 off;
};

/* Word size and byte order of the file that a window is part of, by the numbers that e_ident has for them. */
struct elffmt {
	u8 class;	/* ELFCLASS32 or ELFCLASS64 */
	u8 data;	/* ELFDATA2LSB or ELFDATA2MSB */
};

/* All of them are zero, or there are none. */
bool mem_is_zero(const u8 *p, size_t len);

/* *out = the @len bytes at @at of @b.  ERR_TRUNCATED when they are not all there. */
int bytes_sub(struct bytes b, u64 at, u64 len, struct bytes *out, struct err *e) must_check;

/* Unsigned integer of @size (1, 2, 4 or 8) bytes at @at of @b. */
int bytes_uint(struct bytes b, struct elffmt fmt, u64 at, unsigned size, u64 *out,
	       struct err *e) must_check;

/*
 * NUL-terminated string at @at of @b; *out points into the window and *len is
 * its length without the NUL.  ERR_TRUNCATED when no NUL follows.
 */
int bytes_str(struct bytes b, u64 at, const char **out, size_t *len, struct err *e) must_check;

/* The same integer without a window, where the caller has checked the bounds. */
u64 uint_get(struct elffmt fmt, const u8 *p, unsigned size);
void uint_put(struct elffmt fmt, u8 *p, unsigned size, u64 value);
