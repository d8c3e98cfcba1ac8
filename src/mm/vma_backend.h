/* vma_backend.h - how vma_open.c opens the backends that read a process. */
#pragma once

#include "mm/proc_file.h"
#include "mm/vma.h"

int vma_maps_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e) must_check;
int vma_smaps_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e) must_check;
int vma_query_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e) must_check;

/*
 * What maps and smaps share: an area is some lines of text, read forward.
 * @next: 1 and *out, 0 at the end; out->name lives until the next call.
 */
struct vma_text {
	struct proc_lines lines;
	int (*next)(struct vma_text *t, struct vma *out, struct err *e);
	struct vma cur;		/* the last one read, if @have */
	u64 asked;		/* the last address asked for, if @begun */
	bool have;
	bool begun;
	char *name;		/* for a @next that reads past the line with the name */
	size_t name_cap;
};

/* Takes over @file, also on failure.  ERR_GONE when it is empty. */
int vma_text_open(struct mm *mm, const struct mm_ops *ops, struct proc_file *file,
		  int (*next)(struct vma_text *, struct vma *, struct err *),
		  struct err *e) must_check;
int vma_text_find(struct mm *mm, u64 addr, struct vma *out, struct err *e);
void vma_text_close(struct mm *mm);

/* The next line, parsed as the line of an area, and skipped. */
int vma_text_area(struct vma_text *t, struct vma *out, struct err *e) must_check;
/* The areas of text that is not of a process: for tests of what the kernel never prints. */
int vma_maps_open_file(struct mm *mm, struct proc_file *file, struct err *e) must_check;
int vma_smaps_open_file(struct mm *mm, struct proc_file *file, struct err *e) must_check;
