#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "dump/pass.h"
#include "live/snapshot.h"

/* Only an output that can be sought has a place for what the copy lacks, which comes first. */
static bool needs_spool(const struct dump *d)
{
	return !d->writer.ops->rewind;
}

static int no_spool(const struct dump *d, struct err *e)
{
	return err_set(e, d->spool.none.code, "no snapshot: shared memory is to be saved first, and the output is "
		       "written front to back: %s", d->spool.none.msg);
}

int dump_before_snapshot(struct dump *d, struct err *e)
{
	const char *path = output_is_stream(d) ? NULL : d->report->path;
	struct err why;

	if (!needs_spool(d) || !spool_open(&d->spool, d->lacked, path, &why))
		return 0;
	return d->opts->snapshot == SNAPSHOT_REQUIRE ? no_spool(d, e) : 0;
}

static int check_output(const struct dump *d, struct err *e)
{
	return needs_spool(d) && d->spool.fd < 0 && !pass_lacks_nothing(d) ? no_spool(d, e) : 0;
}

/* It fails before anything is written to the output. */
static int fill_spool(struct dump *d, struct err *e)
{
	struct writer w = spool_writer(&d->spool);
	int r, ended;

	r = write_queue_start(&d->queue, &w, e);
	if (!r)
		r = pass_copy(d, PASS_LACKED, e);
	ended = write_queue_end(&d->queue, r ? NULL : e);
	return r ? r : ended;
}

/* The target is to be saved as if there had been no snapshot. */
static int forget(struct dump *d, struct err *e)
{
	d->report->zombie_left = !snapshot_end(&d->snapshot, &d->target);
	missing_fini(&d->report->missing);
	return write_queue_init(&d->queue, (size_t)d->page_size, e);
}

static int take(struct dump *d, struct err *e)
{
	struct err ignored;
	int r = check_output(d, e);

	if (!r)
		r = snapshot_take(&d->snapshot, &d->target, &d->areas, e);
	if (!r && pass_lacks_nothing(d))
		spool_close(&d->spool);
	if (r || d->spool.fd < 0)
		return r;
	r = fill_spool(d, e);
	if (r && forget(d, &ignored))
		return err_set(e, ignored.code, "%s", ignored.msg);
	return r ? err_wrap(e, "no snapshot: shared memory is to be saved first") : 0;
}

int dump_snapshot(struct dump *d, struct err *e)
{
	struct dump_report *rep = d->report;
	struct err why;
	int r = take(d, &why);

	rep->snapshot = !r;
	rep->fork_us = d->snapshot.fork_ns / 1000;
	if (!r)
		return 0;
	if (d->opts->snapshot == SNAPSHOT_REQUIRE || r == ERR_GONE || r == ERR_CANCELLED || r == -ENOMEM)
		return err_set(e, r, "%s", why.msg);
	snprintf(rep->no_snapshot, sizeof(rep->no_snapshot), "%.*s", (int)sizeof(rep->no_snapshot) - 1, why.msg);
	return 0;
}

/* What has been read of the target, if anything, is written, and the output begins anew: what is there stays. */
static int begin_again(struct dump *d, struct err *e)
{
	int r;

	if (pass_lacks_nothing(d))
		return 0;
	r = write_queue_end(&d->queue, e);
	if (!r && d->writer.ops->rewind)
		r = writer_rewind(&d->writer, e);
	if (!r)
		r = write_queue_init(&d->queue, (size_t)d->page_size, e);
	return r ? r : write_queue_start(&d->queue, &d->writer, e);
}

static int read_copy(struct dump *d, struct err *e)
{
	page_source_close(&d->pages);
	d->source = &d->snapshot.memory;
	return page_source_open_pid(&d->pages, d->snapshot.copy, d->snapshot.copy, NULL, e);
}

int dump_from_snapshot(struct dump *d, struct err *e)
{
	int r;

	snapshot_part(&d->snapshot, &d->areas);
	r = begin_again(d, e);
	if (!r)
		r = read_copy(d, e);
	if (!r)
		r = pass_copy(d, PASS_REST, e);
	if (r == ERR_GONE)
		err_set(e, r, "the snapshot of process %d was killed while it was read: is memory short?", d->target.pid);
	d->report->zombie_left = !snapshot_end(&d->snapshot, NULL);
	d->source = &d->target;
	return r;
}
