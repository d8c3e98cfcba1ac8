/* core_sums.h - a core compared with the checksums in it: elf/sums.h. */
#pragma once

#include "core/core.h"
#include "elf/sums.h"

/* The note of checksums. */
struct core_sums {
	u64 off;		/* where it is in the file */
	struct sums_note note;
	u8 *raw;		/* owned: it, and what follows it */
};
void core_sums_fini(struct core_sums *s);

/* 1; 0: the core has none, or a void one; ERR_INPUT: it cannot be used, as *e says. */
int core_sums_find(struct core *core, struct core_sums *out, struct err *e) must_check;
/* The dump wrote such a note, and the file has none, though it is not known to have lost anything. */
bool core_sums_lost(const struct core *core);

/* Bytes [start, end) of the file: blocks that are not what was written, or with @unread cannot be unpacked. */
struct core_damage {
	u64 start;
	u64 end;
	bool unread;
};
struct core_damages {
	struct core_damage *v;	/* in their order; those that touch are one */
	size_t n;
	size_t cap;
};
void core_damages_fini(struct core_damages *d);

/* Reads all that @sums covers, but for holes, once; appends to @out.  An error is one of reading alone. */
int core_sums_check(struct core *core, const struct sums_note *sums, struct core_damages *out, struct err *e) must_check;
