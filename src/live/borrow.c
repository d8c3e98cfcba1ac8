#include <stdlib.h>
#include <time.h>

#include "base/scope.h"
#include "base/util.h"
#include "live/borrow.h"
#include "live/proc.h"

enum { STOP_MS = 20 };

int borrow_thread(pid_t pid, u64 start_time, pid_t tid, borrow_fn *fn, void *arg, struct err *e)
{
	const struct target_opts opts = { .stop_timeout_ms = STOP_MS };
	struct target t scoped(target_close) = { .mem_fd = -1 };
	int r = target_open(&t, pid, e);

	if (!r && t.start_time != start_time)
		r = err_set(e, ERR_GONE, "process %d has ended", pid);
	if (r)
		return r;
	r = tid ? target_stop_thread(&t, tid, &opts, e) : target_stop(&t, &opts, e);
	if (!r)
		r = fn(&t, arg, e);
	return r == ERR_GONE ? 0 : r;
}

static int by_any(pid_t pid, u64 start_time, borrow_fn *fn, void *arg, struct err *e)
{
	pid_t *tids auto_free = NULL;
	size_t n = 0;
	u64 call[4];
	int r = proc_threads(pid, &tids, &n, e);

	for (size_t i = 0; !r && i < n; i++)
		if (proc_syscall(pid, tids[i], call))
			r = borrow_thread(pid, start_time, tids[i], fn, arg, e);
	return r;
}

int borrow_any(pid_t pid, u64 start_time, unsigned limit_ms, borrow_fn *fn, void *arg, struct err *e)
{
	u64 end = now_ns() + limit_ms * 1000000ull;
	struct timespec nap = { .tv_nsec = 1000 * 1000 };
	int r;

	while (!(r = by_any(pid, start_time, fn, arg, e)) && now_ns() < end)
		nanosleep(&nap, NULL);
	return r;
}
