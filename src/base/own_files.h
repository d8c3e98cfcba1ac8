/* own_files.h - a thread with descriptors of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * From here on the calling thread has a descriptor table of its own: what it opens is its alone, and what it
 * closes stays open for the others.  false: it cannot have one (a seccomp filter), and all is as before.
 */
bool own_table(void);

/*
 * Closes, in such a table, all but @keep (numbers below 0 are none) and what of 0, 1 and 2 is no regular file; those
 * that are lead to /dev/null.  A table is closed when its last thread ends, and to close a file can wait for its
 * server for ever, even after SIGKILL (Linux 6.12, fs/fuse/file.c: fuse_flush(), a request that is forced): a
 * thread that others wait for, as the threads that it traces do, must not be the one that does it.  Nor does it
 * keep open what others close.
 */
void drop_files(const int *keep, size_t n);
