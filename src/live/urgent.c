#include <errno.h>
#include <sys/resource.h>

#include "live/live.h"

/*
 * The pause of the target is, on a busy machine, the processor time that we need
 * divided by our share of it.  This is about nine times the weight of an ordinary
 * thread (kernel/sched/core.c: sched_prio_to_weight[]): nobody is starved, as by a
 * real-time policy.  Who was made to give way, by nice(1), goes on giving way.
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
