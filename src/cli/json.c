#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "cli/json.h"

enum { JSON_FLAGS = JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE };

/* json-c yields NULL when memory is short: the document is then not JSON, which a reader notices. */
static void put(FILE *out, struct json_object *o, int flags)
{
	const char *text = json_object_to_json_string_ext(o, flags);

	fputs(text ? text : "", out);
	json_object_put(o);
}

struct json_list json_list_begin(FILE *out)
{
	fputs("[", out);
	return (struct json_list){ .out = out };
}

void json_list_add(struct json_list *l, struct json_object *row)
{
	fputs(l->any ? ",\n  " : "\n  ", l->out);
	put(l->out, row, JSON_FLAGS);
	l->any = true;
}

void json_list_end(struct json_list *l)
{
	fputs(l->any ? "\n]\n" : "]\n", l->out);
}

void json_print(FILE *out, struct json_object *doc)
{
	put(out, doc, JSON_FLAGS | JSON_C_TO_STRING_PRETTY);
	fputc('\n', out);
}

void json_put_scope(struct json_object **o)
{
	json_object_put(*o);
}

void json_put_text(struct json_object *o, const char *key, const char *value)
{
	size_t size = value ? strlen(value) * 4 + 1 : 0;
	char *text auto_free = value ? malloc(size) : NULL;

	json_object_object_add(o, key, text ? json_object_new_string(text_escape(value, text, size)) : NULL);
}

void json_put_hex(struct json_object *o, const char *key, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_object_object_add(o, key, json_object_new_string(text));
}

void json_put_end(struct json_object *o, const char *key, u64 end)
{
	char text[TEXT_END_MAX];

	json_object_object_add(o, key, json_object_new_string(text_end(end, text)));
}

void json_put_u64(struct json_object *o, const char *key, u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void json_put_s64(struct json_object *o, const char *key, s64 value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

void json_put_tag(struct json_object *o, const char *key, enum tag_state state, u8 tag)
{
	if (state == TAG_KNOWN)
		json_put_u64(o, key, tag);
	else
		json_put_null(o, key);
}

void json_put_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void json_put_null(struct json_object *o, const char *key)
{
	json_object_object_add(o, key, NULL);
}
