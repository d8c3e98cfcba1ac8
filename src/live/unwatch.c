#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "live/written.h"

/* Of pages, and what is said where it cannot be measured. */
enum { PROBE_PAGES = 1024, SLOW_NS = 2000 };

static bool watch_own(const struct written *w, u64 start, u64 end)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UAPI_UFFD_FEATURE_WP_ASYNC };
	struct uapi_page_region unused[4];
	struct uapi_pm_scan_arg arg = {
		.size = sizeof(arg), .flags = UAPI_PM_SCAN_WP_MATCHING, .start = start, .end = end,
		.vec = (uintptr_t)unused, .vec_len = ARRAY_SIZE(unused),
		.category_mask = UAPI_PAGE_IS_WRITTEN, .return_mask = UAPI_PAGE_IS_WRITTEN,
	};

	return w->uffd >= 0 && w->pagemap.fd >= 0 && !ioctl(w->uffd, UFFDIO_API, &api) && written_watch(w, start, end) &&
	       ioctl(w->pagemap.fd, UAPI_PAGEMAP_SCAN, &arg) >= 0;
}

/* With what follows when the memory is used next. */
static u64 measure(const struct written *w, u8 *p, size_t len)
{
	u64 start = (uintptr_t)p, begin;

	if (madvise(p, len, MADV_NOHUGEPAGE))
		return SLOW_NS;
	memset(p, 1, len);
	if (!watch_own(w, start, start + len))
		return SLOW_NS;
	/* Not the time for which others had the processor. */
	begin = cpu_ns();
	if (!written_unwatch(w, start, start + len))
		return SLOW_NS;
	memset(p, 2, len);
	return (cpu_ns() - begin) / PROBE_PAGES + 1;
}

u64 written_unwatch_ns(void)
{
	size_t len = PROBE_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	int uffd auto_close = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UAPI_UFFD_USER_MODE_ONLY);
	int pagemap auto_close = open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
	const struct written own = { .uffd = uffd, .pagemap.fd = pagemap };
	u8 *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 ns;

	if (p == MAP_FAILED)
		return SLOW_NS;
	ns = measure(&own, p, len);
	munmap(p, len);
	return ns;
}
