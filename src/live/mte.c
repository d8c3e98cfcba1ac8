#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <tagcore/tags.h>
#include <tagcore/target.h>

#include "base/uapi.h"

/* All threads share the memory: any that stands still will do. */
static const struct thread *any_stopped(const struct target *t)
{
	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].stop == THREAD_STOPPED)
			return &t->threads[i];
	return NULL;
}

int target_tags(const struct target *t, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e)
{
	const struct thread *th = any_stopped(t);
	size_t done = 0;

	while (th && done < n) {
		struct iovec iov = { .iov_base = tags + done, .iov_len = n - done };

		/* A short transfer is a success: it ends before the first page without tags. */
		if (ptrace(UAPI_PTRACE_PEEKMTETAGS, th->tid, (void *)(uintptr_t)(addr + done * TAG_GRANULE), &iov) < 0) {
			if (errno == ESRCH)
				return err_set(e, ERR_GONE, "process %d ended while its tags were read", t->pid);
			/* EOPNOTSUPP by the manual, EIO in fact: this page has no tags, or cannot be had. */
			break;
		}
		if (!iov.iov_len)
			break;
		done += iov.iov_len;
	}
	*got = done;
	return 0;
}
