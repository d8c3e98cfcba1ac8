#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/pause.h"
#include "live/proc.h"

/*
 * What fork(2) takes is copying page tables, 8 bytes a page, write-protecting the pages in both, and a little for each
 * area (Linux 6.12, kernel/fork.c: dup_mmap(); mm/memory.c: copy_page_range()).  How fast that is here is measured: some
 * processes of our own are made with and without memory, and the fastest of each counts.
 */
enum { PROBE_PAGES = 2048, PROBES = 3, PAGE_NS = 200, AREA_NS = 1500, WORD = 8 };

static u64 fork_ns(void)
{
	u64 begin = now_ns(), ns;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	ns = now_ns() - begin;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid < 0 ? UINT64_MAX : ns;
}

/*
 * The memory is written to before each, as that of the target is before its snapshot: pages that a process has not
 * written to since its last fork(2) are protected already, and cost half or a third (60 to 90 ns against 170 to 230).
 */
static u64 fastest_fork_ns(u8 *p, size_t len)
{
	u64 ns = UINT64_MAX;

	for (int i = 0; i < PROBES; i++) {
		if (len)
			memset(p, i + 1, len);
		ns = min(ns, fork_ns());
	}
	return ns;
}

/* For a page of memory; where it could not be measured, what would be slow. */
static u64 fork_ns_a_page(u64 page_size)
{
	size_t len = (size_t)(PROBE_PAGES * page_size);
	u64 without = fastest_fork_ns(NULL, 0), with = 0;
	u8 *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return PAGE_NS;
	/* Small ones: that is the worst, and what most processes have. */
	if (!madvise(p, len, MADV_NOHUGEPAGE))
		with = fastest_fork_ns(p, len);
	munmap(p, len);
	return with > without && with != UINT64_MAX ? (with - without) / PROBE_PAGES + 1 : PAGE_NS;
}

static u64 predict_fork_ns(const struct dump *d)
{
	struct proc_status st;
	struct err ignored;

	if (proc_status(d->target.pid, d->target.reader, &st, &ignored))
		return UINT64_MAX;
	/* Tables that are hardly filled cost less than their size says, so memory is a bound, too; huge pages are in neither. */
	return min(st.vm_pte / WORD, st.vm_rss / d->page_size) * fork_ns_a_page(d->page_size) + d->areas.n * AREA_NS;
}

/* What can be looked at before the stop is. */
static bool can_snapshot(struct dump *d)
{
	struct err ignored;

	return !snapshot_check(&d->target, &d->areas, &d->room, &ignored);
}

/* A snapshot of the target can be had, and is likely to take less than the limit. */
static bool suits_snapshot(struct dump *d)
{
	/* The rest of the pause, and a busy machine, have some of it, too. */
	return can_snapshot(d) &&
	       predict_fork_ns(d) < d->opts->max_pause_us * 1000 / 10 * 6;
}

static void note_no_precopy(struct dump *d, const char *why)
{
	snprintf(d->report->no_precopy, sizeof(d->report->no_precopy), "%.*s", (int)sizeof(d->report->no_precopy) - 1, why);
	/* The next best. */
	d->precopy = false;
	d->wish = SNAPSHOT_TRY;
}

void pause_choose(struct dump *d)
{
	d->wish = d->opts->snapshot;
	/* If it cannot be had, the stop says why. */
	if (d->wish)
		can_snapshot(d);
	if (!d->opts->max_pause_us || d->wish)
		return;
	if (suits_snapshot(d))
		d->wish = SNAPSHOT_TRY;
	else if (d->queue.writer->ops->rewind)
		d->precopy = true;
	else
		note_no_precopy(d, "no pre-copy: the output is written front to back");
}

/* The rounds are over the areas as they are planned now, and saved in. */
int pause_precopy(struct dump *d, struct err *e)
{
	struct err why;
	int r;

	if (!d->precopy)
		return 0;
	r = dump_split_areas(d, e);
	if (!r)
		r = dump_make_plan(d, e);
	if (r)
		return r;
	r = precopy_run(d, &why);
	if (!r)
		return 0;
	precopy_close(d);
	if (r != ERR_UNSUPPORTED)
		return err_set(e, r, "%s", why.msg);
	note_no_precopy(d, why.msg);
	return 0;
}

void pause_judge(struct dump *d)
{
	static const char *const words[PAUSE_PARTS] = {
		[PAUSE_STOP] = "until all threads had stopped", [PAUSE_LOOK] = "for registers, areas and pages written to",
		[PAUSE_FORK] = "for the kernel's copy", [PAUSE_SAVE] = "to save what could not be saved while it ran",
	};
	struct dump_report *r = d->report;
	size_t longest = 0;

	if (!d->opts->max_pause_us || r->pause_us <= d->opts->max_pause_us)
		return;
	for (size_t i = 1; i < PAUSE_PARTS; i++)
		if (d->parts[i] > d->parts[longest])
			longest = i;
	snprintf(r->late, sizeof(r->late), "%.1f ms longer than --max-pause: %.1f ms %s",
		 (double)(r->pause_us - d->opts->max_pause_us) / 1000, (double)d->parts[longest] / 1e6, words[longest]);
}
