/* plan.h - one action for each area, decided before a byte is written. */
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "live/area.h"

enum plan_action {
	PLAN_OMIT,		/* program header only */
	PLAN_FIRST_PAGE,	/* the page that identifies the ELF file */
	PLAN_TOUCHED,		/* all of it; pages never touched are zero */
	PLAN_WHOLE,		/* all of it; pages not mapped come from the file */
};
/* "omit", "first-page", "touched", "whole". */
const char *plan_action_name(enum plan_action a);

/* Bits of /proc/PID/coredump_filter, core(5). */
enum plan_filter {
	FILTER_ANON_PRIVATE	= 1 << 0,
	FILTER_ANON_SHARED	= 1 << 1,
	FILTER_MAPPED_PRIVATE	= 1 << 2,
	FILTER_MAPPED_SHARED	= 1 << 3,
	FILTER_ELF_HEADERS	= 1 << 4,
	FILTER_HUGETLB_PRIVATE	= 1 << 5,
	FILTER_HUGETLB_SHARED	= 1 << 6,
	FILTER_DAX_PRIVATE	= 1 << 7,
	FILTER_DAX_SHARED	= 1 << 8,
};

/*
 * --include or --exclude: areas that touch [start, end), or, if @glob, whose name
 * is it or matches it by fnmatch(3).  "[heap]" and "[anon:*]" mean names in
 * brackets, not classes of characters.
 */
struct plan_select {
	bool include;
	u64 start;
	u64 end;
	const char *glob;	/* borrowed */
	const char *text;	/* as the user wrote it; borrowed */
};

/* Page-aligned, sorted, without overlap. */
struct plan_range {
	u64 start;
	u64 end;
};
struct plan_ranges {
	struct plan_range *v;
	size_t n;
};

/* A range of @w is in @v. */
bool plan_has_range(const struct plan_ranges *w, const struct vma *v);

struct plan_opts {
	u32 filter;
	bool all;
	bool stacks;				/* only what backtraces need: */
	bool files_at_hand;			/* the core is read at once, and with the target's own files */
	struct plan_ranges ranges;		/* borrowed; areas end where these do */
	u64 page_size;
	const struct plan_select *select;	/* the last that matches decides */
	size_t n_select;
};

/* A rule.  The first that matches decides; the last matches everything. */
struct plan_rule {
	const char *name;
	bool (*match)(const struct area *a, const struct plan_opts *o);
	enum plan_action action;
	const char *why;
};
extern const struct plan_rule plan_rules[];
extern const size_t n_plan_rules;

/* The decision on one area: filesz bytes of it, from its start, are in the core. */
struct plan_entry {
	const struct plan_rule *rule;
	enum plan_action action;
	u64 filesz;
};

struct plan {
	struct plan_entry *v;	/* one an area, same order */
	size_t n;
};

/* Decides from its arguments alone.  Linux 6.12, fs/coredump.c: vma_dump_size(). */
int plan_make(const struct areas *areas, const struct plan_opts *opts, struct plan *out,
	      struct err *e) must_check;
void plan_free(struct plan *p);

/*
 * "START-END" (hexadecimal, 0x allowed) or a glob; @text is borrowed.  ERR_USAGE
 * for an empty range, and for what can be neither a range nor a name.
 */
int plan_select_parse(const char *text, bool include, struct plan_select *out, struct err *e) must_check;
bool plan_select_matches(const struct plan_select *s, const struct vma *v);
/* Which of the user's selections decides on an area: the last that matches; NULL: none. */
const struct plan_select *plan_selected(const struct area *a, const struct plan_opts *o);

/* The effect of a selection. */
enum plan_select_effect {
	PLAN_SELECT_DONE,
	PLAN_SELECT_NOTHING,	/* matched no area */
	PLAN_SELECT_REFUSED,	/* --include of what cannot be saved: *why is the rule's reason */
};
enum plan_select_effect plan_select_effect(const struct plan_select *s, const struct areas *areas,
					   const struct plan *p, const struct plan_opts *o, const char **why);
