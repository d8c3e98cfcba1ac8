/*
 * precopy.h - memory is copied while the process runs, and again what it has written to, until little
 * is left for the stop: as virtual machines are moved from one host to another.
 */
#pragma once

#include "dump/places.h"
#include "live/written.h"

struct dump;

struct precopy {
	bool on;		/* the output has places, with what has been copied so far */
	bool anew;		/* they were of no use: all was copied at the stop */
	u64 threads;		/* of the target, when it began */
	struct written written;
	struct places places;
	u64 copied;		/* bytes, all rounds */
	u64 copy_ns;		/* that this took */
	u64 scan_ns;		/* the last look at all pages */
	u64 unwatch_ns;		/* what it will take for a page not to be watched any more */
};

/* Rounds, while the target runs, of its areas as they are planned.  ERR_UNSUPPORTED: it cannot be done, and the sentence says why; nothing is in the output. */
int precopy_run(struct dump *d, struct err *e) must_check;
/*
 * The target stands still, and its areas and notes are known: makes the layout, in place of dump_layout(), and
 * finds out what is left to do.  If all is to be done anew, d->pre.on is false.
 */
int precopy_stopped(struct dump *d, struct err *e) must_check;
/* The output's next byte is its first again. */
int precopy_rewind(struct dump *d, struct err *e) must_check;
/* Flags that are of our own watching, not of the target's. */
void precopy_hide(struct dump *d);
/* The place of an area, if only the rest of it is to be copied; else NULL. */
struct place *precopy_place(const struct dump *d, u64 start, u64 end);
/* That rest, of [start, end). */
int precopy_copy_rest(struct dump *d, struct place *p, u64 start, u64 end, struct err *e) must_check;
/* The target runs again: pages that were stored and are gone become zeros. */
int precopy_clear_lost(struct dump *d, struct err *e) must_check;
void precopy_close(struct dump *d);
