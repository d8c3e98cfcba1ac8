/* dump_priv.h - the state of one dump, and the functions that its steps share. */
#pragma once

#include "base/buf.h"
#include "dump/ahead.h"
#include "dump/dump.h"
#include "dump/layout.h"
#include "dump/plan.h"
#include "dump/precopy.h"
#include "dump/spool.h"
#include "dump/write_queue.h"
#include "dump/writer.h"
#include "live/area.h"
#include "live/files.h"
#include "live/snapshot.h"
#include "live/target.h"
#include "mm/pagewalk.h"

/*
 * Bytes kept at the end of a core for NT_TAGCORE_MISSING, which is known last; a
 * hole when unused.  A range in the note is one page or more, and two with the same
 * reason do not touch: a line for every second page is room for all, up to a bound.
 */
enum { MISSING_NOTE_MIN = 512, MISSING_NOTE_MAX = 64 * 1024, MISSING_LINE_MAX = 96 };
/* The same for NT_TAGCORE_PAUSE, of which the lines are known. */
enum { PAUSE_NOTE_ROOM = 640 };

/* --stacks: the pages that were read last of the stopped target. */
enum { PEEK_PAGES = 8 };
struct peeked {
	u64 page[PEEK_PAGES];	/* addresses; UINT64_MAX: none */
	u8 *bytes;
	size_t next;		/* to be replaced */
};

/* Where the output goes, as far as it can be seen before it is opened. */
struct output_place {
	bool is_stream;		/* "-", or a FIFO or device that exists and that the user named without specifiers */
	bool on_fuse;		/* a file on a FUSE file system */
	dev_t dev;		/* of that */
	u64 room;		/* of a file: bytes that an unprivileged user may still write there */
	struct err no_room;	/* why that is not known; code 0: it is */
};

/* What the target is stopped for, one after the other. */
enum pause_part { PAUSE_STOP, PAUSE_LOOK, PAUSE_FORK, PAUSE_SAVE, PAUSE_PARTS };

/* A dump under way: what is read, what was decided, where it goes. */
struct dump {
	const struct dump_opts *opts;
	struct dump_report *report;
	u64 page_size;
	u32 filter;
	struct files files;	/* of the target, and of its snapshot */
	struct target target;
	const struct target *source;	/* whose memory is read: the target's, or its snapshot's */
	struct snapshot snapshot;
	u64 parts[PAUSE_PARTS];	/* of the pause, ns */
	enum snapshot_wish wish;	/* the user's, or what is best for the longest pause that he wants */
	u64 room;		/* for a snapshot, as was found before the stop; 0: it is to be looked for */
	bool precopy;		/* as @wish */
	struct precopy pre;
	struct areas areas;
	u64 collect_ns;		/* processor time that it took to learn them while the target ran */
	bool refreshed;		/* at the stop only what has changed was: a new MADV_DONTDUMP is not seen */
	struct plan_ranges ranges;	/* --stacks: what of the areas it saves */
	size_t ranges_cap;
	struct peeked peeked;
	struct plan plan;
	struct segment *segs;	/* [0] notes, one an area that has one, the same for tags, the missing note */
	size_t n_segs;
	struct layout layout;
	u64 missing_room;	/* bytes of the last segment for NT_TAGCORE_MISSING */
	struct buf notes;
	struct ahead ahead;	/* from the stop until the notes are made */
	struct output_place place;
	bool served;		/* the target serves the file system that the output is on: not to be written to while it stands still */
	struct write_queue queue;	/* the output, in its thread */
	struct page_source pages;
	u64 sums_block;		/* bytes in a block of the output that has a checksum; 0: there are none */
	u64 total;		/* predicted bytes, for progress */
	u64 lacked;		/* those of them that a snapshot lacks */
	struct spool spool;	/* for them, where the output is written front to back */
	struct write_queue spooling;	/* into it */
};

/* A dump of nothing yet, which owns nothing. */
#define DUMP_NONE { .files.worker.limit_ns = FILES_TIMEOUT_MS * 1000000ull, .target.mem_fd = -1, .snapshot.memory.mem_fd = -1, .spool.fd = -1, .pre.written.uffd = -1 }

/* d->filter: the user's, or the target's own. */
int dump_read_filter(struct dump *d, struct err *e) must_check;
/* Areas of which only a part is selected, by the user or for --stacks, or has its place already, are cut at the part's ends. */
int dump_split_areas(struct dump *d, struct err *e) must_check;
/* d->plan, of d->areas as they are. */
int dump_make_plan(struct dump *d, struct err *e) must_check;
/* Both, of the target while it runs; of one that stands still, after that. */
int dump_plan_running(struct dump *d, struct err *e) must_check;
int dump_plan_stopped(struct dump *d, struct err *e) must_check;
/* Of a copy: areas that the process has withdrawn since they were looked at are marked, and not to be saved. */
int dump_withdraw(struct dump *d, struct err *e) must_check;
/* The user's selections that had no effect on the plan that was carried out; after the target has been resumed. */
int dump_unmatched(struct dump *d, struct err *e) must_check;

/* d->report's pid, name and path. */
int dump_name(struct dump *d, struct err *e) must_check;
/* The same when the target stands still, with the output open: under another name it is opened anew. */
int dump_name_again(struct dump *d, struct err *e) must_check;

/* Stacks, variables and the dynamic linker's list into d->ranges.  The target is stopped. */
int dump_add_stacks(struct dump *d, struct err *e) must_check;

/* Memory for the notes, before the stop. */
int dump_notes_reserve(struct dump *d, struct err *e) must_check;
/* Every note of the first PT_NOTE into d->notes.  The target is stopped. */
int dump_notes(struct dump *d, struct err *e) must_check;
/* The tagcore notes, after the kernel's. */
int dump_tagcore_notes(struct dump *d, struct err *e) must_check;
/* Bytes to keep for what can be lost by the plan: MISSING_NOTE_MIN to MISSING_NOTE_MAX. */
u64 dump_missing_room(const struct dump *d);
/* NT_TAGCORE_MISSING, exactly @room bytes as a note. */
int dump_missing_note(const struct dump *d, u64 room, struct buf *b, struct err *e) must_check;

/* NT_TAGCORE_PAUSE, exactly @room bytes as a note, appended. */
int dump_pause_note(const struct dump *d, u64 room, struct buf *b, struct err *e) must_check;

/* d->sums_block, for the plan as it is. */
void dump_choose_sums(struct dump *d);
/* The output is at its place: NT_TAGCORE_CHECKSUMS, and @trailer, the last bytes of the file, if it has any. */
int dump_put_sums(struct dump *d, const struct buf *trailer, struct err *e) must_check;

/*
 * True if area @i has a program header.  A core of stacks has none for what it leaves out:
 * where p_filesz is smaller than p_memsz gdb shows zeros (13.1, corelow.c: core_target::xfer_partial()).
 */
bool dump_has_segment(const struct dump *d, size_t i);
/* Fills d->segs and d->layout from the plan, with room for @notes_len bytes of notes. */
int dump_layout(struct dump *d, u64 notes_len, struct err *e) must_check;

/* Writes one area's bytes at its segment's offset; what cannot be read is recorded. */
int dump_copy_area(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e) must_check;

/* Pages of @v may not be read without asking a monitor: those with PAGE_WATCHED. */
bool dump_is_watched(const struct dump *d, const struct vma *v);
/* Walks the first @len bytes of @v, by the source that can tell PAGE_WATCHED where that counts. */
int dump_walk_pages(struct dump *d, const struct vma *v, u64 len, const struct page_walk_ops *ops, void *arg,
		    struct err *e) must_check;

/* Writes the tags of one VM_MTE area, packed, at its tag segment's offset. */
int dump_copy_tags(struct dump *d, const struct area *a, const struct plan_entry *p, struct err *e) must_check;
/* Records a range of memory, or its tags, as missing; the output is not moved. */
int dump_add_missing(struct dump *d, u64 start, u64 end, const char *reason, struct err *e) must_check;
/*
 * Reads memory of d->source into the queue's room: *want bytes of [@start, @end), of which *n came, whole pages; the
 * page after those cannot be read.
 */
int dump_read_room(struct dump *d, u64 start, u64 end, size_t *want, size_t *n, struct err *e) must_check;
/* ERR_CANCELLED if the user gave up; else says how far the dump is. */
int dump_check_cancel(struct dump *d, struct err *e) must_check;

/*
 * Bytes that each planned area will take on disk, at most, from smaps and the
 * files' sizes: *bytes is malloc'ed, one an area; *total their sum.
 */
int dump_predict(const struct areas *areas, const struct plan *plan, u64 **bytes, u64 *total,
		 struct err *e) must_check;

/* Which selections have no effect on the plan of d->areas; *out is replaced. */
int dump_find_unmatched(const struct dump *d, const struct plan_opts *po, struct unmatched *out,
			struct err *e) must_check;

/* While the target runs, with the output open: what a snapshot needs.  An error only if there must be one. */
int dump_before_snapshot(struct dump *d, struct err *e) must_check;
/*
 * Takes a snapshot of the stopped target, if that can be: d->report says if and why not.  An error only if it
 * must be.  What it lacks is in the spool then, if there is one.
 */
int dump_snapshot(struct dump *d, struct err *e) must_check;
/* When the target runs again, and what the snapshot lacks is in the spool or handed to d->queue: the rest, from the snapshot. */
int dump_from_snapshot(struct dump *d, struct err *e) must_check;

/* d->place, of d->report->path. */
int output_look(struct dump *d, struct err *e) must_check;
/* ERR_UNSUPPORTED where the target serves what it is saved to and has to be stopped for all that time; d->served. */
int output_check_server(struct dump *d, struct err *e) must_check;
/* Opens d->report->path, or the stream it names, as the queue's writer, with the limits that the user set. */
int output_open(struct dump *d, struct err *e) must_check;
/* Makes it complete and visible, and says its size in the report. */
int output_finish(struct dump *d, struct err *e) must_check;
/* Ends the writing thread, by which an unfinished output is removed; *@e of the failure @r says so if that hangs. */
void output_end(struct dump *d, int r, struct err *e);

/* The output's name: %p %e %h %t %%.  malloc'ed.  ERR_USAGE for an unknown specifier. */
int dump_template(const char *template, pid_t pid, const char *comm, char **out, struct err *e) must_check;
/* Has no specifier but %%: the user wrote the name out. */
bool template_is_literal(const char *template);
