#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "elf/linkmap.h"
#include "live/proc.h"

/*
 * What --stacks saves: of every stack the part in use, and what a debugger needs to
 * find programs and libraries by, the dynamic linker's list.
 */
enum {
	RED_ZONE = 256,			/* below the stack pointer and in use: psABI x86-64 128, ppc64 288 with vectors, 512 */
	UNKNOWN_STACK_MAX = 1 << 20,	/* of a stack whose upper end nothing tells: a coroutine's, in a heap */
	PAGE_MAX = 64 << 10,
};

/* ---- ranges */

static int want(struct dump *d, u64 start, u64 end, struct err *e)
{
	struct plan_ranges *w = &d->wanted;
	int r;

	start = align_down(start, d->page_size);
	end = align_up(min(end, UINT64_MAX - d->page_size), d->page_size);
	if (start >= end)
		return 0;
	r = array_grow((void **)&w->v, w->n, &d->wanted_cap, sizeof(*w->v), "stacks", e);
	if (!r)
		w->v[w->n++] = (struct plan_range){ start, end };
	return r;
}

static int by_start(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void sort_and_join(struct plan_ranges *w)
{
	size_t n = 0;

	if (w->n)
		qsort(w->v, w->n, sizeof(*w->v), by_start);
	for (size_t i = 0; i < w->n; i++) {
		if (n && w->v[i].start <= w->v[n - 1].end)
			w->v[n - 1].end = max(w->v[n - 1].end, w->v[i].end);
		else
			w->v[n++] = w->v[i];
	}
	w->n = n;
}

/* ---- stacks */

static const struct vma *area_of(const struct dump *d, u64 addr)
{
	size_t lo = 0, hi = d->areas.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->areas.v[mid].vma->end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < d->areas.n && d->areas.v[lo].vma->start <= addr ? d->areas.v[lo].vma : NULL;
}

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

static bool is_process_stack(const struct vma *v)
{
	return v->flags & VM_GROWSDOWN || (v->name && !strcmp(v->name, "[stack]"));
}

/* From @sp up to where this stack ends, as far as that can be told. */
static int want_stack(struct dump *d, u64 sp, u64 tp, struct err *e)
{
	const struct vma *v = area_of(d, sp);
	u64 end;

	/* Just below its area: overflown, or about to grow. */
	if (!v)
		v = area_of(d, sp + d->page_size);
	if (!v)
		return 0;
	sp = max(sp, v->start + RED_ZONE) - RED_ZONE;
	if (is_process_stack(v))
		end = v->end;
	else if (tp >= sp && tp < v->end)
		end = min(v->end, tp + d->page_size);
	else
		end = v->end - sp > UNKNOWN_STACK_MAX ? sp + UNKNOWN_STACK_MAX : v->end;
	return want(d, sp, end, e);
}

/*
 * A signal handler on a stack of its own, or a coroutine: where the thread's first
 * stack was left is in no register, so all of it that was touched is taken.
 */
static int want_first_stack(struct dump *d, const struct thread *th, u64 sp, u64 tp, struct err *e)
{
	const struct vma *here = area_of(d, sp);

	if (th->tid == d->target.pid) {
		for (size_t i = 0; i < d->areas.n; i++) {
			const struct vma *v = d->areas.v[i].vma;

			if (v != here && v->name && !strcmp(v->name, "[stack]"))
				return want(d, v->start, v->end, e);
		}
		return 0;
	}
	here = tp && here != area_of(d, tp) ? area_of(d, tp) : NULL;
	return here && vma_is_anon(here) ? want(d, here->start, min(here->end, tp + d->page_size), e) : 0;
}

static int want_stacks(struct dump *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++) {
		const struct thread *th = &d->target.threads[i];
		u64 sp = stack_pointer(d, th), tp = thread_pointer(d, th);

		if (sp)
			r = want_stack(d, sp, tp, e);
		if (!r && sp)
			r = want_first_stack(d, th, sp, tp, e);
	}
	return r;
}

/* ---- the dynamic linker's list: what was read of it is wanted */

struct list_reader {
	struct dump *d;
	u64 page;	/* in @buf, or UINT64_MAX */
	u8 buf[PAGE_MAX];
	int error;
	struct err *e;
};

/* Only what is in memory, so that the target does not grow. */
static bool load_page(struct list_reader *l, u64 page)
{
	struct dump *d = l->d;
	const struct vma *v = area_of(d, page);
	struct page_run run;
	size_t n = 0;
	struct err e;

	l->page = UINT64_MAX;
	if (d->page_size > PAGE_MAX || d->pages.ops->next(&d->pages, page, page + d->page_size, &run, &e) <= 0 ||
	    !(run.flags & (PAGE_PRESENT | PAGE_SWAPPED)) || (v && page_is_uffd_marker(v, &run)) ||
	    target_read(&d->target, page, l->buf, (size_t)d->page_size, &n, &e) || n < d->page_size)
		return false;
	l->page = page;
	/* The vdso is saved whole anyway, and stays one area. */
	if (v && !vma_is_special(v))
		l->error = want(d, page, page + d->page_size, l->e);
	return !l->error;
}

static bool read_list(void *arg, u64 addr, void *buf, size_t len)
{
	struct list_reader *l = arg;
	u64 size = l->d->page_size;

	addr = arch_untag(l->d->target.arch, addr);
	for (size_t done = 0, n; done < len; done += n) {
		u64 at = addr + done, page = align_down(at, size);

		if (at < addr || page > UINT64_MAX - size || (page != l->page && !load_page(l, page)))
			return false;
		n = (size_t)min((u64)(len - done), page + size - at);
		memcpy((u8 *)buf + done, l->buf + (at - page), n);
	}
	return true;
}

/* LLDB looks at the dynamic section of each library, too. */
static int on_link(const struct link *link, void *arg, struct err *e)
{
	struct list_reader *l = arg;
	u8 ignored;

	(void)e;
	if (link->ld)
		read_list(l, link->ld, &ignored, 1);
	return l->error;
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

static int want_list(struct dump *d, struct err *e)
{
	struct list_reader *l auto_free = calloc(1, sizeof(*l));
	struct linkmap_reader r = {
		.fmt = d->target.arch->fmt, .word = d->target.arch->word, .read = read_list, .arg = l,
	};
	u64 phdr, phnum;
	int ret;

	if (!l)
		return err_set(e, -ENOMEM, "list of libraries");
	l->d = d;
	l->page = UINT64_MAX;
	l->e = e;
	if (!find_phdr(d, &phdr, &phnum))
		return 0;
	ret = linkmap_walk(&r, phdr, phnum, on_link, l, e);
	return l->error ? l->error : ret;
}

int dump_want_stacks(struct dump *d, struct err *e)
{
	int r = want_stacks(d, e);

	if (!r)
		r = want_list(d, e);
	sort_and_join(&d->wanted);
	return r;
}
