#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/*
 * A handler that has reported a fault may send the signal again, with the default action, and return: glog's does, many that
 * were made after it, and GWP-ASan's.  It is blocked until then, so the process ends by a signal that it has sent to itself, at the
 * instruction that failed (Linux 6.12, kernel/signal.c: signals are delivered when rt_sigreturn(2) has restored the mask).
 * What the kernel gave the handler is still where it was: below the stack pointer, or on an alternate stack.
 */

enum {
	BELOW = 64 << 10,		/* bytes below the stack pointer in which a frame and its vector registers begin */
	CHUNK = 64 << 10,
	SMALL = 1 << 20,		/* such areas are looked through first: alternate stacks, variables of libraries */
	ALL_MAX = 64 << 20,
	WORD_MAX = 8,
};

struct search {
	struct crash *c;
	u8 sp[WORD_MAX];		/* the interrupted stack pointer, as memory has it */
	unsigned word;
	u8 *buf;
	struct crash *out;
	u64 at;				/* where it was found */
};

/* Where a frame of that form has a register, in bytes from its own stack pointer. */
static bool place_of(const struct crash *c, const struct signal_frame *row, int reg, u64 *at)
{
	for (u16 i = 0; i < row->n_saved; i++) {
		const struct saved_regs *run = &row->saved[i];

		if (!run->set && reg >= run->reg && reg < run->reg + run->n && (!run->size || run->size == c->core->layout.word)) {
			*at = row->context + run->off + (u64)(reg - run->reg) * c->core->layout.word;
			return true;
		}
	}
	return false;
}

/*
 * Memory that may be read and written now was no reason to end for: a collector's barrier, say, which has let the access
 * succeed, and the thread has come there again.
 */
static bool may_be_reason(struct crash *c)
{
	enum { MAPERR = 1, ACCERR = 2 };
	struct place p;

	if (!c->has_addr || !crash_is(c, "SEGV") || (c->si.code != MAPERR && c->si.code != ACCERR) || c->addr == c->pc)
		return true;
	place_at(c, c->addr, &p);
	return !p.area || !p.prot_known || (p.prot & (PF_R | PF_W)) != (PF_R | PF_W);
}

/* Of a frame of that form the word at @at is the stack pointer: it has the thread's registers, and a fault of the last signal. */
static bool is_of_form(struct search *s, const struct signal_frame *row, u64 at)
{
	const struct crash *c = s->c;
	u64 sp_at, pc_at, pc;

	return place_of(c, row, c->core->arch->sp, &sp_at) && place_of(c, row, c->core->arch->pc, &pc_at) &&
	       space_word(c->u, at - sp_at + pc_at, &pc) && pc == c->pc && crash_read_frame(s->c, row, at - sp_at, s->out) &&
	       s->out->signo == c->signo && s->out->pc == c->pc && s->out->sp == c->sp && may_be_reason(s->out);
}

static bool is_it(struct search *s, u64 at)
{
	const struct arch *a = s->c->core->arch;

	for (size_t i = 0; i < a->frame.n_signals; i++)
		if (is_of_form(s, &a->frame.signals[i], at)) {
			s->at = at;
			return true;
		}
	return false;
}

static bool look_through(struct search *s, u64 start, u64 end)
{
	enum mem_state state;
	struct err ignored;
	size_t n;

	for (u64 at = align_up(start, s->word); at < end; at += n) {
		if (core_read(s->c->core, at, s->buf, min((size_t)(end - at), (size_t)CHUNK), &state, &n, &ignored) || !n)
			return false;
		for (size_t i = 0; state == MEM_PRESENT && i + s->word <= n; i += s->word)
			if (!memcmp(s->buf + i, s->sp, s->word) && is_it(s, at + i))
				return true;
	}
	return false;
}

static bool is_data(const struct search *s, const struct core_area *a)
{
	bool known;
	u32 prot = core_area_prot(s->c->core, a, &known);

	return (prot & PF_W || !known) && !a->shadow_stack;
}

/* Areas of [least, most] bytes, as far as *left goes. */
static bool look_at_areas(struct search *s, u64 least, u64 most, u64 *left)
{
	const struct core *core = s->c->core;

	for (size_t i = 0; i < core->n_areas; i++) {
		const struct core_area *a = &core->areas[i];
		u64 size = a->saved_end - a->start;

		if (!size || size < least || size > most || size > *left || !is_data(s, a))
			continue;
		*left -= size;
		if (look_through(s, a->start, a->saved_end))
			return true;
	}
	return false;
}

static bool find(struct search *s)
{
	u64 left = ALL_MAX, sp = s->c->sp;

	return look_through(s, sp - min(sp, (u64)BELOW), sp) || look_at_areas(s, 1, SMALL, &left) ||
	       look_at_areas(s, SMALL + 1, ALL_MAX, &left);
}

bool crash_find_left(struct crash *c, struct crash *out, u64 *at)
{
	struct search s = { .c = c, .out = out, .word = c->core->layout.word };
	bool found = false;

	if (!c->core->arch || !c->sp || s.word > WORD_MAX || crash_is_after_call(c, c->pc))
		return false;
	s.buf = malloc(CHUNK);
	if (s.buf) {
		uint_put(c->core->fmt, s.sp, s.word, c->sp);
		found = find(&s);
	}
	free(s.buf);
	*at = s.at;
	return found;
}
