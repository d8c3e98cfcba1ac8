/* view.h - the views of inspect: each prints one aspect of a core, as text or as JSON. */
#pragma once

#include <stdio.h>

#include <json-c/json.h>

#include "core/core.h"
#include "core/modules.h"

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

/* An address as a user writes it: hexadecimal, perhaps with a pointer's tag, which is taken off. */
int view_addr_parse(const struct core *core, const char *text, u64 *out, struct err *e) must_check;

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

/* "rw-" of a program header, into @out, which is returned. */
const char *view_seg_flags(const GElf_Phdr *p, char out[4]);

/* A build-id of @len bytes in hexadecimal into @out; NULL when @len is 0. */
#define VIEW_BUILD_ID_MAX (2 * CORE_BUILD_ID_MAX + 1)
const char *view_build_id(const u8 *id, size_t len, char out[VIEW_BUILD_ID_MAX]);

/* "SIGSEGV" into @out, or NULL where the machine's number is not known. */
#define VIEW_SIGNAL_MAX 24
const char *view_signal(const struct core *core, int signo, char out[VIEW_SIGNAL_MAX]);

/* "AT_PHDR", or NULL where @type is not known; @number: its value is best read as a decimal number. */
const char *view_auxv_name(const struct core *core, u64 type, bool *number);
/* What a value says beyond itself, a string in memory or its bits in words, or "". */
#define VIEW_AUXV_MAX 1024
int view_auxv_text(struct core *core, u64 type, u64 value, char out[VIEW_AUXV_MAX], struct err *e) must_check;

/* One register set of a thread, as read: @desc is what regs[].off counts from. */
struct view_set {
	const struct arch *arch;
	const struct regset *set;
	struct bytes desc;
};
/* Room for the widest register we know, ZT0. */
#define VIEW_REG_MAX (2 * 64 + 3)
/* "0x" and the value, most significant byte first, ones up to 8 bytes as short as they can be; NULL: not there. */
const char *view_set_value(const struct view_set *s, unsigned index, char out[VIEW_REG_MAX]);
/* All of them, some a line, the lines @indent columns in. */
void view_set_text(FILE *f, const struct view_set *s, int indent);

/*
 * Rows of a JSON list, printed one by one: a core may have 131,070 segments, and
 * a tree of them would take a hundred times their size.
 */
struct json_list {
	FILE *out;
	bool any;
};
struct json_list json_list_begin(FILE *out);
/* Prints and takes over @row. */
void json_list_add(struct json_list *l, struct json_object *row);
void json_list_end(struct json_list *l);
/* Prints and takes over @doc. */
void json_print(FILE *out, struct json_object *doc);

/* Values; text is escaped as on a terminal, so that the document is UTF-8; NULL is null. */
void json_put_text(struct json_object *o, const char *key, const char *value);
void json_put_hex(struct json_object *o, const char *key, u64 value);
/* Where a range ends, as text_end(). */
void json_put_end(struct json_object *o, const char *key, u64 end);
void json_put_u64(struct json_object *o, const char *key, u64 value);
void json_put_s64(struct json_object *o, const char *key, s64 value);
void json_put_tag(struct json_object *o, const char *key, enum tag_state state, u8 tag);
void json_put_bool(struct json_object *o, const char *key, bool value);
void json_put_null(struct json_object *o, const char *key);
