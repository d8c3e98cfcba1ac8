#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/interrupted.h"
#include "dump/ranges.h"

/*
 * A signal handler on an alternate stack may have interrupted a coroutine, whose stack no
 * register leads to: only what the kernel saved for the return from the handler does.  That
 * is found without unwinding, which reads files and takes its time, while the target stands
 * still: on the stacks that are saved anyway, each word is looked at.
 *
 * What the kernel writes into such a frame is a proof that few other bytes pass: uc_stack is
 * the alternate stack, and the frame is on it (Linux 6.12, include/linux/sched/signal.h: sigsp();
 * kernel/signal.c: __save_altstack()).  Frames for handlers without SA_SIGINFO may have no uc_stack:
 * those of i386 and arm have other marks; of alpha, m68k, mips, powerpc, s390 and sparc none is used.
 * The interrupted pc is no part of it: it may be wild.  What passes by chance, or was left by an
 * earlier signal, costs memory that is saved in vain, and is of no other consequence.
 */
enum {
	ALT_STACK_MAX = 1 << 30,	/* most have 8 to 64 KiB */
	PIECE_PAGES = 16,	/* read at once */
	ALT_AREAS_MAX = 16,	/* that an alternate stack may span: static ones begin in .data and end in .bss */
	FRAMES_A_THREAD = 4,	/* with SS_AUTODISARM there may be several alternate stacks, each with its frame */
};

/* ---- a frame */

static bool get(const struct arch *a, const struct stack_piece *m, u64 addr, unsigned size, u64 *out)
{
	if (addr < m->start || addr - m->start >= m->len || m->len - (addr - m->start) < size)
		return false;
	*out = uint_get(a->fmt, m->p + (addr - m->start), size);
	return true;
}

static bool get_address(const struct arch *a, const struct stack_piece *m, u64 addr, u64 *out)
{
	if (!get(a, m, addr, a->word, out))
		return false;
	*out = arch_untag(a, *out);
	return true;
}

/* A 32-bit machine may have it as a number of 8 bytes. */
static bool get_sp(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 context,
		   u64 *out)
{
	for (size_t i = 0; i < f->n_saved; i++) {
		const struct saved_regs *run = &f->saved[i];
		unsigned size = run->size ? run->size : a->word;

		if (run->set || a->sp < run->reg || a->sp - run->reg >= run->n)
			continue;
		if (!get(a, m, context + run->off + (u64)(a->sp - run->reg) * size, size, out))
			return false;
		*out = arch_untag(a, a->word == 4 ? (u32)*out : *out);
		return true;
	}
	return false;
}

static bool is_on_alt_stack(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 sp,
			    struct interrupted *out)
{
	u64 start, size;

	if (!get_address(a, m, sp + f->alt_stack, &start) || start > sp ||
	    !get(a, m, sp + f->alt_size, a->word, &size) || sp - start >= size ||
	    add_overflow(start, size, &out->alt_end))
		return false;
	out->alt_start = start;
	return true;
}

/* Machines whose frames have the stack pointer twice leave the return address below it. */
static bool has_sp_twice(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 sp,
			 struct interrupted *out)
{
	u64 again, signo, saved;

	return get_address(a, m, sp + f->sp_again, &again) && get_sp(a, f, m, sp + f->context, &saved) &&
	       saved == again && get(a, m, sp + (u64)f->signo, 4, &signo) && signo >= 1 && signo <= 64 &&
	       get_address(a, m, sp - a->word, &out->ret) && out->ret;
}

static bool has_mark(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 sp,
		     struct interrupted *out)
{
	u64 magic;

	if (f->alt_stack)
		return is_on_alt_stack(a, f, m, sp, out);
	if (f->sp_again)
		return has_sp_twice(a, f, m, sp, out);
	return f->magic && get(a, m, sp, sizeof(f->magic), &magic) && magic == f->magic;
}

bool interrupted_read(const struct arch *a, const struct signal_frame *f, const struct stack_piece *m, u64 sp,
		      struct interrupted *out)
{
	struct interrupted found = { 0 };

	if (!has_mark(a, f, m, sp, &found) || !get_sp(a, f, m, sp + f->context, &found.sp))
		return false;
	*out = found;
	return true;
}

/* ---- the stacks of all threads */

struct search {
	struct dump *d;
	u8 *buf;	/* PIECE_PAGES */
	size_t left;	/* frames that are still followed: memory may be full of what looks like one */
};

static bool is_mapped(const struct dump *d, u64 start, u64 end)
{
	size_t first = dump_area_index(d, start);

	for (size_t i = first; i < d->areas.n && i - first < ALT_AREAS_MAX && d->areas.v[i].vma->start <= start; i++) {
		start = d->areas.v[i].vma->end;
		if (start >= end)
			return true;
	}
	return false;
}

static bool is_code(const struct dump *d, u64 addr)
{
	const struct vma *v = dump_area_at(d, addr);

	return v && v->flags & VM_EXEC;
}

static bool may_be_stack(const struct dump *d, u64 addr)
{
	const struct vma *v = dump_area_at(d, addr);

	return v && v->flags & VM_WRITE && !(v->flags & (VM_IO | VM_PFNMAP)) && !vma_is_special(v);
}

static bool has_range(const struct dump *d, struct plan_range range)
{
	for (size_t i = 0; i < d->ranges.n; i++)
		if (d->ranges.v[i].start <= range.start && range.end <= d->ranges.v[i].end)
			return true;
	return false;
}

static int add_stack(struct search *s, const struct interrupted *in, struct err *e)
{
	struct plan_range range;

	if (!s->left || (in->alt_end && !is_mapped(s->d, in->alt_start, in->alt_end)) ||
	    (in->ret && !is_code(s->d, in->ret)) || !stack_range(s->d, in->sp, 0, &range) ||
	    !may_be_stack(s->d, range.start) || has_range(s->d, range))
		return 0;
	s->left--;
	return ranges_add(s->d, range.start, range.end, e);
}

/* It can be known at all; and not by the row before it, from which another form of its code may tell it. */
static bool is_searched(const struct arch *a, size_t row)
{
	const struct signal_frame *f = &a->frame.signals[row];

	return (f->alt_stack || f->sp_again || f->magic) && (!row || f[-1].context != f->context);
}

/* Nearly all words are no more than read: 2,000 threads have a million. */
static int search_row(struct search *s, const struct signal_frame *f, const struct stack_piece *m, struct err *e)
{
	const struct arch *a = s->d->target.arch;
	u16 key = f->alt_stack ? f->alt_stack : f->sp_again;
	struct interrupted in;
	int r = 0;

	for (size_t i = 0; !r && i + a->word <= m->len; i += a->word) {
		u64 value = arch_untag(a, uint_get(a->fmt, m->p + i, a->word)), at = m->start + i;

		if (f->alt_stack ? at - value >= ALT_STACK_MAX : f->magic && (u32)value != f->magic)
			continue;
		if (interrupted_read(a, f, m, at - key, &in))
			r = add_stack(s, &in, e);
	}
	return r;
}

static int search_range(struct search *s, struct plan_range range, struct err *e)
{
	const struct arch *a = s->d->target.arch;
	u64 page = s->d->page_size;
	struct stack_piece m = { .p = s->buf, .start = range.start };
	int r = 0;

	while (!r && (m.len = dump_peek_next(s->d, &m.start, range.end, s->buf, PIECE_PAGES * (size_t)page))) {
		for (size_t i = 0; !r && i < a->frame.n_signals; i++)
			if (is_searched(a, i))
				r = search_row(s, &a->frame.signals[i], &m, e);
		/* A frame may be across the end of a full piece: up to struct siginfo and ucontext, less than a page. */
		m.start += m.len == PIECE_PAGES * page ? m.len - page : m.len;
	}
	return r;
}

int interrupted_add_stacks(struct dump *d, struct err *e)
{
	u8 *buf auto_free = malloc(PIECE_PAGES * (size_t)d->page_size);
	struct search s = { .d = d, .buf = buf, .left = FRAMES_A_THREAD * d->target.n_threads };
	int r = 0;

	if (!buf)
		return err_set(e, -ENOMEM, "%d pages", PIECE_PAGES);
	/* What is found is searched, too: a handler may have been interrupted itself. */
	ranges_merge(d);
	for (size_t i = 0; !r && i < d->ranges.n; i++)
		r = search_range(&s, d->ranges.v[i], e);
	return r;
}
