/* dump.h - save a running process as a core file. */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "dump/plan.h"
#include "live/area.h"
#include "live/footprint.h"
#include "live/target.h"

/* A range of the target that should be in the core and is not. */
struct missing_range {
	u64 start;
	u64 end;
	const char *reason;	/* a literal */
};

struct missing {
	struct missing_range *v;
	size_t n;
	size_t cap;
	u64 bytes;
};
/* Adds [start, end), joined to the last range where they touch and the reason is the same. */
int missing_add(struct missing *m, u64 start, u64 end, const char *reason, struct err *e) must_check;
/* By address, and tags after all memory. */
void missing_sort(struct missing *m);
void missing_fini(struct missing *m);

/* A selection of the user's that had no effect on the core. */
struct unmatched_select {
	const struct plan_select *select;	/* borrowed from the options */
	enum plan_select_effect effect;		/* nothing matched, or not to be saved */
	const char *why;			/* of the latter; a literal */
};
struct unmatched {
	struct unmatched_select *v;
	size_t n;
	size_t excludes;	/* of those, --exclude: what was to be kept out may be in the core */
};
void unmatched_fini(struct unmatched *u);

/* A thread that did not stop, and why. */
struct dump_unstopped {
	pid_t tid;
	const struct stop_reason *why;
	char wchan[48];		/* the kernel's function that it sleeps in, or "" */
};

/* Whether the target runs on while it is saved, from a copy that the kernel makes. */
enum snapshot_wish {
	SNAPSHOT_NO,
	SNAPSHOT_TRY,		/* if it can be had; else the report says why not */
	SNAPSHOT_REQUIRE,	/* or nothing is saved */
};

/* How long threads that do not stop are waited for, unless the user says otherwise. */
enum { DUMP_STOP_TIMEOUT_MS = 5000 };
/* How long an output may stand still, unless the user says otherwise. */
enum { DUMP_OUTPUT_TIMEOUT_MS = 10000 };

enum dump_phase {
	DUMP_PREPARES,		/* the target runs, nothing is saved yet */
	DUMP_STOPPED,		/* it stands still */
	DUMP_RUNS,		/* it runs again: a snapshot is saved, or what is left is written */
};

/* How far a dump is.  Each member by itself: it is looked at while it changes. */
struct dump_progress {
	pid_t pid;
	enum dump_phase phase;
	u64 done, total;	/* bytes, the total predicted; what is done was handed to the output */
};

struct dump_opts {
	const char *output;		/* template, core(5) specifiers; "-": @stream_fd */
	int stream_fd;
	bool force;
	bool all;
	bool stacks;			/* only what backtraces need */
	bool unwind_only;		/* and of each thread only what unwinding reads: general registers, unwind sets */
	bool waits;			/* with @stacks: and what threads wait at in futex(2) */
	bool have_filter;		/* else the target's own coredump_filter */
	u32 filter;
	const struct plan_select *select;
	size_t n_select;
	u64 limit;			/* bytes; 0: none */
	enum snapshot_wish snapshot;
	bool no_stop;			/* neither traced nor stopped: not with what dump_check_no_stop() refuses */
	bool have_stop_timeout;		/* the user has set @stop_timeout_ms */
	u64 max_pause_us;		/* the longest stop that is wanted; 0: any */
	int compress;			/* zstd's level; 0: not compressed */
	bool checksums;			/* of all that is written, in a note at its end */
	u32 stop_timeout_ms;
	u32 output_timeout_ms;		/* without progress of the output, but of a snapshot's; 0: no limit */
	const volatile sig_atomic_t *cancel;
	/* dump_job() calls it about ten times a second, in the thread that called it; may be NULL. */
	void (*progress)(void *arg, const struct dump_progress *p);
	void *progress_arg;
	struct dump_progress *now;	/* where dump_run() says how far it is, for another thread or process; or NULL */
	bool own_files;		/* the calling thread's descriptors are its own: it is to have only what it needs of them, */
	int keep_fd;		/* and this; see own_files.h */
};

/* What became of a dump.  Owns its strings and lists. */
struct dump_report {
	pid_t pid;
	pid_t ns_pid;			/* its id in its own PID namespace; 0: the same, or not known */
	char comm[64];
	char *path;			/* the template filled in */
	u64 bytes;			/* size of the core */
	u64 bytes_on_disk;
	u64 threads, areas, mte_areas;
	u64 pause_us, total_us;
	bool no_stop;			/* it was not stopped */
	bool inconsistent;		/* threads could run while memory was copied: parts of it may be of different moments */
	bool snapshot;			/* saved from one */
	bool zombie_left;		/* of it, until the target ends */
	u64 fork_us;			/* part of the pause: to make it */
	char no_snapshot[256];		/* why there was none, if it was asked for */
	u32 rounds;			/* of copying while it ran, before the stop; 0: none */
	u64 precopied, rest;		/* bytes copied by them, some more than once, and what was left for the stop */
	char no_precopy[256];		/* why there was none, where it would have been better */
	char late[160];			/* why the stop was longer than wanted; "": it was not */
	struct missing missing;
	struct missing guard;		/* pages of MADV_GUARD_INSTALL: they have no content that could be missing */
	struct unmatched unmatched;
	struct dump_unstopped *unstopped;	/* threads whose registers could not be read */
	size_t n_unstopped;
	struct footprint before, after;	/* of the process, around the dump */
	struct footprint copy;		/* of its snapshot, when that had been saved */
};

/* ERR_USAGE: an option has no meaning for a process that is not stopped, and opts->no_stop is set. */
int dump_check_no_stop(const struct dump_opts *opts, struct err *e) must_check;

/*
 * Saves process @pid.  0: done, though report->missing or report->unstopped may
 * say that something is not in it.  Negative: no file is left.  The
 * target runs on in every case.  *report must be released in every case.
 */
int dump_run(pid_t pid, const struct dump_opts *opts, struct dump_report *report, struct err *e) must_check;
void dump_report_fini(struct dump_report *r);

/* What dump_run would do, without stopping or writing: areas, decisions and sizes. */
struct dump_preview {
	struct areas areas;
	struct plan plan;
	u64 *area_bytes;	/* predicted bytes on disk of each area */
	u64 bytes;		/* predicted bytes on disk of the core */
	u64 size;		/* predicted size, holes included */
	u64 free_bytes;		/* room where the output would go; 0 for a stream */
	struct unmatched unmatched;
	char *path;
};
int dump_preview(pid_t pid, const struct dump_opts *opts, struct dump_preview *out, struct err *e) must_check;
void dump_preview_fini(struct dump_preview *p);
