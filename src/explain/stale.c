#include <inttypes.h>

#include "base/util.h"
#include "elf/tags.h"
#include "explain/tagfault.h"

/* Pointers that are not the memory's any more: where others of a freed block may be. */

enum { STALE_MAX = 8, STACK_WORDS = 4096 };

/* A tagged address of tagged memory whose tag is another: *memory_tag. */
static bool is_stale(struct crash *c, u64 v, u8 *memory_tag)
{
	const struct core_area *a;
	enum tag_state state;
	struct err e;
	u64 addr = v & 0x00ffffffffffffffull;

	if (!tags_of_pointer(v) || v >> 60 || v >> 55 & 1)
		return false;
	a = core_area_find(c->core, addr);
	return a && a->start <= addr && a->mte && !core_tag_at(c->core, addr, &state, memory_tag, &e) && state == TAG_KNOWN &&
	       *memory_tag != tags_of_pointer(v);
}

static size_t frame_of(const struct crash *c, u64 at)
{
	const struct stack *s = &c->v->stack;
	size_t i = c->v->frame;

	while (i + 1 < s->n && s->frames[i + 1].sp && s->frames[i + 1].sp <= at)
		i++;
	return i;
}

void mte_show_stale(struct crash *c)
{
	unsigned n = 0;
	u64 v;
	u8 tag;

	for (unsigned i = 0; i < crash_n_regs(c) && n < STALE_MAX / 2; i++) {
		const char *name = crash_reg_at(c, i, &v);

		if (*name && is_stale(c, v, &tag)) {
			show_insn(c, "stale pointer: %s = 0x%" PRIx64 ", where memory has tag 0x%x", name, v, tag);
			n++;
		}
	}
	for (u64 i = 0, at = c->sp & ~7ull; c->sp && i < STACK_WORDS && n < STALE_MAX && space_word(c->u, at, &v); i++, at += 8)
		if (is_stale(c, v, &tag)) {
			show_frame(c, frame_of(c, at), "stale pointer on the stack at 0x%" PRIx64 ": 0x%" PRIx64 ", where memory has tag 0x%x",
				   at, v, tag);
			n++;
		}
}
