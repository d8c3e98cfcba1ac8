#include <string.h>

#include "base/util.h"
#include "dump/ranges.h"

enum {
	RED_ZONE = 256,			/* below the stack pointer and in use: psABI x86-64 128, ppc64 288 with vectors, 512 */
	UNKNOWN_STACK_MAX = 1 << 20,	/* of a stack whose upper end is not known: a coroutine's, in a heap */
	GUARD_MAX = 1 << 20,		/* below a stack: a page to 64 KiB, in practice */
};

static bool is_process_stack(const struct vma *v)
{
	return v->flags & VM_GROWSDOWN || (v->name && !strcmp(v->name, "[stack]"));
}

/*
 * The stack's mapping: @sp is in it, or just below it: overflow, or growth pending.  A mapping
 * without access below it is its guard.
 */
static const struct vma *stack_area(const struct dump *d, u64 sp)
{
	size_t i = dump_area_index(d, sp);
	const struct vma *v = i < d->areas.n ? d->areas.v[i].vma : NULL, *above;

	if (!v || v->start > sp + d->page_size)
		return NULL;
	if (v->flags & (VM_READ | VM_WRITE) || v->end - max(sp, v->start) > GUARD_MAX || i + 1 == d->areas.n)
		return v;
	above = d->areas.v[i + 1].vma;
	return above->start == v->end ? above : v;
}

bool stack_range(const struct dump *d, u64 sp, u64 tp, struct plan_range *out)
{
	const struct vma *v = stack_area(d, sp);
	u64 end;

	if (!v)
		return false;
	sp = max(sp, v->start + RED_ZONE) - RED_ZONE;
	if (is_process_stack(v))
		end = v->end;
	else if (tp >= sp && tp < v->end)
		end = min(v->end, tp + d->page_size);
	else
		end = v->end - sp > UNKNOWN_STACK_MAX ? sp + UNKNOWN_STACK_MAX : v->end;
	*out = (struct plan_range){ align_down(sp, d->page_size), align_up(end, d->page_size) };
	return true;
}
