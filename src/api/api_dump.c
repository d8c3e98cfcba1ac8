#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/scope.h"
#include "dump/dump.h"
#include "dump/job.h"

enum { STOP_TIMEOUT_MS = 5000 };

enum { FLAGS = TAGCORE_DUMP_FORCE | TAGCORE_DUMP_ALL | TAGCORE_DUMP_STACKS | TAGCORE_DUMP_FILTER | TAGCORE_DUMP_FD };

/* The selections are kept with the report, which names those that had no effect. */
struct tagcore_dump {
	struct dump_report report;
	struct plan_select *select;
	char **texts;
	size_t n_select;
	struct tagcore_dump_report out;
	struct tagcore_dump_missing missing;
	struct tagcore_dump_unstopped unstopped;
	struct tagcore_dump_unmatched unmatched;
};

void tagcore_dump_free(struct tagcore_dump *d)
{
	if (!d)
		return;
	dump_report_fini(&d->report);
	for (size_t i = 0; d->texts && i < d->n_select; i++)
		free(d->texts[i]);
	free(d->texts);
	free(d->select);
	free(d);
}

static int parse_select(struct tagcore_dump *d, const char *const *select, struct err *e)
{
	int r = 0;

	while (select && select[d->n_select])
		d->n_select++;
	d->select = calloc(d->n_select + 1, sizeof(*d->select));
	d->texts = calloc(d->n_select + 1, sizeof(*d->texts));
	if (!d->select || !d->texts)
		return err_set(e, -ENOMEM, "selections");
	for (size_t i = 0; !r && i < d->n_select; i++) {
		const char *s = select[i];

		if (*s != '+' && *s != '-')
			return err_set(e, ERR_USAGE, "the selection %s begins with neither + nor -", s);
		d->texts[i] = strdup(s);
		if (!d->texts[i])
			return err_set(e, -ENOMEM, "selections");
		r = plan_select_parse(d->texts[i] + 1, *s == '+', &d->select[i], e);
	}
	return r;
}

static int fill_opts(struct tagcore_dump *d, const struct tagcore_dump_options *o, struct dump_opts *out, struct err *e)
{
	int r = parse_select(d, o->select, e);

	if (r)
		return r;
	if (o->flags & ~(u32)FLAGS)
		return err_set(e, ERR_UNSUPPORTED, "flags 0x%x of a dump are unknown", o->flags & ~(u32)FLAGS);
	if (o->flags & TAGCORE_DUMP_ALL && o->flags & TAGCORE_DUMP_STACKS)
		return err_set(e, ERR_USAGE, "a dump of all and one of stacks contradict each other");
	*out = (struct dump_opts){
		.output = o->flags & TAGCORE_DUMP_FD ? "-" : o->output ? o->output : "core.%p", .stream_fd = o->fd,
		.force = o->flags & TAGCORE_DUMP_FORCE, .all = o->flags & TAGCORE_DUMP_ALL,
		.stacks = o->flags & TAGCORE_DUMP_STACKS, .have_filter = o->flags & TAGCORE_DUMP_FILTER,
		.filter = o->filter, .select = d->select, .n_select = d->n_select, .limit = o->limit,
		.stop_timeout_ms = o->stop_timeout_ms ? o->stop_timeout_ms : STOP_TIMEOUT_MS, .cancel = o->cancel,
		.progress = o->progress, .progress_arg = o->progress_arg,
	};
	/* "-" is standard output on a command line alone. */
	if (!(o->flags & TAGCORE_DUMP_FD) && !strcmp(out->output, "-"))
		return err_set(e, ERR_USAGE, "the output is \"-\": for a descriptor there is TAGCORE_DUMP_FD");
	return 0;
}

static void fill_report(struct tagcore_dump *d, bool to_fd)
{
	const struct dump_report *r = &d->report;

	d->out = (struct tagcore_dump_report){
		.pid = r->pid, .command = r->comm, .path = to_fd ? NULL : r->path, .bytes = r->bytes,
		.bytes_on_disk = r->bytes_on_disk, .threads = r->threads, .areas = r->areas, .tagged_areas = r->mte_areas,
		.pause_us = r->pause_us, .total_us = r->total_us, .missing_bytes = r->missing.bytes,
		.n_missing = r->missing.n, .n_unstopped = r->n_unstopped, .n_unmatched = r->unmatched.n,
	};
}

static int run(struct tagcore_dump *d, pid_t pid, const struct tagcore_dump_options *o, struct err *e)
{
	struct dump_opts opts;
	int r = fill_opts(d, o, &opts, e);

	if (!r)
		r = dump_job(pid, &opts, &d->report, e);
	if (!r)
		fill_report(d, o->flags & TAGCORE_DUMP_FD);
	return r;
}

int tagcore_dump_run(struct tagcore_dump **dump, pid_t pid, const struct tagcore_dump_options *options,
		     struct tagcore_error *error)
{
	struct tagcore_dump_options o;
	struct tagcore_dump *d;
	struct err e = { 0 };
	int r = api_options(&o, sizeof(o), options, error);

	if (r)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return api_fail(error, -ENOMEM, "dump");
	r = run(d, pid, &o, &e);
	if (!r && dump)
		*dump = d;
	else
		tagcore_dump_free(d);
	return r ? api_error(error, r, &e) : 0;
}

const struct tagcore_dump_report *tagcore_dump_get_report(const struct tagcore_dump *d)
{
	return &d->out;
}

const struct tagcore_dump_missing *tagcore_dump_get_missing(struct tagcore_dump *d, size_t i)
{
	const struct missing_range *m;

	if (i >= d->report.missing.n)
		return NULL;
	m = &d->report.missing.v[i];
	d->missing = (struct tagcore_dump_missing){ .start = m->start, .end = m->end, .reason = m->reason };
	return &d->missing;
}

const struct tagcore_dump_unstopped *tagcore_dump_get_unstopped(struct tagcore_dump *d, size_t i)
{
	const struct dump_unstopped *u;

	if (i >= d->report.n_unstopped)
		return NULL;
	u = &d->report.unstopped[i];
	d->unstopped = (struct tagcore_dump_unstopped){ .tid = u->tid, .reason = u->why->text, .wchan = u->wchan };
	return &d->unstopped;
}

const struct tagcore_dump_unmatched *tagcore_dump_get_unmatched(struct tagcore_dump *d, size_t i)
{
	const struct unmatched_select *u;

	if (i >= d->report.unmatched.n)
		return NULL;
	u = &d->report.unmatched.v[i];
	d->unmatched = (struct tagcore_dump_unmatched){ .select = d->texts[u->select - d->select], .reason = u->why };
	return &d->unmatched;
}
