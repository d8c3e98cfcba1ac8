/* err.h - how a function says what went wrong, and where. */
#pragma once

#include "base/types.h"

/*
 * Failure codes besides -errno.  All are below -4095, the lowest -errno that
 * Linux uses, so that one int holds either.
 */
enum {
	ERR_INPUT = -5000,	/* the input is wrong: a core file, /proc text */
	ERR_TRUNCATED,		/* the input ends too early */
	ERR_UNSUPPORTED,	/* well-formed, but not something we can do */
	ERR_GONE,		/* the target process no longer exists */
	ERR_LIMIT,		/* a bound the user set would be passed */
	ERR_CANCELLED,		/* the user asked us to stop */
	ERR_USAGE,		/* the command line is wrong */
	ERR_TIMEOUT,		/* what had to come has not come in time */
};

/* One failure: code is 0 or negative, msg one sentence without a final stop. */
struct err {
	int code;
	bool has_off;	/* of err_at(): */
	u64 off;	/* the place in the file, in bytes from its beginning */
	u16 sentence;	/* where in msg the sentence begins, after context and offset */
	char msg[496];
};
static inline const char *err_sentence(const struct err *e)
{
	return e->msg + e->sentence;
}

/*
 * Records @code and the sentence, and returns @code, so that a function can
 * set and return in one line.  A -errno code has ": strerror" appended.
 * @e may be NULL.
 */
int err_set(struct err *e, int code, const char *fmt, ...) printf_like(3, 4);

/* As err_set, for a fault in a file: "at 0xOFF: " goes before the sentence. */
int err_at(struct err *e, int code, u64 off, const char *fmt, ...) printf_like(4, 5);

/* Puts context before what is in @e ("context: sentence").  Returns e->code. */
int err_wrap(struct err *e, const char *fmt, ...) printf_like(2, 3);

/* The kind of @code in a word, for messages and tests: "system", "bad input", … */
const char *err_kind(int code);
