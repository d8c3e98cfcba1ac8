/* json.h - JSON as every command prints it, on json-c. */
#pragma once

#include <stdio.h>

#include <json-c/json.h>

#include "base/types.h"
#include "core/core.h"

/*
 * Rows of a JSON list, printed one by one: a core may have 131,070 segments, and
 * a tree of them would take a hundred times their size.
 */
struct json_list {
	FILE *out;
	bool any;
};
struct json_list json_list_begin(FILE *out);
/* Prints and takes over @row. */
void json_list_add(struct json_list *l, struct json_object *row);
void json_list_end(struct json_list *l);
/* Prints and takes over @doc. */
void json_print(FILE *out, struct json_object *doc);
/* Releases a document by scope; NULL is fine. */
void json_put_scope(struct json_object **o);

/* Values; text is escaped as on a terminal, so that the document is UTF-8; NULL is null. */
void json_put_text(struct json_object *o, const char *key, const char *value);
void json_put_hex(struct json_object *o, const char *key, u64 value);
/* Where a range ends, as text_end(). */
void json_put_end(struct json_object *o, const char *key, u64 end);
void json_put_u64(struct json_object *o, const char *key, u64 value);
void json_put_s64(struct json_object *o, const char *key, s64 value);
void json_put_tag(struct json_object *o, const char *key, enum tag_state state, u8 tag);
void json_put_bool(struct json_object *o, const char *key, bool value);
void json_put_null(struct json_object *o, const char *key);
