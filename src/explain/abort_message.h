/* abort_message.h - what a program wrote before it called abort(3), as its libraries keep it. */
#pragma once

#include "explain/crash.h"

/* glibc's, of assert(3), malloc(3) and its checks: text without the newline at its end; NULL: there is none. */
const char *abort_message(struct crash *c);

/* A C++ exception that is being thrown, or was not caught. */
struct exception {
	u64 object;
	u64 found_at;		/* where the stack has a pointer to it */
	char type[160];		/* demangled, or as it is */
	char text[200];		/* what std::exception::what() probably says, or "" */
	bool is_standard;	/* std::runtime_error or std::logic_error, or what the library derives from them */
};
bool exception_find(struct crash *c, struct exception *out);
