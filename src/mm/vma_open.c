#include <string.h>

#include "base/util.h"
#include "mm/vma_backend.h"

/*
 * In the order of choice: the first that the kernel has.  A whole walk costs
 * about the same by query and by text; a query also finds any address at
 * once, and gives the current state, not that of the last buffer.  smaps only by
 * name: it walks page tables.
 */
static const struct vma_backend {
	const struct mm_ops *ops;
	int (*open)(struct mm *mm, pid_t pid, pid_t tid, struct err *e);
	bool by_name_only;
} backends[] = {
	{ .ops = &vma_query_ops, .open = vma_query_open },
	{ .ops = &vma_maps_ops, .open = vma_maps_open },
	{ .ops = &vma_smaps_ops, .open = vma_smaps_open, .by_name_only = true },
};

static int open_best(struct mm *mm, pid_t pid, pid_t tid, struct err *e)
{
	int r = ERR_UNSUPPORTED;

	for (size_t i = 0; i < ARRAY_SIZE(backends) && r == ERR_UNSUPPORTED; i++)
		if (!backends[i].by_name_only)
			r = backends[i].open(mm, pid, tid, e);
	/* A backend that the kernel lacks is not an error. */
	if (!r && e)
		*e = (struct err){ 0 };
	return r;
}

int mm_open_pid(struct mm *mm, pid_t pid, pid_t tid, const char *backend, struct err *e)
{
	if (!backend)
		return open_best(mm, pid, tid, e);
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backend, backends[i].ops->name))
			return backends[i].open(mm, pid, tid, e);
	return err_set(e, ERR_USAGE, "no way to read areas is called \"%s\"", backend);
}
