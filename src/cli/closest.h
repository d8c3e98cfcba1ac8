/* closest.h - "did you mean": the name of a table that a mistyped word is nearest to. */
#pragma once

#include "base/types.h"

/* A search over a table.  @best is borrowed from it; NULL: none is near. */
struct closest {
	const char *word;
	const char *best;
	size_t distance;
};

struct closest closest_to(const char *word);
/* Keeps @name if it is nearer than the best so far: fewer letters differ, or it begins with the word. */
void closest_try(struct closest *c, const char *name);
/* ": did you mean PREFIX and the name?" in @out, or @otherwise when none is near. */
#define CLOSEST_MAX 96
const char *closest_hint(const struct closest *c, const char *prefix, const char *otherwise,
			 char out[CLOSEST_MAX]);
