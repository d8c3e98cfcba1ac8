/* text.h - text for people: sizes, and names that somebody hostile may have chosen. */
#pragma once

#include <stdio.h>

#include "base/types.h"

/* "12.3 MiB" in @out, which is returned. */
#define TEXT_SIZE_MAX 24
const char *text_size(u64 bytes, char out[TEXT_SIZE_MAX]);

/*
 * Where a range ends: "0x1000".  2^64, which has no place in 64 bits, is
 * UINT64_MAX: see range_end().
 */
#define TEXT_END_MAX 24
const char *text_end(u64 end, char out[TEXT_END_MAX]);
/* Hexadecimal; 2^64 is UINT64_MAX. */
int text_parse_end(const char *s, u64 *out) must_check;

/* "rw-" in @out, which is returned. */
const char *text_rwx(bool r, bool w, bool x, char out[4]);
/* Two digits a byte, and a NUL, in @out, which is returned. */
const char *text_hex(const u8 *p, size_t len, char *out);

/*
 * Prints @s with control characters, those of direction among them, and what is
 * not UTF-8 as "\ooo" octal, so that a name cannot drive a terminal.  NULL prints nothing.
 */
void text_puts(FILE *f, const char *s);
/* The same into a string of @size bytes, cut where it does not fit; returns @out. */
const char *text_escape(const char *s, char *out, size_t size);

/* How many bytes at the beginning of @s are UTF-8 and no control characters, but for tabs and ends of lines. */
size_t text_printable(const char *s);

/* "1234", "0x10", with suffix K, M, G or T (powers of 1024) where @suffixes.  0 or -EINVAL, -ERANGE. */
int text_parse_u64(const char *s, int base, bool suffixes, u64 *out) must_check;
