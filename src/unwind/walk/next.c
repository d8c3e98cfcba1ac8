#include "unwind/calls/calls.h"
#include "unwind/walk/walk.h"

/* What the unwinders do alike with a frame, however they have found it. */

/* It is where a walk can go on from: there is room, and code. */
static bool leads_on(struct unwind *u, const struct frame *f, struct stack *s)
{
	unsigned long long pc = f->pc;

	if (stack_is_full(u, s))
		stack_ends(s, STACK_LIMIT, "more frames than wanted, from 0x%llx on", pc);
	else if (!f->signal && !space_is_code(u, f->exact ? f->pc : f->pc - 1))
		stack_ends(s, STACK_NO_CODE, "0x%llx is in no executable memory", pc);
	else
		return true;
	return false;
}

int walk_add(struct unwind *u, struct stack *s, const struct frame *f, const struct cpu_regs *r, Dwarf_Frame *row,
	     struct err *e)
{
	int ret;

	if (stack_loops(s, f) || stack_leaves_code(u, s, f))
		return 0;
	ret = tailcall_add(u, s, f, r, row, e);
	if (ret)
		return ret;
	return !first_ends(u, r, row, s) && leads_on(u, f, s);
}
