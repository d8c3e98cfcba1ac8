#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/util.h"
#include "unwind/frame/frame.h"

const char *frame_by_name(enum frame_by by)
{
	static const char *const names[] = {
		[FRAME_BY_REGISTERS] = "registers", [FRAME_BY_CFI] = "cfi",	[FRAME_BY_EXIDX] = "exidx",
		[FRAME_BY_SIGNAL] = "signal",	    [FRAME_BY_CODE] = "code",	[FRAME_BY_LINK] = "link",
		[FRAME_BY_TAIL_CALL] = "tail-call", [FRAME_BY_LIKELY_TAIL_CALL] = "likely-tail-call",
		[FRAME_BY_FP] = "frame-pointer",
	};

	return names[by];
}

int stack_add(struct stack *s, const struct frame *f, struct err *e)
{
	int r = array_grow((void **)&s->frames, s->n, &s->cap, sizeof(*s->frames), "backtrace", e);

	if (!r)
		s->frames[s->n++] = *f;
	return r;
}

void stack_ends(struct stack *s, enum stack_end end, const char *fmt, ...)
{
	va_list ap;

	s->end = end;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

void stack_ends_at(struct unwind *u, struct stack *s, u64 pc)
{
	unsigned long long at = pc;

	if (u->fault.is_set)
		stack_ends(s, STACK_NO_MEMORY, "the caller of 0x%llx: the memory at 0x%llx is %s", at,
			   (unsigned long long)u->fault.addr,
			   u->fault.state == MEM_ABSENT ? "not in the core" : "not mapped");
	else
		stack_ends(s, STACK_NO_TABLE, "the call frame information for 0x%llx leads nowhere", at);
}

void stack_ends_by(struct unwind *u, struct stack *s, enum cfi_step step, u64 pc)
{
	unsigned long long at = pc;

	if (step == CFI_OUTERMOST)
		stack_ends(s, STACK_OUTERMOST, "the table says that 0x%llx has no caller", at);
	else if (step == CFI_NO_RETURN)
		stack_ends(s, STACK_NO_RETURN, "the return address of 0x%llx is 0, though its table says that it has a caller", at);
	else if (step == CFI_NO_TABLE)
		stack_ends(s, STACK_NO_TABLE, "no call frame information for 0x%llx", at);
	else
		stack_ends_at(u, s, pc);
}

bool stack_leaves_code(struct unwind *u, struct stack *s, const struct frame *f)
{
	if (!s->n || f->exact || f->signal || space_is_code(u, f->pc - 1))
		return false;
	stack_ends(s, STACK_NO_CODE, "the return address of 0x%llx would be 0x%llx, which is in no executable memory",
		   (unsigned long long)s->frames[s->n - 1].pc, (unsigned long long)f->pc);
	return true;
}

static bool is_gone(const struct frame *f)
{
	return f->by == FRAME_BY_TAIL_CALL || f->by == FRAME_BY_LIKELY_TAIL_CALL;
}

/* A frame without locals may share its stack pointer with its caller, but not its pc, too. */
static bool is_same(const struct frame *a, const struct frame *b)
{
	return a->pc == b->pc && a->sp && a->sp == b->sp;
}

/* A longer circle comes back to the frame whose number is the last power of two (R. P. Brent, 1980). */
static bool is_again(const struct stack *s, const struct frame *f)
{
	size_t mark = 1;

	if (!s->n)
		return false;
	while (2 * mark <= s->n)
		mark *= 2;
	/* Frames that are gone are no marks. */
	while (mark > 1 && is_gone(&s->frames[mark - 1]))
		mark--;
	return is_same(&s->frames[s->n - 1], f) || is_same(&s->frames[mark - 1], f);
}

bool stack_loops(struct stack *s, const struct frame *f)
{
	if (!is_again(s, f))
		return false;
	stack_ends(s, STACK_LOOP, "0x%llx would be its own caller", (unsigned long long)f->pc);
	return true;
}

static size_t stack_limit(const struct unwind *u)
{
	return u->opts.max_frames ? u->opts.max_frames : UNWIND_FRAMES_MAX;
}

static bool ends_in_doubt(const struct stack *s)
{
	return s->n && s->frames[s->n - 1].doubt;
}

bool stack_is_full(const struct unwind *u, const struct stack *s)
{
	size_t limit = stack_limit(u);

	return s->n >= limit && (!ends_in_doubt(s) || s->n >= max(limit, (size_t)UNWIND_FRAMES_MAX));
}

void stack_fini(struct stack *s)
{
	free(s->frames);
	*s = (struct stack){ 0 };
}

/* The last frames are in doubt, and nothing that follows confirms them. */
static void drop_doubtful(struct stack *s)
{
	u64 from = 0;

	while (ends_in_doubt(s))
		from = s->frames[--s->n].pc;
	if (from && s->n)
		stack_ends(s, STACK_NO_TABLE,
			   "no call frame information for 0x%llx; what may be its return address, 0x%llx, is not after a call, and leads nowhere",
			   (unsigned long long)s->frames[s->n - 1].pc, (unsigned long long)from);
}

/* What was followed further than was asked for. */
void stack_trim(const struct unwind *u, struct stack *s)
{
	size_t limit = stack_limit(u);

	if (s->end != STACK_OUTERMOST && s->end != STACK_LIMIT)
		drop_doubtful(s);
	if (s->n <= limit)
		return;
	stack_ends(s, STACK_LIMIT, "more frames than wanted, from 0x%llx on", (unsigned long long)s->frames[limit].pc);
	s->n = limit;
}

static size_t sure_frames(const struct stack *s)
{
	size_t n = 0;

	while (n < s->n && s->frames[n].by != FRAME_BY_FP && s->frames[n].by != FRAME_BY_CODE)
		n++;
	return n;
}

bool stack_is_better(const struct stack *a, const struct stack *b)
{
	bool whole_a = a->end == STACK_OUTERMOST, whole_b = b->end == STACK_OUTERMOST;
	size_t sure_a = sure_frames(a), sure_b = sure_frames(b);

	if (!b->unwinder || (whole_a && !whole_b))
		return true;
	if (whole_a != whole_b)
		return false;
	return sure_a != sure_b ? sure_a > sure_b : a->n > b->n;
}

/* Whole, and all of it sure: no other unwinder can do better. */
bool stack_is_best(const struct stack *s)
{
	return s->unwinder && s->end == STACK_OUTERMOST && sure_frames(s) == s->n;
}
