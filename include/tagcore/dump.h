/*
 * tagcore/dump.h - save a running process as a core file.
 *
 * The process is stopped by ptrace(2) while its memory is copied, and runs on
 * afterwards in every case: also after an error, and if the caller is killed.
 *
 * What it needs.  The right to trace the process: the same user, or CAP_SYS_PTRACE;
 * see ptrace(2), "Ptrace access mode checking".  A process cannot save itself.
 *
 * What it does in the calling process.  It starts threads, which end before the call
 * returns, but for those that hang in a call for an output that stands still, or for a file that does not
 * answer: they end, and the unfinished file goes, when it does.  They have all signals blocked that can be, so that no handler of the
 * caller runs in them and a closed pipe is -EPIPE.  They wait(2) for the threads
 * that they trace, and for no others.  For as long as the call lasts the rest of the
 * process must not take those events from them: no wait for any child (pid -1),
 * unless by a thread with __WNOTHREAD.  SIGCHLD may be raised.  The calling thread has SIGTSTP, SIGTTIN and
 * SIGTTOU blocked for that time: a stop of the caller would last for the process, too.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <tagcore/area.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of tagcore_dump_options.flags. */
enum tagcore_dump_flag {
	TAGCORE_DUMP_FORCE	= 1 << 0,	/* replace an existing file */
	TAGCORE_DUMP_ALL	= 1 << 1,	/* every readable area, whatever filter and MADV_DONTDUMP say */
	TAGCORE_DUMP_STACKS	= 1 << 2,	/* only what backtraces and global variables need; not with _ALL */
	TAGCORE_DUMP_FILTER	= 1 << 3,	/* @filter counts, in place of the process's own coredump_filter */
	TAGCORE_DUMP_FD		= 1 << 4,	/* write to the descriptor @fd, and not to @output */
	TAGCORE_DUMP_SNAPSHOT	= 1 << 5,	/* stop it only while the kernel makes a copy, if that can be had, */
	TAGCORE_DUMP_REQUIRE	= 1 << 6,	/* or save nothing: with _SNAPSHOT */
	/*
	 * Neither traced nor stopped, for a process that has another tracer or cannot be stopped: memory as it is while
	 * it is copied, and no registers.  Not with _STACKS, _SNAPSHOT, max_pause_ms or stop_timeout_ms.
	 */
	TAGCORE_DUMP_NO_STOP	= 1 << 7,
	TAGCORE_DUMP_CHECKSUMS	= 1 << 8,	/* of all that is written, in a note at its end */
};

enum tagcore_dump_phase {
	TAGCORE_DUMP_PREPARES,	/* the process runs, and nothing is saved yet */
	TAGCORE_DUMP_STOPPED,	/* it stands still */
	TAGCORE_DUMP_RUNS,	/* it runs again, and the rest is saved from a snapshot, or written */
};

/* How far a dump is. */
struct tagcore_dump_progress {
	pid_t pid;		/* the process, also when a thread of it was named */
	enum tagcore_dump_phase phase;
	uint64_t done;		/* bytes that the output has been given */
	uint64_t total;		/* of about so many */
};

struct tagcore_dump_options {
	size_t size;		/* sizeof(struct tagcore_dump_options) */
	/*
	 * Where it goes: a path, in which %p is the process id, %e its name, %h the host name, %t the
	 * time in seconds since 1970, and %% a "%"; default "core.%p".  A file appears when it is
	 * complete, with mode 0600, or not at all.  A FIFO or device that exists and is named
	 * without such specifiers is written front to back.
	 */
	const char *output;
	int fd;			/* with TAGCORE_DUMP_FD: written front to back, and not closed */
	uint32_t flags;		/* TAGCORE_DUMP_* */
	uint32_t filter;	/* bits of /proc/PID/coredump_filter, core(5) */
	/*
	 * "+WHAT" also saves and "-WHAT" leaves out: WHAT is START-END (hexadecimal), or a glob of
	 * names of areas.  The last that matches decides.  Ends with NULL; may be NULL.
	 */
	const char *const *select;
	uint64_t limit;		/* bytes; a core that would take more is TAGCORE_ERR_LIMIT; 0: none */
	/* Milliseconds to wait for threads that do not stop, from when the last one did; 0: 5000. */
	uint32_t stop_timeout_ms;
	uint32_t compress_level;	/* zstd's level, 1 to 22: the file's name gets .zst, unless it has it; 0: not compressed */
	/*
	 * Not 0 ends the dump with TAGCORE_ERR_CANCELLED, in a tenth of a second or so, and leaves no
	 * file.  Where the output stands still the process runs on first, and it may take a second more.  May be set by a signal handler or by another thread.
	 */
	const volatile sig_atomic_t *cancel;
	/*
	 * Called about ten times a second until the dump is done, in the thread that called the library: @done of
	 * about @total bytes.  The process may stand still meanwhile, but does not wait for it.
	 */
	void (*progress)(void *arg, pid_t pid, uint64_t done, uint64_t total);
	void *progress_arg;
	/*
	 * Milliseconds for which the output may stand still, as a pipe that nobody reads or a server that does not
	 * answer: then the process is resumed, and the dump is given up with TAGCORE_ERR_TIMEOUT.  A snapshot is
	 * waited for without a limit, as the process runs.  0: 10000; UINT32_MAX: no limit.
	 * A file that the process maps is waited for as long, or 10000 where there is no limit; then what only it has
	 * is missing.
	 */
	uint32_t output_timeout_ms;
	/* Called beside @progress, with @progress_arg. */
	void (*progress_phase)(void *arg, const struct tagcore_dump_progress *progress);
	/*
	 * The longest stop that is wanted, in milliseconds, not with _STACKS; 0: any.  Unless _SNAPSHOT is given, the
	 * process is saved from a snapshot if that is likely to take less, and else copied while it runs, and only
	 * what it has written to since in the stop (Linux 6.7, UFFD_FEATURE_WP_ASYNC).  The report says whether it was kept.
	 */
	uint32_t max_pause_ms;
};

/* A range that should be in the core and could not be read. */
struct tagcore_dump_missing {
	uint64_t start;
	uint64_t end;
	const char *reason;
};

/* A thread that did not stop, or was not asked to, whose registers are not in the core. */
struct tagcore_dump_unstopped {
	pid_t tid;
	const char *reason;
	const char *wchan;	/* the kernel's function that it sleeps in, or "" */
};

/* A member of options.select that had no effect. */
struct tagcore_dump_unmatched {
	const char *select;	/* as it was given, with its sign */
	const char *reason;	/* NULL: it matched nothing; else why that cannot be saved */
};

/* What became of a dump. */
struct tagcore_dump_report {
	pid_t pid;			/* the process, also when a thread of it was named */
	const char *command;		/* its name */
	const char *path;		/* of the core; NULL for a descriptor */
	uint64_t bytes;			/* size of the core */
	uint64_t bytes_on_disk;
	uint64_t threads;
	uint64_t areas;
	uint64_t tagged_areas;		/* of these, with memory tags */
	uint64_t pause_us;		/* how long the process was stopped, in microseconds */
	uint64_t fork_us;		/* of that, to make the copy that was saved; 0: there was none */
	const char *no_snapshot;	/* why there was none, if it was asked for; else NULL */
	uint64_t total_us;
	uint64_t missing_bytes;
	size_t n_missing;		/* tagcore_dump_get_missing() */
	size_t n_unstopped;		/* tagcore_dump_get_unstopped() */
	size_t n_unmatched;		/* tagcore_dump_get_unmatched() */
	/* With options.max_pause_ms: */
	uint32_t rounds;		/* of copying before the stop; 0: none */
	uint64_t precopied_bytes;	/* by them, some more than once */
	uint64_t rest_bytes;		/* what was left of them for the stop */
	const char *no_precopy;		/* why there were none, where they would have been better; else NULL */
	const char *late;		/* why the stop took longer than was wanted; NULL: it did not */
	uint32_t inconsistent;		/* 1: threads could run while memory was copied (_NO_STOP, or unstopped ones), else 0 */
};

/* A dump that was made. */
struct tagcore_dump;

/*
 * Saves process @pid, or the one that has a thread with that number.  0: done, though its
 * report may say that something is missing; *dump, which may be NULL if nobody wants the report,
 * is released by tagcore_dump_free().  On failure no file is left.  @options may be NULL.
 */
TAGCORE_API int tagcore_dump_run(struct tagcore_dump **dump, pid_t pid, const struct tagcore_dump_options *options,
				 struct tagcore_error *error) TAGCORE_MUST_CHECK;
TAGCORE_API void tagcore_dump_free(struct tagcore_dump *dump);

/* These are valid until the dump is freed; the last three are NULL past the end, and until their next call. */
TAGCORE_API const struct tagcore_dump_report *tagcore_dump_get_report(const struct tagcore_dump *dump);
TAGCORE_API const struct tagcore_dump_missing *tagcore_dump_get_missing(struct tagcore_dump *dump, size_t i);
TAGCORE_API const struct tagcore_dump_unstopped *tagcore_dump_get_unstopped(struct tagcore_dump *dump, size_t i);
TAGCORE_API const struct tagcore_dump_unmatched *tagcore_dump_get_unmatched(struct tagcore_dump *dump, size_t i);

/* What a dump would save, area by area. */
struct tagcore_plan;

struct tagcore_plan_total {
	const char *path;		/* where it would go; NULL for a descriptor */
	uint64_t bytes;			/* on disk, at most */
	uint64_t size;			/* of the core, holes included */
	uint64_t free_bytes;		/* room where it would go; 0 for a stream */
	size_t n_areas;			/* tagcore_plan_get_area() */
};

struct tagcore_plan_area {
	const struct tagcore_area *area;
	const char *action;		/* "omit", "first-page", "touched", "whole": tagcore-dump(1) */
	const char *rule;		/* that decided, and */
	const char *reason;		/* why, in words */
	uint64_t bytes;			/* on disk, at most */
	uint64_t filesz;		/* bytes of the area, from its start, that would be in the core */
};

/*
 * What tagcore_dump_run() would do with the same arguments.  Nothing is stopped or written.  Not with
 * TAGCORE_DUMP_STACKS, which depends on registers.
 */
TAGCORE_API int tagcore_plan_make(struct tagcore_plan **plan, pid_t pid, const struct tagcore_dump_options *options,
				  struct tagcore_error *error) TAGCORE_MUST_CHECK;
TAGCORE_API void tagcore_plan_free(struct tagcore_plan *plan);
/* Valid until the plan is freed. */
TAGCORE_API const struct tagcore_plan_total *tagcore_plan_get_total(const struct tagcore_plan *plan);
/* Number @i, in address order; NULL past the end.  Valid until the next call for @plan. */
TAGCORE_API const struct tagcore_plan_area *tagcore_plan_get_area(struct tagcore_plan *plan, size_t i);

#ifdef __cplusplus
}
#endif
