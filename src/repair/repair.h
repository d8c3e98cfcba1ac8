/* repair.h - a damaged core made usable: repairs as a table; see tagcore-repair(1). */
#pragma once

#include <signal.h>

#include "base/buf.h"
#include "base/err.h"
#include "check/check.h"
#include "core/core.h"
#include "dump/writer.h"

struct repair_ctx;

/*
 * One repair.  It changes only what is certainly wrong, to what is certainly
 * better: memory content is never touched, and nothing is invented.
 */
struct repair {
	const char *id;			/* stable: scripts name it */
	const char *what;		/* what is done, in a sentence */
	const char *reference;		/* who says so, or who stumbles without it */
	const char *const *found_by;	/* ids of the checks that find the damage, NULL-terminated; NULL: no check */
	/* For an open core; @apply_refused: for a file that core_open() refuses, with the header that it must have had. */
	int (*apply)(struct repair_ctx *x, struct err *e);
	int (*apply_refused)(struct repair_ctx *x, const u8 *header, struct err *e);
	bool header_only;		/* changes the ELF header at most, and needs no program headers */
};

extern const struct repair repairs[];
extern const size_t n_repairs;

/* At most so many changes by one repair are listed; one more line says how many are not. */
enum { REPAIR_CHANGES_MAX = 100 };

enum repair_lost { REPAIR_LOST_MEMORY, REPAIR_LOST_TAGS, REPAIR_LOST_OTHER, REPAIR_LOST_KINDS };

/* One thing done: @off is the file position of what was changed. */
struct repair_change {
	const struct repair *repair;
	u64 off;
	char *msg;
};

/* A core and its repaired form, which exists as a list of differences.  A zeroed one may be closed. */
struct repaired {
	struct core_file in;		/* never written to */
	struct overlay *overlay;	/* what differs from @in */
	struct repair_change *changes;	/* in the order they were done; empty: nothing to repair */
	size_t n_changes;
	size_t cap_changes;
	struct findings left;		/* of validate, in the repaired form */
	u64 size;			/* of the repaired form, bytes */
	const volatile sig_atomic_t *cancel;
	bool packing_reported;
	bool bad_reported;
	bool sums_compared;
	/* Lines of a MISSING note, of memory, of its tags, of what has no address: to be recorded. */
	struct buf lost[REPAIR_LOST_KINDS];
	u64 lost_notes;			/* bytes */
};

/*
 * Finds out what is to be repaired in @file, and what will be left; writes
 * nothing.  A packed file is repaired in its unpacked form.  ERR_INPUT when it is
 * no core, and it is not certain how it could be made one.  Takes over @file,
 * also on failure; @name is for messages.  @cancel: NULL, or != 0 gives up with
 * ERR_CANCELLED, here and in repair_write().
 */
int repair_open(struct repaired *r, struct core_file *file, const char *name,
		const volatile sig_atomic_t *cancel, struct err *e) must_check;
/*
 * Writes the repaired form, all of it, to @w, which has nothing yet; zero pages
 * become holes.  The writer is the caller's to finish.
 */
int repair_write(struct repaired *r, struct writer *w, struct err *e) must_check;
/* The repaired form as a file to be read, which @r must outlive. */
void repair_file(struct repaired *r, struct core_file *out);
void repair_close(struct repaired *r);
