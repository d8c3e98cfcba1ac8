/*
 * snapshot.h - a copy of a process, made by the kernel as fork(2) makes it, that stands still.
 *
 * A thread of the target that waits in a system call makes a process that shares its memory (the
 * spawner, by clone(2)), and this one makes the copy: nothing stays written in the target (undo.h), and its world
 * does not see them.  The spawner ends before the target runs again.  Both are children without an exit
 * signal, which wait(2) does not find without __WALL or __WCLONE, and die with us; the copy shares the
 * target's descriptors until that runs again, and then has none.
 */
#pragma once

#include "live/area.h"
#include "live/inject.h"
#include "live/target.h"

struct snapshot {
	pid_t target;
	u64 start_time;		/* of it: with its number, which process it is */
	struct inject inject;
	pid_t spawner;		/* 0: there is none, or it has ended */
	pid_t copy;
	u64 spawner_there;	/* their numbers as the target has them; 0: it has no zombie of it either */
	u64 copy_there;
	struct target memory;	/* the copy, to be read as a stopped target is */
	u64 fork_ns;		/* how long the copy took */
};

/*
 * Whether a snapshot can be had, as far as it can be known while the target runs, or stands still.
 * ERR_UNSUPPORTED: no, and the sentence says why.  *room: bytes of memory that machine and control groups had for it.
 */
int snapshot_check(const struct target *t, const struct areas *areas, u64 *room, struct err *e) must_check;

/*
 * Makes the copy of a stopped target, of a zeroed @s.  On error all is as before.  Some 20 files say whether there is
 * room; they are read only for more than the @room that has been found before the stop.
 */
int snapshot_take(struct snapshot *s, struct target *t, const struct areas *areas, u64 room, struct err *e) must_check;

/* Memory of @a is not in the copy, or goes on changing in it: it must be saved before the target runs again. */
bool snapshot_lacks(const struct area *a);

/* When the target runs again: the copy lets go of what it shares with it, descriptors and shared memory. */
void snapshot_part(struct snapshot *s, const struct areas *areas);

/* snapshot_end.c: ends the spawner of a stopped target.  What is not to be had now is left to snapshot_end().  ERR_GONE */
int snapshot_end_spawner(struct snapshot *s, struct target *t, struct err *e) must_check;

/*
 * Ends the copy.  So that no zombie stays with the target, one thread of it is stopped once more, or, for a
 * moment, all; @stopped is the target if it stands still anyway, or NULL.  False: that was not to be had,
 * and it stays until the target ends.  Accepts a zeroed one, and may be called again.
 */
bool snapshot_end(struct snapshot *s, struct target *stopped);
