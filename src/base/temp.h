/* temp.h - files without a name, for what is too much for memory. */
#pragma once

#include "base/err.h"
#include "base/types.h"

/*
 * A nameless file for reading and writing: in @first (NULL: none), TMPDIR, /var/tmp or /tmp, whichever is the
 * first that takes one and has room for @bytes (0: any).  The descriptor, or negative: -ENOSPC where none has room.
 */
int temp_open(const char *first, u64 bytes, struct err *e) must_check;

/*
 * Whether @bytes more may be written to @fd with some room left for others.  *room: what is free now, 0 if
 * that is not known: then write(2) fails when it is full.
 */
bool temp_has_room(int fd, u64 bytes, u64 *room);
