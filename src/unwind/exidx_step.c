#include "base/util.h"
#include "unwind/exidx.h"

static enum cfi_step run(struct unwind *u, const struct exidx *x, struct cpu_regs *r)
{
	u->fault.is_set = false;
	if (x->cantunwind)
		return CFI_OUTERMOST;
	if (!exidx_run(u, x->ops, x->n_ops, r))
		return CFI_FAILED;
	return r->pc ? CFI_STEPPED : CFI_OUTERMOST;
}

enum cfi_step exidx_step(struct unwind *u, const struct frame *f, struct cpu_regs *r, enum frame_by *by)
{
	struct exidx x;

	if (f->signal || !exidx_find(u, f->exact ? f->pc : f->pc - 1, &x))
		return CFI_NO_TABLE;
	*by = f->exact ? FRAME_BY_CODE : FRAME_BY_EXIDX;
	return run(u, &x, r);
}
