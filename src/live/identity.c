#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "live/live.h"
#include "live/permission.h"
#include "live/proc.h"
#include "live/target.h"

/* Is it still the process that was opened, and the same program? */

int target_open_mem(struct target *t, struct err *e)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/mem", t->pid, t->reader);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return permission_explain(t->pid, errno, PERMISSION_TO_READ, e);
	if (fd < 0)
		return err_set(e, errno == ENOENT || errno == ESRCH ? ERR_GONE : -errno, "open %s", path);
	scope_close(&t->mem_fd);
	t->mem_fd = fd;
	return 0;
}

/* No process can have a mapping here, on any machine; and pread(2) takes no higher one. */
#define NOWHERE ((off_t)0x7ffffffffffff000)

/* The memory that was opened has no user any more: reading it is no error, but gives nothing.  fs/proc/base.c: mem_rw(). */
static bool memory_is_gone(const struct target *t)
{
	char unused;

	return pread(t->mem_fd, &unused, 1, NOWHERE) == 0;
}

int target_is_same(const struct target *t, struct err *e)
{
	return memory_is_gone(t) ? err_set(e, ERR_GONE, "process %d ended or ran another program while it was read", t->pid)
				 : 0;
}

int target_look_again(struct target *t, struct err *e)
{
	struct proc_stat st;
	int r = proc_stat(t->pid, t->pid, &st, e);

	if (r)
		return r;
	if (st.start_time != t->start_time)
		return err_set(e, ERR_GONE, "process %d ended, and another one has its number now", t->pid);
	t->execed = memory_is_gone(t) || !machine_is_still(t);
	if (!t->execed)
		return 0;
	r = machine_find(t, e);
	for (size_t i = 0; !r && i < t->n_threads; i++)
		if (!proc_stat(t->pid, t->threads[i].tid, &st, e))
			memcpy(t->threads[i].comm, st.comm, sizeof(st.comm));
	return r;
}
