/* soak.h - make check and make soak: a sample, or all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Is this the long form, which make soak asks for? */
static inline bool soak(void)
{
	const char *s = getenv("SOAK");

	return s && !strcmp(s, "yes");
}

/* How many of something, in make check and in make soak. */
static inline size_t soak_or(size_t check, size_t long_form)
{
	return soak() ? long_form : check;
}
