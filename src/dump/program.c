#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/scope.h"
#include "dump/dump_priv.h"
#include "live/proc.h"

/*
 * Which program a process runs, as far as the report and the output's name say
 * it.  Between the first look and the stop it may have become another, by exec,
 * or have changed its name.
 */

/* What is written into a FIFO, a device or standard output has no name of its own. */
static int add_suffix(struct dump *d, struct err *e)
{
	static const char suffix[] = ".zst";
	char *path = d->report->path, *with = NULL;
	size_t len = strlen(path), n = strlen(suffix);

	if (d->place.is_stream || (len > n && !strcmp(path + len - n, suffix)))
		return 0;
	if (asprintf(&with, "%s%s", path, suffix) < 0)
		return err_set(e, -ENOMEM, "output name");
	free(path);
	d->report->path = with;
	return 0;
}

static int set_name(struct dump *d, bool look, struct err *e)
{
	char *path auto_free = NULL;
	struct proc_stat st;
	int r = proc_stat(d->target.pid, d->target.pid, &st, e);

	if (!r)
		r = dump_template(d->opts->output, d->target.pid, st.comm, &path, e);
	if (r)
		return r;
	free(d->report->path);
	d->report->path = take_ptr(path);
	d->report->pid = d->target.pid;
	memcpy(d->report->comm, st.comm, sizeof(d->report->comm));
	r = look ? output_look(d, e) : 0;
	return !r && d->opts->compress ? add_suffix(d, e) : r;
}

int dump_name(struct dump *d, struct err *e)
{
	return set_name(d, true, e);
}

int dump_name_again(struct dump *d, struct err *e)
{
	char *before auto_free = NULL;
	struct proc_stat st;
	int r = proc_stat(d->target.pid, d->target.pid, &st, e);

	/* With the same name the path stays: its %t may not be what it was. */
	if (r || !strcmp(st.comm, d->report->comm))
		return r;
	before = take_ptr(d->report->path);
	/* A name that changes has specifiers, so it was no stream, and is none. */
	r = set_name(d, false, e);
	if (r || !strcmp(before, d->report->path))
		return r;
	return output_open(d, e);
}
