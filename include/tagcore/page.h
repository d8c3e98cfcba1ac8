/*
 * tagcore/page.h - facts about the pages of areas, as runs of equal pages, after the
 * kernel's mm_walk: which are in memory, in swap, of a file; which are saved in a core.
 */
#pragma once

#include <tagcore/area.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Facts about every page of a run, after the kernel's PAGE_IS_*. */
enum tagcore_page_flag {
	TAGCORE_PAGE_PRESENT	= 1 << 0,	/* in memory */
	TAGCORE_PAGE_SWAPPED	= 1 << 1,	/* in swap */
	TAGCORE_PAGE_FILE	= 1 << 2,	/* of a file or shared memory; else a private copy */
	TAGCORE_PAGE_ZERO	= 1 << 3,	/* the shared zero page; only "scan" reports it */
	TAGCORE_PAGE_GUARD	= 1 << 4,	/* MADV_GUARD_INSTALL: has no content */
	TAGCORE_PAGE_SAVED	= 1 << 5,	/* of a core, and the only one there: the bytes are in the file */
	TAGCORE_PAGE_WATCHED	= 1 << 6,	/* protected by userfaultfd(2); only "pagemap" reports it */
};

/* The pages of [start, end) share @flags, which are not 0. */
struct tagcore_page_run {
	uint64_t start;
	uint64_t end;
	uint32_t flags;		/* TAGCORE_PAGE_* */
};

/* Where the facts come from. */
struct tagcore_pages;

/* Of @core, which owns it.  Never NULL. */
TAGCORE_API struct tagcore_pages *tagcore_core_pages(struct tagcore_core *core);
/*
 * Of a live process.  @backend is "pagemap" (the words of /proc/PID/pagemap), "scan" (the ioctl
 * PAGEMAP_SCAN, since Linux 6.7), or NULL for the best that the kernel has.  Errors as of
 * tagcore_mm_open_pid().
 */
TAGCORE_API int tagcore_pages_open_pid(struct tagcore_pages **pages, pid_t pid, const char *backend,
				       struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* Not for the one that a core owns. */
TAGCORE_API void tagcore_pages_close(struct tagcore_pages *pages);

/*
 * What a walk calls; a NULL is not called.  0 goes on; another value ends the walk, which
 * returns it.  run and hole get ranges that are cut to the area and to the walk, in
 * address order and without gaps: together they cover it.  Runs that touch and share
 * their flags have been joined.  @area and @run are valid during the call.
 */
struct tagcore_page_walk_ops {
	size_t size;		/* sizeof(struct tagcore_page_walk_ops) */
	/* 1: walk this area; 0: skip it; negative ends the walk. */
	int (*test_area)(const struct tagcore_area *area, void *arg);
	int (*run)(const struct tagcore_area *area, const struct tagcore_page_run *run, void *arg);
	/* Nothing is there: never touched, or of a core: not in the file. */
	int (*hole)(const struct tagcore_area *area, uint64_t start, uint64_t end, void *arg);
};

/*
 * Walks the pages of the areas of @mm in [start, end); @pages is of the same core or process.
 * 0, or what a function of @ops returned (*error is untouched then), or an error.
 */
TAGCORE_API int tagcore_page_walk(struct tagcore_mm *mm, struct tagcore_pages *pages, uint64_t start, uint64_t end,
				  const struct tagcore_page_walk_ops *ops, void *arg,
				  struct tagcore_error *error) TAGCORE_MUST_CHECK;

#ifdef __cplusplus
}
#endif
