/* core_priv.h - the steps of core_open(), each in its own file. */
#pragma once

#include "core/core.h"
#include "os/os.h"

/* core_segs.c: the program headers. */
int core_load_segs(struct core *c, struct err *e) must_check;
/* core_notes.c: the bytes of every PT_NOTE, then the index. */
int core_load_notes(struct core *c, struct err *e) must_check;
/* threads.c: after the notes. */
int core_load_threads(struct core *c, struct err *e) must_check;
/* ntfile.c: after the notes. */
int core_load_maps(struct core *c, struct err *e) must_check;
/* core_tagcore.c: after the threads. */
int core_load_tagcore(struct core *c, struct err *e) must_check;

/* core_areas.c: after the notes: PT_LOADs into areas, and last those that are only in notes. */
int core_load_areas(struct core *c, struct err *e) must_check;

/* core_tags.c: after all areas. */
int core_load_tags(struct core *c, struct err *e) must_check;
/* After the areas. */
void core_mark_shadow_stacks(struct core *c);

/* crashed.c: after the threads and the kind. */
void core_find_crashed(struct core *c);

/*
 * kind.c: what the core is of.  From its notes and header alone, before it has
 * threads, CORE_PROCESS standing for "not stated"; and from all.
 */
enum core_kind core_stated_kind(const struct core *c);
enum core_kind core_find_kind(const struct core *c);
/* The tables of the system, or NULL. */
const struct os *core_kind_os(enum core_kind k);

/* os_notes.c: a value from the notes of @t, or with @t NULL of the process. */
bool core_os_field(const struct core *c, const struct core_thread *t, enum os_field field, struct bytes *out);
bool core_os_number(const struct core *c, const struct core_thread *t, enum os_field field, u64 *out);
/* The signal of the process, where no thread's note has one. */
bool core_os_signal(const struct core *c, u64 *signo);
/* As core_crash_siginfo(). */
bool core_os_siginfo(const struct core *c, struct core_siginfo *out);
/* The first note of the system's @type; NULL when no note has it, or the type is 0. */
const struct core_note *core_os_note(const struct core *c, u32 type);
/* os_regs.c: after the threads; c->arch is then of the system. */
int core_load_os(struct core *c, struct err *e) must_check;
void core_close_os(struct core *c);
/* os_maps.c: FreeBSD's memory map, for core_load_maps(), which sorts it. */
int core_load_os_maps(struct core *c, struct err *e) must_check;
/* "a compressed kdump: ...", what a file with these first bytes is that is not ELF, or NULL. */
const char *core_other_format(struct bytes head);
