/* arguments.h - constants that a function was called with, by the code before the call. */
#pragma once

#include "explain/crash.h"

enum { ARGUMENTS_MAX = 4 };
struct argument {
	bool known;
	u64 value;
};
struct arguments {
	struct argument v[ARGUMENTS_MAX];
};

/*
 * Of the call that frame @frame of the stack has made, as x86-64 and arm64 pass arguments; what is no constant there is not
 * known.  False where the code cannot be read, or its function has no symbol.
 */
bool arguments_of_call(struct crash *c, size_t frame, struct arguments *out);
/* The text that the argument points to, cut where it does not fit; false and "" where it is none. */
bool argument_text(struct crash *c, const struct argument *a, char *out, size_t size);
