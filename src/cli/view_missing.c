#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"

struct missing_print {
	struct view_ctx *v;
	struct json_list *list;
	u64 total[2];	/* bytes of memory; of memory that lacks its tags only */
	u64 n;
};

static void row_json(struct json_list *l, const struct core_gap *g)
{
	struct json_object *o = json_object_new_object();

	json_put_hex(o, "start", g->start);
	json_put_end(o, "end", g->end);
	json_put_u64(o, "bytes", range_len(g->start, g->end));
	json_put_text(o, "reason", g->reason);
	json_put_bool(o, "tags_only", g->tags);
	json_put_bool(o, "lost", g->lost);
	json_put_bool(o, "guard", !strcmp(g->reason, TAGCORE_GUARD));
	json_list_add(l, o);
}

static int print_gap(const struct core_gap *g, void *arg, struct err *e)
{
	struct missing_print *p = arg;
	char size[TEXT_SIZE_MAX], end[TEXT_END_MAX];

	(void)e;
	p->n++;
	p->total[g->tags] += range_len(g->start, g->end);
	if (p->list) {
		row_json(p->list, g);
		return 0;
	}
	fprintf(p->v->out, "0x%" PRIx64 "-%s %10s  ", g->start, text_end(g->end, end),
		text_size(range_len(g->start, g->end), size));
	text_puts(p->v->out, g->reason);
	fputc('\n', p->v->out);
	return 0;
}

/* A row without a place. */
static void other_json(struct json_list *l, u64 bytes, const char *reason, bool lost)
{
	struct json_object *o = json_object_new_object();

	json_put_null(o, "start");
	json_put_null(o, "end");
	json_put_u64(o, "bytes", bytes);
	json_put_text(o, "reason", reason);
	json_put_bool(o, "tags_only", false);
	json_put_bool(o, "lost", lost);
	json_put_bool(o, "guard", false);
	json_list_add(l, o);
}

/* What the dump could only count. */
static void more_json(struct json_list *l, const struct core *c)
{
	char reason[64];

	snprintf(reason, sizeof(reason), "%" PRIu64 " more ranges that the dump could not list", c->more_missing);
	other_json(l, c->more_missing_bytes, reason, false);
}

/* Notes, program headers: what has no address. */
static void print_other(struct missing_print *p)
{
	const struct core *c = p->v->core;

	for (size_t i = 0; i < c->n_missing_other; i++) {
		const struct core_missing *m = &c->missing_other[i];
		char reason[160], size[TEXT_SIZE_MAX];

		core_text_copy(m->reason, reason, sizeof(reason));
		if (p->list) {
			other_json(p->list, m->end, reason, core_missing_is_lost(m));
			continue;
		}
		fprintf(p->v->out, "%-*s %10s  ", p->v->core->fmt.class == ELFCLASS32 ? 21 : 29, "not memory",
			m->end ? text_size(m->end, size) : "");
		text_puts(p->v->out, reason);
		fputc('\n', p->v->out);
	}
}

static void print_total(const struct missing_print *p)
{
	const struct core *c = p->v->core;
	char size[TEXT_SIZE_MAX];

	if (c->more_missing)
		fprintf(p->v->out, "and %" PRIu64 " more ranges of %s that the dump could not list\n",
			c->more_missing, text_size(c->more_missing_bytes, size));
	fprintf(p->v->out, "%" PRIu64 " range%s, %s", p->n, p->n == 1 ? "" : "s",
		text_size(p->total[0] + c->more_missing_bytes, size));
	if (p->total[1])
		fprintf(p->v->out, ", and the tags of %s", text_size(p->total[1], size));
	fputc('\n', p->v->out);
}

int view_missing(struct view_ctx *v, struct err *e)
{
	struct missing_print p = { .v = v };
	struct json_list l;
	int r;

	if (v->json) {
		l = json_list_begin(v->out);
		p.list = &l;
	}
	r = core_gaps(v->core, print_gap, &p, e);
	if (!r)
		print_other(&p);
	if (v->json && !r && v->core->more_missing)
		more_json(&l, v->core);
	if (v->json)
		json_list_end(&l);
	else if (!r)
		print_total(&p);
	return r;
}
