#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "live/borrow.h"
#include "live/inject.h"
#include "live/proc.h"
#include "live/undo.h"
#include "live/written.h"
#include "mm/page_backend.h"

enum { BORROW_MS = 500, REGIONS_MAX = 512 };

/* ---- the descriptor */

/* What a thread, or several, do in turn. */
struct fetch {
	const struct vma *vdso;
	u64 undo;	/* see undo.h */
	bool seccomp;
	s64 there;	/* the number that it has in the process; -1: not made yet */
	int ours;
	bool closed;
	int refused;	/* errno of a call that the kernel refused */
};

static int fetch_copy(struct fetch *f, pid_t pid)
{
	int pidfd auto_close = (int)syscall(SYS_pidfd_open, pid, 0);

	if (f->ours < 0)
		f->ours = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, (int)f->there, 0);
	return f->ours < 0 ? errno : 0;
}

static int fetch_make(struct fetch *f, const struct inject *i, struct target *t, struct err *e)
{
	const u64 args[4] = { O_CLOEXEC | UAPI_UFFD_USER_MODE_ONLY };
	struct inject_result out = { 0 };
	int r = inject_borrow(i, t, &t->threads[0], INJECT_USERFAULTFD, args, &out, e);

	if (r > 0 && out.ret >= 0)
		f->there = out.ret;
	else if (r > 0)
		f->refused = (int)-out.ret;
	return r;
}

static int fetch_close(struct fetch *f, const struct inject *i, struct target *t, struct err *e)
{
	const u64 args[4] = { (u64)f->there };
	struct inject_result out;
	int r = inject_borrow(i, t, &t->threads[0], INJECT_CLOSE, args, &out, e);

	f->closed = r > 0;
	return r;
}

/* Made, copied and closed while the thread stands still; should a signal come between, another goes on. */
static int fetch_by(struct target *t, void *arg, struct err *e)
{
	struct fetch *f = arg;
	struct inject i;
	int r = 1;

	if (!inject_may_use(t, &t->threads[0]))
		return 0;
	if (inject_open(&i, t, f->vdso, f->undo, f->seccomp, e))
		return e->code;
	if (f->there < 0)
		r = fetch_make(f, &i, t, e);
	if (r <= 0 || f->there < 0)
		return r;
	f->refused = fetch_copy(f, t->pid);
	return f->closed ? 1 : fetch_close(f, &i, t, e);
}

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_UNSUPPORTED, "no pre-copy: %s", why);
}

static int take_descriptor(struct written *w, const struct target *t, const struct areas *areas, bool seccomp,
			   struct err *e)
{
	struct fetch f = { .vdso = inject_vdso(areas), .undo = undo_find_code(t, areas), .seccomp = seccomp, .there = -1, .ours = -1 };
	int r = borrow_any(t->pid, t->start_time, BORROW_MS, fetch_by, &f, e);

	w->uffd = f.ours;
	if (r < 0)
		return r;
	if (!r && f.there >= 0)
		return err_set(e, ERR_UNSUPPORTED, "no pre-copy: descriptor %d, made for it in the process, could not be closed "
			       "again", (int)f.there);
	if (!r)
		return refuse(e, "no thread of the process waits in a system call, free of signals");
	return f.refused ? err_set(e, ERR_UNSUPPORTED, "no pre-copy: the kernel refused a userfaultfd: %s", strerror(f.refused))
			 : 0;
}

static int ask_for_async(const struct written *w, struct err *e)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UAPI_UFFD_FEATURE_WP_ASYNC };

	return ioctl(w->uffd, UFFDIO_API, &api) ? refuse(e, "the kernel cannot watch writes by itself (Linux 6.7 can)") : 0;
}

/* ---- writes that are not seen */

/* Registered buffers: io_uring/fdinfo.c, "UserBufs:	N". */
static bool has_buffers(const struct target *t, const char *fd)
{
	char value[64];

	return proc_fdinfo(t->pid, t->reader, fd, "UserBufs:", value, sizeof(value)) && strtoul(value, NULL, 10);
}

static bool lets_devices_write(const struct target *t, const char *fd)
{
	char path[64], link[256];
	struct err ignored;

	snprintf(path, sizeof(path), "fd/%.16s", fd);
	if (proc_readlink(t->pid, t->reader, path, link, sizeof(link), &ignored))
		return false;
	return strstr(link, "/dev/infiniband/") || strstr(link, "/dev/vfio/") ||
	       (!strcmp(link, "anon_inode:[io_uring]") && has_buffers(t, fd));
}

/*
 * What a device writes into pages that were pinned for it before they were protected goes past the page
 * tables.  Those that are pinned for one read(2) with O_DIRECT are not known: see tagcore-dump(1).
 */
static bool has_pinned(const struct target *t)
{
	DIR *dir scoped(scope_closedir) = NULL;
	struct dirent *d;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", t->pid, t->reader);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (lets_devices_write(t, d->d_name))
			return true;
	return false;
}

/* ---- scanning */

struct scan {
	u64 at;		/* up to here it is done */
	size_t n;
	struct uapi_page_region regions[REGIONS_MAX];
};

/* Guard pages are told, but not protected: that would put something else into their place. */
static int ask(const struct written *w, struct scan *s, u64 end, bool protect)
{
	u64 none = protect ? UAPI_PAGE_IS_GUARD & w->known : 0;
	struct uapi_pm_scan_arg arg = {
		.size = sizeof(arg), .flags = protect ? UAPI_PM_SCAN_WP_MATCHING : 0,
		.start = s->at, .end = end, .vec = (uintptr_t)s->regions, .vec_len = REGIONS_MAX,
		.category_inverted = none,
		.category_mask = (protect ? UAPI_PAGE_IS_WRITTEN : 0) | none,
		.category_anyof_mask = UAPI_PAGE_IS_PRESENT | UAPI_PAGE_IS_SWAPPED,
		.return_mask = UAPI_PAGE_IS_WRITTEN | UAPI_PAGE_IS_WPALLOWED | UAPI_PAGE_IS_PFNZERO | (UAPI_PAGE_IS_GUARD & w->known),
	};
	int r;

	do {
		r = ioctl(w->pagemap.fd, UAPI_PAGEMAP_SCAN, &arg);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	s->n = (size_t)r;
	s->at = arg.walk_end > s->at ? min((u64)arg.walk_end, end) : end;
	return 0;
}

int written_scan(const struct written *w, u64 start, u64 end, bool protect, written_fn *fn, void *arg, struct err *e)
{
	struct scan s = { .at = start };
	int r = 0;

	while (!r && s.at < end) {
		u64 from = s.at;

		r = ask(w, &s, end, protect);
		if (r == -ESRCH)
			return proc_file_gone(&w->pagemap, e);
		if (r)
			return err_set(e, r, "%s: PAGEMAP_SCAN of 0x%llx-0x%llx", w->pagemap.path, (unsigned long long)from,
				       (unsigned long long)end);
		for (size_t i = 0; !r && i < s.n; i++) {
			const struct uapi_page_region *p = &s.regions[i];
			struct written_run run = { p->start, p->end, .zero = p->categories & UAPI_PAGE_IS_PFNZERO,
						   .guard = p->categories & UAPI_PAGE_IS_GUARD };

			run.written = p->categories & UAPI_PAGE_IS_WRITTEN || !(p->categories & UAPI_PAGE_IS_WPALLOWED);
			r = fn(&run, arg, e);
		}
	}
	return r;
}

/* Guard pages are known since v6.15 and there since v6.13. */
static int probe(struct written *w, struct err *e)
{
	struct scan s = { 0 };
	int r;

	w->known = UINT64_MAX;
	r = ask(w, &s, (u64)sysconf(_SC_PAGESIZE), false);
	if (r == -EINVAL) {
		w->known = ~(u64)UAPI_PAGE_IS_GUARD;
		s.at = 0;
		r = ask(w, &s, (u64)sysconf(_SC_PAGESIZE), false);
	}
	return r ? refuse(e, "the kernel has no PAGEMAP_SCAN (Linux 6.7)") : 0;
}

/* ---- all together */

int written_open(struct written *w, const struct target *t, const struct areas *areas, struct err *e)
{
	const struct vma *vdso = inject_vdso(areas);
	bool seccomp = false;
	int r;

	*w = (struct written){ .uffd = -1 };
	r = inject_check(t, &seccomp, e);
	if (!r && !vdso)
		r = err_set(e, ERR_UNSUPPORTED, "the process has no vdso");
	if (r == ERR_UNSUPPORTED)
		return err_wrap(e, "no pre-copy");
	if (!r && has_pinned(t))
		r = refuse(e, "devices may write into memory of the process (io_uring buffers, RDMA, VFIO), which is not seen");
	if (!r)
		r = pagemap_open(&w->pagemap, t->pid, t->reader, e);
	if (!r)
		r = probe(w, e);
	if (!r)
		r = take_descriptor(w, t, areas, seccomp, e);
	if (!r)
		r = ask_for_async(w, e);
	if (r)
		written_close(w);
	return r;
}

bool written_watch(const struct written *w, u64 start, u64 end)
{
	struct uffdio_register range = { .range = { start, end - start }, .mode = UFFDIO_REGISTER_MODE_WP };

	return !ioctl(w->uffd, UFFDIO_REGISTER, &range);
}

bool written_unwatch(const struct written *w, u64 start, u64 end)
{
	struct uffdio_range range = { start, end - start };

	return !ioctl(w->uffd, UFFDIO_UNREGISTER, &range);
}

void written_close(struct written *w)
{
	scope_close(&w->uffd);
	proc_file_close(&w->pagemap);
	*w = (struct written){ .uffd = -1 };
}
