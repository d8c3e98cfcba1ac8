#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "mm/vma_backend.h"

#define PAGE_MIN 4096

struct vma_query {
	struct proc_file file;
	struct mm text;			/* opened when a name is too long for the query */
	char raw[PATH_MAX];		/* the kernel uses no more of a larger buffer */
	char escaped[4 * PATH_MAX];
};

/*
 * The query gives the name as it is; maps escapes the newline, and nothing
 * else (fs/proc/task_mmu.c: show_map_vma(), seq_path(m, path, "\n")).
 */
static const char *query_name(struct vma_query *q, u32 size)
{
	size_t n = 0;

	if (!size || !q->raw[0])
		return NULL;
	q->raw[sizeof(q->raw) - 1] = '\0';
	if (!strchr(q->raw, '\n'))
		return q->raw;
	for (const char *p = q->raw; *p; p++) {
		if (*p == '\n')
			n = (size_t)(stpcpy(q->escaped + n, "\\012") - q->escaped);
		else
			q->escaped[n++] = *p;
	}
	q->escaped[n] = '\0';
	return q->escaped;
}

static u32 query_flags(u64 kernel)
{
	u32 flags = 0;

	if (kernel & UAPI_PROCMAP_VMA_READABLE)
		flags |= VM_READ;
	if (kernel & UAPI_PROCMAP_VMA_WRITABLE)
		flags |= VM_WRITE;
	if (kernel & UAPI_PROCMAP_VMA_EXECUTABLE)
		flags |= VM_EXEC;
	if (kernel & UAPI_PROCMAP_VMA_SHARED)
		flags |= VM_SHARED;
	return flags;
}

/* 0, or -errno without a message. */
static int query_ask(struct vma_query *q, u64 addr, struct uapi_procmap_query *k)
{
	int r;

	do {
		*k = (struct uapi_procmap_query) {
			.size = sizeof(*k),
			.query_flags = UAPI_PROCMAP_COVERING_OR_NEXT_VMA,
			.query_addr = addr,
			.vma_name_addr = (uintptr_t)q->raw,
			.vma_name_size = sizeof(q->raw),
		};
		r = ioctl(q->file.fd, UAPI_PROCMAP_QUERY, k);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* A path beyond PATH_MAX is ENAMETOOLONG, whatever the buffer; ENOMEM may be over when it is read.  The text has it. */
static int query_by_text(struct vma_query *q, u64 addr, struct vma *out, struct err *e)
{
	if (!q->text.ops) {
		int r = vma_maps_open(&q->text, q->file.pid, q->file.tid, e);

		if (r < 0)
			return r;
	}
	return mm_find(&q->text, addr, out, e);
}

static int query_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	struct vma_query *q = mm->priv;
	struct uapi_procmap_query k;
	int r = query_ask(q, addr, &k);

	if (r == -ENOENT)
		return 0;
	if (r == -ESRCH)
		return proc_file_gone(&q->file, e);
	if (r < 0)
		return query_by_text(q, addr, out, e);
	*out = (struct vma) {
		.start = k.vma_start,
		.end = k.vma_end,
		.pgoff = k.vma_offset,
		.ino = k.inode,
		.dev_major = k.dev_major,
		.dev_minor = k.dev_minor,
		.flags = query_flags(k.vma_flags),
		.name = query_name(q, k.vma_name_size),
	};
	return 1;
}

/* Is there an area in [at, addr) or over it?  Puts its end into *end. */
static int query_below(struct mm *mm, u64 at, u64 addr, u64 *end, struct err *e)
{
	struct vma v;
	int r = query_find(mm, at, &v, e);

	if (r <= 0 || v.start >= addr)
		return min(r, 0);
	*end = v.end;
	return 1;
}

/*
 * The kernel answers forward only: step back in doubling strides to an area
 * below @addr, then halve the gap above it.  Some 10 queries, 90 at worst.
 * *at is an address for which the kernel answers with that area.
 */
static int query_locate(struct mm *mm, u64 addr, u64 *at, struct err *e)
{
	u64 none = addr;	/* nothing begins below @addr and ends above this */
	u64 end = 0;		/* of the area found so far */
	int r = 0;

	for (u64 step = PAGE_MIN; !r && none; step *= 2) {
		*at = none > step ? align_down(none - step, PAGE_MIN) : 0;
		r = query_below(mm, *at, addr, &end, e);
		if (!r)
			none = *at;
	}
	if (r <= 0)
		return r;
	while (end < none) {
		u64 mid = align_down(end + (none - end) / 2, PAGE_MIN);

		r = query_below(mm, mid, addr, &end, e);
		if (r < 0)
			return r;
		if (r)
			*at = mid;
		else
			none = mid;
	}
	return 1;
}

static int query_prev(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	/* The target may change between the questions; each round looks lower. */
	for (;;) {
		u64 at;
		int r = query_locate(mm, addr, &at, e);

		if (r <= 0)
			return r;
		r = query_find(mm, at, out, e);
		if (r < 0 || (r && out->start < addr))
			return r;
		addr = at;
	}
}

static void query_close(struct mm *mm)
{
	struct vma_query *q = mm->priv;

	mm_close(&q->text);
	proc_file_close(&q->file);
	free(q);
}

const struct mm_ops vma_query_ops = {
	.name = "query",
	.find = query_find,
	.close = query_close,
	.prev = query_prev,
};

/*
 * One query shows whether the call works (a filter of system calls may refuse it with
 * any error) and whether the target has memory.
 */
static int query_probe(struct vma_query *q, struct err *e)
{
	struct uapi_procmap_query k;
	int r = query_ask(q, 0, &k);

	if (r == -ESRCH)
		return proc_file_gone(&q->file, e);
	if (r < 0 && r != -ENOENT && r != -ENAMETOOLONG)
		return err_set(e, ERR_UNSUPPORTED, "PROCMAP_QUERY (Linux 6.11) is not to be had here: %s", strerror(-r));
	return 0;
}

int vma_query_open(struct mm *mm, pid_t pid, pid_t tid, struct err *e)
{
	struct vma_query *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(e, -ENOMEM, "open the address space of process %d", pid);
	struct mm open = { .ops = &vma_query_ops, .priv = q };
	int r = proc_file_open(&q->file, pid, tid, "maps", e);
	if (!r)
		r = query_probe(q, e);
	if (r < 0) {
		query_close(&open);
		return r;
	}
	*mm = open;
	return 0;
}
