/* abort_message.h - who called abort(3), and what was written before, as libraries keep it. */
#pragma once

#include "explain/crash.h"

/* ---- abort_caller.c */

/* The process has ended by SIGABRT, and not for a fault. */
bool crash_is_abort(const struct crash *c);
/* The first frame that is of no library between abort(3) and who is to blame, and its name; 0 and "": none is known. */
size_t abort_caller(struct crash *c, char *name, size_t size);
/* " in NAME" of that frame, or "". */
const char *abort_in(struct crash *c, char out[160]);
/* One of the innermost frames has one of these in its name. */
bool abort_has_frame(struct crash *c, const char *const names[], size_t n);

/* ---- abort_message.c */

/* glibc's, of assert(3), malloc(3) and its checks: text without the newline at its end; NULL: there is none. */
const char *abort_message(struct crash *c);

/* ---- exception.c */

/* A C++ exception that is being thrown, or was not caught. */
struct exception {
	u64 object;
	u64 found_at;		/* where the stack has a pointer to it */
	char type[160];		/* demangled, or as it is */
	char text[200];		/* what std::exception::what() probably says, or "" */
	bool is_standard;	/* std::runtime_error or std::logic_error, or what the library derives from them */
};
bool exception_find(struct crash *c, struct exception *out);
