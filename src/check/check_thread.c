#include <stdio.h>
#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "check/checks.h"

u64 check_thread_off(const struct core *c, const struct core_thread *t)
{
	return c->notes[t->note].note.off;
}

void check_thread_none(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->n_note_segs && check_has_all_notes(c) && !c->n_threads)
		check_found(x, c->note_segs[0].data.off, "no PRSTATUS note, so no thread: gdb 16 crashes on such a core");
}

void check_thread_first(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->n_threads && c->threads[0].note)
		check_found(x, c->notes[0].note.off, "the first PRSTATUS is note %u, not note 0", c->threads[0].note);
}

void check_thread_tid(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 1; i < c->n_threads; i++) {
		const struct core_thread *a = &c->threads[c->by_tid[i - 1]], *b = &c->threads[c->by_tid[i]];

		if (a->tid == b->tid)
			check_found(x, check_thread_off(c, b), "thread %d is there twice", b->tid);
	}
}

/* The kinds of note that a thread has; more than so many are not compared. */
struct kinds {
	u64 key[32];
	size_t n;
};

/* SIGINFO is no register set: the kernel writes it for the thread that took the signal. */
static void kinds_add(struct kinds *k, const struct note *n)
{
	u64 key = (u64)n->type << 8 | (u8)n->owner[0];

	if (n->type == NT_SIGINFO)
		return;
	for (size_t i = 0; i < k->n; i++)
		if (k->key[i] == key)
			return;
	if (k->n < ARRAY_SIZE(k->key))
		k->key[k->n++] = key;
}

static bool kinds_have(const struct kinds *k, u64 key)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->key[i] == key)
			return true;
	return false;
}

/* The notes of thread @t; *at moves on to the first that is a later thread's. */
static void kinds_of(const struct core *c, size_t t, size_t *at, struct kinds *out)
{
	*out = (struct kinds){ 0 };
	for (; *at < c->n_notes && c->notes[*at].thread <= (s32)t; (*at)++)
		if (c->notes[*at].thread == (s32)t)
			kinds_add(out, &c->notes[*at].note);
}

static const char *kind_name(u64 key, char out[32])
{
	const char *owner = (key & 0xff) == 'L' ? "LINUX" : "CORE";
	const struct note_kind *k = note_kind_find(owner, (u32)(key >> 8));

	if (k)
		return k->name;
	snprintf(out, 32, "%s 0x%llx", owner, (unsigned long long)(key >> 8));
	return out;
}

static void compare(struct check_ctx *x, const struct core_thread *t, const struct kinds *first,
		    const struct kinds *k)
{
	const struct core *c = x->core;
	char name[32];

	for (size_t i = 0; i < first->n; i++)
		if (!kinds_have(k, first->key[i]))
			check_found(x, check_thread_off(c, t), "thread %d has no %s, thread %d has", t->tid,
				    kind_name(first->key[i], name), c->threads[0].tid);
	for (size_t i = 0; i < k->n; i++)
		if (!kinds_have(first, k->key[i]))
			check_found(x, check_thread_off(c, t), "thread %d has %s, thread %d has not", t->tid,
				    kind_name(k->key[i], name), c->threads[0].tid);
}

void check_thread_sets(struct check_ctx *x)
{
	const struct core *c = x->core;
	struct kinds first, k;
	size_t at = 0;

	if (c->n_threads < 2 || !check_has_all_notes(c))
		return;
	kinds_of(c, 0, &at, &first);
	for (size_t t = 1; t < c->n_threads; t++) {
		kinds_of(c, t, &at, &k);
		compare(x, &c->threads[t], &first, &k);
	}
}

/*
 * A thread of the process that runs in the kernel only, as io_uring's SQPOLL and
 * iou-wrk and vhost's workers (PF_IO_WORKER, PF_USER_WORKER), is in the kernel's
 * cores and has no registers of its own: Linux 6.12, arch/x86/kernel/process.c:
 * copy_thread() sets ip and sp to 0, other machines' the whole of pt_regs.
 */
static bool is_kernel_worker(const struct core *c, const struct core_thread *t)
{
	u64 pc, sp;

	return !core_thread_pc(c, t, &pc, NULL) && !core_thread_sp(c, t, &sp, NULL) && !pc && !sp;
}

void check_thread_pc(struct check_ctx *x)
{
	const struct core *c = x->core;
	u64 pc;

	if (!c->n_areas || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_thread *t = &c->threads[i];
		const struct core_area *a;
		bool known;
		u32 prot;

		if (is_kernel_worker(c, t) || core_thread_pc(c, t, &pc, NULL))
			continue;
		a = core_area_find(c, pc);
		prot = a ? core_area_prot(c, a, &known) : 0;
		if (!a || a->start > pc)
			check_found(x, check_thread_off(c, t), "thread %d: pc 0x%llx is in no area", t->tid,
				    (unsigned long long)pc);
		else if (known && !(prot & PF_X))
			check_found(x, check_thread_off(c, t), "thread %d: pc 0x%llx is in an area that is not executable",
				    t->tid, (unsigned long long)pc);
	}
}

int check_thread_stack(const struct core *c, const struct core_thread *t, u64 *out)
{
	int r = core_thread_sp(c, t, out, NULL);

	if (!r)
		*out = core_untag(c, *out) + c->arch->sp_bias;
	return r;
}

/* The first thread's: it has what the kernel gave the program (fs/binfmt_elf.c: create_elf_tables()), or is marked so. */
static bool is_main_stack(const struct core *c, const struct core_area *a)
{
	const struct core_noted_area *noted = core_noted_area_at(c, a->start);
	static const u64 in_it[] = { AT_RANDOM, AT_EXECFN };
	u64 addr;

	for (size_t i = 0; i < ARRAY_SIZE(in_it); i++)
		if (core_auxv(c, in_it[i], &addr) && addr >= a->start && addr < a->end)
			return true;
	return noted && noted->flags & VM_GROWSDOWN;
}

/* What is below the stacks of threads (pthread_attr_setguardsize(3)), and holds nothing. */
static bool is_guard(const struct core *c, const struct core_area *a)
{
	bool known;
	u32 prot = core_area_prot(c, a, &known);

	return known && !(prot & (PF_R | PF_W | PF_X));
}

/*
 * @sp is below the stack @a, of which a function that keeps its variables far
 * down has not touched the last part yet: the kernel would make the area larger.
 * Linux 7.3, mm/vma.c: expand_downwards() leaves stack_guard_gap (256 pages)
 * above the area before if that can be accessed, acct_stack_growth() goes as far as RLIMIT_STACK, which
 * no core has; 8 MiB unless it is larger already.
 */
static bool may_grow_to(const struct core *c, const struct core_area *a, u64 sp)
{
	enum { GUARD_PAGES = 256, LIMIT = 8 << 20 };
	const struct core_area *before = a > c->areas ? a - 1 : NULL;
	u64 page = 4096, floor;

	if (!is_main_stack(c, a))
		return false;
	core_auxv(c, AT_PAGESZ, &page);
	if (page < 4096 || page > 65536)
		page = 4096;
	floor = !before ? 0 : is_guard(c, before) ? before->end : range_end(before->end, GUARD_PAGES * page);
	return sp >= floor && (a->end - sp <= LIMIT || a->end - a->start > LIMIT);
}

void check_thread_sp(struct check_ctx *x)
{
	const struct core *c = x->core;
	u64 sp;

	if (!c->n_areas || !check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_thread *t = &c->threads[i];
		const struct core_area *a;

		if (is_kernel_worker(c, t) || check_thread_stack(c, t, &sp))
			continue;
		/* An empty stack points just above its area. */
		a = core_area_find(c, sp ? sp - 1 : sp);
		if (!a || (a->start > sp && !may_grow_to(c, a, sp)))
			check_found(x, check_thread_off(c, t), "thread %d: sp 0x%llx is in no area", t->tid,
				    (unsigned long long)sp);
	}
}

/* First address of [start, end) without bytes that the segment does not promise either, or @end. */
static u64 first_absent(const struct core *c, const struct core_area *a, u64 start, u64 end)
{
	const GElf_Phdr *p = a->seg == CORE_NO_SEG ? NULL : &c->segs[a->seg];
	u64 until;

	for (u64 at = start; at < end; at = until)
		if (core_mem_state(c, at, &until) != MEM_PRESENT)
			/* What the file should have is seg-truncated's. */
			return p && at >= a->saved_end && at - p->p_vaddr < p->p_filesz ? end : at;
	return end;
}

/*
 * A return address, or a frame's saved registers, are in the first words.  All of
 * the stack may be more than what was asked for: --stacks saves what is in use.
 */
void check_thread_stack_bytes(struct check_ctx *x)
{
	enum { WORDS = 16 };
	const struct core *c = x->core;
	u64 sp;

	for (size_t i = 0; i < c->n_threads && check_has_all_segs(c); i++) {
		const struct core_thread *t = &c->threads[i];
		const struct core_area *a;
		u64 end, absent;

		if (check_thread_stack(c, t, &sp) || !(a = core_area_find(c, sp)) || a->start > sp)
			continue;
		end = min(a->end - sp, (u64)WORDS * c->arch->word) + sp;
		absent = first_absent(c, a, sp, end);
		if (absent < end && is_guard(c, a))
			check_found_info(x, check_thread_off(c, t), "thread %d: sp 0x%llx is in memory without permissions: it "
					 "has used up its stack", t->tid, (unsigned long long)sp);
		else if (absent < end)
			check_found(x, check_thread_off(c, t), "thread %d: its stack at sp 0x%llx is not in the file, from "
				    "0x%llx on", t->tid, (unsigned long long)sp, (unsigned long long)absent);
	}
}
