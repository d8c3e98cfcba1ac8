#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/json.h"
#include "cli/package.h"

/* An object has strings only; deeper ones are not of this format. */
enum { DEPTH = 3, MEMBERS_MAX = 32 };

/* The text is hostile: its length and depth are bounded, and json-c looks at its UTF-8. */
static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH);
	struct json_object *o = NULL;

	if (!t)
		return NULL;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len);
	if (json_tokener_get_error(t) != json_tokener_success || !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(t);
	return o;
}

static struct json_object *strings_of(struct json_object *from)
{
	struct json_object *to = json_object_new_object();
	size_t n = 0;

	json_object_object_foreach(from, key, value) {
		char safe[4 * 64 + 1];

		if (json_object_is_type(value, json_type_string) && strlen(key) < 64 && n++ < MEMBERS_MAX)
			json_put_text(to, text_escape(key, safe, sizeof(safe)), json_object_get_string(value));
	}
	return to;
}

int package_read(struct core *core, const struct core_module *m, struct json_object **out, struct err *e)
{
	char text[PACKAGE_MAX + 1];
	struct json_object *o;
	size_t n;
	int r;

	*out = NULL;
	if (!m->package_len || m->package_len > PACKAGE_MAX)
		return 0;
	r = core_read_present(core, m->package_addr, text, m->package_len, &n, e);
	if (r || n < m->package_len)
		return r;
	text[n] = 0;
	/* Padding after the NUL is no part of it. */
	o = parse(text, strlen(text) + 1);
	if (o)
		*out = strings_of(o);
	json_object_put(o);
	return 0;
}

size_t package_text(struct json_object *package, char *out, size_t size)
{
	static const char *const keys[] = { "type", "name", "version", "architecture" };
	struct json_object *value;
	size_t len = 0;

	out[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && len < size; i++)
		if (json_object_object_get_ex(package, keys[i], &value))
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " " : "", json_object_get_string(value));
	return len;
}
