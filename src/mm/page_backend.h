/* page_backend.h - how pagewalk.c opens the backends that read a process. */
#pragma once

#include "mm/pagewalk.h"
#include "mm/proc_file.h"

int page_pagemap_open(struct page_source *src, pid_t pid, pid_t tid, struct err *e) must_check;
int page_scan_open(struct page_source *src, pid_t pid, pid_t tid, struct err *e) must_check;

/* 0 while the target of this pagemap has memory, else ERR_GONE: else "nothing there" means nothing. */
int pagemap_alive(const struct proc_file *f, struct err *e) must_check;
/* Opens pagemap, and only of a target that has memory. */
int pagemap_open(struct proc_file *f, pid_t pid, pid_t tid, struct err *e) must_check;

/*
 * Where a read-ahead may be used: right after the run last returned, with the
 * same end.  Any other question drops it, and sees the target as it is now.
 */
struct page_place {
	u64 start;
	u64 end;
};
static inline bool page_place_is(const struct page_place *p, u64 start, u64 end)
{
	return p->end && p->start == start && p->end == end;
}
