/* box.h - runs what unwinds in a process that is locked in, and opens files for it. */
#pragma once

#include "cli/reader.h"
#include "unwind/unwind.h"

enum {
	BOX_CPU_S = 600,		/* of processor time for one backtrace */
	BOX_CPU_ALL_S = 24 * 3600,	/* for all */
	BOX_MEMORY_GIB = 8,		/* beside what there was before */
};

/*
 * fn(@arg) in a child that has locked itself in (cli/sandbox.h), with what @opts needs there set in it: files are
 * opened by another process that checks their names (unwind/broker.h), servers asked by a third.  Returns what @fn does.  A
 * signal that ends programs ends all of these and then this program, as if there were only one.
 *
 * Where the kernel has no part of that, the others hold.  Under the sanitizers @fn is called here, for they look at a process
 * from outside it.
 */
int box_run(reader_fn *fn, void *arg, struct unwind_opts *opts, struct err *e) must_check;
/* In @fn: a backtrace begins, which has its own time. */
void box_next(void);
