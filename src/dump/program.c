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

int dump_name(struct dump *d, struct err *e)
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
	return 0;
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
	r = dump_name(d, e);
	if (r || !strcmp(before, d->report->path))
		return r;
	writer_close(&d->writer);
	return output_open(d, e);
}
