#include <stdlib.h>

#include "base/scope.h"
#include "unwind/arm/arm.h"
#include "unwind/walk/walk.h"

/* By call frame information or, without it, by 32-bit Arm's other tables. */
static enum cfi_step step(struct unwind *u, const struct frame *f, Dwarf_Frame *frame, struct cpu_regs *r,
			  enum frame_by *by)
{
	if (!frame)
		return exidx_step(u, f, r, by);
	*by = FRAME_BY_CFI;
	return cfi_step(u, frame, r);
}

/* One frame, and the step to the next: 1 when there is one, 0 when s->end is set. */
static int walk_one(struct unwind *u, struct cpu_regs *r, enum frame_by *by, struct stack *s, struct err *e)
{
	struct frame f = { .pc = r->pc, .exact = r->exact, .doubt = r->doubt, .by = *by };
	enum cfi_step done;
	struct row row;
	int ret;

	regs_get(u, r, u->core->arch->sp, &f.sp);
	row = dw_row_of(u, &f);
	Dwarf_Frame *frame auto_free = row.frame;
	ret = walk_add(u, s, &f, r, frame, e);
	if (ret <= 0)
		return ret;
	done = step(u, &f, frame, r, by);
	if (done != CFI_STEPPED)
		stack_ends_by(u, s, done, f.pc);
	return done == CFI_STEPPED;
}

static int dw_walk(struct unwind *u, struct cpu_regs *r, enum frame_by by, struct stack *s, struct err *e)
{
	int ret;

	do {
		ret = walk_one(u, r, &by, s, e);
	} while (ret > 0);
	return ret;
}

const struct unwinder_ops unwinder_dw_ops = { .name = "libdw", .walk = dw_walk };
