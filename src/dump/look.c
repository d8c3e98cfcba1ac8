#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/dump_priv.h"

/*
 * The longest stop that users will not notice: below it, the areas are read twice.  Before a snapshot it is less, for
 * the copy can be asked afterwards.  In processor time, so that a busy machine does not change the decision.
 */
enum { SLOW_COLLECT_NS = 50 * 1000 * 1000, SLOW_FOR_SNAPSHOT_NS = 2 * 1000 * 1000 };

int dump_read_filter(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64];
	int r;

	if (d->opts->have_filter) {
		d->filter = d->opts->filter;
		return 0;
	}
	/* Not under task/, and empty for a leader that has exited: any live thread's own directory has it. */
	snprintf(path, sizeof(path), "/proc/%d/coredump_filter", d->target.reader);
	r = io_slurp(path, &b, 64, e);
	/* proc_coredump_filter_read() gives nothing of a process without memory: that is no mask of 0. */
	if (!r && !b.len)
		r = err_set(e, ERR_GONE, "process %d has no memory any more", d->target.pid);
	if (!r)
		r = buf_add(&b, "", 1, e);
	if (!r)
		d->filter = (u32)strtoul((char *)b.p, NULL, 16);
	return r;
}

static int by_address(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Areas of which only a part is selected, by the user or for --stacks, or has its place already, are cut at the part's ends. */
int dump_split_areas(struct dump *d, struct err *e)
{
	size_t n = 0, headers = d->opts->stacks ? d->areas.n : 0;
	u64 *at auto_free = calloc(2 * (d->opts->n_select + d->ranges.n + d->pre.places.n) + headers + 1, sizeof(*at));

	if (!at)
		return err_set(e, -ENOMEM, "list of %zu areas", d->ranges.n);
	/* What a program header says of a file's first page is then true of all that it is of. */
	for (size_t i = 0; i < headers; i++)
		if (d->areas.v[i].file & AREA_FILE_ELF && !d->areas.v[i].vma->pgoff)
			at[n++] = d->areas.v[i].vma->start + d->page_size;
	for (size_t i = 0; i < d->opts->n_select; i++) {
		const struct plan_select *s = &d->opts->select[i];

		if (s->glob)
			continue;
		at[n++] = align_down(s->start, d->page_size);
		if (s->end <= UINT64_MAX - d->page_size)
			at[n++] = align_up(s->end, d->page_size);
	}
	for (size_t i = 0; i < d->ranges.n; i++) {
		at[n++] = d->ranges.v[i].start;
		at[n++] = d->ranges.v[i].end;
	}
	for (size_t i = 0; i < d->pre.places.n; i++) {
		at[n++] = d->pre.places.v[i].start;
		at[n++] = d->pre.places.v[i].end;
	}
	if (!n)
		return 0;
	qsort(at, n, sizeof(*at), by_address);
	return areas_split(&d->areas, at, n, e);
}

static struct plan_opts plan_opts(const struct dump *d)
{
	return (struct plan_opts){
		.filter = d->filter, .all = d->opts->all, .page_size = d->page_size,
		.select = d->opts->select, .n_select = d->opts->n_select,
		.stacks = d->opts->stacks, .files_at_hand = d->opts->unwind_only, .ranges = d->ranges,
	};
}

int dump_make_plan(struct dump *d, struct err *e)
{
	struct plan_opts po = plan_opts(d);

	plan_free(&d->plan);
	return plan_make(&d->areas, &po, &d->plan, e);
}

/* What the copy's VmFlags say that ours do not. */
static int take_flags(struct dump *d, struct err *e)
{
	struct mm mm scoped(mm_close) = { 0 };
	size_t i = 0;
	struct vma *v;
	int r = mm_open_pid(&mm, d->snapshot.copy, d->snapshot.copy, "smaps", e);

	if (r)
		return r;
	VMA_ITERATOR(vmi, &mm, 0);
	while ((v = vma_next(&vmi))) {
		for (; i < d->areas.list.n && d->areas.list.v[i].start < v->end; i++)
			if (d->areas.list.v[i].start >= v->start)
				d->areas.list.v[i].flags |= v->flags & VM_DONTDUMP;
	}
	return vma_iter_end(&vmi, e);
}

int dump_withdraw(struct dump *d, struct err *e)
{
	struct plan_opts po = plan_opts(d);
	struct plan now scoped(plan_free) = { 0 };
	int r;

	if (!d->refreshed || d->opts->stacks)
		return 0;
	r = take_flags(d, e);
	if (!r)
		r = plan_make(&d->areas, &po, &now, e);
	for (size_t i = 0; !r && i < now.n; i++)
		d->areas.v[i].withdrawn = now.v[i].action == PLAN_OMIT && d->plan.v[i].action != PLAN_OMIT;
	return r;
}

/* For the plan that was carried out; after the target has been resumed. */
int dump_unmatched(struct dump *d, struct err *e)
{
	struct plan_opts po = plan_opts(d);

	return dump_find_unmatched(d, &po, &d->report->unmatched, e);
}

/* Before the stop: the areas with the state of their files, and the action for each. */
int dump_plan_running(struct dump *d, struct err *e)
{
	u64 begin = cpu_ns();
	int r = areas_collect(&d->target, &d->areas, e);

	d->collect_ns = cpu_ns() - begin;
	return r ? r : dump_make_plan(d, e);
}

/*
 * After it.  Where smaps is quick it is read again, for only that is exact: a
 * madvise(MADV_DONTDUMP) on a whole area since leaves no trace in maps.  Where
 * it is slow, many areas or much memory, the target is not held up for it.
 */
static int collect_stopped(struct dump *d, struct err *e)
{
	u64 limit = d->wish ? SLOW_FOR_SNAPSHOT_NS : SLOW_COLLECT_NS;

	d->refreshed = !d->target.execed && (d->opts->stacks || d->pre.on || d->collect_ns > limit);
	if (d->refreshed)
		return areas_refresh(&d->target, &d->pages, &d->areas, !d->opts->stacks || d->opts->n_select, e);
	return areas_collect_again(&d->target, &d->areas, e);
}

/* The cuts come last: smaps would not know them. */
int dump_plan_stopped(struct dump *d, struct err *e)
{
	int r = page_source_open_pid(&d->pages, d->target.pid, d->target.reader, NULL, e);

	if (!r)
		r = collect_stopped(d, e);
	if (!r)
		precopy_hide(d);
	if (!r && d->opts->stacks)
		r = dump_add_stacks(d, e);
	if (!r)
		r = dump_split_areas(d, e);
	return r ? r : dump_make_plan(d, e);
}
