/* open.h - files that a core, a process or another file names: regular ones only, and nothing else is touched. */
#pragma once

#include "base/err.h"

/*
 * A regular file, for reading.  It is looked at before it is opened (O_PATH), so
 * that a FIFO, a terminal or a watchdog is not opened even for an instant: opening
 * alone may wait, or act; nor is one of procfs, sysfs and their kind.  The descriptor, or negative: -errno where there is no file,
 * ERR_INPUT where it is something else, ERR_UNSUPPORTED without /proc, which is the
 * only way from a file that was looked at to that same file opened.
 */
int open_regular(const char *path, struct err *e) must_check;
/*
 * The same for @path in the directory @root as if that were the root directory:
 * ".." and symbolic links, absolute ones too, do not lead out of it.
 */
int open_regular_in(const char *root, const char *path, struct err *e) must_check;
/* Its two halves: a descriptor of O_PATH, of a file of any kind; and the file of one, @path in messages. */
int find_in(const char *root, const char *path, struct err *e) must_check;
int open_found(int looked, const char *path, struct err *e) must_check;

/* How a path is resolved in a root; *_open_in() takes the first that the kernel has.  A descriptor of O_PATH. */
int resolve_by_kernel(int root, const char *path);
int resolve_by_steps(int root, const char *path);
