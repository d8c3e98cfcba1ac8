#include <stdio.h>

#include "base/util.h"
#include "dump/pass.h"
#include "live/snapshot.h"

/* A core is written front to back; what the copy lacks comes first, and only a file has a place for it. */
static int check_output(const struct dump *d, struct err *e)
{
	if ((d->queue.writer->ops->rewind && !d->served) || pass_is_empty(d, PASS_LACKED))
		return 0;
	if (d->served)
		return err_set(e, ERR_UNSUPPORTED, "no snapshot: memory that is shared with others is to be saved first, and "
			       "the output is on a file system that the process itself serves: name another place");
	return err_set(e, ERR_UNSUPPORTED, "no snapshot: memory that is shared with others is to be saved first, and the "
		       "output is written front to back");
}

int dump_snapshot(struct dump *d, struct err *e)
{
	struct dump_report *rep = d->report;
	struct err why;
	int r = check_output(d, &why);

	if (!r)
		r = snapshot_take(&d->snapshot, &d->target, &d->areas, &why);
	rep->snapshot = !r;
	rep->fork_us = d->snapshot.fork_ns / 1000;
	if (!r || r == ERR_CANCELLED)
		return r;
	if (d->opts->snapshot == SNAPSHOT_REQUIRE || r == ERR_GONE || d->served)
		return err_set(e, r, "%s", why.msg);
	snprintf(rep->no_snapshot, sizeof(rep->no_snapshot), "%.*s", (int)sizeof(rep->no_snapshot) - 1, why.msg);
	return 0;
}

/* What has been read of the target, if anything, is written, and the output begins anew: what is there stays. */
static int begin_again(struct dump *d, struct err *e)
{
	return pass_is_empty(d, PASS_LACKED) ? 0 : write_queue_rewind(&d->queue, e);
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
		r = pass_copy(d, PASS_REST, e);
	if (r == ERR_GONE)
		err_set(e, r, "the snapshot of process %d was killed while it was read: is memory short?", d->target.pid);
	d->report->zombie_left = !snapshot_end(&d->snapshot, NULL);
	d->source = &d->target;
	return r;
}
