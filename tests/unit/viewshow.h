/* viewshow.h - what a view prints of a core that was built in memory. */
#pragma once

#include "corebuild.h"
#include "coreopen.h"

#include <json-c/json.h>

#include "cli/cmds.h"
#include "cli/view.h"

typedef int vs_view_fn(struct view_ctx *v, struct err *e);

/* The caller's to free.  @operand may be NULL. */
cb_unused static char *vs_shown(struct opened *o, vs_view_fn *view, bool json, const char *operand)
{
	char *operands[] = { (char *)operand, NULL }, *text = NULL;
	struct view_ctx v = { .core = &o->core, .path = "core", .json = json, .operands = operands,
			      .n_operands = operand != NULL };
	struct err e = { 0 };
	size_t len;

	v.out = open_memstream(&text, &len);
	assert_non_null(v.out);
	cb_ok(view(&v, &e), &e);
	fclose(v.out);
	return text;
}

cb_unused static struct json_object *vs_json(struct opened *o, vs_view_fn *view)
{
	char *text = vs_shown(o, view, true, NULL);
	struct json_object *doc = json_tokener_parse(text);

	if (!doc)
		fail_msg("no JSON in:\n%s", text);
	free(text);
	return doc;
}

cb_unused static void vs_expect(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("no \"%s\" in:\n%s", want, text);
}

/* The value of @key as text; NULL for null. */
cb_unused static const char *vs_member(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		fail_msg("no %s in %s", key, json_object_to_json_string(o));
	return json_object_get_string(v);
}
