#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/scope.h"
#include "dump/dump.h"
#include "dump/job.h"
#include "dump/writer.h"

enum { FLAGS = TAGCORE_DUMP_FORCE | TAGCORE_DUMP_ALL | TAGCORE_DUMP_STACKS | TAGCORE_DUMP_FILTER | TAGCORE_DUMP_FD |
	       TAGCORE_DUMP_SNAPSHOT | TAGCORE_DUMP_REQUIRE | TAGCORE_DUMP_NO_STOP |
	       TAGCORE_DUMP_CHECKSUMS };

/* Copies of the caller's selections: the report names those that had no effect. */
struct selections {
	struct plan_select *v;
	char **texts;
	size_t n;
};

struct tagcore_dump {
	struct dump_report report;
	struct selections select;
	struct tagcore_dump_report out;
	struct tagcore_dump_missing missing;
	struct tagcore_dump_unstopped unstopped;
	struct tagcore_dump_unmatched unmatched;
};

struct tagcore_plan {
	struct dump_preview preview;
	struct selections select;
	struct tagcore_plan_total total;
	struct tagcore_area area;
	struct tagcore_plan_area out;
};

static void selections_fini(struct selections *s)
{
	for (size_t i = 0; s->texts && i < s->n; i++)
		free(s->texts[i]);
	free(s->texts);
	free(s->v);
}

static int selections_init(struct selections *s, const char *const *select, struct err *e)
{
	int r = 0;

	while (select && select[s->n])
		s->n++;
	s->v = calloc(s->n + 1, sizeof(*s->v));
	s->texts = calloc(s->n + 1, sizeof(*s->texts));
	if (!s->v || !s->texts)
		return err_set(e, -ENOMEM, "selections");
	for (size_t i = 0; !r && i < s->n; i++) {
		if (*select[i] != '+' && *select[i] != '-')
			return err_set(e, ERR_USAGE, "the selection %s begins with neither + nor -", select[i]);
		s->texts[i] = strdup(select[i]);
		if (!s->texts[i])
			return err_set(e, -ENOMEM, "selections");
		r = plan_select_parse(s->texts[i] + 1, *select[i] == '+', &s->v[i], e);
	}
	return r;
}

SAME(TAGCORE_DUMP_PREPARES, DUMP_PREPARES);
SAME(TAGCORE_DUMP_STOPPED, DUMP_STOPPED);
SAME(TAGCORE_DUMP_RUNS, DUMP_RUNS);

static void show_progress(void *arg, const struct dump_progress *now)
{
	const struct tagcore_dump_options *o = arg;
	const struct tagcore_dump_progress p = {
		.pid = now->pid, .phase = (enum tagcore_dump_phase)now->phase, .done = now->done, .total = now->total,
	};

	if (o->progress)
		o->progress(o->progress_arg, p.pid, p.done, p.total);
	if (o->progress_phase)
		o->progress_phase(o->progress_arg, &p);
}

static u32 output_timeout(const struct tagcore_dump_options *o)
{
	return !o->output_timeout_ms ? DUMP_OUTPUT_TIMEOUT_MS : o->output_timeout_ms == UINT32_MAX ? 0 : o->output_timeout_ms;
}

static int fill_opts(struct selections *s, const struct tagcore_dump_options *o, struct dump_opts *out, struct err *e)
{
	int r = selections_init(s, o->select, e);

	if (r)
		return r;
	if (o->flags & ~(u32)FLAGS)
		return err_set(e, ERR_UNSUPPORTED, "flags 0x%x of a dump are unknown", o->flags & ~(u32)FLAGS);
	if (o->flags & TAGCORE_DUMP_REQUIRE && !(o->flags & TAGCORE_DUMP_SNAPSHOT))
		return err_set(e, ERR_USAGE, "what is required of a dump is a snapshot, which is not asked for");
	if (o->flags & TAGCORE_DUMP_ALL && o->flags & TAGCORE_DUMP_STACKS)
		return err_set(e, ERR_USAGE, "a dump of all and one of stacks contradict each other");
	if (o->flags & TAGCORE_DUMP_STACKS && o->max_pause_ms)
		return err_set(e, ERR_USAGE, "a dump of stacks is one short stop, for which there is no longest one");
	*out = (struct dump_opts){
		.output = o->flags & TAGCORE_DUMP_FD ? "-" : o->output ? o->output : "core.%p", .stream_fd = o->fd,
		.force = o->flags & TAGCORE_DUMP_FORCE, .all = o->flags & TAGCORE_DUMP_ALL,
		.stacks = o->flags & TAGCORE_DUMP_STACKS, .no_stop = o->flags & TAGCORE_DUMP_NO_STOP,
		.have_stop_timeout = o->stop_timeout_ms, .have_filter = o->flags & TAGCORE_DUMP_FILTER,
		.filter = o->filter, .select = s->v, .n_select = s->n, .limit = o->limit,
		.stop_timeout_ms = o->stop_timeout_ms ? o->stop_timeout_ms : DUMP_STOP_TIMEOUT_MS, .cancel = o->cancel,
		.output_timeout_ms = output_timeout(o),
		.progress = o->progress || o->progress_phase ? show_progress : NULL, .progress_arg = (void *)o,
		.checksums = o->flags & TAGCORE_DUMP_CHECKSUMS, .compress = (int)o->compress_level, .max_pause_us = o->max_pause_ms * (u64)1000,
		.snapshot = !(o->flags & TAGCORE_DUMP_SNAPSHOT) ? SNAPSHOT_NO
			  : o->flags & TAGCORE_DUMP_REQUIRE ? SNAPSHOT_REQUIRE : SNAPSHOT_TRY,
	};
	if (o->compress_level && (o->compress_level > INT32_MAX || writer_level_check((int)o->compress_level, e)))
		return e->code;
	if (dump_check_no_stop(out, e))
		return e->code;
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
		.pause_us = r->pause_us, .fork_us = r->fork_us,
		.no_snapshot = r->no_snapshot[0] ? r->no_snapshot : NULL, .total_us = r->total_us, .missing_bytes = r->missing.bytes,
		.n_missing = r->missing.n, .n_unstopped = r->n_unstopped, .n_unmatched = r->unmatched.n,
		.rounds = r->rounds, .precopied_bytes = r->precopied, .rest_bytes = r->rest,
		.no_precopy = r->no_precopy[0] ? r->no_precopy : NULL, .late = r->late[0] ? r->late : NULL,
		.inconsistent = r->inconsistent,
	};
}

static int run(struct tagcore_dump *d, pid_t pid, const struct tagcore_dump_options *o, struct err *e)
{
	struct dump_opts opts;
	int r = fill_opts(&d->select, o, &opts, e);

	if (!r)
		r = dump_job(pid, &opts, &d->report, e);
	if (!r)
		fill_report(d, o->flags & TAGCORE_DUMP_FD);
	return r;
}

void tagcore_dump_free(struct tagcore_dump *d)
{
	if (!d)
		return;
	dump_report_fini(&d->report);
	selections_fini(&d->select);
	free(d);
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
	d->unmatched = (struct tagcore_dump_unmatched){ .select = d->select.texts[u->select - d->select.v], .reason = u->why };
	return &d->unmatched;
}

static int plan(struct tagcore_plan *p, pid_t pid, const struct tagcore_dump_options *o, struct err *e)
{
	bool to_fd = o->flags & TAGCORE_DUMP_FD;
	struct dump_opts opts;
	int r = fill_opts(&p->select, o, &opts, e);

	if (!r && opts.stacks)
		r = err_set(e, ERR_USAGE, "what a dump of stacks saves depends on registers, which are not read for a plan");
	if (!r)
		r = dump_preview(pid, &opts, &p->preview, e);
	if (!r)
		p->total = (struct tagcore_plan_total){
			.path = to_fd ? NULL : p->preview.path, .bytes = p->preview.bytes, .size = p->preview.size,
			.free_bytes = p->preview.free_bytes, .n_areas = p->preview.areas.n,
		};
	return r;
}

int tagcore_plan_make(struct tagcore_plan **out, pid_t pid, const struct tagcore_dump_options *options,
		      struct tagcore_error *error)
{
	struct tagcore_dump_options o;
	struct tagcore_plan *p;
	struct err e = { 0 };
	int r = api_options(&o, sizeof(o), options, error);

	if (r)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return api_fail(error, -ENOMEM, "plan");
	r = plan(p, pid, &o, &e);
	if (!r)
		*out = p;
	else
		tagcore_plan_free(p);
	return r ? api_error(error, r, &e) : 0;
}

void tagcore_plan_free(struct tagcore_plan *p)
{
	if (!p)
		return;
	dump_preview_fini(&p->preview);
	selections_fini(&p->select);
	free(p);
}

const struct tagcore_plan_total *tagcore_plan_get_total(const struct tagcore_plan *p)
{
	return &p->total;
}

const struct tagcore_plan_area *tagcore_plan_get_area(struct tagcore_plan *p, size_t i)
{
	const struct plan_entry *entry;

	if (i >= p->preview.areas.n)
		return NULL;
	entry = &p->preview.plan.v[i];
	api_area(p->preview.areas.v[i].vma, &p->area);
	p->out = (struct tagcore_plan_area){
		.area = &p->area, .action = plan_action_name(entry->action), .rule = entry->rule->name,
		.reason = entry->rule->why, .bytes = p->preview.area_bytes[i], .filesz = entry->filesz,
	};
	return &p->out;
}
