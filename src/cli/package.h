/* package.h - what a file's .note.package says. */
#pragma once

#include <json-c/json.h>

#include "core/modules.h"

/* Bytes that are looked at: such notes have a few hundred. */
enum { PACKAGE_MAX = 4096 };

/*
 * The members of the module's note that are strings, for a key "package"; the
 * caller's.  *out is NULL when there is no such note, or it is no JSON object.
 */
int package_read(struct core *core, const struct core_module *m, struct json_object **out, struct err *e) must_check;
/* "TYPE NAME VERSION ARCHITECTURE", as far as it has these, with escapes.  0: nothing. */
size_t package_text(struct json_object *package, char *out, size_t size);
