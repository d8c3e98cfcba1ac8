#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "dump/pass.h"
#include "live/snapshot.h"

/*
 * What the copy lacks comes first: only an output that can be sought, and written to while the target stands
 * still, has a place for it.
 */
static bool needs_spool(const struct dump *d)
{
	return !d->queue.writer->ops->rewind || d->served;
}

static int no_spool(const struct dump *d, struct err *e)
{
	return err_set(e, d->spool.none.code, "no snapshot: shared memory is to be saved first, and the output is %s: %s",
		       d->served ? "on a file system that the process itself serves" : "written front to back",
		       d->spool.none.msg);
}

static int write_to_spool(struct writer *w, void *spooler, struct err *e)
{
	const struct writer rules = *w;

	(void)e;
	*w = *(struct writer *)spooler;
	w->cancel = rules.cancel;
	w->since = rules.since;
	return 0;
}

/* Into it by a thread of its own, as into the output. */
static int start_spooling(struct dump *d, struct err *e)
{
	struct writer *w = malloc(sizeof(*w));
	void *arg = w;
	int r = w ? spool_writer(w, &d->spool, e) : err_set(e, -ENOMEM, "a writer");

	if (!r)
		r = write_queue_init(&d->spooling, (size_t)d->page_size, d->spool.fd, e);
	if (!r) {
		d->spooling.cancel = d->queue.cancel;
		d->spooling.limit_ns = d->queue.limit_ns;
		r = write_queue_call(&d->spooling, write_to_spool, &arg, e);
	}
	free(arg);
	return r;
}

int dump_before_snapshot(struct dump *d, struct err *e)
{
	const char *path = d->place.is_stream || d->served ? NULL : d->report->path;
	struct err why;

	if (!needs_spool(d))
		return 0;
	if (!spool_open(&d->spool, d->lacked, path, &why))
		return start_spooling(d, e);
	return d->wish == SNAPSHOT_REQUIRE ? no_spool(d, e) : 0;
}

static int check_output(const struct dump *d, struct err *e)
{
	return needs_spool(d) && d->spool.fd < 0 && !pass_lacks_nothing(d) ? no_spool(d, e) : 0;
}

/* It fails before anything is written to the output. */
static int fill_spool(struct dump *d, struct err *e)
{
	struct write_queue output = d->queue;
	int r;

	d->queue = d->spooling;
	write_queue_start(&d->queue);
	r = pass_copy(d, PASS_LACKED, e);
	if (!r)
		r = write_queue_flush(&d->queue, e);
	d->spooling = d->queue;
	d->queue = output;
	return r;
}

/* The target is to be saved as if there had been no snapshot. */
static void forget(struct dump *d)
{
	d->report->zombie_left = !snapshot_end(&d->snapshot, &d->target);
	missing_fini(&d->report->missing);
	missing_fini(&d->report->guard);
}

static int take(struct dump *d, struct err *e)
{
	int r = check_output(d, e);

	if (!r)
		r = snapshot_take(&d->snapshot, &d->target, &d->areas, d->target.execed ? 0 : d->room, e);
	if (!r && pass_lacks_nothing(d))
		spool_close(&d->spool);
	if (r || d->spool.fd < 0)
		return r;
	r = fill_spool(d, e);
	if (r)
		forget(d);
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
	if (d->wish == SNAPSHOT_REQUIRE || r == ERR_GONE || r == ERR_CANCELLED || r == -ENOMEM || d->served)
		return err_set(e, r, "%s", why.msg);
	snprintf(rep->no_snapshot, sizeof(rep->no_snapshot), "%.*s", (int)sizeof(rep->no_snapshot) - 1, why.msg);
	return 0;
}

/* What has been read of the target, if anything, is written, and the output begins anew: what is there stays. */
static int begin_again(struct dump *d, struct err *e)
{
	if (d->spool.fd >= 0)
		write_queue_start(&d->queue);
	return d->spool.fd >= 0 || pass_lacks_nothing(d) ? 0 : write_queue_rewind(&d->queue, e);
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

	/* An output that stands still holds nobody up any more. */
	d->queue.limit_ns = 0;
	snapshot_part(&d->snapshot, &d->areas);
	r = begin_again(d, e);
	if (!r)
		r = read_copy(d, e);
	if (!r)
		r = dump_withdraw(d, e);
	if (!r)
		r = pass_copy(d, PASS_REST, e);
	if (r == ERR_GONE)
		err_set(e, r, "the snapshot of process %d was killed while it was read: is memory short?", d->target.pid);
	footprint_read(d->snapshot.copy, d->snapshot.copy, true, &d->report->copy);
	d->report->zombie_left = !snapshot_end(&d->snapshot, NULL);
	d->source = &d->target;
	return r;
}
