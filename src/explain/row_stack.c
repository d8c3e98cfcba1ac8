#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/rows.h"

/* Stacks that are used up. */

/*
 * The kernel's gap below a stack that grows, 256 pages (Linux 6.12, mm/mmap.c: stack_guard_gap), and as much
 * again for what a frame takes at once.
 */
enum { BELOW_MAX = 2 << 20, FRAME_MAX = 256 << 10 };

/* The area that is a stack above @addr: writable, anonymous, and with frames of the thread. */
static bool stack_above(struct crash *c, u64 addr, struct place *out)
{
	const struct core_area *a = core_area_find(c->core, addr);
	u64 from = addr;

	/* The guard, which may be an area of its own. */
	for (int i = 0; a && i < 4; i++) {
		place_at(c, a->start, out);
		if (a->start > from && a->start - from > BELOW_MAX)
			return false;
		if (out->prot & PF_W && !(out->prot & PF_X && out->is_file))
			break;
		from = a->end;
		a = core_area_find(c->core, a->end);
	}
	if (!a || a->start <= addr || a->start - addr > BELOW_MAX || !(out->prot & PF_W) || out->is_file)
		return false;
	/* Beginning at the innermost: the outer ones are many. */
	for (size_t i = c->v->frame; i < min(c->v->stack.n, c->v->frame + 64); i++)
		if (c->v->stack.frames[i].sp >= out->start && c->v->stack.frames[i].sp < out->end)
			return true;
	/* Without frames: the stack pointer itself is at the edge. */
	return c->sp && c->sp < out->start + FRAME_MAX && c->sp + FRAME_MAX >= out->start;
}

/* The frames that come again: *period of them, *times times, from *from on, which may move. */
static bool find_recursion(const struct stack *s, size_t *from, size_t *period, size_t *times)
{
	enum { PERIOD_MAX = 32, TIMES_LEAST = 8 };

	for (size_t skip = 0; skip < 8; skip++)
		for (size_t p = 1; p <= PERIOD_MAX; p++) {
			size_t first = *from + skip, n = 0;

			while (first + n + p < s->n && s->frames[first + n].pc == s->frames[first + n + p].pc)
				n++;
			if (n / p >= TIMES_LEAST) {
				*from = first;
				*period = p;
				*times = n / p + 1;
				return true;
			}
		}
	return false;
}

static void show_recursion(struct crash *c, char out[160])
{
	const struct stack *s = &c->v->stack;
	size_t from = c->v->frame + 1, period, times, shown = 0;
	char name[128], first[128] = "";

	*out = 0;
	/* The innermost frames may be of what the recursive function calls. */
	if (!find_recursion(s, &from, &period, &times))
		return;
	for (size_t i = from; i < from + period && i < s->n && shown < 6; i++, shown++) {
		crash_function(c, i, name, sizeof(name));
		if (!*first)
			put_fmt(first, sizeof(first), "%s", name);
		show_frame(c, i, "%s at 0x%" PRIx64 " is in a cycle of %zu frame%s that comes %zu times%s", *name ? name : "??",
			   s->frames[i].pc, period, period == 1 ? "" : "s", times,
			   s->end == STACK_LIMIT ? " or more (the backtrace is cut)" : "");
	}
	put_fmt(out, 160, ": %s calls itself without an end%s", *first ? first : "a function",
		 period > 1 ? " by way of others" : "");
	try_next(c, "look for what should have ended the recursion in %s", *first ? first : "the frames of the cycle");
}

static bool is_memory(const struct crash *c)
{
	return c->is_fault && crash_is(c, "SEGV") && c->has_addr && c->access.type != ACCESS_FETCH;
}

static bool is_by_sp(const struct crash *c)
{
	const char *base = c->access.is_decoded ? c->access.base.name : "";

	return !strcmp(base, "rsp") || !strcmp(base, "esp") || !strcmp(base, "sp");
}

/*
 * The stack pointer is below the stack, and the access at it or above; or it is at the stack's very end, and
 * the access just below, as of a push or a probe.  An index out of bounds leads further away.
 */
static bool is_overflow(const struct crash *c, const struct place *stack)
{
	u64 below = is_by_sp(c) ? 16384 : 256;	/* psABI x86-64, 3.2.2: a red zone of 128 bytes */

	if (c->addr < c->sp)
		return c->sp - c->addr <= below;
	return c->sp < stack->start && c->addr - c->sp <= BELOW_MAX;
}

static bool is_writable(struct crash *c, u64 addr)
{
	struct place p;

	place_at(c, addr, &p);
	return p.area && p.prot_known && p.prot & PF_W;
}

/*
 * A frame that is larger than what was left: the stack pointer is far below the stack, where nothing can be written
 * to, the access is between, and the callers' frames are in the stack.
 */
static bool find_large_frame(struct crash *c, struct place *out)
{
	enum { LARGEST = 1 << 30, FRAMES = 8, RED_ZONE = 256 };
	const struct stack *s = &c->v->stack;

	if (is_writable(c, c->sp) || c->addr + RED_ZONE < c->sp)
		return false;
	for (size_t i = c->v->frame + 1; i < min(s->n, c->v->frame + FRAMES); i++) {
		place_at(c, s->frames[i].sp, out);
		if (out->area && out->prot & PF_W && !out->is_file && out->start > c->addr && out->start - c->sp <= LARGEST)
			return true;
	}
	return false;
}

static bool row_large_frame(struct crash *c, const struct place *stack)
{
	char size[TEXT_SIZE_MAX], taken[TEXT_SIZE_MAX];

	text_size(stack->end - stack->start, size);
	text_size(c->v->stack.frames[c->v->frame + 1].sp - c->sp, taken);
	c->v->object = (struct object){ .is_set = true, .start = stack->start, .end = stack->end, .state = "stack",
					.offset = (s64)(c->addr - stack->start) };
	say(c, "stack overflow in %s: it takes %s at once, and the stack of thread %d, %s, has not so much left",
	    *c->function ? c->function : "a function", taken, c->thread->tid, size);
	say_sure(c, SURE_LIKELY, "the stack pointer is 0x%" PRIx64 " bytes below the stack that has the callers' frames, and the access at it or above",
		 stack->start - c->sp);
	show_access(c);
	show_insn(c, "the stack pointer is 0x%" PRIx64 ", below the stack", c->sp);
	show_mem(c, stack->start, "the stack of thread %d, %s, begins here", c->thread->tid, size);
	also_possible(c, "unmapped-address", "a stack pointer that was overwritten");
	try_next(c, "look for large local arrays and alloca(3); the limit is ulimit -s, or pthread_attr_setstacksize(3)");
	return true;
}

bool row_stack_overflow(struct crash *c)
{
	char text[320], recursion[160], size[TEXT_SIZE_MAX];
	struct place stack, at;

	if (!is_memory(c) || !c->sp || is_writable(c, c->addr))
		return false;
	if (!stack_above(c, c->addr, &stack) || !is_overflow(c, &stack))
		return find_large_frame(c, &stack) && row_large_frame(c, &stack);
	place_at(c, c->addr, &at);
	c->v->object = (struct object){ .is_set = true, .start = stack.start, .end = stack.end, .state = "stack",
					.offset = (s64)(c->addr - stack.start) };
	show_access(c);
	show_insn(c, "the stack pointer is 0x%" PRIx64 ", %s", c->sp, c->sp < stack.start ? "below the stack" : "at its end");
	show_mem(c, stack.start, "the stack of thread %d, %s, begins here", c->thread->tid, text_size(stack.end - stack.start, size));
	show_mem(c, c->addr, at.area ? "a guard: %s" : "%s, below the stack", place_text(&at, text, sizeof(text)));
	show_recursion(c, recursion);
	say(c, "stack overflow in %s: the stack of thread %d, %s, is used up%s", *c->function ? c->function : "a function",
	    c->thread->tid, size, recursion);
	say_sure(c, c->sp < stack.start || *recursion ? SURE_CERTAIN : SURE_LIKELY,
		 "the fault is 0x%" PRIx64 " bytes below the stack, and the stack pointer is %s", stack.start - c->addr,
		 c->sp < stack.start ? "below it, too" : "within a frame of it");
	if (!*recursion)
		try_next(c, "look for large local arrays and alloca(3); the limit is ulimit -s, or pthread_attr_setstacksize(3)");
	return true;
}

/* The guard of a stack that this thread is not about to use up: of another thread, or by an index out of bounds. */
bool row_stack_guard(struct crash *c)
{
	enum { GUARD_MAX = 1 << 20 };
	struct place at, above;
	char text[320], access[200];

	if (!is_memory(c))
		return false;
	place_at(c, c->addr, &at);
	if (!at.area || !at.prot_known || at.prot || at.is_file || at.end - at.start > GUARD_MAX)
		return false;
	place_at(c, at.end, &above);
	if (!above.is_stack)
		return false;
	say(c, "%s: the guard page below the stack of thread %d", access_text(c, access, sizeof(access)), above.tid);
	say_sure(c, SURE_LIKELY, "the page has no permissions and the stack is directly above; the stack pointer is not at its end");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&at, text, sizeof(text)));
	show_mem(c, above.start, "%s", place_text(&above, text, sizeof(text)));
	place_is_object(c, &at, "guard");
	return true;
}
