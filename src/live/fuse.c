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

#include "base/array.h"
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

static void add_connection(pid_t pid, pid_t tid, const char *fd, struct fuse_served *out)
{
	struct err ignored;
	char value[64];

	if (!proc_fdinfo(pid, tid, fd, "fuse_connection:", value, sizeof(value)))
		out->any |= !kernel_names_connections();
	else if (array_grow((void **)&out->v, out->n, &out->cap, sizeof(*out->v), "list of servers", &ignored))
		out->any = true;
	else
		out->v[out->n++] = (unsigned)strtoul(value, NULL, 10);
}

static void look_in_table(pid_t pid, pid_t tid, struct fuse_served *out)
{
	DIR *d scoped(scope_closedir) = NULL;
	struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", pid, tid);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (is_fuse_device(dirfd(d), entry->d_name))
			add_connection(pid, tid, entry->d_name, out);
}

/* Where the kernel does not say so (CONFIG_KCMP), a thread is taken to have the same table. */
static bool has_other_table(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0) > 0;
}

void fuse_find_served(pid_t pid, pid_t tid, struct fuse_served *out)
{
	pid_t *tids auto_free = NULL;
	struct err ignored;
	size_t n = 0;

	*out = (struct fuse_served){ 0 };
	look_in_table(pid, tid, out);
	if (proc_threads(pid, &tids, &n, &ignored))
		return;
	for (size_t i = 0; i < n; i++)
		if (tids[i] != tid && has_other_table(tid, tids[i]))
			look_in_table(pid, tids[i], out);
}

/* The kernel's own dev_t is what it names: such devices have the major number 0, which leaves the minor one. */
enum fuse_server fuse_is_served(const struct fuse_served *s, dev_t dev)
{
	for (size_t i = 0; i < s->n; i++)
		if (!major(dev) && s->v[i] == minor(dev))
			return FUSE_SERVER_YES;
	return s->any ? FUSE_SERVER_MAY : FUSE_SERVER_NO;
}

void fuse_served_fini(struct fuse_served *s)
{
	free(s->v);
	*s = (struct fuse_served){ 0 };
}
