#include <dirent.h>
#include <stdio.h>

#include "base/scope.h"
#include "live/proc.h"
#include "live/uffd.h"

/* include/uapi/linux/userfaultfd.h, Linux 7.3. */
#define FEATURE_RWP (1u << 17)
#define FEATURE_RWP_ASYNC (1u << 18)

/* "API:	aa:FEATURES:IOCTLS": mm/userfaultfd.c, userfaultfd_show_fdinfo().  0: no such descriptor. */
static u32 features_of(const struct target *t, const char *name)
{
	char value[128];
	unsigned features = 0;

	return proc_fdinfo(t->pid, t->reader, name, "API:", value, sizeof(value)) &&
	       sscanf(value, "\t%*x:%x:", &features) == 1 ? features : 0;
}

bool uffd_is_async(const struct target *t)
{
	DIR *dir scoped(scope_closedir) = NULL;
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
