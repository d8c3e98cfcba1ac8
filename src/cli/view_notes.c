#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/closest.h"
#include "cli/note_show.h"
#include "cli/view.h"

static void print_summary(struct note_ctx *n, const struct note_show_row *row, const struct note_kind *k)
{
	if (row && row->summary)
		row->summary(n->s->f, n->core, n->note->desc);
	else if (k)
		fputs(k->what, n->s->f);
}

/* What the operand chooses: NULL is all. */
struct choice {
	const char *text;
	u64 number;
	bool is_number;
};

/* "NT_PRSTATUS", or without NT_, or an owner; in any case. */
static bool is_chosen(const struct choice *w, size_t i, const struct note *n, const struct note_kind *k)
{
	if (!w->text)
		return true;
	if (w->is_number)
		return i == w->number;
	if (note_owner_is(n->owner, w->text) || !strcasecmp(n->owner, w->text))
		return true;
	return k && (!strcasecmp(k->name, w->text) ||
		     (!strncmp(k->name, "NT_", 3) && !strcasecmp(k->name + 3, w->text)));
}

/* One note, whatever is in it: what is not of its type's form is shown as bytes. */
static int show_content(struct note_ctx *n, const struct note_show_row *row, struct err *e)
{
	int r = row ? row->show(n, e) : 0;

	if (!r && (n->s->json || n->note->desc.len))
		show_bytes(n->s, "hex", n->note->desc);
	return r < 0 ? r : 0;
}

static void head_json(struct show *s, const struct core *c, const struct core_note *n, const struct note_kind *k)
{
	char owner[CORE_OWNER_MAX];

	show_str(s, "owner", core_note_owner(c, n, owner));
	show_u64(s, "type", n->note.type);
	show_str(s, "type_name", k ? k->name : NULL);
	show_u64(s, "size", n->note.desc.len);
	show_u64(s, "offset", n->note.off);
	if (n->thread >= 0)
		show_s64(s, "tid", c->threads[n->thread].tid);
	else
		show_str(s, "tid", NULL);
}

static int note_json(struct note_ctx *ctx, const struct core_note *n, const struct note_kind *k, struct err *e)
{
	struct show *s = ctx->s;
	int r;

	/* A row a line, as in all lists. */
	fputs(s->any ? ",\n  " : "\n  ", s->f);
	s->any = false;
	show_open(s, NULL);
	head_json(s, ctx->core, n, k);
	show_open(s, "content");
	r = show_content(ctx, note_show_find(ctx->core, ctx->kind, ctx->note), e);
	show_close(s);
	show_close(s);
	return r;
}

static int note_text(struct note_ctx *ctx, size_t i, const struct core_note *n, const struct note_kind *k,
		     struct err *e)
{
	const struct note_show_row *row = note_show_find(ctx->core, ctx->kind, ctx->note);
	FILE *f = ctx->s->f;
	char type[32], tid[16] = "-", owner[CORE_OWNER_MAX];

	snprintf(type, sizeof(type), "0x%x", n->note.type);
	if (n->thread >= 0)
		snprintf(tid, sizeof(tid), "%d", ctx->core->threads[n->thread].tid);
	core_note_owner(ctx->core, n, owner);
	fprintf(f, "%6zu %#10" PRIx64 " %9zu %8s  %-8s %-24s ", i, n->note.off, n->note.desc.len, tid,
		*owner ? owner : "-", k ? k->name : type);
	print_summary(ctx, row, k);
	fputc('\n', f);
	ctx->s->depth = 1;
	return show_content(ctx, row, e);
}

/* A word that chooses nothing is a mistake, not an empty list. */
static int check_choice(const struct core *c, const struct choice *w, struct err *e)
{
	struct closest near;
	char hint[CLOSEST_MAX];

	if (!w->text)
		return 0;
	near = closest_to(w->text);
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct note *note = &c->notes[i].note;
		const struct note_kind *k = note_kind_find(note->owner, note->type);

		if (is_chosen(w, i, note, k))
			return 0;
		closest_try(&near, k ? k->name : note->owner);
	}
	return err_set(e, ERR_USAGE, "inspect notes: the core has no note %s%s", w->text,
		       closest_hint(&near, "", ": without it all are listed", hint));
}

static int print_notes(struct view_ctx *v, const struct choice *w, struct err *e)
{
	const struct core *c = v->core;
	struct show s = { .f = v->out, .json = v->json, .all = w->is_number };
	struct note_ctx n = { .s = &s, .core = v->core, .kind = c->kind };
	int r = 0;

	for (size_t i = 0; !r && i < c->n_notes; i++) {
		const struct note *note = &c->notes[i].note;
		const struct note_kind *k = note_kind_find(note->owner, note->type);

		if (!is_chosen(w, i, note, k))
			continue;
		if (c->cancel && *c->cancel)
			return err_set(e, ERR_CANCELLED, "interrupted");
		n.note = note;
		r = v->json ? note_json(&n, &c->notes[i], k, e) : note_text(&n, i, &c->notes[i], k, e);
		s.any = true;
	}
	return r;
}

int view_notes(struct view_ctx *v, struct err *e)
{
	struct choice w = { .text = v->n_operands ? v->operands[0] : NULL };
	int r;

	w.is_number = w.text && !text_parse_u64(w.text, 10, false, &w.number);
	r = check_choice(v->core, &w, e);
	if (r)
		return r;
	if (v->json)
		fputc('[', v->out);
	else
		fprintf(v->out, "%6s %10s %9s %8s  %-8s %-24s %s\n", "NUMBER", "OFFSET", "SIZE", "TID", "OWNER", "TYPE",
			"CONTENT");
	r = print_notes(v, &w, e);
	if (v->json)
		fputs("\n]\n", v->out);
	return r;
}
