#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/scope.h"
#include "live/proc.h"
#include "live/uffd.h"

/* include/uapi/linux/userfaultfd.h, Linux 7.3. */
#define FEATURE_RWP (1u << 17)
#define FEATURE_RWP_ASYNC (1u << 18)

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* "API:	aa:FEATURES:IOCTLS": mm/userfaultfd.c, userfaultfd_show_fdinfo().  0: no such descriptor. */
static u32 features_of(const struct target *t, const char *name)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64];
	const char *line;
	struct err ignored;
	unsigned features = 0;

	snprintf(path, sizeof(path), "fdinfo/%.16s", name);
	if (proc_slurp(t->pid, t->reader, path, 1 << 16, &b, &ignored) || buf_add(&b, "", 1, &ignored))
		return 0;
	line = strstr((char *)b.p, "\nAPI:\t");
	return line && sscanf(line, "\nAPI:\t%*x:%x:", &features) == 1 ? features : 0;
}

bool uffd_is_async(const struct target *t)
{
	DIR *dir scoped(close_dir) = NULL;
	struct dirent *d;
	bool async = false;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo", t->pid, t->reader);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		u32 features = features_of(t, d->d_name);

		if (!(features & FEATURE_RWP))
			continue;
		if (!(features & FEATURE_RWP_ASYNC))
			return false;
		async = true;
	}
	return async;
}
