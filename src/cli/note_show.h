/* note_show.h - what stands in a note, field by field. */
#pragma once

#include "cli/show.h"
#include "core/core.h"

/* A note at work; all borrowed. */
struct note_ctx {
	struct show *s;
	struct core *core;
	const struct note *note;
	enum core_kind kind;
};

/*
 * Prints the fields of a note.  1 when it did, 0 when the note is not of the
 * form that its type has: the caller shows its bytes instead.  Nothing has been
 * printed then.  Negative when the core cannot be read.
 */
typedef int note_show_fn(struct note_ctx *n, struct err *e);

/* Prints what stands in a note in a few words, or nothing when it is not of its type's form. */
typedef void note_summary_fn(FILE *f, const struct core *c, struct bytes desc);

/* What a kind of note is shown by. */
struct note_show_row {
	const char *owner;
	u32 type;
	u16 machine;			/* EM_*, or 0: any */
	note_show_fn *show;
	note_summary_fn *summary;	/* NULL: what its type is must do */
};

/* The row for a note of a core of that kind, or NULL: its bytes are all that is known. */
const struct note_show_row *note_show_find(const struct core *core, enum core_kind kind, const struct note *note);

/* Linux, of every machine: note_show_linux.c. */
note_show_fn note_show_prstatus, note_show_prpsinfo, note_show_auxv, note_show_file, note_show_lines,
	note_show_vmcoredd, note_show_cpucfg;
/* note_show_siginfo.c */
note_show_fn note_show_siginfo;
/* Specific to a machine: note_show_x86.c, note_show_arm64.c, ...; other register sets by the machine's tables. */
note_show_fn note_show_xstate, note_show_xsave_layout, note_show_ioperm;
note_show_fn note_show_sve, note_show_debug, note_show_tag_ctrl, note_show_pac_keys, note_show_call,
	     note_show_riscv_tag_ctrl, note_show_riscv_cfi;
note_show_fn note_show_regset;
/* Other makers and systems: note_show_other.c, note_show_os.c. */
note_show_fn note_show_qemu;
note_show_fn note_show_freebsd_prstatus, note_show_freebsd_prpsinfo, note_show_freebsd_name,
	note_show_freebsd_vmmap, note_show_netbsd_lwpstatus, note_show_word, note_show_solaris_name,
	note_show_solaris_process, note_show_solaris_utsname, note_show_os_regs, note_show_freebsd_auxv, note_show_openbsd_procinfo, note_show_netbsd_procinfo;

/* tagcore's: note_show_sums.c */
note_show_fn note_show_sums;

/* note_summary.c */
note_summary_fn note_summary_prstatus, note_summary_prpsinfo, note_summary_siginfo, note_summary_auxv,
	note_summary_file, note_summary_lines, note_summary_sums;

/* The entries of an auxiliary vector in @desc. */
int note_show_auxv_of(struct note_ctx *n, struct bytes desc, struct err *e) must_check;

/* Walks a descriptor as C lays out a struct, each member at a multiple of its size. */
struct note_cursor {
	struct bytes b;
	struct elffmt fmt;
	u64 at;
	bool bad;	/* it ended too early; what was read then is 0 */
};
u64 note_take(struct note_cursor *c, unsigned size);
s64 note_take_signed(struct note_cursor *c, unsigned size);
/* @len bytes as they stand, cut at a NUL. */
struct core_text note_take_text(struct note_cursor *c, size_t len);
