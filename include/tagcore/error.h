/*
 * tagcore/error.h - errors, and the rules that hold for every function of libtagcore.
 *
 * Results.  A function that can fail returns 0 or a positive number on success and a
 * negative one on failure: a TAGCORE_ERR_* code, or -errno.  It takes a struct
 * tagcore_error last, which the caller owns and which may be NULL.  Out parameters
 * are written on success only.  Nothing is printed, no signal handler is installed,
 * and the process is never ended.
 *
 * Ownership.  What xxx_open() or xxx_run() hands out is released by xxx_close() or
 * xxx_free(), which accept NULL.  A const pointer that is returned belongs to the
 * library and is valid as long as its comment says.
 *
 * Structures.  Options are structures of the caller's: zero all of it, set size to
 * sizeof, then the members you need; 0 and NULL mean the default.  Results are const
 * structures of the library's, which may grow at their end in a later release: never
 * copy one by its size, never make an array of them.
 *
 * Addresses are those of the process, ranges are [start, end) in bytes.  The last
 * byte of a 64-bit address space is included in a range whose end is UINT64_MAX.
 *
 * Threads.  A handle, with all that was made from it, is for one thread at a time.
 * Different handles may be used in different threads at once.
 *
 * Text that comes from a core or a process (names, reasons, messages) may hold any
 * bytes but NUL: escape it before it is printed to a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAGCORE_API __attribute__((visibility("default")))
/* The result says whether the call worked. */
#define TAGCORE_MUST_CHECK __attribute__((warn_unused_result))

#ifdef __cplusplus
extern "C" {
#endif

/* Failures other than -errno, all below -4095. */
enum tagcore_error_code {
	TAGCORE_ERR_INPUT = -5000,	/* the input is wrong: a core file, text of /proc */
	TAGCORE_ERR_TRUNCATED = -4999,	/* the input ends too early */
	TAGCORE_ERR_UNSUPPORTED = -4998,	/* well-formed, but nothing this library, or this kernel, can do */
	TAGCORE_ERR_GONE = -4997,	/* the process no longer exists, or has no memory */
	TAGCORE_ERR_LIMIT = -4996,	/* a limit of the caller's would be passed */
	TAGCORE_ERR_CANCELLED = -4995,	/* the caller asked for an end */
	TAGCORE_ERR_USAGE = -4994,	/* an argument is wrong, or arguments contradict each other */
	TAGCORE_ERR_TIMEOUT = -4993,	/* the output has stood still for longer than it may */
};

/*
 * One failure.  This structure never changes.  @message is one sentence without a
 * full stop, and with the system's own text for -errno.
 */
struct tagcore_error {
	int code;		/* what the function returned */
	int has_offset;		/* not 0: @offset is known */
	uint64_t offset;	/* place of the fault in the file, in bytes from its beginning */
	char message[496];
};

/* The kind of a code in a word or two: "system" for -errno, "bad input", "truncated", "target gone" … */
TAGCORE_API const char *tagcore_error_kind(int code);

#ifdef __cplusplus
}
#endif
