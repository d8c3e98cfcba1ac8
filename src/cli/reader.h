/* reader.h - how commands open a core: what could not be trusted is read by a process that is locked in. */
#pragma once

#include <tagcore/core.h>
#include <tagcore/err.h>

/*
 * Locks this process in, for good: it opens no file any more (base/sandbox.h).
 * Nothing where the kernel has no way to, or under the sanitizers, which look at
 * a process from outside it.
 */
void reader_lock(void);

/* core_open(), locked in before a byte of the file is interpreted, and ended by a wish to stop. */
int reader_open(struct core *core, const char *path, struct err *e) must_check;

/*
 * fn(@arg, e) in a child, for a command that needs its rights later: to open the
 * next file, or to give a finished one its name.  Returns what @fn does, and its
 * error.  What it prints is printed; what it changes in memory is lost, but for
 * shared mappings.  A child that dies is an error.
 */
int reader_apart(int (*fn)(void *arg, struct err *e), void *arg, struct err *e) must_check;
