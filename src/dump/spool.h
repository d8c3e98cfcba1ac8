/*
 * spool.h - memory that a snapshot lacks, for an output that is written front to back.
 *
 * It is read while the target stands still, and its turn comes later.  Until then it is in a
 * sparse file without a name, at its offsets in the core.
 */
#pragma once

#include "dump/writer.h"

struct spool {
	int fd;			/* -1: there is none */
	u64 max;		/* bytes that it takes */
	struct err none;	/* fd -1: why; code 0: none is needed */
};

/*
 * Room for about @bytes: in memory if they are few, or else beside the output @path (NULL: it is not in a
 * directory), or where temporary files are.  On error @s says why, too.
 */
int spool_open(struct spool *s, u64 bytes, const char *path, struct err *e) must_check;
void spool_close(struct spool *s);

/* A writer into @s, whose descriptor it does not close. */
int spool_writer(struct writer *w, const struct spool *s, struct err *e) must_check;

/*
 * What has been written at [off, end), from the first byte that is no hole: up to @len bytes into @p, and *at
 * is where they begin.  *n 0: there are no more.
 */
int spool_next(const struct spool *s, u64 off, u64 end, void *p, size_t len, u64 *at, size_t *n,
	       struct err *e) must_check;
