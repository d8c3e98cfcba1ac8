/* abort_message.h - who called abort(3), and what was written before, as libraries keep it. */
#pragma once

#include "explain/crash.h"

/* ---- abort_caller.c */

/* The process has ended by SIGABRT, and not for a fault. */
bool crash_is_abort(const struct crash *c);
/* The first frame that is of no library between abort(3) and who is to blame, and its name; 0 and "": none is known. */
size_t abort_caller(struct crash *c, char *name, size_t size);
/* The same, from frame @from on. */
size_t abort_caller_from(struct crash *c, size_t from, char *name, size_t size);
/* Of the innermost frames the first that has one of the @n @parts in its name. */
bool abort_frame(struct crash *c, const char *const parts[], size_t n, size_t *out);
/* " in NAME" of that frame, or "". */
const char *abort_in(struct crash *c, char out[160]);
/* The first function between abort(3) and that frame that has @part in its name.  What is outside of it, such as a
 * sanitizer's start of a thread, has not ended the program. */
bool abort_came_by(struct crash *c, const char *part, char *name, size_t size);
/* The same of a file's path, where functions have no names. */
bool abort_came_by_file(struct crash *c, const char *part);

/* ---- variable.c */

/* The address of the variable @name of a library or program, in its dynamic symbols and in all. */
bool variable_of_module(struct crash *c, struct module *m, const char *name, u64 *out);

/* ---- abort_message.c */

/*
 * The first saved page of memory of no file that may be written to, at which @is_it says so, in areas of up to
 * @area_max bytes; of @pages_max pages at most.  Areas beside each other may have become one, so each page may be the
 * first of what was mapped.
 */
typedef bool own_page_fn(struct crash *c, const struct core_area *a, u64 at, void *arg);
bool find_own_page(struct crash *c, u64 area_max, size_t pages_max, own_page_fn *is_it, void *arg);

/* glibc's, of assert(3), malloc(3) and its checks: text without the newline at its end; NULL: there is none. */
const char *abort_message(struct crash *c);
/* The program has called abort(3), and the message has @part. */
bool abort_has_message(struct crash *c, const char *part);
/* The message, and who led to it, as evidence. */
void abort_show_message(struct crash *c);

/* ---- exception.c */

/* A C++ exception that is being thrown, or was not caught. */
struct exception {
	u64 object;
	u64 found_at;		/* where the stack has a pointer to it */
	char type[160];		/* demangled, or as it is */
	char value[200];	/* of a number, or of a string with its quotes; or "" */
	char text[200];		/* what a std::runtime_error would have as what(), or "" */
	bool is_standard;	/* a std::runtime_error or std::logic_error, or what has one as its base */
	bool is_bad_alloc;
};
bool exception_find(struct crash *c, struct exception *out);
