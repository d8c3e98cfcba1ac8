/* progress.h - how far a dump is, as one line on standard error that is written over. */
#pragma once

#include "dump/dump.h"

/* A zeroed one has shown nothing. */
struct progress {
	u64 at, done;		/* at the last call: now_ns(), and bytes */
	double rate;		/* bytes a second, of the last seconds */
	size_t shown;		/* columns of the line that stands there; 0: none */
};

/* For dump_opts.progress; @arg is a struct progress.  It never waits for the terminal: what has no room is not shown. */
void progress_show(void *arg, const struct dump_progress *now);
/* Takes the line away, if there is one, for another process or for what is printed next. */
void progress_end(struct progress *p);

enum { PROGRESS_TEXT_MAX = 160 };
/* "4711: stopped, 120.0 MiB of about 1.0 GiB (12%), 800.0 MiB/s, 2 s left" */
const char *progress_text(const struct progress *p, const struct dump_progress *now, char out[PROGRESS_TEXT_MAX]);
