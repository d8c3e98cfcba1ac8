#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/uapi.h"
#include "base/util.h"
#include "mm/page_backend.h"

/* As many as the kernel collects at a time: Linux 6.12, fs/proc/task_mmu.c: PAGEMAP_WALK_SIZE. */
#define REGIONS_MAX 512

struct page_scan {
	struct proc_file file;
	u64 page_size;
	u64 known;		/* categories that this kernel knows, of those we ask for */
	struct page_place place;
	u64 scanned;		/* the regions are all there is below this address */
	u64 asked;		/* the end of what was asked for when they were read */
	size_t n;
	size_t at;		/* the next region to hand out */
	struct uapi_page_region regions[REGIONS_MAX];
};

/* Something is there; what it is (PAGE_IS_FILE, PAGE_IS_PFNZERO) comes with it. */
#define SCAN_ANY (UAPI_PAGE_IS_PRESENT | UAPI_PAGE_IS_SWAPPED | UAPI_PAGE_IS_GUARD)
#define SCAN_ALL (SCAN_ANY | UAPI_PAGE_IS_FILE | UAPI_PAGE_IS_PFNZERO)

static u32 category_flags(u64 categories)
{
	static const struct {
		u64 category;
		u32 flag;
	} rows[] = {
		{ UAPI_PAGE_IS_PRESENT, PAGE_PRESENT },
		{ UAPI_PAGE_IS_SWAPPED, PAGE_SWAPPED },
		{ UAPI_PAGE_IS_FILE, PAGE_FILE },
		{ UAPI_PAGE_IS_PFNZERO, PAGE_ZERO },
	};
	u32 flags = 0;

	/* Stored as a special swap entry, and called swapped, too. */
	if (categories & UAPI_PAGE_IS_GUARD)
		return PAGE_GUARD;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (categories & rows[i].category)
			flags |= rows[i].flag;
	return flags;
}

/* Fills the regions from @start on.  0, or -errno without a message. */
static int scan_ask(struct page_scan *s, u64 start, u64 end)
{
	struct uapi_pm_scan_arg arg;
	int r;

	s->n = s->at = 0;
	do {
		arg = (struct uapi_pm_scan_arg){
			.size = sizeof(arg),
			.start = start,
			.end = end,
			.vec = (uintptr_t)s->regions,
			.vec_len = REGIONS_MAX,
			.category_anyof_mask = SCAN_ANY & s->known,
			.return_mask = SCAN_ALL & s->known,
		};
		r = ioctl(s->file.fd, UAPI_PAGEMAP_SCAN, &arg);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	s->n = (size_t)r;
	/* Full: go on after the last run.  Else the walk is complete, or walk_end says where it stopped. */
	if (s->n == REGIONS_MAX)
		s->scanned = s->regions[s->n - 1].end;
	else
		s->scanned = arg.walk_end > start && arg.walk_end < end ? arg.walk_end : end;
	return 0;
}

/*
 * The kernel refuses a range that is not all user space; [vsyscall] is such an
 * area, and has no pages of the task's.
 */
static int scan_outside(struct page_scan *s, u64 start, struct err *e)
{
	int r = scan_ask(s, start, start + s->page_size);

	if (r != -EFAULT)
		return err_set(e, -EFAULT, "%s: PAGEMAP_SCAN past the address space from 0x%llx on",
			       s->file.path, (unsigned long long)start);
	s->scanned = UINT64_MAX;
	return 0;
}

static int scan_fill(struct page_scan *s, u64 start, u64 end, struct err *e)
{
	int r = scan_ask(s, start, end);

	if (r == -EFAULT)
		r = scan_outside(s, start, e);
	else if (r == -ESRCH)
		r = proc_file_gone(&s->file, e);
	else if (r < 0)
		err_set(e, r, "%s: PAGEMAP_SCAN of 0x%llx-0x%llx", s->file.path,
			(unsigned long long)start, (unsigned long long)end);
	if (r < 0)
		return r;
	/* After the target's end the call of older kernels finds nothing and says nothing; since 6.18 or so it is ESRCH. */
	return s->n ? 0 : pagemap_alive(&s->file, e);
}

/* Whether what was read ahead answers for [@start, @end). */
static bool goes_on(const struct page_source *src, const struct page_scan *s, u64 start, u64 end)
{
	return page_place_is(&s->place, start, end) ||
	       (src->ahead && s->asked == src->ahead && start >= s->place.start && end <= src->ahead);
}

/* The next region that reaches past @start, read if need be; NULL: none begins below @end, or *r is an error. */
static const struct uapi_page_region *next_region(struct page_source *src, u64 start, u64 end, int *r, struct err *e)
{
	struct page_scan *s = src->priv;

	while (s->at < s->n && s->regions[s->at].end <= start)
		s->at++;
	while (s->at == s->n && s->scanned < end) {
		s->asked = max(end, src->ahead);
		*r = scan_fill(s, max(s->scanned, align_down(start, s->page_size)), s->asked, e);
		if (*r < 0)
			return NULL;
	}
	return s->at < s->n && s->regions[s->at].start < end ? &s->regions[s->at] : NULL;
}

static int scan_next(struct page_source *src, u64 start, u64 end, struct page_run *out,
		     struct err *e)
{
	struct page_scan *s = src->priv;
	const struct uapi_page_region *region;
	int r = 0;

	if (start >= end)
		return 0;
	if (!goes_on(src, s, start, end)) {
		s->n = s->at = 0;
		s->scanned = 0;
	}
	region = next_region(src, start, end, &r, e);
	s->place = (struct page_place){ end, end };
	if (!region)
		return r;
	*out = (struct page_run){
		.start = max(region->start, start),
		.end = min(region->end, end),
		.flags = category_flags(region->categories),
	};
	s->place = (struct page_place){ out->end, end };
	return 1;
}

static void scan_close(struct page_source *src)
{
	struct page_scan *s = src->priv;

	proc_file_close(&s->file);
	free(s);
}

const struct page_source_ops page_scan_ops = {
	.name = "scan",
	.next = scan_next,
	.close = scan_close,
};

/*
 * Which categories the kernel takes: an unknown one is EINVAL.  However the call
 * is refused, by an older kernel or by a filter of system calls with whatever
 * error it likes, pagemap's words say the same.
 */
static int scan_probe(struct page_scan *s, struct err *e)
{
	s->known = SCAN_ALL;
	int r = scan_ask(s, 0, s->page_size);
	if (r == -EINVAL) {
		s->known = SCAN_ALL & ~UAPI_PAGE_IS_GUARD;
		r = scan_ask(s, 0, s->page_size);
	}
	if (r == -ESRCH)
		return proc_file_gone(&s->file, e);
	if (r < 0)
		return err_set(e, ERR_UNSUPPORTED, "PAGEMAP_SCAN (Linux 6.7) is not to be had here: %s", strerror(-r));
	return 0;
}

int page_scan_open(struct page_source *src, pid_t pid, pid_t tid, struct err *e)
{
	struct page_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, -ENOMEM, "read the pages of process %d", pid);
	struct page_source open = { .ops = &page_scan_ops, .priv = s };
	s->page_size = (u64)sysconf(_SC_PAGESIZE);
	int r = pagemap_open(&s->file, pid, tid, e);
	if (!r)
		r = scan_probe(s, e);
	if (r < 0) {
		scan_close(&open);
		return r;
	}
	*src = open;
	return 0;
}
