/* stack_print.h - backtraces as text or JSON, a thread at a time. */
#pragma once

#include <stdio.h>

#include "cli/json.h"
#include "cli/stack_group.h"
#include "core/modules.h"
#include "dump/dump.h"
#include "unwind/unwind.h"

struct stack_print {
	FILE *out;
	const char *name;	/* of the core, for people */
	bool json;
	bool source;
	bool inlines;
	bool raw;
	bool one;		/* of a thread that was asked for */
	bool folded;		/* nothing but lines of stacks goes to @out */
	const struct dump_report *live;	/* how a live process was stopped; NULL: a core */
	const struct dump_unstopped *unstopped;	/* threads that did not stop: those that are not in the core are listed at the end */
	size_t n_unstopped;
	/* Its own. */
	struct core *core;
	struct unwind *u;
	struct json_list threads;
};

void stack_print_begin(struct stack_print *p, struct core *core, struct unwind *u);
/* The stack of one thread, which is in @g. */
int stack_print(struct stack_print *p, const struct stack *s, const struct stack_group *g, struct err *e) must_check;
/* Text: a stack that several threads have, once. */
int stack_print_group(struct stack_print *p, const struct stack_group *g, struct err *e) must_check;
/* Text: what there is to say about files goes to standard error. */
void stack_print_end(struct stack_print *p);

/* ---- for others that show frames: p->u, p->core and p->out are set */

/* The first @most frames of @s as text; as JSON, into @list. */
int stack_print_frames(struct stack_print *p, const struct stack *s, size_t most, struct err *e) must_check;
int stack_print_frames_json(struct stack_print *p, const struct stack *s, size_t most, struct json_object *list,
			    struct err *e) must_check;
/* What there is to say about files, to standard error. */
void stack_print_notes(const struct stack_print *p);
