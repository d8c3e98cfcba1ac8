/* subject.h - what a command unwinds: a process or a core, given as PID|CORE. */
#pragma once

#include "core/core.h"
#include "dump/dump.h"
#include "unwind/unwind.h"

/* Begins zeroed, but for @snapshot, @unpack_limit, @waits and what options set in @opts. */
struct subject {
	struct unwind_opts opts;
	enum snapshot_wish snapshot;
	u64 unpack_limit;
	bool waits;		/* of a process: the locks that its threads wait for, too */
	/* Of subject_open(). */
	struct core core;
	struct core_file file;	/* of a core; nothing of it was read yet but how it is packed */
	const char *path;	/* of that, or NULL: a process */
	struct dump_report report;	/* of a process */
};

/* @command is for messages.  A process is copied here; a core is only opened: subject_read() in box_run() reads it. */
int subject_open(struct subject *s, const char *command, const char *operand, struct err *e) must_check;
int subject_read(struct subject *s, struct err *e) must_check;
void subject_close(struct subject *s);
