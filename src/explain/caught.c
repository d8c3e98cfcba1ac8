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
	/* A handler without SA_SIGINFO is given no signal in memory, but the record of the fault is as good to find. */
	bool has_record = c->core->ehdr.e_machine == EM_AARCH64;

	if (!at || row->signo < 0)
		return false;
	for (u64 end = range_end(at, BYTES); at < end && space_uint(c->u, at + (u64)row->signo, 4, &signo); at += STEP)
		if ((has_record || (signo && signo < 32)) && crash_read_frame(c, row, at, out) && space_is_code(c->u, out->pc) &&
		    out->sp > at)
			return true;
	return false;
}

static bool find_frame(struct crash *c, const struct frame *f, struct crash *out)
{
	const struct signal_frame *row = frame_row(c, f->pc);

	return row && ((f->sp && crash_read_frame(c, row, f->sp, out)) || search_frame(c, row, out));
}

/* The outermost frame on the stack of a signal for a fault, which is the first; *@frame is where it came. */
static bool find_on_stack(struct crash *c, const struct stack *s, struct crash *out, size_t *frame)
{
	for (size_t i = s->n; i-- > 0;)
		if (s->frames[i].signal && i + 1 < s->n && find_frame(c, &s->frames[i], out)) {
			*frame = i;
			return true;
		}
	return false;
}

/* From now on the crash is that fault. */
static void take(struct crash *c, const struct crash *found, size_t frame)
{
	*c = *found;
	c->v->caught = true;
	c->v->frame = frame;
}

static bool take_from_stack(struct crash *c)
{
	struct crash found;
	size_t i;

	if (!find_on_stack(c, &c->v->stack, &found, &i))
		return false;
	show_frame(c, i, "a handler of SIG%s ran for the fault, then SIG%s ended the process", found.signal, *c->signal ? c->signal : "?");
	take(c, &found, i + 1);
	if (c->has_esr)
		show_frame(c, i, "the frame of that signal has ESR 0x%" PRIx64, c->esr);
	return true;
}

/* A handler has sent the signal again, and returned. */
static bool take_left(struct crash *c)
{
	struct crash found;
	u64 at;

	if (!crash_is_of_faults(c) || !crash_is_from_itself(c) || !crash_find_left(c, &found, &at))
		return false;
	show_insn(c, "the process has sent SIG%s to itself in a handler of that signal, which has returned", c->signal);
	show_mem(c, at, "the signal's frame is left at 0x%" PRIx64 ", with these registers and the fault", at);
	take(c, &found, 0);
	return true;
}

/* Within some frames of @i, abort(3) is at work. */
static bool is_in_abort(struct crash *c, size_t i)
{
	enum { RAISING = 6 };	/* frames of raise(3), inlined or not */
	char name[128];

	for (size_t k = i; k < c->v->stack.n && k < i + RAISING; k++)
		if (!strcmp(crash_function(c, k, name, sizeof(name)), "abort"))
			return true;
	return false;
}

/* A handler of SIGABRT that has reported the call of abort(3), and sent the signal again: the call is what matters. */
static bool take_abort(struct crash *c)
{
	const struct stack *s = &c->v->stack;

	if (!crash_is(c, "ABRT") || !crash_is_from_itself(c))
		return false;
	for (size_t i = s->n; i-- > 0;)
		if (s->frames[i].signal && is_in_abort(c, i + 1)) {
			show_frame(c, i, "a handler of SIGABRT ran after abort(3) was called, then the signal was sent again");
			c->pc = s->frames[i + 1].pc;
			c->sp = s->frames[i + 1].sp ? s->frames[i + 1].sp : c->sp;
			c->has_regs = false;
			c->v->caught = true;
			c->v->frame = i + 1;
			return true;
		}
	return false;
}

/*
 * A handler has sent the signal to the process, not to its thread, which blocks it: another takes it, as a rule the first
 * (Linux 6.12, kernel/signal.c: complete_signal()).
 */
static bool take_from_thread(struct crash *c, const struct core_thread *t)
{
	struct stack own = c->v->stack;
	struct crash of = *c;
	struct err ignored;

	of.thread = t;
	crash_find_registers(&of);
	c->v->stack = (struct stack){ 0 };
	c->v->tid = t->tid;
	if (unwind_thread(c->u, t, &c->v->stack, &ignored) || (!take_from_stack(&of) && !take_abort(&of))) {
		stack_fini(&c->v->stack);
		c->v->stack = own;
		c->v->tid = c->thread->tid;
		return false;
	}
	stack_fini(&own);
	show_tid(c, c->thread->tid, "SIG%s came to this thread, from the process itself", c->signal);
	*c = of;
	return true;
}

static bool take_from_others(struct crash *c)
{
	enum { THREADS = 4096, KILL = 0 /* SI_USER */ };

	if (!crash_is_from_itself(c) || c->si.code != KILL)
		return false;
	for (size_t i = 0; i < c->core->n_threads && i < THREADS; i++)
		if (&c->core->threads[i] != c->thread && take_from_thread(c, &c->core->threads[i]))
			return true;
	return false;
}

void crash_find_caught(struct crash *c)
{
	if (!c->is_fault && !take_from_stack(c) && !take_left(c) && !take_abort(c))
		take_from_others(c);
}
