#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"

bool backing_open(struct backing *b, const struct target *t, const struct area *a)
{
	struct err ignored;
	struct stat st;

	if (b->fd != -1)
		return b->fd >= 0;
	b->fd = area_open_file(t, a, &ignored);
	if (b->fd >= 0 && !fstat(b->fd, &st)) {
		b->size = (u64)st.st_size;
		b->allocated = (u64)st.st_blocks * 512;
		return true;
	}
	scope_close(&b->fd);
	b->fd = -2;
	return false;
}

void backing_close(struct backing *b)
{
	scope_close(&b->fd);
	*b = BACKING_NONE;
}

bool backing_hides_holes(const struct backing *b, const struct vma *v)
{
	return v->flags & VM_HUGETLB && b->allocated < b->size;
}

void backing_next(const struct backing *b, u64 off, u64 end, u64 *data, u64 *hole)
{
	off_t at = lseek(b->fd, (off_t)off, SEEK_DATA);

	if (at < 0) {
		/* ENXIO: only a hole follows.  Anything else: the file system cannot tell. */
		*data = errno == ENXIO ? end : off;
		*hole = end;
		return;
	}
	*data = min((u64)at, end);
	at = lseek(b->fd, at, SEEK_HOLE);
	*hole = at < 0 || (u64)at <= off ? end : min((u64)at, end);
}
