#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"
#include "mm/pagewalk.h"

static u32 flags_of(const struct target *t, const struct area *a)
{
	return a->file | files_server(t->files, a->vma);
}

static const char *why_unasked(u32 flags)
{
	if (flags & AREA_FILE_SERVED)
		return "not mapped in, and the process itself serves its file";
	if (flags & AREA_FILE_MAY_BE_SERVED)
		return "not mapped in, and the process may serve its file itself";
	return flags & AREA_FILE_SILENT ? "not mapped in, and its file does not answer"
					: "not mapped in, and its file cannot be opened";
}

static int open_once(struct backing *b, const struct target *t, const struct area *a, struct err *e)
{
	int r;

	b->tried = true;
	if (flags_of(t, a) & AREA_FILE_UNASKED)
		return 0;
	if (!b->file)
		b->file = mapped_file_make(t, a, e);
	if (!b->file)
		return e->code;
	r = mapped_file_open(t->files, &b->file, &b->fd, &b->size, &b->allocated, e);
	b->open = !r;
	return r == -ENOENT || r == ERR_TIMEOUT ? 0 : r;
}

int backing_open(struct backing *b, const struct target *t, const struct area *a, const char **why, struct err *e)
{
	int r = b->tried ? 0 : open_once(b, t, a, e);

	*why = b->open ? NULL : why_unasked(flags_of(t, a));
	return r;
}

void backing_close(struct backing *b, const struct target *t)
{
	mapped_file_close(t->files, &b->file);
	scope_close(&b->fd);
	*b = BACKING_NONE;
}

bool backing_hides_holes(const struct backing *b, const struct vma *v)
{
	return v->flags & VM_HUGETLB && b->allocated < b->size;
}

static int given_up(struct err *e)
{
	return err_set(e, ERR_TIMEOUT, "the file does not answer");
}

int backing_next(struct backing *b, const struct target *t, u64 off, u64 end, u64 *data, u64 *hole, struct err *e)
{
	if (b->fd < 0)
		return b->file ? mapped_file_next(t->files, &b->file, off, end, data, hole, e) : given_up(e);
	file_next_data(b->fd, off, end, data, hole);
	return 0;
}

int backing_read(struct backing *b, const struct target *t, u64 off, void *p, size_t len, ssize_t *n, struct err *e)
{
	if (b->fd < 0)
		return b->file ? mapped_file_read(t->files, &b->file, off, p, len, n, e) : given_up(e);
	*n = pread(b->fd, p, len, (off_t)off);
	return 0;
}

bool backing_is_past_end(struct backing *b, const struct target *t, const struct area *a, u64 off)
{
	const char *unasked;
	struct err ignored;
	struct stat st;

	return !vma_is_anon(a->vma) && !vma_is_special(a->vma) && !backing_open(b, t, a, &unasked, &ignored) && b->fd >= 0 &&
	       !fstat(b->fd, &st) && off >= (u64)st.st_size;
}

bool backing_may_wait(const struct target *t, const struct area *a, u32 page_flags)
{
	return page_flags & PAGE_FILE && !vma_is_anon(a->vma) && !vma_is_special(a->vma) &&
	       flags_of(t, a) & (AREA_FILE_REMOTE | AREA_FILE_UNASKED);
}

int backing_memory(struct backing *b, const struct target *t, const struct area *a, u64 addr, void *p, size_t len,
		   size_t *n, struct err *e)
{
	if (flags_of(t, a) & AREA_FILE_STUCK)
		return given_up(e);
	if (!b->file)
		b->file = mapped_file_make(t, a, e);
	return b->file ? mapped_file_memory(t->files, &b->file, addr, p, len, n, e) : e->code;
}
