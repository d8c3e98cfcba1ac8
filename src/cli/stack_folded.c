#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/stack_folded.h"

struct line {
	char *text;
	size_t threads;
};

struct folded {
	struct stack_print *p;
	void *lines;		/* of tsearch(3), by text */
	struct buf names;	/* of the stack at hand, innermost first, each with its NUL */
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void line_free(void *node)
{
	struct line *l = node;

	free(l->text);
	free(l);
}

static void folded_fini(struct folded *f)
{
	tdestroy(f->lines, line_free);
	buf_fini(&f->names);
}

/* A name cannot contain its own or the line's delimiter; a blank is allowed: the count is after the last one. */
static int put_name(struct folded *f, const char *name, struct err *e)
{
	char safe[1024];

	text_escape(name, safe, sizeof(safe));
	for (char *c = safe; *c; c++)
		if (*c == ';')
			*c = ':';
	return buf_add(&f->names, safe, strlen(safe) + 1, e);
}

static int put_symbol(const struct symbol *s, void *arg, struct err *e)
{
	const char *slash = s->module ? strrchr(s->module, '/') : NULL;
	char name[256];

	if (s->function)
		return put_name(arg, s->function, e);
	snprintf(name, sizeof(name), "[%s]", slash ? slash + 1 : s->module ? s->module : "unknown");
	return put_name(arg, name, e);
}

static int put_frames(struct folded *f, const struct stack *s, struct err *e)
{
	char address[24];
	int r = 0;

	f->names.len = 0;
	for (size_t i = 0; !r && i < s->n; i++) {
		snprintf(address, sizeof(address), "0x%" PRIx64, s->frames[i].pc);
		r = f->p->raw ? put_name(f, address, e) :
		    unwind_symbols(f->p->u, &s->frames[i], f->p->inlines ? SYMBOL_INLINES : 0, put_symbol, f, e);
	}
	if (!r && s->end != STACK_OUTERMOST)
		r = put_name(f, "[incomplete]", e);
	return r;
}

/* The names the other way round: malloc'ed. */
static int join(const struct folded *f, char **out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	const char *names = (const char *)f->names.p;
	size_t at = f->names.len;
	int r = 0;

	while (!r && at) {
		size_t end = at - 1;

		for (at = end; at > 0 && names[at - 1]; at--)
			;
		r = b.len ? buf_add(&b, ";", 1, e) : 0;
		if (!r)
			r = buf_add(&b, names + at, end - at, e);
	}
	if (!r)
		r = buf_add(&b, "", 1, e);
	if (!r)
		*out = (char *)take_ptr(b.p);
	return r;
}

static int add_line(struct folded *f, size_t threads, struct err *e)
{
	struct line *new = calloc(1, sizeof(*new)), **found;
	int r = new ? join(f, &new->text, e) : err_set(e, -ENOMEM, "folded stacks");

	if (r) {
		free(new);
		return r;
	}
	found = tsearch(new, &f->lines, compare_lines);
	if (found)
		(*found)->threads += threads;
	if (!found || *found != new)
		line_free(new);
	return found ? 0 : err_set(e, -ENOMEM, "folded stacks");
}

static void print_line(const void *node, VISIT which, void *out)
{
	const struct line *l = *(struct line *const *)node;

	if (which == postorder || which == leaf)
		fprintf(out, "%s %zu\n", l->text, l->threads);
}

int stack_folded(struct stack_print *p, const struct stack_groups *g, struct err *e)
{
	struct folded f scoped(folded_fini) = { .p = p };
	int r = 0;

	for (size_t i = 0; !r && i < g->n; i++) {
		r = put_frames(&f, &g->v[i]->stack, e);
		if (!r)
			r = add_line(&f, g->v[i]->n, e);
	}
	if (!r)
		twalk_r(f.lines, print_line, p->out);
	return r;
}
