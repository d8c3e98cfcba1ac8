/* core_priv.h - the steps of core_open(), each in its own file. */
#pragma once

#include <tagcore/core.h>

/* core_segs.c: the program headers. */
int core_load_segs(struct core *c, struct err *e) must_check;
/* core_notes.c: the bytes of every PT_NOTE, then the index. */
int core_load_notes(struct core *c, struct err *e) must_check;
/* threads.c: after the notes. */
int core_load_threads(struct core *c, struct err *e) must_check;
/* ntfile.c: after the notes. */
int core_load_maps(struct core *c, struct err *e) must_check;
/* own_notes.c: after the threads. */
int core_load_own(struct core *c, struct err *e) must_check;

/* areas.c: after the notes: PT_LOADs into areas, and at last those that only notes tell of. */
int core_load_areas(struct core *c, struct err *e) must_check;

/* tags.c: after all areas. */
int core_load_tags(struct core *c, struct err *e) must_check;
/* After the areas. */
void core_mark_shadow_stacks(struct core *c);

/* crashed.c: after the threads and the kind. */
void core_find_crashed(struct core *c);

/* What the core is of, from its notes and segments. */
enum core_kind core_find_kind(const struct core *c);
/* "a compressed kdump: ...", what a file with these first bytes is that is not ELF, or NULL. */
const char *core_foreign(struct bytes head);
