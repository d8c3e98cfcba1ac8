/* reader.h - how commands open a core: untrusted input is read in a sandboxed process. */
#pragma once

#include "base/err.h"
#include "core/core.h"

/*
 * Locks this process in, for good: it opens no file any more (cli/sandbox.h).
 * Nothing where the kernel has no way to, or under the sanitizers, which look at
 * a process from outside it.
 */
void reader_lock(void);

/* The option of all commands that open a core, for its row; and its argument: a size, or "none". */
#define READER_UNPACK_LIMIT "unpack-limit", 0, "SIZE|none", "how much a packed core may unpack to (suffixes K M G)"
int reader_unpack_limit(const char *arg, u64 *out, struct err *e) must_check;

/*
 * core_open(), sandboxed before a byte of the file is interpreted; stops on SIGINT, SIGTERM
 * or SIGHUP.  @unpack_limit: as in struct core_file.
 */
int reader_open(struct core *core, const char *path, u64 unpack_limit, struct err *e) must_check;

/*
 * fn(@arg, value, e) in a child, for a command that needs its rights later: to
 * open the next file, or to give a finished one its name.  Returns what @fn does,
 * with its error, or in *value (which may be NULL) the number that it left there.
 * What it prints is printed; what it changes in memory is lost.  A child that
 * dies is an error.
 */
typedef int reader_fn(void *arg, u64 *value, struct err *e);
int reader_apart(reader_fn *fn, void *arg, u64 *value, struct err *e) must_check;

/*
 * The same in two steps.  @sock: a socket whose other end the child has open as long as it runs, or -1: after a signal
 * the child is killed then.
 */
struct reader_child {
	pid_t pid;
	struct child_result *v;
};
int reader_child_start(struct reader_child *c, reader_fn *fn, void *arg, struct err *e) must_check;
int reader_child_end(struct reader_child *c, int sock, u64 *value, struct err *e) must_check;
