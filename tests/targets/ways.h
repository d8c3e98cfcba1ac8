/* ways.h - targets that end in the way that their first argument names. */
#pragma once

#include <string.h>

struct way {
	const char *name;
	void (*run)(void);
};
#define WAY(f) { #f, f }

enum { NO_WAY = 77 };	/* this machine or kernel has no such way */

/* main(), which returns what this does. */
static inline int run_way(const struct way *ways, size_t n, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < n; i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].run();
			return 0;
		}
	return NO_WAY;
}
