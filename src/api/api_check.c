#include <errno.h>
#include <stdlib.h>

#include "api/api.h"
#include "check/check.h"

SAME(TAGCORE_SEVERITY_ERROR, CHECK_ERROR);
SAME(TAGCORE_SEVERITY_WARNING, CHECK_WARNING);
SAME(TAGCORE_SEVERITY_INFO, CHECK_INFO);

struct tagcore_findings {
	struct findings list;
	struct tagcore_finding current;
};

static struct tagcore_findings *make(size_t max, struct tagcore_error *error)
{
	struct tagcore_findings *f = calloc(1, sizeof(*f));

	if (!f)
		api_fail(error, -ENOMEM, "findings");
	else
		f->list.max = max;
	return f;
}

/* Hands @f out, or frees it. */
static int finish(struct tagcore_findings **out, struct tagcore_findings *f, int r, struct tagcore_error *error,
		  const struct err *e)
{
	if (!r) {
		*out = f;
		return 0;
	}
	tagcore_findings_free(f);
	return api_error(error, r, e);
}

int tagcore_check_core(struct tagcore_findings **findings, struct tagcore_core *core, size_t max,
		       struct tagcore_error *error)
{
	struct tagcore_findings *f = make(max, error);
	struct err e = { 0 };

	return f ? finish(findings, f, check_core(&core->core, &f->list, &e), error, &e) : -ENOMEM;
}

int tagcore_check_file(struct tagcore_findings **findings, const char *path, const struct tagcore_open_options *options,
		       size_t max, struct tagcore_error *error)
{
	struct tagcore_findings *f;
	struct core_file file;
	struct err e = { 0 };
	int r = api_core_file(&file, options, error);

	if (r)
		return r;
	f = make(max, error);
	if (!f)
		return -ENOMEM;
	r = core_file_open(&file, path, &e);
	if (!r)
		r = check_open_file(&file, path, &f->list, &e);
	return finish(findings, f, r, error, &e);
}

void tagcore_findings_free(struct tagcore_findings *f)
{
	if (!f)
		return;
	findings_fini(&f->list);
	free(f);
}

size_t tagcore_findings_count(const struct tagcore_findings *f)
{
	return f->list.n;
}

const struct tagcore_finding *tagcore_findings_get(struct tagcore_findings *f, size_t i)
{
	const struct finding *from;

	if (i >= f->list.n)
		return NULL;
	from = &f->list.f[i];
	f->current = (struct tagcore_finding){
		.check = from->check->id, .severity = (enum tagcore_severity)from->severity, .message = from->msg,
		.offset = from->off, .unlisted = from->unlisted, .rule = from->check->what,
		.reference = from->check->reference,
	};
	return &f->current;
}

const char *tagcore_severity_name(enum tagcore_severity severity)
{
	return check_severity_name((enum check_severity)severity);
}
