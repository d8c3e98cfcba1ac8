#include "cli/table.h"

#include <string.h>

/* NULL at the end. */
static const char *name_of(struct table t, size_t i)
{
	return i < t.n ? *(const char *const *)((const char *)t.rows + i * t.size) : NULL;
}

const void *table_find(struct table t, const char *name)
{
	for (size_t i = 0; name_of(t, i); i++)
		if (!strcmp(name_of(t, i), name))
			return (const char *)t.rows + i * t.size;
	return NULL;
}

const char *table_hint(struct table t, const char *word, const char *prefix, const char *otherwise,
		       char out[CLOSEST_MAX])
{
	struct closest c = closest_to(word);

	for (size_t i = 0; name_of(t, i); i++)
		closest_try(&c, name_of(t, i));
	return closest_hint(&c, prefix, otherwise, out);
}
