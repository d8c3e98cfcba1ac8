/* file_tags.h - memory tags of file pages that the target has not mapped in. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * Pages of a file in memory (memfd, tmpfs, shared anonymous) belong to the file,
 * and their tags to the pages.  Asking the target for one that it has not mapped
 * in would make it larger; a child of ours that maps the same file, stopped by
 * us, is asked instead.  A child, not this process: a process cannot ptrace
 * itself, and a file that shrinks meanwhile is an error there and no
 * SIGBUS here.
 */
struct file_tags {
	pid_t child;	/* 0: none */
	u8 *map;
	u64 off;	/* file offset of map, bytes */
	size_t len;
};

/*
 * Maps [off, off + len) of @fd, page-aligned.  A zeroed file_tags may be closed.
 * In the calling thread alone the tags can be read.
 */
int file_tags_open(struct file_tags *f, int fd, u64 off, u64 len, struct err *e) must_check;
/* As target_tags(), of the granules from file offset @off. */
int file_tags_read(const struct file_tags *f, u64 off, u8 *tags, size_t n, size_t *got, struct err *e) must_check;
void file_tags_close(struct file_tags *f);
