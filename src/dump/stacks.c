#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/ranges.h"
#include "elf/linkmap.h"
#include "live/proc.h"

/*
 * What --stacks saves: of every stack the part in use, what a debugger needs to find
 * programs and libraries by, the dynamic linker's list, and (variables.c) variables.
 */
enum {
	LINK_MAP_MAX = 1536,		/* struct link_map: 1160 bytes in glibc 2.36 on x86-64 */
	LINKER_ROOM = 32 << 10,		/* around an entry, what the dynamic linker has allocated beside it */
};

/* ---- stacks */

static u64 stack_pointer(const struct dump *d, const struct thread *th)
{
	const struct arch *a = d->target.arch;
	struct bytes regs = { .p = th->gregs, .len = th->gregs_len };
	u64 sp = 0;
	struct err e;

	if (th->stop != THREAD_STOPPED)
		return th->was_blocked ? th->call[2] : 0;
	if (reg_get(a, &a->gregs, a->sp, regs, &sp, &e))
		return 0;
	return arch_untag(a, sp);
}

/* The C libraries put a thread's own block at the upper end of its stack. */
static u64 thread_pointer(const struct dump *d, const struct thread *th)
{
	const struct arch *a = d->target.arch;
	struct buf b scoped(buf_fini) = { 0 };
	struct bytes desc = { .p = th->gregs, .len = th->gregs_len };
	struct err e;
	u64 tp = 0;

	if (th->stop != THREAD_STOPPED || !a->tp.set)
		return 0;
	if (a->tp.set != &a->gregs) {
		if (target_regset(&d->target, th, a->tp.set, &b, &e) <= 0)
			return 0;
		desc = (struct bytes){ .p = b.p, .len = b.len };
	}
	return reg_get(a, a->tp.set, a->tp.reg, desc, &tp, &e) ? 0 : arch_untag(a, tp);
}

static int add_stack(struct dump *d, u64 sp, u64 tp, struct err *e)
{
	struct plan_range range;

	return stack_range(d, sp, tp, &range) ? ranges_add(d, range.start, range.end, e) : 0;
}

/*
 * A signal handler on a stack of its own, or a coroutine: where the thread's first
 * stack was left is in no register, so all of it that was touched is taken.
 */
static int add_first_stack(struct dump *d, const struct thread *th, u64 sp, u64 tp, struct err *e)
{
	const struct vma *here = dump_area_at(d, sp);

	if (th->tid == d->target.pid) {
		for (size_t i = 0; i < d->areas.n; i++) {
			const struct vma *v = d->areas.v[i].vma;

			if (v != here && v->name && !strcmp(v->name, "[stack]"))
				return ranges_add(d, v->start, v->end, e);
		}
		return 0;
	}
	here = tp && here != dump_area_at(d, tp) ? dump_area_at(d, tp) : NULL;
	return here && vma_is_anon(here) ? ranges_add(d, here->start, min(here->end, tp + d->page_size), e) : 0;
}

static int add_stacks(struct dump *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++) {
		const struct thread *th = &d->target.threads[i];
		u64 sp = stack_pointer(d, th), tp = thread_pointer(d, th);

		if (sp)
			r = add_stack(d, sp, tp, e);
		if (!r && sp)
			r = add_first_stack(d, th, sp, tp, e);
	}
	return r;
}

static int add_threads(struct dump *d, const struct tls_blocks *tls, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++)
		r = variables_add_thread(d, thread_pointer(d, &d->target.threads[i]), tls, e);
	return r;
}

/* ---- the dynamic linker's list: what was read of it is to be saved */

struct list_reader {
	struct dump *d;
	u64 page;	/* added last, or UINT64_MAX */
	int error;
	struct err *e;
};

/* The vdso is saved whole anyway, and stays one area. */
static bool add_page(struct list_reader *l, u64 page)
{
	const struct vma *v = dump_area_at(l->d, page);

	if (page != l->page && v && !vma_is_special(v))
		l->error = ranges_add(l->d, page, page + l->d->page_size, l->e);
	l->page = page;
	return !l->error;
}

/* Only what is in memory, so that the target does not grow. */
static bool read_list(void *arg, u64 addr, void *buf, size_t len)
{
	struct list_reader *l = arg;
	u64 size = l->d->page_size;

	addr = arch_untag(l->d->target.arch, addr);
	for (size_t done = 0, n; done < len; done += n) {
		u64 at = addr + done, page = align_down(at, size);

		n = (size_t)min((u64)(len - done), page + size - at);
		if (at < addr || !dump_peek(l->d, at, (u8 *)buf + done, n) || !add_page(l, page))
			return false;
	}
	return true;
}

/*
 * libthread_db looks for a module's number in the rest of struct link_map, and in a list
 * of modules that have thread-local variables, which the dynamic linker allocates before
 * there is a malloc: beside the entries (glibc 2.36, elf/dl-minimal.c: __minimal_malloc()).
 */
static int add_link_map(struct dump *d, u64 at, struct err *e)
{
	const struct vma *v = dump_area_at(d, at);

	if (v && vma_is_anon(v) && !v->name)
		return ranges_add_copies(d, v, max(v->start, align_down(at - min(at, (u64)LINKER_ROOM), d->page_size)),
					 min(v->end, align_up(at, d->page_size) + LINKER_ROOM), false, e);
	return ranges_add_memory(d, at, at + LINK_MAP_MAX, e);
}

/* LLDB looks at the dynamic section of each library, too. */
static int on_link(const struct link *link, void *arg, struct err *e)
{
	struct list_reader *l = arg;
	u8 ignored;

	if (link->ld)
		read_list(l, link->ld, &ignored, 1);
	return l->error || l->d->opts->unwind_only ? l->error : add_link_map(l->d, link->at, e);
}

static bool find_phdr(const struct dump *d, u64 *phdr, u64 *phnum)
{
	const struct arch *a = d->target.arch;
	struct buf b scoped(buf_fini) = { 0 };
	bool has_phdr = false, has_phnum = false;
	struct err e;

	if (proc_slurp(d->target.pid, d->target.reader, "auxv", 1 << 16, &b, &e))
		return false;
	for (size_t at = 0; at + 2u * a->word <= b.len; at += 2u * a->word) {
		u64 type = uint_get(a->fmt, b.p + at, a->word), value = uint_get(a->fmt, b.p + at + a->word, a->word);

		if (type == AT_PHDR) {
			*phdr = value;
			has_phdr = true;
		}
		if (type == AT_PHNUM) {
			*phnum = value;
			has_phnum = true;
		}
	}
	return has_phdr && has_phnum;
}

static int add_list(struct dump *d, struct err *e)
{
	struct list_reader l = { .d = d, .page = UINT64_MAX, .e = e };
	struct linkmap_reader r = {
		.fmt = d->target.arch->fmt, .word = d->target.arch->word, .read = read_list, .arg = &l,
	};
	u64 phdr = 0, phnum = 0;
	int ret;

	if (!find_phdr(d, &phdr, &phnum))
		return 0;
	ret = linkmap_walk(&r, phdr, phnum, on_link, &l, e);
	return l.error ? l.error : ret;
}

int dump_add_stacks(struct dump *d, struct err *e)
{
	bool variables = !d->opts->unwind_only;
	struct tls_blocks tls;
	int r = dump_peek_init(d, e);

	if (!r)
		r = add_stacks(d, e);
	if (!r)
		r = interrupted_add_stacks(d, e);
	if (!r)
		r = jit_add_code(d, e);
	if (!r && variables)
		r = variables_add(d, &tls, e);
	if (!r && variables)
		r = add_threads(d, &tls, e);
	if (!r && d->opts->waits)
		r = waits_add(d, e);
	if (!r)
		r = add_list(d, e);
	ranges_merge(d);
	return r;
}
