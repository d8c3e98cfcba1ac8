#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/own_files.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/pass.h"
#include "dump/pause.h"
#include "live/proc.h"

/* How often a process that seems to have ended is asked whether it has. */
enum { TRIES = 32 };

static void dump_fini(struct dump *d)
{
	snapshot_end(&d->snapshot, &d->target);
	target_close(&d->target);
	output_end(d, 0, NULL);
	write_queue_end(&d->spooling, NULL);
	precopy_close(d);
	spool_close(&d->spool);
	files_fini(&d->files);
	page_source_close(&d->pages);
	areas_fini(&d->areas);
	plan_free(&d->plan);
	buf_fini(&d->notes);
	free(d->segs);
	free(d->ranges.v);
	free(d->peeked.bytes);
}

/* As it knows itself; its namespaces stay the same. */
static void read_ns_pid(struct dump *d)
{
	struct proc_status st;
	struct err ignored;

	if (!proc_status(d->target.pid, d->target.pid, &st, &ignored) && st.ns_pid != d->target.pid)
		d->report->ns_pid = st.ns_pid;
}

/* Who it is, what is planned, where it goes. */
static int look_running(struct dump *d, struct err *e)
{
	int r = dump_name(d, e);

	read_ns_pid(d);
	if (!r)
		r = dump_read_filter(d, e);
	return r ? r : dump_plan_running(d, e);
}

/*
 * All that is known before the target is touched.  A process that runs another
 * program meanwhile, from a thread that was not the first, gives answers as if it
 * had ended: it is asked again, and target_open() says whether it has.
 */
static int prepare(struct dump *d, pid_t pid, const struct dump_opts *opts, struct dump_report *report,
		   struct err *e)
{
	int r;

	d->opts = opts;
	d->report = report;
	d->source = &d->target;
	d->files.worker.cancel = opts->cancel;
	if (opts->output_timeout_ms)
		d->files.worker.limit_ns = opts->output_timeout_ms * 1000000ull;
	d->page_size = (u64)sysconf(_SC_PAGESIZE);
	for (int i = 0;; i++) {
		r = target_open_with(&d->target, pid, &d->files, opts->no_stop, e);
		if (r)
			return r;
		r = look_running(d, e);
		if (i == TRIES || (r != ERR_GONE && r != -ENOENT && r != -ESRCH))
			return r;
		/* The thread that was named may have gone. */
		pid = d->target.pid;
		target_close(&d->target);
		areas_fini(&d->areas);
	}
}

static int check_room(const struct dump *d, u64 predicted, struct err *e)
{
	/* How small it will be is not known: limit and file system are met while it is written. */
	if (d->opts->compress)
		return 0;
	if (d->opts->limit && predicted > d->opts->limit)
		return err_set(e, ERR_LIMIT, "process %d: the core would take about %llu bytes, more than the limit "
			       "of %llu", d->target.pid, (unsigned long long)predicted,
			       (unsigned long long)d->opts->limit);
	if (d->place.is_stream)
		return 0;
	if (d->place.no_room.code) {
		*e = d->place.no_room;
		return e->code;
	}
	if (predicted > d->place.room)
		return err_set(e, -ENOSPC, "process %d: the core would take about %llu bytes and %llu are free for %s",
			       d->target.pid, (unsigned long long)predicted, (unsigned long long)d->place.room,
			       d->report->path);
	return 0;
}

static int check_predicted(struct dump *d, struct err *e)
{
	u64 *bytes auto_free = NULL;
	int r = dump_predict(&d->areas, &d->plan, &bytes, &d->total, e);

	d->lacked = 0;
	for (size_t i = 0; !r && i < d->areas.n; i++)
		d->lacked += snapshot_lacks(&d->areas.v[i]) ? bytes[i] : 0;
	return r ? r : check_room(d, d->total, e);
}

/* Huge pages are split by a snapshot and by pre-copy alone; to count them takes as long as to read smaps. */
static void read_footprint(const struct dump *d, struct footprint *out)
{
	footprint_read(d->target.pid, d->target.reader, d->wish || d->precopy, out);
}

/* What is known last comes last: the losses, and PN_XNUM's section header. */
static int write_end(struct dump *d, struct err *e)
{
	struct buf note scoped(buf_fini) = { 0 };
	struct buf shdr scoped(buf_fini) = { 0 };
	const struct segment *last = &d->segs[d->n_segs - 1];
	int r;

	/* It had two passes, or new areas are after the others. */
	if (d->report->snapshot || d->report->rounds) {
		missing_sort(&d->report->missing);
		missing_sort(&d->report->guard);
	}
	r = write_queue_skip_to(&d->queue, last->off, e);
	if (!r)
		r = dump_missing_note(d, d->missing_room, &note, e);
	if (!r)
		r = dump_pause_note(d, PAUSE_NOTE_ROOM, &note, e);
	if (!r)
		r = write_queue_give(&d->queue, &note, e);
	if (!r)
		r = layout_put_trailer(d->target.arch, &d->layout, d->n_segs, &shdr, e);
	if (!r && d->sums_block)
		return dump_put_sums(d, &shdr, e);
	if (!r && shdr.len)
		r = write_queue_skip_to(&d->queue, d->layout.shdr_off, e);
	return r ? r : write_queue_give(&d->queue, &shdr, e);
}

/* Their registers are not in the core. */
static int note_unstopped(struct dump *d, struct err *e)
{
	struct dump_report *rep = d->report;

	rep->unstopped = calloc(d->target.n_threads + 1, sizeof(*rep->unstopped));
	if (!rep->unstopped)
		return err_set(e, -ENOMEM, "list of %zu threads", d->target.n_threads);
	for (size_t i = 0; i < d->target.n_threads; i++) {
		const struct thread *th = &d->target.threads[i];
		struct dump_unstopped u = { .tid = th->tid, .why = th->why };

		if (th->stop != THREAD_UNSTOPPABLE)
			continue;
		memcpy(u.wchan, th->wchan, sizeof(u.wchan));
		rep->unstopped[rep->n_unstopped++] = u;
	}
	rep->no_stop = d->opts->no_stop;
	rep->inconsistent = rep->n_unstopped;
	return 0;
}

/* All of look_running(), of what stands still now: it may be another program. */
static int look_stopped(struct dump *d, struct err *e)
{
	int r = dump_name_again(d, e);

	if (!r)
		r = dump_read_filter(d, e);
	if (!r)
		r = dump_plan_stopped(d, e);
	if (r || !d->target.execed)
		return r;
	read_footprint(d, &d->report->before);
	return check_predicted(d, e);
}

/* For who shows it, in another thread or process. */
static void say_phase(const struct dump *d, enum dump_phase phase)
{
	struct dump_progress *now = d->opts->now;

	if (!now)
		return;
	__atomic_store_n(&now->pid, d->target.pid, __ATOMIC_RELAXED);
	__atomic_store_n(&now->total, d->total, __ATOMIC_RELAXED);
	__atomic_store_n(&now->phase, phase, __ATOMIC_RELAXED);
}

/* All that is needed of the target is had: it runs on. */
static void let_run(struct dump *d)
{
	d->report->threads = d->target.n_threads;
	/* It looks at the list of threads, which changes now. */
	ahead_end(&d->ahead);
	target_resume(&d->target);
	d->report->pause_us = d->target.pause_ns / 1000;
	say_phase(d, DUMP_RUNS);
}

/* All that is known of the stopped target but its memory. */
static int look_at_all(struct dump *d, struct err *e)
{
	int r = note_unstopped(d, e);

	if (!r && !d->opts->unwind_only)
		ahead_start(&d->ahead, &d->target);
	if (!r)
		r = look_stopped(d, e);
	if (!r)
		r = dump_notes(d, e);
	if (r)
		return r;
	return d->pre.on ? precopy_stopped(d, e) : dump_layout(d, d->notes.len, e);
}

/* A part of the pause ends now. */
static void note_part(struct dump *d, enum pause_part which, u64 *since)
{
	u64 now = now_ns();

	d->parts[which] = now - *since;
	*since = now;
}

/* Memory that is read while the target stands still. */
static int copy_stopped(struct dump *d, struct err *e)
{
	int r = d->pre.on ? precopy_rewind(d, e) : 0;

	write_queue_start(&d->queue);
	return r ? r : pass_copy(d, d->report->snapshot ? PASS_LACKED : PASS_ALL, e);
}

static int stop(struct dump *d, struct err *e)
{
	struct target_opts to = { .stop_timeout_ms = d->opts->stop_timeout_ms, .cancel = d->opts->cancel };

	say_phase(d, d->opts->no_stop ? DUMP_RUNS : DUMP_STOPPED);
	return d->opts->no_stop ? target_look_unstopped(&d->target, e) : target_stop(&d->target, &to, e);
}

/* From the stop to the last byte of memory; what is still buffered is written after that. */
static int capture(struct dump *d, struct err *e)
{
	u64 since = now_ns();
	int r = stop(d, e);

	/* It counts from the first thread that stands still. */
	since = max(since, d->target.stopped_at);
	note_part(d, PAUSE_STOP, &since);
	if (!r)
		r = look_at_all(d, e);
	note_part(d, PAUSE_LOOK, &since);
	if (!r && d->wish)
		r = dump_snapshot(d, e);
	note_part(d, PAUSE_FORK, &since);
	/* The spool has what is to be copied now. */
	if (!r && !(d->report->snapshot && d->spool.fd >= 0))
		r = copy_stopped(d, e);
	if (!r && d->opts->no_stop)
		r = target_is_same(&d->target, e);
	note_part(d, PAUSE_SAVE, &since);
	let_run(d);
	if (!r && d->report->snapshot)
		r = dump_from_snapshot(d, e);
	return r;
}

/* All that is needed of what the output will be is known, or found out, before the target is stopped for it. */
static int prepare_output(struct dump *d, struct err *e)
{
	int r = check_predicted(d, e);

	dump_choose_sums(d);
	if (!r && d->opts->snapshot == SNAPSHOT_REQUIRE)
		r = snapshot_check(&d->target, &d->areas, &d->room, e);
	if (!r)
		r = output_check_server(d, e);
	if (!r)
		r = output_open(d, e);
	if (r)
		return r;
	pause_choose(d);
	return d->wish ? dump_before_snapshot(d, e) : 0;
}

/* No more than is needed from here on: who ends us meanwhile must not wait for an output that stands still. */
static void drop_unneeded(const struct dump *d)
{
	const int keep[] = { d->target.mem_fd, d->opts->keep_fd, d->spool.fd };

	if (d->opts->own_files)
		drop_files(keep, ARRAY_SIZE(keep));
}

static int save(struct dump *d, struct err *e)
{
	int r;

	drop_unneeded(d);
	read_footprint(d, &d->report->before);
	r = dump_notes_reserve(d, e);
	if (!r)
		r = pause_precopy(d, e);
	if (!r)
		r = capture(d, e);
	if (!r)
		r = precopy_clear_lost(d, e);
	precopy_close(d);
	pause_judge(d);
	if (r)
		return r;
	read_footprint(d, &d->report->after);
	r = dump_unmatched(d, e);
	if (!r)
		r = write_end(d, e);
	return r ? r : output_finish(d, e);
}

static int start_queue(struct dump *d, struct err *e)
{
	int r = write_queue_init(&d->queue, (size_t)sysconf(_SC_PAGESIZE), d->opts->stream_fd, e);

	d->queue.cancel = d->opts->cancel;
	d->queue.limit_ns = d->opts->output_timeout_ms * 1000000ull;
	return r;
}

static int run(struct dump *d, pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	int r;

	d->opts = opts;
	r = start_queue(d, e);
	if (!r)
		r = prepare(d, pid, opts, report, e);
	if (!r)
		r = prepare_output(d, e);
	if (!r)
		r = save(d, e);
	/* It runs on already; what follows may take a second. */
	if (r == ERR_TIMEOUT)
		err_wrap(e, "process %d runs on and is not saved", d->target.pid);
	output_end(d, r, e);
	return r;
}

int dump_run(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e)
{
	struct dump d scoped(dump_fini) = DUMP_NONE;
	u64 begin = now_ns();
	int r;

	*report = (struct dump_report){ .pid = pid };
	r = run(&d, pid, opts, report, e);
	for (size_t i = 0; i < d.areas.n; i++)
		report->mte_areas += vma_is_mte(d.areas.v[i].vma);
	report->areas = d.areas.n;
	report->total_us = (now_ns() - begin) / 1000;
	return r;
}

void dump_report_fini(struct dump_report *r)
{
	free(r->path);
	free(r->unstopped);
	missing_fini(&r->missing);
	missing_fini(&r->guard);
	unmatched_fini(&r->unmatched);
	*r = (struct dump_report){ 0 };
}

int dump_preview(pid_t pid, const struct dump_opts *opts, struct dump_preview *out, struct err *e)
{
	struct dump d scoped(dump_fini) = DUMP_NONE;
	struct dump_report report scoped(dump_report_fini) = { 0 };
	struct dump_preview p scoped(dump_preview_fini) = { 0 };
	int r = prepare(&d, pid, opts, &report, e);

	if (!r)
		r = dump_split_areas(&d, e);
	if (!r)
		r = dump_make_plan(&d, e);
	if (!r)
		r = dump_unmatched(&d, e);
	if (!r)
		r = dump_predict(&d.areas, &d.plan, &p.area_bytes, &p.bytes, e);
	dump_choose_sums(&d);
	if (!r)
		r = dump_layout(&d, d.notes.len, e);
	if (!r && d.place.no_room.code) {
		*e = d.place.no_room;
		r = e->code;
	}
	if (r)
		return r;
	p.free_bytes = d.place.room;
	p.size = d.layout.size;
	p.path = take_ptr(report.path);
	p.unmatched = report.unmatched;
	report.unmatched = (struct unmatched){ 0 };
	p.areas = d.areas;
	p.plan = d.plan;
	d.areas = (struct areas){ 0 };
	d.plan = (struct plan){ 0 };
	*out = p;
	p = (struct dump_preview){ 0 };
	return 0;
}

void dump_preview_fini(struct dump_preview *p)
{
	areas_fini(&p->areas);
	plan_free(&p->plan);
	free(p->area_bytes);
	unmatched_fini(&p->unmatched);
	free(p->path);
	*p = (struct dump_preview){ 0 };
}
