/* checks.h - the run functions of checks[], and how they report. */
#pragma once

#include "check/check.h"

/* Kinds of core: of a Linux process; of any process; with the notes that Linux has. */
#define CHECK_PROCESS (1u << CORE_PROCESS)
#define CHECK_USER (~CORE_MACHINE_KINDS)
#define CHECK_LINUX (CHECK_PROCESS | CORE_MACHINE_KINDS)

/* A check at work. */
struct check_ctx {
	struct core *core;
	const struct check *check;
	struct findings *out;
	enum check_severity severity;	/* of its findings */
	size_t n;	/* findings of this check so far */
	u64 first_off;	/* where the first one was */
	enum check_severity unlisted;	/* the worst of those that are not listed */
	int oom;	/* a finding could not be kept, or checking had to end: */
	struct err why;	/* with this sentence, if it has one */
};

/* Reports one finding of the running check. */
void check_found(struct check_ctx *x, u64 off, const char *fmt, ...) printf_like(3, 4);
/* The same as info, whatever the check's severity. */
void check_found_info(struct check_ctx *x, u64 off, const char *fmt, ...) printf_like(3, 4);
/* The same as check_found() with the sentence of an error, whose own "at 0xOFF" becomes the position. */
void check_found_err(struct check_ctx *x, u64 off, const struct err *e);
/* The next finding will be listed; else it is only counted. */
bool check_is_listed(const struct check_ctx *x);
/* After the last finding of a check: one for those that there were too many of. */
void check_found_rest(struct check_ctx *x);

/* The kernel wrote it, and no repair has recorded a loss since. */
bool check_is_by_kernel(const struct core *c);
/* With kernel.core_sort_vma=1: its areas, and so tags and files, are not in the order of their addresses. */
bool check_is_by_size(const struct core *c);

/* True when every program header, or every note, is in the file: then what is not there was never there. */
bool check_has_all_segs(const struct core *c);
bool check_has_all_notes(const struct core *c);

/* File position of the thread's PRSTATUS. */
u64 check_thread_off(const struct core *c, const struct core_thread *t);
/* Where the thread's stack is: its stack pointer without tag and bias. */
int check_thread_stack(const struct core *c, const struct core_thread *t, u64 *out) must_check;
/* From the note's header on, as it stands in the file; header and name are there. */
struct bytes check_note_raw(const struct core *c, const struct core_note *n);
bool check_is_x86(const struct core *c);
/* XCR0 as in X86_XSTATE; negative when the note is too short. */
int check_xstate_enabled(const struct core *c, const struct note *n, u64 *out) must_check;

/*
 * Indices of the segments that @want accepts, sorted by @cmp (a qsort_r(3)
 * comparison of u32 with core->segs); NULL and x->oom when memory is short.
 */
u32 *check_sorted_segs(struct check_ctx *x, bool (*want)(const struct core *c, const GElf_Phdr *p),
		       int (*cmp)(const void *, const void *, void *), size_t *n);
int check_by_vaddr(const void *a, const void *b, void *segs);

void check_packed_truncated(struct check_ctx *x);
void check_packed_damaged(struct check_ctx *x);
void check_packed_table(struct check_ctx *x);

void check_file_tail(struct check_ctx *x);

void check_elf_version(struct check_ctx *x);
void check_elf_ehsize(struct check_ctx *x);
void check_elf_machine(struct check_ctx *x);
void check_phdr_none(struct check_ctx *x);
void check_phdr_xnum(struct check_ctx *x);
void check_phdr_truncated(struct check_ctx *x);

void check_seg_wrap(struct check_ctx *x);
void check_seg_truncated(struct check_ctx *x);
void check_seg_order(struct check_ctx *x);
void check_seg_overlap(struct check_ctx *x);
void check_seg_align(struct check_ctx *x);
void check_seg_page(struct check_ctx *x);
void check_seg_filesz(struct check_ctx *x);
void check_seg_data_overlap(struct check_ctx *x);
void check_seg_flags(struct check_ctx *x);
void check_seg_unreadable(struct check_ctx *x);

void check_note_none(struct check_ctx *x);
void check_note_malformed(struct check_ctx *x);
void check_note_owner(struct check_ctx *x);
void check_note_padding(struct check_ctx *x);
void check_note_size(struct check_ctx *x);
void check_note_regset_size(struct check_ctx *x);
void check_note_xstate(struct check_ctx *x);
void check_note_xsave_layout(struct check_ctx *x);
void check_note_sve(struct check_ctx *x);
void check_note_twice(struct check_ctx *x);
void check_note_order(struct check_ctx *x);
void check_prpsinfo_once(struct check_ctx *x);
void check_auxv_missing(struct check_ctx *x);
void check_auxv_end(struct check_ctx *x);
void check_auxv_address(struct check_ctx *x);

void check_file_malformed(struct check_ctx *x);
void check_file_missing(struct check_ctx *x);
void check_file_unit(struct check_ctx *x);
void check_file_order(struct check_ctx *x);
void check_file_page(struct check_ctx *x);
void check_file_range(struct check_ctx *x);

void check_thread_none(struct check_ctx *x);
void check_thread_first(struct check_ctx *x);
void check_thread_tid(struct check_ctx *x);
void check_thread_sets(struct check_ctx *x);
void check_thread_pc(struct check_ctx *x);
void check_thread_sp(struct check_ctx *x);
void check_thread_stack_bytes(struct check_ctx *x);

void check_mte_old_type(struct check_ctx *x);
void check_mte_big_endian(struct check_ctx *x);
void check_mte_empty(struct check_ctx *x);
void check_mte_size(struct check_ctx *x);
void check_mte_page(struct check_ctx *x);
void check_mte_load(struct check_ctx *x);
void check_mte_overlap(struct check_ctx *x);
void check_mte_order(struct check_ctx *x);
void check_mte_fields(struct check_ctx *x);
void check_mte_unsaved(struct check_ctx *x);
void check_mte_no_data(struct check_ctx *x);

void check_tagcore_malformed(struct check_ctx *x);
void check_tagcore_areas(struct check_ctx *x);
void check_tagcore_saved(struct check_ctx *x);
void check_tagcore_gaps(struct check_ctx *x);
void check_tagcore_inconsistent(struct check_ctx *x);
void check_tagcore_lost(struct check_ctx *x);
void check_tagcore_sums(struct check_ctx *x);

void check_quirk_gdb_machine(struct check_ctx *x);
void check_quirk_gdb_notes(struct check_ctx *x);
void check_quirk_gdb_owner(struct check_ctx *x);
void check_quirk_gdb_xstate(struct check_ctx *x);
void check_quirk_lldb_machine(struct check_ctx *x);
void check_quirk_lldb_notes(struct check_ctx *x);
void check_quirk_lldb_os(struct check_ctx *x);
void check_quirk_lldb_executable(struct check_ctx *x);
void check_quirk_elfutils_machine(struct check_ctx *x);
void check_quirk_elfutils_notes(struct check_ctx *x);
void check_quirk_elfutils_tid(struct check_ctx *x);
void check_quirk_elfutils_modules(struct check_ctx *x);
void check_quirk_elfutils_absent(struct check_ctx *x);
