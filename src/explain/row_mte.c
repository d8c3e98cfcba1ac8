#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "explain/tagfault.h"
#include "explain/hang.h"
#include "explain/rows.h"

/* Memory tag faults of arm64: Documentation/arch/arm64/memory-tagging-extension.rst. */

#define AUDIT_AARCH64 0xc00000b7u	/* include/uapi/linux/audit.h: AUDIT_ARCH_AARCH64 */
enum { MTEAERR = 8 };

static const struct mte *is_kind(struct crash *c, enum mte_kind kind)
{
	const struct mte *m = mte_of(c);

	return m && m->kind == kind ? m : NULL;
}

static const char *block_text(const struct block *b, char out[160])
{
	u64 len = b->end - b->start;

	if (b->is_chunk)
		put_fmt(out, 160, "the %s %" PRIu64 "-byte block 0x%" PRIx64 "-0x%" PRIx64, b->is_freed ? "freed" : "live", len, b->start, b->end);
	else
		put_fmt(out, 160, "the %" PRIu64 "-byte run of tag 0x%x at 0x%" PRIx64 "-0x%" PRIx64, len, b->tag, b->start, b->end);
	return out;
}

/* " in the frame of FUNCTION", whose variable is at @addr, of the thread that crashed. */
static const char *frame_text(struct crash *c, const struct mte *m, u64 addr, char out[160])
{
	const struct stack *s = &c->v->stack;
	char name[128] = "";

	*out = 0;
	for (size_t i = c->v->frame; m->on_stack && m->stack_sp == c->sp && i + 1 < s->n && !*name; i++)
		if (s->frames[i].sp && s->frames[i].sp <= addr && addr < s->frames[i + 1].sp)
			crash_function(c, i, name, sizeof(name));
	if (*name)
		put_fmt(out, 160, ", in the frame of %s", name);
	return out;
}

static void show_block(struct crash *c, const char *what, const struct block *b)
{
	char text[160];

	show_mem(c, b->start, "%s: %s, tag 0x%x%s", what, block_text(b, text), b->tag, b->is_cut ? " (and more)" : "");
}

static void show_ctrl(struct crash *c)
{
	struct core_tag_ctrl ctrl;

	if (!core_tag_ctrl(c->core, c->thread, &ctrl, NULL) && ctrl.store_only)
		show_thread(c, "only stores are checked (PR_MTE_STORE_ONLY): loads before may have been bad, too");
}

/* What all of these rows have to show. */
static void finish(struct crash *c, const struct mte *m)
{
	struct block b;

	say_sure(c, m->sure, "%s", m->why);
	c->v->has_tags = true;
	c->v->pointer_tag = m->pointer_tag;
	c->v->memory_tag = m->memory_tag;
	show_access(c);
	show_mem(c, c->addr, "the pointer has tag 0x%x, the memory 0x%x", m->pointer_tag, m->memory_tag);
	if (*m->by)
		show_insn(c, "register %s = 0x%" PRIx64 " leads to the block", m->by, m->by_value);
	if (m->in_header)
		show_mem(c, m->at.start - 16, "the address is in the header of the chunk whose block begins at 0x%" PRIx64, m->at.start);
	show_block(c, m->in_header ? "after that header" : "here", &m->at);
	if (blocks_before(m->blocks, &m->at, &b))
		show_block(c, "before it", &b);
	if (blocks_after(m->blocks, &m->at, &b))
		show_block(c, "after it", &b);
	if (blocks_heap_name(m->blocks))
		show_thread(c, "the heap is %s", blocks_heap_name(m->blocks));
	else
		show_thread(c, m->on_stack ? "the address is on a stack: variables are runs of equal tags" :
			    "the allocator is not known: blocks are runs of equal tags");
	show_ctrl(c);
	mte_show_stale(c);
	if (m->of.end) {
		c->v->object = (struct object){ .is_set = true, .start = m->of.start, .end = m->of.end, .offset = (s64)(c->addr - m->of.start) };
		put_fmt(c->v->object.state, sizeof(c->v->object.state), "%s",
			 m->of.is_freed || m->kind == MTE_USE_AFTER_FREE ? "freed" : m->of.is_chunk ? "live" : "tagged");
	}
}

bool row_mte_double_free(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_DOUBLE_FREE);
	char text[160], caller[128];

	if (!m)
		return false;
	crash_function(c, c->v->frame + 1, caller, sizeof(caller));
	say(c, "double free: %s frees %s again", *caller ? caller : "the thread", block_text(&m->of, text));
	finish(c, m);
	if (*caller)
		show_frame(c, c->v->frame + 1, "%s has called %s", caller, *c->function ? c->function : "it");
	try_next(c, "look for who else frees it: another owner, or the same code run twice");
	return true;
}

bool row_mte_use_after_free(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_USE_AFTER_FREE);
	char text[160], access[200];

	if (!m)
		return false;
	if (m->on_stack)
		say(c, c->addr < m->stack_sp ? "use after return: %s, on the stack, below the stack pointer%s" :
		    "use after scope: %s, on the stack, of a variable that is no more%s", access_text(c, access, sizeof(access)),
		    frame_text(c, m, c->addr, text));
	else
		say(c, "use after free: %s, %" PRIu64 " bytes into %s%s", access_text(c, access, sizeof(access)), c->addr - m->of.start,
		    m->of.is_chunk ? "" : "memory that has changed its tag, ", block_text(&m->of, text));
	finish(c, m);
	if (blocks_heap(m->blocks) == HEAP_GLIBC && c->addr == m->of.start && c->access.size <= 1 && c->access.type != ACCESS_WRITE && !*c->function)
		also_possible(c, "mte-double-free", "free() of a block that is free: it reads the block's first byte");
	if (!m->of.is_chunk && !m->on_stack)
		also_possible(c, "mte-freed-and-reused", "the memory was freed and given out again");
	if (m->on_stack)
		try_next(c, "look for who keeps the address of a local variable");
	else
		try_next(c, "look for who frees the block, and for other pointers to it (stale pointers are among the evidence)");
	return true;
}

bool row_mte_freed_and_reused(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_REUSED);
	char text[160], access[200];

	if (!m)
		return false;
	say(c, "use after free: %s, %" PRIu64 " bytes into %s, which was freed and given out again with another tag",
	    access_text(c, access, sizeof(access)), c->addr - m->of.start, block_text(&m->of, text));
	finish(c, m);
	also_possible(c, "mte-wild-pointer", "the pointer's tag was changed, or made up");
	try_next(c, "look for who has freed the block while this pointer was in use");
	return true;
}

bool row_mte_overflow(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_OVERFLOW);
	char text[160], access[200], frame[160];

	if (!m)
		return false;
	say(c, "%s overflow: %s, %" PRIu64 " bytes past the end of %s%s", m->on_stack ? "stack buffer" : "heap",
	    access_text(c, access, sizeof(access)), c->addr - m->of.end, block_text(&m->of, text), frame_text(c, m, m->of.start, frame));
	finish(c, m);
	if (m->is_equal)
		also_possible(c, "mte-underflow", "%" PRIu64 " bytes before %s", m->other.start - c->addr, block_text(&m->other, text));
	try_next(c, "look for an index or a length in %s that is larger than the block", *c->function ? c->function : "the function");
	return true;
}

bool row_mte_underflow(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_UNDERFLOW);
	char text[160], access[200], frame[160];
	u64 by;

	if (!m)
		return false;
	by = m->of.start - c->addr;
	say(c, "%s underflow: %s, %" PRIu64 " byte%s before the start of %s%s", m->on_stack ? "stack buffer" : "heap",
	    access_text(c, access, sizeof(access)), by, by == 1 ? "" : "s", block_text(&m->of, text), frame_text(c, m, m->of.start, frame));
	finish(c, m);
	try_next(c, "look for a negative index in %s", *c->function ? c->function : "the function");
	return true;
}

static void also_near(struct crash *c, const struct mte *m)
{
	struct block b;
	char text[160];

	if (blocks_nearest(m->blocks, c->addr, m->pointer_tag, false, &b))
		also_possible(c, "mte-overflow", "%" PRIu64 " bytes past the end of %s", c->addr - b.end, block_text(&b, text));
	if (blocks_nearest(m->blocks, c->addr, m->pointer_tag, true, &b))
		also_possible(c, "mte-underflow", "%" PRIu64 " bytes before %s", b.start - c->addr, block_text(&b, text));
}

bool row_mte_wild(struct crash *c)
{
	const struct mte *m = is_kind(c, MTE_WILD);
	char text[160], access[200];
	struct block b;
	bool header;
	u64 base;

	if (!m)
		return false;
	base = core_untag(c->core, c->access.base.value);
	say(c, "wild or stale pointer: %s, whose tag 0x%x is of no block near it", access_text(c, access, sizeof(access)), m->pointer_tag);
	finish(c, m);
	place_is_object(c, &(struct place){ .start = m->at.start, .end = m->at.end }, m->at.is_freed ? "freed" : m->at.is_chunk ? "live" : "tagged");
	if (c->access.is_decoded && c->access.base.known && *c->access.base.name && base != c->addr &&
	    blocks_at(m->blocks, base, &b, &header) && !header)
		also_possible(c, "mte-freed-and-reused", "%s is a stale pointer, %" PRIu64 " bytes into what is now %s", c->access.base.name,
			      base - b.start, block_text(&b, text));
	also_near(c, m);
	return true;
}

static void put_call_name(struct crash *c, s32 nr, char *out, size_t size)
{
	if (!c->opts.call_name || !c->opts.call_name(AUDIT_AARCH64, nr, out, size))
		put_fmt(out, size, "number %d", nr);
}

/* The call that a thread is in; NT_ARM_SYSTEM_CALL has none any more when the kernel writes a core. */
static bool call_of(struct crash *c, const struct core_thread *t, char *name, size_t size)
{
	s32 nr;

	if (!hang_call_of(c, t, &nr))
		return false;
	put_call_name(c, nr, name, size);
	return true;
}

/* The thread with the fault is known; what it has damaged, or was damaged by, may be another's. */
static void show_calls(struct crash *c)
{
	enum { OTHERS_MAX = 8 };
	size_t shown = 0, others = 0;
	char name[64];

	if (call_of(c, c->thread, name, sizeof(name)))
		show_thread(c, "the thread was in the system call %s", name);
	for (size_t i = 0; i < c->core->n_threads; i++) {
		const struct core_thread *t = &c->core->threads[i];

		if (t == c->thread)
			continue;
		others++;
		if (shown < OTHERS_MAX && call_of(c, t, name, sizeof(name))) {
			show_tid(c, t->tid, "at that time in the system call %s", name);
			shown++;
		}
	}
	if (others > shown)
		show_tid(c, 0, "%zu other thread%s: tagcore stack shows what each was doing", others - shown, others - shown == 1 ? "" : "s");
}

/* The instruction before is a system call, by which the kernel noticed: "svc #0"; its number is in x8. */
static void show_last_call(struct crash *c)
{
	struct access_reg nr;
	char name[64];

	if (!crash_is_after_call(c, c->pc) || !crash_reg(c, "x8", &nr))
		return;
	put_call_name(c, (s32)nr.value, name, sizeof(name));
	show_insn(c, "the instruction before is a system call, %s: the access was before it", name);
}

bool row_mte_async(struct crash *c)
{
	if (c->core->ehdr.e_machine != EM_AARCH64 || !crash_is_code(c, "SEGV", MTEAERR))
		return false;
	say(c, "a memory tag fault that was reported late (asynchronous): a pointer's tag was not the memory's, before%s%s",
	    *c->function ? " or in " : " this place", c->function);
	say_sure(c, SURE_CERTAIN, "the kernel says so: SEGV_MTEAERR, which has neither address nor instruction");
	show_insn(c, "where the thread was when the kernel noticed: at its next entry into the kernel, not at the access");
	show_thread(c, "which address, by which instruction, whether it was read or written, and how often: cannot be known");
	show_last_call(c);
	show_calls(c);
	show_ctrl(c);
	mte_show_stale(c);
	try_next(c, "run it again with synchronous checks: GLIBC_TUNABLES=glibc.mem.tagging=3, or prctl(2) with PR_MTE_TCF_SYNC");
	return true;
}

bool row_mte_unknown(struct crash *c)
{
	const struct mte *m = mte_of(c);
	char access[200];

	if (!m)
		return false;
	say(c, "memory tag fault: %s, by a pointer with tag 0x%x", access_text(c, access, sizeof(access)), m->pointer_tag);
	if (m->at.end) {
		finish(c, m);
		place_is_object(c, &(struct place){ .start = m->at.start, .end = m->at.end }, "tagged");
		also_near(c, m);
	} else {
		show_access(c);
		mte_show_stale(c);
	}
	say_sure(c, SURE_CERTAIN, "the kernel says so: SEGV_MTESERR; %s", m->at.end ? "which block the pointer was for is not known" :
		 m->has_memory_tag ? "the memory's tag is the pointer's by now: it was changed since" : "the memory's tag is not in this core");
	return true;
}
