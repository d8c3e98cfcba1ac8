/* pagewalk.h - the state of an area's pages, as runs, after the kernel's mm_walk. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "mm/vma.h"

/* The state of every page of a run.  Linux: include/uapi/linux/fs.h, PAGE_IS_*. */
enum page_flag {
	PAGE_PRESENT	= 1 << 0,	/* in memory */
	PAGE_SWAPPED	= 1 << 1,	/* in swap */
	PAGE_FILE	= 1 << 2,	/* of a file or shared memory, not a private copy */
	PAGE_ZERO	= 1 << 3,	/* the shared zero page (only PAGEMAP_SCAN can tell) */
	PAGE_GUARD	= 1 << 4,	/* MADV_GUARD_INSTALL: has no content, faults */
	PAGE_SAVED	= 1 << 5,	/* core files: the bytes are in this file */
	PAGE_WATCHED	= 1 << 6,	/* protected by userfaultfd(2), there or not (only pagemap can tell) */
};

/* The pages [start, end) share @flags.  flags == 0: a hole, nothing is there. */
struct page_run {
	u64 start;
	u64 end;
	u32 flags;
};

/*
 * Where userfaultfd watches: no page, but a marker in its place (PAGE_WATCHED:
 * protection of one that is not there; else UFFDIO_POISON), which the kernel calls
 * swapped as well: Linux 6.12, fs/proc/task_mmu.c: pte_to_pagemap_entry().  Real
 * swap is counted in smaps, and that of shared memory is in no page table.
 */
static inline bool page_is_uffd_marker(const struct vma *v, const struct page_run *r)
{
	return v->flags & VM_UFFD_WAITS && r->flags & PAGE_SWAPPED && (v->flags & VM_SHARED || !v->swap);
}

/*
 * Reading this through the target may wait for a monitor, which may be a thread that is
 * stopped.  get_user_pages() asks for protected pages, too: Linux 7.3, include/linux/mm.h:
 * gup_can_follow_protnone().
 */
static inline bool page_may_wait(const struct vma *v, const struct page_run *r)
{
	return page_is_uffd_marker(v, r) || v->flags & VM_UFFD_RWP;
}

struct page_source;

/*
 * A backend.  next: the first run at or above @start, cut to [start, end), whose
 * flags are not 0; 1 and *out filled, 0 at the end, or negative.
 * A run begins at or after @start and has at least one page, so a walk ends.
 * Two runs that touch may have equal flags.  Linux 6.7, fs/proc/task_mmu.c:
 * do_pagemap_scan().  Runs read ahead are used only by a call that goes on
 * where the last run ended, with the same @end: any other call asks anew, but
 * for what is below page_source.ahead.
 */
struct page_source_ops {
	const char *name;
	int (*next)(struct page_source *src, u64 start, u64 end, struct page_run *out,
		    struct err *e);
	void (*close)(struct page_source *src);
};

/*
 * An open source.  @priv belongs to the backend.  A zeroed one may be closed.
 * @ahead: 0, or an address up to which runs may be read at once, and used by every call that begins at or
 * after where the last run ended: for who asks for one area after the other, of memory that stands still.
 */
struct page_source {
	const struct page_source_ops *ops;
	void *priv;
	u64 ahead;
};

/*
 * On one target both give the same runs, with three differences: only scan reports
 * PAGE_ZERO, only pagemap PAGE_WATCHED, and pagemap says PAGE_FILE of the huge zero page (Linux 6.18), which
 * the walker drops in private anonymous areas.  A guard page is PAGE_GUARD and
 * nothing else.  Both read /proc/PID/pagemap: 512 KiB at a time, or 512 runs.
 */
extern const struct page_source_ops page_pagemap_ops;	/* /proc/PID/pagemap words */
extern const struct page_source_ops page_scan_ops;	/* PAGEMAP_SCAN, Linux 6.7 */

/* @backend: "pagemap", "scan", or NULL for the best the kernel has.  @tid and errors as in mm_open_pid. */
int page_source_open_pid(struct page_source *src, pid_t pid, pid_t tid, const char *backend,
			 struct err *e) must_check;
void page_source_close(struct page_source *src);

/*
 * What a walk calls.  NULL is "not interested".  0 goes on, > 0 stops the walk
 * and is returned, < 0 is an error and is returned.  test_vma: 1 walks the
 * area, 0 skips it, negative is an error.  run and hole get runs cut to the
 * area, in address order, without gaps: together they cover the range.  Runs
 * that touch and share their flags have been joined.  @v lives until the call returns.
 */
struct page_walk_ops {
	int (*test_vma)(const struct vma *v, void *arg, struct err *e);
	int (*run)(const struct vma *v, const struct page_run *r, void *arg, struct err *e);
	int (*hole)(const struct vma *v, u64 start, u64 end, void *arg, struct err *e);
};

/* Walks the part of @v in [start, end). */
int page_walk_vma(struct page_source *src, const struct vma *v, u64 start, u64 end,
		  const struct page_walk_ops *ops, void *arg, struct err *e) must_check;
/* Walks every area of @mm in [start, end). */
int page_walk(struct mm *mm, struct page_source *src, u64 start, u64 end,
	      const struct page_walk_ops *ops, void *arg, struct err *e) must_check;
