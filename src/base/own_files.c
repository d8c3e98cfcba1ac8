#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own_files.h"
#include "base/scope.h"
#include "base/types.h"
#include "base/uapi.h"

#define UNSHARE 2u	/* CLOSE_RANGE_UNSHARE, include/uapi/linux/close_range.h */

enum { FIRST = 3 };	/* 0, 1 and 2 are never free: what writes to them blindly must not hit a file of ours */

static bool is_kept(int fd, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* The lowest kept number from @from on, or -1. */
static int next_kept(int from, const int *keep, size_t n)
{
	int next = -1;

	for (size_t i = 0; i < n; i++)
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

/* The table is ours: all from FIRST on but @keep.  False: the kernel has no such call (before 5.9). */
static bool close_ranges(const int *keep, size_t n)
{
	unsigned from = FIRST;
	bool done = true;

	for (;;) {
		int kept = next_kept((int)from, keep, n);
		unsigned last = kept < 0 ? ~0U : (unsigned)kept - 1;

		if (from <= last)
			done = !syscall(UAPI_SYS_close_range, from, last, 0) && done;
		if (kept < 0)
			return done;
		from = (unsigned)kept + 1;
	}
}

static void close_listed(const int *keep, size_t n)
{
	DIR *d = opendir("/proc/thread-self/fd");
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (fd >= FIRST && fd != dirfd(d) && !is_kept(fd, keep, n))
			close(fd);
	}
	if (d)
		closedir(d);
}

/* By what is known of it already: its server is not asked. */
static bool is_regular(int fd)
{
	struct statx sx;

	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &sx) && S_ISREG(sx.stx_mode);
}

static void replace_regular(const int *keep, size_t n)
{
	for (int fd = 0; fd < FIRST; fd++) {
		int null auto_close = -1;

		if (is_kept(fd, keep, n) || !is_regular(fd))
			continue;
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0)
			dup2(null, fd);
	}
}

bool own_table(void)
{
	/* An empty range: only the table is copied.  unshare(2) is forbidden in some containers. */
	return !syscall(UAPI_SYS_close_range, ~0U, ~0U, UNSHARE) || !unshare(CLONE_FILES);
}

void drop_files(const int *keep, size_t n)
{
	if (!close_ranges(keep, n))
		close_listed(keep, n);
	replace_regular(keep, n);
}
