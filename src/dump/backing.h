/* backing.h - the file that an area maps: content that the target has not faulted in. */
#pragma once

#include "live/area.h"
#include "live/files.h"
#include "live/target.h"

/*
 * An area's file, opened when first needed.  BACKING_NONE is a fresh one.  The calling thread may be the one that
 * holds the target: a file whose server may not answer is opened and read by the thread of struct files.
 */
struct backing {
	struct mapped_file *file;	/* NULL: not asked for yet, or given up */
	bool tried, open;
	int fd;		/* of a file that the calling thread reads, else -1 */
	u64 size;	/* bytes */
	u64 allocated;	/* bytes of it that take room */
};
#define BACKING_NONE ((struct backing){ .fd = -1 })

/*
 * Tries once.  0: it is open, and *why is NULL, or why it is not: a literal, for NT_TAGCORE_MISSING.  Here and
 * below @t is the target or its snapshot, and ERR_TIMEOUT says that the file does not answer.
 */
int backing_open(struct backing *b, const struct target *t, const struct area *a, const char **why,
		 struct err *e) must_check;
void backing_close(struct backing *b, const struct target *t);
/*
 * True when backing_next() does not find the holes that there may be: hugetlbfs
 * takes any offset below the size for data (Linux 6.12, fs/read_write.c:
 * default_llseek()).
 */
bool backing_hides_holes(const struct backing *b, const struct vma *v);
/*
 * The next bytes at or after @off that are not a hole: [*data, *hole), cut to
 * @end; both are @end when none follow.  *hole > @off always, so a walk ends
 * even on a file that changes.
 */
int backing_next(struct backing *b, const struct target *t, u64 off, u64 end, u64 *data, u64 *hole,
		 struct err *e) must_check;
/* Up to @len bytes at @off; *n is -1 where they cannot be read, and 0 at the end. */
int backing_read(struct backing *b, const struct target *t, u64 off, void *p, size_t len, ssize_t *n,
		 struct err *e) must_check;

/* Whether byte @off is past the end that the file has now; false where a server would have to be asked. */
bool backing_is_past_end(struct backing *b, const struct target *t, const struct area *a, u64 off);

/*
 * A page that is the file's and in memory may be so no more when it is read, and then the file is: true where
 * that is to be left to backing_memory().
 */
bool backing_may_wait(const struct target *t, const struct area *a, u32 page_flags);
int backing_memory(struct backing *b, const struct target *t, const struct area *a, u64 addr, void *p, size_t len,
		   size_t *n, struct err *e) must_check;
