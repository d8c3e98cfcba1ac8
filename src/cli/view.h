/* view.h - the views of inspect: each prints one aspect of a core, as text or as JSON. */
#pragma once

#include <stdio.h>

#include <json-c/json.h>

#include "cli/json.h"
#include "cli/view_text.h"
#include "core/core.h"

/* What a view works on; all borrowed. */
struct view_ctx {
	struct core *core;
	const char *path;
	bool json;
	bool tags;		/* --tags */
	const char *thread;	/* --thread, or NULL */
	char **operands;	/* the view's own, as many as its row allows */
	int n_operands;
	FILE *out;
};

/* A view: what a user calls it, and what it does.  It prints to v->out. */
struct view {
	const char *name;
	const char *help;
	int (*run)(struct view_ctx *v, struct err *e);
	const char *operands;	/* its own, between its name and CORE */
	int min, max;		/* how many of them */
	bool tags, thread;	/* it takes the option of that name */
};
extern const struct view views[];	/* cmd_inspect.c */
extern const size_t n_views;

int view_summary(struct view_ctx *v, struct err *e) must_check;
int view_headers(struct view_ctx *v, struct err *e) must_check;
int view_notes(struct view_ctx *v, struct err *e) must_check;
int view_threads(struct view_ctx *v, struct err *e) must_check;
int view_registers(struct view_ctx *v, struct err *e) must_check;
int view_maps(struct view_ctx *v, struct err *e) must_check;
int view_modules(struct view_ctx *v, struct err *e) must_check;
int view_auxv(struct view_ctx *v, struct err *e) must_check;
int view_files(struct view_ctx *v, struct err *e) must_check;
int view_missing(struct view_ctx *v, struct err *e) must_check;
int view_tags(struct view_ctx *v, struct err *e) must_check;
int view_memory(struct view_ctx *v, struct err *e) must_check;

/* What memory tagging has to say in a summary. */
struct view_mte {
	bool has_ctrl;		/* of the first thread, and of all */
	bool same_ctrl;
	bool of_crashed;	/* ctrl is, not the first thread\'s */
	struct core_tag_ctrl ctrl;
	bool is_fault;		/* SIGSEGV for a tag */
	bool is_async;		/* which has no address */
	u64 addr;		/* without its tag */
	u8 pointer_tag;
	enum tag_state memory;	/* at addr */
	u8 memory_tag;
};
/* @si may be NULL: no siginfo. */
int view_mte_gather(struct core *core, const struct core_siginfo *si, struct view_mte *out,
		    struct err *e) must_check;
void view_mte_json(struct json_object *o, const struct view_mte *m);
/* A line each, or nothing where there is nothing to say. */
void view_mte_text_fault(FILE *out, const struct view_mte *m);
void view_mte_text_mode(FILE *out, const struct view_mte *m);
