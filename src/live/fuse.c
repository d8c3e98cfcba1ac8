#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "live/fuse.h"
#include "live/proc.h"

enum { FUSE_MINOR_NUMBER = 229 };	/* Documentation/admin-guide/devices.txt: /dev/fuse, of the major number 10 */

/* By what is known of it already: the descriptor may be of a file whose server does not answer. */
static bool is_fuse_device(int dir, const char *name)
{
	struct statx sx;

	return !statx(dir, name, AT_STATX_DONT_SYNC, STATX_TYPE, &sx) && S_ISCHR(sx.stx_mode) &&
	       sx.stx_rdev_major == MISC_MAJOR && sx.stx_rdev_minor == FUSE_MINOR_NUMBER;
}

/* Since Linux 6.16, commit 514d9210bf45, fs/fuse/dev.c: fuse_dev_show_fdinfo(), for one that is in use. */
static bool kernel_names_connections(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	return !uname(&u) && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 16));
}

static enum fuse_server of_connection(pid_t pid, pid_t tid, const char *fd, dev_t dev)
{
	char value[64];

	/* The kernel's own dev_t: such devices have the major number 0, which leaves the minor one. */
	if (proc_fdinfo(pid, tid, fd, "fuse_connection:", value, sizeof(value)))
		return strtoul(value, NULL, 10) == minor(dev) ? FUSE_SERVER_YES : FUSE_SERVER_NO;
	return kernel_names_connections() ? FUSE_SERVER_NO : FUSE_SERVER_MAY;
}

static enum fuse_server in_table(pid_t pid, pid_t tid, dev_t dev)
{
	enum fuse_server found = FUSE_SERVER_NO;
	struct dirent *entry;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", pid, tid);
	d = opendir(path);
	while (d && found != FUSE_SERVER_YES && (entry = readdir(d)))
		if (is_fuse_device(dirfd(d), entry->d_name))
			found = max(found, of_connection(pid, tid, entry->d_name, dev));
	if (d)
		closedir(d);
	return found;
}

/* Where the kernel does not say so (CONFIG_KCMP), a thread is taken to have the same table. */
static bool has_other_table(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0) > 0;
}

enum fuse_server fuse_served_by(const struct target *t, dev_t dev)
{
	enum fuse_server found = in_table(t->pid, t->reader, dev);
	pid_t *tids auto_free = NULL;
	struct err ignored;
	size_t n = 0;

	if (proc_threads(t->pid, &tids, &n, &ignored))
		return found;
	for (size_t i = 0; i < n && found != FUSE_SERVER_YES; i++)
		if (tids[i] != t->reader && has_other_table(t->reader, tids[i]))
			found = max(found, in_table(t->pid, tids[i], dev));
	return found;
}
