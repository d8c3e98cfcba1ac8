#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/uapi.h"
#include "elf/tags.h"
#include "live/live.h"
#include "live/target.h"

int peek_tags(pid_t tid, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		struct iovec iov = { .iov_base = tags + done, .iov_len = n - done };

		/* A short transfer is a success: it ends before the first page without tags. */
		if (ptrace(UAPI_PTRACE_PEEKMTETAGS, tid, (void *)(uintptr_t)(addr + done * TAG_GRANULE), &iov) < 0) {
			if (errno == ESRCH)
				return err_set(e, ERR_GONE, "thread %d ended while its tags were read", tid);
			/* EOPNOTSUPP by the manual, EIO in fact: this page has no tags, or cannot be read. */
			break;
		}
		if (!iov.iov_len)
			break;
		done += iov.iov_len;
	}
	*got = done;
	return 0;
}

int target_tags(const struct target *t, u64 addr, u8 *tags, size_t n, size_t *got, struct err *e)
{
	const struct thread *th = target_stopped_thread(t);

	if (th)
		return peek_tags(th->tid, addr, tags, n, got, e);
	*got = 0;
	return 0;
}
