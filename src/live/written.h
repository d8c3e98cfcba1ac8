/*
 * written.h - which pages of a running process are written to, as write protection sees it.
 *
 * userfaultfd(2) can protect pages in such a way that the kernel itself lifts the protection at the first
 * write and remembers that (UFFD_FEATURE_WP_ASYNC, Linux 6.7): nobody is asked and nobody waits.
 * PAGEMAP_SCAN says which pages have been written to, and protects them again in the same step.
 * A thread of the process makes the descriptor, we take it, and the thread closes its own.
 */
#pragma once

#include "live/area.h"
#include "live/target.h"
#include "mm/proc_file.h"

struct written {
	int uffd;	/* the process's memory, ours alone; -1: none */
	struct proc_file pagemap;
	u64 known;	/* categories that this kernel knows, of those we ask for */
};

/* ERR_UNSUPPORTED: not to be had, and the sentence says why. */
int written_open(struct written *w, const struct target *t, const struct areas *areas, struct err *e) must_check;

/* From now on [start, end) is watched: all of it counts as written at first.  False: the kernel does not watch such memory. */
bool written_watch(const struct written *w, u64 start, u64 end);

/*
 * Calls @fn for runs of pages in [start, end), in order.  @protect: for those that have been written to
 * since they were last protected, which are protected again before @fn sees them.  Else for
 * all that have content, @written or not; so are those of memory that is not watched (any more).
 * Pages of zeros (@zero) have none of their own.
 */
struct written_run {
	u64 start;
	u64 end;
	bool written;
	bool zero;
	bool guard;	/* MADV_GUARD_INSTALL: it has no content; never of those that were protected */
};
typedef int written_fn(const struct written_run *run, void *arg, struct err *e);
int written_scan(const struct written *w, u64 start, u64 end, bool protect, written_fn *fn, void *arg,
		 struct err *e) must_check;

/* [start, end) is not watched any more.  False: some of it is still, and will be until written_close(). */
bool written_unwatch(const struct written *w, u64 start, u64 end);
/* unwatch.c: nanoseconds that this takes for a page, measured with memory of our own. */
u64 written_unwatch_ns(void);

/* Ends the watching, of all memory at once.  Accepts one that was not opened: uffd -1. */
void written_close(struct written *w);
