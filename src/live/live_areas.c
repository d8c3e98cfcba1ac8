#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/io.h"
#include "base/open.h"
#include "base/scope.h"
#include "base/util.h"
#include "live/area.h"
#include "live/target.h"
#include "mm/pagewalk.h"

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/* What must agree for a path to count as the mapped file. */
enum file_match {
	BY_LINK,	/* the kernel's own link to it */
	SAME_INODE,	/* its name: btrfs and overlayfs show another device in maps than in stat */
	SAME_FILE,	/* any path: device and inode must agree */
};

static bool same_file(int fd, const struct vma *v, enum file_match how)
{
	struct stat st;

	if (how == BY_LINK)
		return true;
	if (fstat(fd, &st) || st.st_ino != v->ino)
		return false;
	return how == SAME_INODE || st.st_dev == makedev(v->dev_major, v->dev_minor);
}

/* "\012" back to a newline, as seq_file_path() escaped it. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (!strncmp(s, "\\012", 4)) {
			*to++ = '\n';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

/* Takes over @opened, which is negative or a file. */
static int keep_if_same(int opened, const struct vma *v, enum file_match how)
{
	int fd auto_close = opened;

	return fd >= 0 && same_file(fd, v, how) ? take_fd(fd) : -1;
}

static int open_if_same(const char *path, const struct vma *v, enum file_match how)
{
	return keep_if_same(open_regular(path, NULL), v, how);
}

/* By the name that the target has for it: in its own root, which symbolic links do not lead out of. */
static int open_by_name(const struct target *t, const struct vma *v)
{
	char root[64], name[PATH_MAX];

	if (!v->name || v->name[0] != '/' || has_suffix(v->name, " (deleted)") ||
	    snprintf(name, sizeof(name), "%s", v->name) >= (int)sizeof(name))
		return -1;
	snprintf(root, sizeof(root), "/proc/%d/root", t->reader);
	unescape(name);
	return keep_if_same(open_regular_in(root, name, NULL), v, SAME_INODE);
}

/* Shared memory without a name may be open as a descriptor of the target. */
static int open_by_fd(const struct target *t, const struct vma *v)
{
	char path[512];
	struct dirent *d;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", t->reader);
	dir = opendir(path);
	while (dir && fd < 0 && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", t->reader, d->d_name);
		fd = open_if_same(path, v, SAME_FILE);
	}
	if (dir)
		closedir(dir);
	return fd;
}

int area_open_file(const struct target *t, const struct area *a, struct err *e)
{
	const struct vma *v = a->vma;
	char path[96];
	int fd;

	/* map_files opens the very file, deleted or not, but wants CAP_CHECKPOINT_RESTORE. */
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", t->reader,
		 (unsigned long long)a->map_start, (unsigned long long)a->map_end);
	fd = open_if_same(path, v, BY_LINK);
	if (fd < 0)
		fd = open_by_name(t, v);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/exe", t->reader);
		fd = open_if_same(path, v, SAME_FILE);
	}
	if (fd < 0)
		fd = open_by_fd(t, v);
	return fd >= 0 ? fd : err_set(e, -ENOENT, "no way to open %s", v->name ? v->name : "the mapped file");
}

static u32 magic_flags(const u8 *magic)
{
	return !memcmp(magic, "\177ELF", 4) ? AREA_FILE_ELF : 0;
}

static bool is_same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/*
 * A reader here finds the file by the name that it has in maps.  In another mount namespace
 * the target may have another file of that name, or none is here.  Overlayfs and
 * btrfs show another device in maps, and of a mapped file, than by its name: then what the
 * name leads to in the target's own root decides.
 */
static bool is_here(const struct target *t, const struct vma *v, int mapped)
{
	char name[PATH_MAX], there[PATH_MAX + 64];
	struct stat here, st;

	if (!v->name || v->name[0] != '/' || snprintf(name, sizeof(name), "%s", v->name) >= (int)sizeof(name))
		return false;
	unescape(name);
	snprintf(there, sizeof(there), "/proc/%d/root%s", t->reader, name);
	if (stat(name, &here))
		return false;
	return (mapped >= 0 && !fstat(mapped, &st) && is_same_stat(&here, &st)) ||
	       (here.st_ino == v->ino && here.st_dev == makedev(v->dev_major, v->dev_minor)) ||
	       (!stat(there, &st) && is_same_stat(&here, &st));
}

static u32 file_flags(const struct target *t, const struct area *a)
{
	const struct vma *v = a->vma;
	u32 flags = v->name && has_suffix(v->name, " (deleted)") ? AREA_FILE_UNLINKED : 0;
	u8 magic[4] = { 0 };
	struct statx sx;
	struct err ignored;
	int fd auto_close = -1;
	size_t n;

	/* A DAX device is not opened, for opening may act; its whole memory is DAX. */
	if (v->name && !strncmp(v->name, "/dev/dax", 8))
		return AREA_FILE_DAX;
	fd = area_open_file(t, a, &ignored);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MODE | STATX_NLINK, &sx))
		return flags | AREA_FILE_UNKNOWN | (is_here(t, v, -1) ? 0 : AREA_FILE_ELSEWHERE);
	flags = (sx.stx_nlink ? 0 : AREA_FILE_UNLINKED) | (is_here(t, v, fd) ? 0 : AREA_FILE_ELSEWHERE);
	if (sx.stx_mode & 0111)
		flags |= AREA_FILE_EXEC;
	if (sx.stx_attributes & STATX_ATTR_DAX)
		flags |= AREA_FILE_DAX;
	/* A file of less than four bytes is no ELF file; for an unreadable one this is not known. */
	if (io_pread_full(fd, magic, sizeof(magic), 0, &n, "the mapped file", &ignored))
		return flags | AREA_FILE_UNKNOWN;
	return flags | magic_flags(magic);
}

/*
 * The file's beginning as the target has it mapped, by which the kernel decides:
 * fs/coredump.c: vma_dump_size() and the caller, which reads the page.
 * Only where that page is in memory, so that the target does not grow.  1 and
 * *facts; 0 when it is not.
 */
static int memory_flags(const struct target *t, struct page_source *pages, const struct vma *v, u32 *flags)
{
	struct page_run run;
	struct err ignored;
	u8 magic[4];
	size_t n = 0;

	if (v->pgoff || !(v->flags & VM_READ))
		return 0;
	if (!pages->ops && page_source_open_pid(pages, t->pid, t->reader, NULL, &ignored))
		return 0;
	if (pages->ops->next(pages, v->start, v->start + (u64)sysconf(_SC_PAGESIZE), &run, &ignored) <= 0 ||
	    !(run.flags & (PAGE_PRESENT | PAGE_SWAPPED)) || page_may_wait(v, &run) ||
	    target_read(t, v->start, magic, sizeof(magic), &n, &ignored) || n < sizeof(magic))
		return 0;
	*flags = magic_flags(magic);
	return 1;
}

static bool same_inode(const struct vma *a, const struct vma *b)
{
	return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

static void fill_file_flags(const struct target *t, struct areas *a)
{
	struct page_source pages scoped(page_source_close) = { 0 };
	u32 flags;

	for (size_t i = 0; i < a->n; i++) {
		const struct vma *v = a->v[i].vma;

		if (vma_is_anon(v) || vma_is_special(v))
			continue;
		/* A file's areas are adjacent: ask once a file, not once an area. */
		if (i && !vma_is_anon(a->v[i - 1].vma) && same_inode(v, a->v[i - 1].vma))
			a->v[i].file = a->v[i - 1].file;
		else
			a->v[i].file = file_flags(t, &a->v[i]);
		if (a->v[i].file & AREA_FILE_UNKNOWN && memory_flags(t, &pages, v, &flags))
			a->v[i].file |= flags;
	}
}

static int make_areas(struct areas *a, struct err *e)
{
	a->n = a->list.n;
	a->v = calloc(a->n + 1, sizeof(*a->v));
	if (!a->v)
		return err_set(e, -ENOMEM, "list of %zu areas", a->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct vma *v = &a->list.v[i];

		a->v[i] = (struct area){ .vma = v, .map_start = v->start, .map_end = v->end };
	}
	return 0;
}

int areas_collect(const struct target *t, struct areas *out, struct err *e)
{
	struct areas a scoped(areas_fini) = { 0 };
	struct mm mm scoped(mm_close) = { 0 };
	int r = mm_open_pid(&mm, t->pid, t->reader, "smaps", e);

	if (!r)
		r = vma_snapshot(&mm, &a.list, e);
	if (!r)
		r = make_areas(&a, e);
	if (r)
		return r;
	fill_file_flags(t, &a);
	*out = a;
	a = (struct areas){ 0 };
	return 0;
}

static bool same_area(const struct vma *a, const struct vma *b)
{
	const u32 shown = VM_READ | VM_WRITE | VM_EXEC | VM_SHARED;

	return a->start == b->start && a->end == b->end && (a->flags & shown) == (b->flags & shown) &&
	       a->pgoff == b->pgoff && same_inode(a, b) && !a->name == !b->name &&
	       (!a->name || !strcmp(a->name, b->name));
}

/* Walks the target's areas beside ours: 1 when all are as they were, 0 when not. */
static int unchanged(const struct target *t, const struct areas *a, struct err *e)
{
	struct mm mm scoped(mm_close) = { 0 };
	struct vma *v;
	size_t i = 0;
	bool same = true;
	int r = mm_open_pid(&mm, t->pid, t->reader, "maps", e);

	if (r)
		return r;
	VMA_ITERATOR(vmi, &mm, 0);
	while (same && (v = vma_next(&vmi))) {
		same = i < a->n && same_area(v, a->v[i].vma);
		i++;
	}
	r = vma_iter_end(&vmi, e);
	return r ? r : same && i == a->n;
}

static int count_private(const struct vma *v, const struct page_run *run, void *arg, struct err *e)
{
	u64 *bytes = arg;

	(void)v;
	(void)e;
	if (!(run->flags & (PAGE_FILE | PAGE_ZERO | PAGE_GUARD)))
		*bytes += run->end - run->start;
	return 0;
}

static const struct page_walk_ops count_private_ops = { .run = count_private };

/* Nothing was written when smaps was read; a page written since decides whether the area is saved. */
static int recount(struct page_source *pages, struct vma *v, bool reserved, struct err *e)
{
	bool depends_on_it = !(v->flags & VM_SHARED) &&
			     (!vma_is_anon(v) || (reserved && !(v->flags & (VM_READ | VM_WRITE | VM_EXEC))));

	if (v->anon + v->swap || !depends_on_it || vma_is_special(v))
		return 0;
	return page_walk_vma(pages, v, v->start, v->end, &count_private_ops, &v->anon, e);
}

int areas_refresh(const struct target *t, struct page_source *pages, struct areas *a, bool reserved, struct err *e)
{
	int r = unchanged(t, a, e);

	if (r < 0)
		return r;
	if (!r) {
		areas_fini(a);
		return areas_collect(t, a, e);
	}
	r = 0;
	for (size_t i = 0; !r && i < a->list.n; i++)
		r = recount(pages, &a->list.v[i], reserved, e);
	return r;
}

void areas_fini(struct areas *a)
{
	free(a->v);
	vma_list_fini(&a->list);
	*a = (struct areas){ 0 };
}

/* Index of the area that holds @addr inside, not at its start; a->n when none does. */
/* One area becomes as many as there are cuts inside it; *k goes past those. */
static void cut(struct areas *out, const struct area *whole, const u64 *at, size_t n, size_t *k)
{
	struct vma rest = *whole->vma;

	while (*k < n && at[*k] <= rest.start)
		++*k;
	for (; *k < n && at[*k] < rest.end; ++*k) {
		struct vma low = rest;

		if (at[*k] == rest.start)
			continue;
		low.end = at[*k];
		out->list.v[out->n] = low;
		out->v[out->n++] = *whole;
		rest.start = at[*k];
		if (!vma_is_anon(&rest))
			rest.pgoff += vma_len(&low);
	}
	out->list.v[out->n] = rest;
	out->v[out->n++] = *whole;
}

int areas_split(struct areas *a, const u64 *at, size_t n, struct err *e)
{
	struct areas out = { .list.cap = a->n + n };
	size_t k = 0;

	out.list.v = calloc(out.list.cap + 1, sizeof(*out.list.v));
	out.v = calloc(out.list.cap + 1, sizeof(*out.v));
	if (!out.list.v || !out.v) {
		free(out.list.v);
		free(out.v);
		return err_set(e, -ENOMEM, "list of %zu areas", out.list.cap);
	}
	/* The private copies may be in any part: all keep the whole's count. */
	for (size_t i = 0; i < a->n; i++)
		cut(&out, &a->v[i], at, n, &k);
	for (size_t i = 0; i < out.n; i++)
		out.v[i].vma = &out.list.v[i];
	out.list.n = out.n;
	free(a->list.v);
	free(a->v);
	a->list.v = out.list.v;
	a->list.n = out.list.n;
	a->list.cap = out.list.cap;
	a->v = out.v;
	a->n = out.n;
	return 0;
}
