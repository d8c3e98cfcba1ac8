#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/temp.h"
#include "base/text.h"
#include "base/util.h"

enum { ROOM_LEFT = 256 << 20 };	/* for others, or a sixteenth of a small file system */

/* Not all file systems know O_TMPFILE. */
static int temp_in(const char *dir)
{
	char *name auto_free = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if (asprintf(&name, "%s/tagcore-XXXXXX", dir) < 0) {
		name = NULL;
		return -1;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

bool temp_has_room(int fd, u64 bytes, u64 *room)
{
	struct statvfs st;

	*room = 0;
	/* A sandbox may forbid the question. */
	if (fstatvfs(fd, &st))
		return true;
	*room = (u64)st.f_bavail * st.f_frsize;
	return *room >= bytes && *room - bytes >= min((u64)ROOM_LEFT, (u64)st.f_blocks * st.f_frsize / 16);
}

int temp_open(const char *first, u64 bytes, struct err *e)
{
	/* /tmp is memory on many systems. */
	const char *const dirs[] = { first, getenv("TMPDIR"), "/var/tmp", "/tmp" };
	char size[TEXT_SIZE_MAX];
	bool full = false;
	u64 room;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int fd auto_close = dirs[i] && *dirs[i] ? temp_in(dirs[i]) : -1;

		if (fd >= 0 && (!bytes || temp_has_room(fd, bytes, &room)))
			return take_fd(fd);
		full |= fd >= 0;
	}
	if (full)
		return err_set(e, -ENOSPC, "no directory has room for a temporary file of %s: set TMPDIR to one",
			       text_size(bytes, size));
	return err_set(e, errno ? -errno : -ENOENT, "create a temporary file (TMPDIR)");
}
