#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "check/checks.h"

/* The list of findings, and how a check adds to it. */

const char *check_severity_name(enum check_severity s)
{
	static const char *const names[] = {
		[CHECK_ERROR] = "error", [CHECK_WARNING] = "warning", [CHECK_INFO] = "info",
	};

	return names[s];
}

static int add(struct findings *l, const struct finding *new, const char *msg)
{
	char *copy auto_free = strdup(msg);
	int r = copy ? array_grow((void **)&l->f, l->n, &l->cap, sizeof(*l->f), "findings", NULL) : -ENOMEM;

	if (r)
		return r;
	l->f[l->n] = *new;
	l->f[l->n++].msg = take_ptr(copy);
	return 0;
}

static size_t most(const struct check_ctx *x)
{
	return x->out->max ? x->out->max : CHECK_FINDINGS_MAX;
}

bool check_is_listed(const struct check_ctx *x)
{
	return x->n < most(x);
}

static void printf_like(4, 0) found(struct check_ctx *x, enum check_severity severity, u64 off, const char *fmt,
				    va_list ap)
{
	struct finding f = { .check = x->check, .severity = severity, .off = off };
	char msg[512];

	if (!x->n++)
		x->first_off = off;
	if (x->n > most(x))
		x->unlisted = min(x->unlisted, severity);
	if (x->n > most(x) || x->oom)
		return;
	vsnprintf(msg, sizeof(msg), fmt, ap);
	x->oom = add(x->out, &f, msg);
}

void check_found(struct check_ctx *x, u64 off, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(x, x->severity, off, fmt, ap);
	va_end(ap);
}

void check_found_info(struct check_ctx *x, u64 off, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(x, CHECK_INFO, off, fmt, ap);
	va_end(ap);
}

void check_found_err(struct check_ctx *x, u64 off, const struct err *e)
{
	check_found(x, e->has_off ? e->off : off, "%s", err_sentence(e));
}

void check_found_rest(struct check_ctx *x)
{
	struct finding f = { .check = x->check, .severity = x->unlisted, .off = x->first_off };
	char msg[64];

	if (x->n <= most(x) || x->oom)
		return;
	f.unlisted = x->n - most(x);
	snprintf(msg, sizeof(msg), "and %zu more", f.unlisted);
	x->oom = add(x->out, &f, msg);
}

/*
 * The kernel writes what it has: what looks strange in a core of its own is so
 * in the process, unless the file has lost something since.
 */
bool check_is_by_kernel(const struct core *c)
{
	char text[64];
	const char *tool = core_tool(c, text, sizeof(text));

	return tool && !strcmp(tool, "kernel") && !c->n_missing;
}

void findings_fini(struct findings *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->f[i].msg);
	free(l->f);
	*l = (struct findings){ 0 };
}

size_t findings_count(const struct findings *l, enum check_severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->f[i].severity == s;
	return n;
}
