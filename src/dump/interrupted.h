/* interrupted.h - what a signal handler on an alternate stack has interrupted, by the frame that the kernel made. */
#pragma once

#include "arch/arch.h"

/* Memory of a process: @len bytes from address @start on. */
struct stack_piece {
	const u8 *p;
	size_t len;
	u64 start;
};

/* What a signal's frame says, addresses without tags. */
struct interrupted {
	u64 sp;				/* of what was interrupted */
	u64 alt_start, alt_end;		/* the alternate stack, which the frame is on; equal: it is not in such a frame */
	u64 ret;			/* where the handler returns to, if that belongs to what the frame is known by; or 0 */
};

/* False: what is at @sp, as the handler returns, is no frame of row @f, or is not in @m as a whole. */
bool interrupted_read(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 sp,
		      struct interrupted *out);
