/* show.h - a tree of fields, printed as it is made: indented lines for people, or one line of JSON. */
#pragma once

#include <stdio.h>

#include "base/bytes.h"
#include "core/core.h"

struct view_set;

/*
 * Printed at once, as a note may have a million fields.  @depth is the
 * indentation of text, @any whether a comma is due in JSON, @row whether the
 * fields stand side by side in a line of text.
 */
struct show {
	FILE *f;
	bool json;
	bool all;	/* bytes without a meaning: all of them, also in text */
	bool any;
	bool row;
	unsigned depth;
};

/* An object, a list; @key is NULL for the outermost, whose text has no heading. */
void show_open(struct show *s, const char *key);
void show_close(struct show *s);
void show_list(struct show *s, const char *key);
void show_list_end(struct show *s);
/* One of a list: an object in JSON, a line in text, whose fields have no names. */
void show_row(struct show *s);
void show_row_end(struct show *s);
/* One of a list: a string.  Ends at a NUL. */
void show_item(struct show *s, struct core_text t);

void show_u64(struct show *s, const char *key, u64 v);
void show_s64(struct show *s, const char *key, s64 v);
void show_hex(struct show *s, const char *key, u64 v);
void show_bool(struct show *s, const char *key, bool v);
/* Text that somebody hostile may have chosen; NULL: null in JSON, nothing in text. */
void show_str(struct show *s, const char *key, const char *v);
void show_text(struct show *s, const char *key, struct core_text t);
/* Our own words. */
void show_fmt(struct show *s, const char *key, const char *fmt, ...) printf_like(3, 4);
/* A hexdump; in JSON a string of hexadecimal digits.  Text has the first SHOW_BYTES_MAX, unless @s->all. */
enum { SHOW_BYTES_MAX = 4096 };
void show_bytes(struct show *s, const char *key, struct bytes b);
/* The registers of a set, under the key "registers". */
void show_regs(struct show *s, const struct view_set *set);
