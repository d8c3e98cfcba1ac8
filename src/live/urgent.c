#include <errno.h>
#include <sys/resource.h>

#include "live/live.h"

/*
 * The pause of the target is, on a busy machine, the processor time that we need
 * divided by our share of it.  This is about nine times the weight of an ordinary
 * thread (kernel/sched/core.c: sched_prio_to_weight[]): nobody is starved, as by a
 * real-time policy.  A nice value above 0, set by nice(1), is kept.
 *
 * What was seen (Linux 6.18, two processors, eight busy loops, a copy of 150 MiB that
 * takes 0.16 s of processor time; /proc/PID/task/TID/schedstat): as an ordinary thread,
 * we run 1 ms and then wait 25 to 35 ms until all others have run, 3 to 4 s in all.
 * Under strace(1) we sleep at every call, after 0.05 ms, and are mostly run at once when
 * woken, which is why that is faster, at times; a shorter slice (sched_setattr(2)) alone
 * is not.  With this nice value we wait 0.3 to 3 ms, 0.1 to 0.3 s in all.
 *
 * Where each session is a group of its own (sched(7), "The autogroup feature"), it counts
 * among the threads of our session only.  Against busy processes of other sessions we have
 * our session's share.  The weight of the session is left alone: it is not ours, and who
 * kills us would leave it changed.
 */
enum { URGENT_NICE = -10 };

/* Without CAP_SYS_NICE, or an RLIMIT_NICE that allows it, all is as before. */
void urgent_begin(struct target *t)
{
	int now;

	if (t->urgent)
		return;
	errno = 0;
	now = getpriority(PRIO_PROCESS, 0);
	if (errno || now > 0 || now <= URGENT_NICE || setpriority(PRIO_PROCESS, 0, URGENT_NICE))
		return;
	t->urgent = true;
	t->nice = now;
}

void urgent_end(struct target *t)
{
	if (t->urgent)
		setpriority(PRIO_PROCESS, 0, t->nice);
	t->urgent = false;
}
