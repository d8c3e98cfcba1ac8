/* table.h - tables whose rows have names: commands, views, options. */
#pragma once

#include "base/types.h"
#include "base/util.h"
#include "cli/closest.h"

/* @n rows of @size bytes, of which each begins with a `const char *name`; the first that is NULL ends them, too. */
struct table {
	const void *rows;
	size_t n;
	size_t size;
};
#define TABLE(array) ((struct table){ .rows = (array), .n = ARRAY_SIZE(array), .size = sizeof((array)[0]) })

/* The row of that name, or NULL. */
const void *table_find(struct table t, const char *name);
/* The sentence for a @word that is in no row, as closest_hint(). */
const char *table_hint(struct table t, const char *word, const char *prefix, const char *otherwise,
		       char out[CLOSEST_MAX]);
