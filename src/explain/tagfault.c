#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "elf/tags.h"
#include "explain/tagfault.h"

/* Which block the pointer was for: by the registers first, then by the tags beside the address. */

enum { MTESERR = 9, NEAR = 64 << 10 };

void mte_free(struct mte *m)
{
	if (m)
		blocks_free(m->blocks);
	free(m);
}

static bool is_known(const struct mte *m)
{
	return blocks_heap(m->blocks) != HEAP_UNKNOWN;
}

static void decide(struct mte *m, enum mte_kind kind, enum sure sure, const char *why)
{
	m->kind = kind;
	m->sure = sure;
	put_fmt(m->why, sizeof(m->why), "%s", why);
}

/* Before the address is its end, or after it its start. */
static bool is_beside(const struct block *b, u64 addr)
{
	return addr < b->start || addr >= b->end;
}

/* A pointer that is good, of the tag of the fault: its block. */
static bool owner(const struct mte *m, u64 value, u64 addr, struct block *out)
{
	u64 at = value & 0x00ffffffffffffffull;
	bool header;

	return tags_of_pointer(value) == m->pointer_tag && blocks_at(m->blocks, at, out, &header) && !header &&
	       out->tag == m->pointer_tag && is_beside(out, addr) &&
	       (addr >= out->end ? addr - out->end : out->start - addr) < NEAR;
}

static bool set_owner(struct mte *m, const char *name, u64 value, u64 addr, enum sure sure, const char *why)
{
	put_fmt(m->by, sizeof(m->by), "%s", name);
	m->by_value = value;
	decide(m, addr >= m->of.end ? MTE_OVERFLOW : MTE_UNDERFLOW, sure, why);
	return true;
}

/* The base register is a good pointer, and offset or index lead out of its block. */
static bool by_base(struct crash *c, struct mte *m)
{
	const struct access *a = &c->access;

	if (!a->is_decoded || !a->base.known || !*a->base.name || !owner(m, a->base.value, c->addr, &m->of))
		return false;
	return set_owner(m, a->base.name, a->base.value, c->addr, SURE_CERTAIN,
			 "the base register has the block's own tag and points into it; the access is outside");
}

/* Another register has what the moving pointer began with. */
static bool by_register(struct crash *c, struct mte *m)
{
	struct block best = { 0 }, at;
	u64 far = NEAR, value, v = 0;
	const char *name, *by = NULL;

	for (unsigned i = 0; i < crash_n_regs(c); i++) {
		name = crash_reg_at(c, i, &value);
		if (!*name || !strcmp(name, "pc") || !strcmp(name, "sp") || !owner(m, value, c->addr, &at))
			continue;
		u64 distance = c->addr >= at.end ? c->addr - at.end : at.start - c->addr;

		if (distance < far && distance < 256) {
			far = distance;
			best = at;
			by = name;
			v = value;
		}
	}
	if (!by)
		return false;
	m->of = best;
	return set_owner(m, by, v, c->addr, SURE_LIKELY, "a register points into a block of that tag, which is next to the address");
}

static bool is_free_function(const char *name)
{
	static const char *const names[] = { "free", "__libc_free", "cfree", "__GI___libc_free", "realloc", "__libc_realloc", "__GI___libc_realloc" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* free(3) reads a byte of a block by its pointer to find that (glibc 2.36, malloc/malloc.c: __libc_free()). */
static bool by_free(struct crash *c, struct mte *m)
{
	if (blocks_heap(m->blocks) != HEAP_GLIBC || m->in_header || c->addr != m->at.start || !is_free_function(c->function))
		return false;
	m->of = m->at;
	decide(m, MTE_DOUBLE_FREE, m->at.is_freed ? SURE_CERTAIN : SURE_LIKELY,
	       m->at.is_freed ? "free() met a block that is free, at its start" :
	       "free() met a block at its start whose tag is another: it was freed and given out again");
	return true;
}

/* The register that has the block's start, @less bytes before it, with the pointer's tag; the base register first. */
static bool find_start(struct crash *c, struct mte *m, u64 less)
{
	const struct access *a = &c->access;
	u64 want = (m->at.start - less) | (u64)m->pointer_tag << 56, value;

	if (a->is_decoded && a->base.known && *a->base.name && a->base.value == want) {
		put_fmt(m->by, sizeof(m->by), "%s", a->base.name);
		m->by_value = want;
		return true;
	}
	for (unsigned i = 0; i < crash_n_regs(c); i++) {
		const char *name = crash_reg_at(c, i, &value);

		if (*name && value == want) {
			put_fmt(m->by, sizeof(m->by), "%s", name);
			m->by_value = want;
			return true;
		}
	}
	return false;
}

/* free() has the chunk's address, too, which is a header before the block (glibc 2.36, malloc/malloc.c: mem2chunk()). */
static bool is_in_free(struct crash *c, struct mte *m)
{
	const struct module *mod = module_at(c->u, c->pc);
	bool is_libc = mod && mod->path && strstr(mod->path, "/libc.so");

	return !*c->function && is_libc && c->addr == m->at.start && find_start(c, m, TAG_GRANULE);
}

/* The pointer begins where the block does that has the address, and that has another tag now. */
static bool by_stale_base(struct crash *c, struct mte *m)
{
	const struct access *a = &c->access;
	bool known = is_known(m), is_base;

	if (m->in_header || (!known && !a->is_decoded))
		return false;
	if (blocks_heap(m->blocks) == HEAP_GLIBC && is_in_free(c, m)) {
		m->of = m->at;
		decide(m, MTE_DOUBLE_FREE, SURE_LIKELY,
		       "the C library met the freed block at its start, and a register has its chunk's address, as free() has");
		return true;
	}
	if (!find_start(c, m, 0))
		return false;
	is_base = a->is_decoded && !strcmp(a->base.name, m->by);
	if (!known && !is_base)
		return false;
	m->of = m->at;
	if (known)
		decide(m, m->at.is_freed ? MTE_USE_AFTER_FREE : MTE_REUSED, m->at.is_freed && is_base ? SURE_CERTAIN : SURE_LIKELY,
		       m->at.is_freed ? "a register points to the start of a freed block, with the tag of its life" :
		       "a register points to the start of a block that is live with another tag");
	else
		decide(m, MTE_USE_AFTER_FREE, SURE_LIKELY,
		       "the base register points to the start of a run of another tag, as of a block that was freed; "
		       "the allocator is not known");
	return true;
}

/* ---- by tags alone */

static bool is_of(const struct mte *m, bool has, const struct block *b)
{
	return has && b->tag == m->pointer_tag && m->pointer_tag;
}

/* A granule that belongs to neither: the header between two blocks, or the first bytes of the next run. */
static bool by_neighbours(struct crash *c, struct mte *m)
{
	enum { EDGE = 64 };
	struct block before = { 0 }, after = { 0 };
	bool has_before = blocks_before(m->blocks, &m->at, &before), has_after = true;
	bool over, under;

	if (m->in_header)
		after = m->at;
	else
		has_after = blocks_after(m->blocks, &m->at, &after);
	/* In a heap that is known the header is between two blocks: who walks from one to the other meets it. */
	if (is_known(m) && !m->in_header)
		return false;
	over = is_of(m, has_before, &before) && c->addr - before.end < EDGE;
	under = is_of(m, has_after, &after) && after.start - c->addr <= EDGE;
	if (!over && !under)
		return false;
	m->is_equal = over && under;
	m->of = over ? before : after;
	m->other = after;
	decide(m, over ? MTE_OVERFLOW : MTE_UNDERFLOW, m->is_equal ? SURE_POSSIBLE : SURE_LIKELY,
	       m->is_equal ? "the blocks on both sides have the pointer's tag" :
	       "the block beside the address has the pointer's tag; by chance another would have it once in 15 times");
	return true;
}

/* Free memory of the heap, and no block of that tag beside it. */
static bool by_freed(struct crash *c, struct mte *m)
{
	u64 base = core_untag(c->core, c->access.base.value);

	if (!is_known(m) || m->in_header || !m->at.is_freed)
		return false;
	m->of = m->at;
	if (c->access.is_decoded && c->access.base.known && base >= m->at.start && base < m->at.end)
		decide(m, MTE_USE_AFTER_FREE, SURE_LIKELY, "the pointer is into a freed block, not to its start: blocks may have been merged");
	else
		decide(m, MTE_USE_AFTER_FREE, SURE_POSSIBLE, "the address is in a freed block; where the pointer comes from is not known");
	return true;
}

static bool by_reused(struct crash *c, struct mte *m)
{
	u64 base = core_untag(c->core, c->access.base.value);

	if (!is_known(m) || m->in_header || m->at.is_freed || !c->access.is_decoded || !c->access.base.known ||
	    base < m->at.start || base >= m->at.end || base % TAG_GRANULE)
		return false;
	m->of = m->at;
	decide(m, MTE_REUSED, SURE_POSSIBLE, "the pointer is into a live block of another tag, not to its start");
	return true;
}

/* ---- on a stack, whose variables have tags while they are in scope, and all else has tag 0 (-fsanitize=memtag-stack) */

static void find_stack(struct crash *c, struct mte *m)
{
	const struct core_thread *t = NULL;
	struct crash of = *c;
	struct place p;

	place_at(c, c->addr, &p);
	for (size_t i = 0; p.is_stack && !t && i < c->core->n_threads; i++)
		if (c->core->threads[i].tid == p.tid)
			t = &c->core->threads[i];
	if (!t)
		return;
	/* Of the thread that crashed it is that of the fault, which a handler may have interrupted. */
	of.thread = t;
	if (t != c->thread)
		crash_find_registers(&of);
	/* A coroutine's may be in a block of the heap. */
	m->on_stack = of.sp && !is_known(m);
	m->stack_sp = of.sp;
}

static bool by_stack(struct crash *c, struct mte *m)
{
	bool is_left = m->on_stack && !m->memory_tag && m->pointer_tag;

	if (!is_left || (c->addr >= m->stack_sp && (!c->access.is_decoded || !c->access.base.known)))
		return false;
	m->of = m->at;
	if (c->addr < m->stack_sp)
		decide(m, MTE_USE_AFTER_FREE, SURE_LIKELY, "the address is below the stack pointer, and its tag was taken back: the function has returned");
	else
		decide(m, MTE_USE_AFTER_FREE, SURE_POSSIBLE, "the memory's tag was taken back, and no variable beside it has the pointer's");
	return true;
}

static void analyse(struct crash *c, struct mte *m)
{
	if (by_free(c, m) || by_base(c, m))
		return;
	/* A pointer that moves may meet the next block at its start, as a stale one does: the tag before it decides. */
	if (c->access.base.known && core_untag(c->core, c->access.base.value) == c->addr && !c->access.disp &&
	    !is_known(m) && by_neighbours(c, m) && m->kind == MTE_OVERFLOW)
		return;
	if (!m->on_stack && by_stale_base(c, m))
		return;
	if (by_neighbours(c, m) || by_register(c, m) || by_freed(c, m) || by_reused(c, m) || by_stack(c, m))
		return;
	/* Without the instruction it is not known what to look for. */
	if (c->access.is_decoded && c->access.base.known)
		decide(m, MTE_WILD, SURE_LIKELY, "no register has a good pointer of that tag, and no block beside the address has it");
}

const struct mte *mte_of(struct crash *c)
{
	bool header;
	struct mte *m;

	if (c->mte || c->no_mte)
		return c->mte;
	c->no_mte = true;
	if (c->core->ehdr.e_machine != EM_AARCH64 || !crash_is_code(c, "SEGV", MTESERR))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->pointer_tag = tags_of_pointer(c->access.has_addr ? c->access.addr : c->si.addr);
	m->blocks = blocks_open(c, c->addr);
	m->has_memory_tag = m->blocks && blocks_tag(m->blocks, c->addr, &m->memory_tag);
	/* Another thread may have changed the tag since. */
	if (m->has_memory_tag && m->memory_tag != m->pointer_tag && blocks_at(m->blocks, c->addr, &m->at, &header)) {
		m->in_header = header;
		find_stack(c, m);
		analyse(c, m);
	}
	c->mte = m;
	return m;
}
