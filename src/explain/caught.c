#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/* What a handler interrupted: the fault is in the frame that the kernel made for it. */

/* The row of a signal's frame whose code is at @pc; or the only one there is, where the code cannot be read. */
static const struct signal_frame *frame_row(struct crash *c, u64 pc)
{
	const struct arch *a = c->core->arch;
	u8 code[sizeof(((struct signal_frame *)0)->code)];
	bool readable = false;

	for (size_t i = 0; a && i < a->frame.n_signals; i++) {
		const struct signal_frame *f = &a->frame.signals[i];
		bool has = f->code_len && space_read(c->u, pc, code, f->code_len);

		if (has && !memcmp(code, f->code, f->code_len))
			return f;
		readable |= has;
	}
	return a && !readable && a->frame.n_signals == 1 ? &a->frame.signals[0] : NULL;
}

/*
 * Where the stack pointer of the frame is not known, or only by the chain of frame pointers, which passes over what the
 * kernel has put there: the first place above the thread's that looks like such a frame.
 */
static bool search_frame(struct crash *c, const struct signal_frame *row, struct crash *out)
{
	enum { BYTES = 64 << 10, STEP = 8 };
	u64 at = c->sp & ~(u64)(STEP - 1), signo;

	if (!at || row->signo < 0)
		return false;
	for (u64 end = range_end(at, BYTES); at < end && space_uint(c->u, at + (u64)row->signo, 4, &signo); at += STEP)
		if (signo && signo < 32 && crash_read_frame(c, row, at, out) && space_is_code(c->u, out->pc) && out->sp > at)
			return true;
	return false;
}

static bool find_frame(struct crash *c, const struct frame *f, struct crash *out)
{
	const struct signal_frame *row = frame_row(c, f->pc);

	return row && ((f->sp && crash_read_frame(c, row, f->sp, out)) || search_frame(c, row, out));
}

/*
 * A signal that was sent, after a fault: a handler has reported it and ended the process.  The outermost such
 * frame is the first fault.
 */
void crash_find_caught(struct crash *c)
{
	struct verdict *v = c->v;
	struct crash found;

	for (size_t i = v->stack.n; !c->is_fault && i-- > 0;)
		if (v->stack.frames[i].signal && i + 1 < v->stack.n && find_frame(c, &v->stack.frames[i], &found)) {
			show_frame(c, i, "a handler of SIG%s ran for the fault, then SIG%s ended the process", found.signal,
				   *c->signal ? c->signal : "?");
			*c = found;
			v->caught = true;
			v->frame = i + 1;
			if (c->has_esr)
				show_frame(c, i, "the frame of that signal has ESR 0x%" PRIx64, c->esr);
			return;
		}
}
