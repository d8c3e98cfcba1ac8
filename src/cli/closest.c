#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/closest.h"

enum { LONGEST = 32 };	/* longer words are not compared */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = min(a, b);

	return min(ab, c);
}

/*
 * Letters to be put in, taken out, changed, or exchanged with their neighbour:
 * Damerau and Levenshtein's distance, as optimal string alignment.
 */
static size_t distance(const char *a, const char *b)
{
	size_t d[LONGEST + 1][LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return SIZE_MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

/* A third of the letters may be wrong. */
struct closest closest_to(const char *word)
{
	return (struct closest){ .word = word, .distance = strlen(word) / 3 + 2 };
}

void closest_try(struct closest *c, const char *name)
{
	size_t len = strlen(c->word);
	size_t d = len > 1 && !strncmp(c->word, name, len) ? 1 : distance(c->word, name);

	if (d >= c->distance)
		return;
	c->distance = d;
	c->best = name;
}

const char *closest_hint(const struct closest *c, const char *prefix, const char *otherwise,
			 char out[CLOSEST_MAX])
{
	if (!c->best)
		return otherwise;
	snprintf(out, CLOSEST_MAX, ": did you mean %s%s?", prefix, c->best);
	return out;
}
