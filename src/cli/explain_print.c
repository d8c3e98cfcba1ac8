#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/text.h"
#include "cli/explain_print.h"

enum { FRAMES_TEXT = 10, FRAMES_JSON = 64 };

static bool call_name(u32 audit_arch, s32 nr, char *out, size_t size)
{
	char *name auto_free = seccomp_syscall_resolve_num_arch(audit_arch, nr);

	if (name)
		snprintf(out, size, "%s", name);
	return name;
}

const struct explain_opts explain_with_names = { .call_name = call_name };

/* ---- text */

static void put_line(FILE *out, const char *head, const char *text)
{
	fputs(head, out);
	text_puts(out, text);
	fputc('\n', out);
}

static void put_evidence(FILE *out, const struct verdict *v)
{
	if (v->n_evidence)
		fputs("evidence\n", out);
	for (size_t i = 0; i < v->n_evidence; i++) {
		fputs("  ", out);
		text_puts(out, v->evidence[i].what);
		fprintf(out, " [%s]\n", v->evidence[i].where);
	}
}

static void put_candidates(FILE *out, const struct verdict *v)
{
	if (v->n_candidates)
		fputs("also possible\n", out);
	for (size_t i = 0; i < v->n_candidates; i++)
		put_line(out, "  ", v->candidates[i].what);
}

static int print_text(struct stack_print *p, const struct verdict *v, struct err *e)
{
	int r = 0;

	if (!v->kind) {
		put_line(p->out, "", v->sentence);
		return 0;
	}
	put_line(p->out, "", v->sentence);
	fprintf(p->out, "%s (%s): ", sure_name(v->sure), v->kind->name);
	put_line(p->out, "", v->why_sure);
	put_evidence(p->out, v);
	put_candidates(p->out, v);
	if (v->stack.n) {
		fprintf(p->out, "frames of thread %d\n", v->tid);
		r = stack_print_frames(p, &v->stack, FRAMES_TEXT, e);
		if (v->stack.n > FRAMES_TEXT)
			fprintf(p->out, "     and %zu more: tagcore stack\n", v->stack.n - FRAMES_TEXT);
	}
	if (v->n_next)
		fputs("next\n", p->out);
	for (size_t i = 0; i < v->n_next; i++)
		put_line(p->out, "  ", v->next[i]);
	return r;
}

int explain_print_line(FILE *out, const char *head, struct unwind *u, struct err *e)
{
	struct verdict *v auto_free = calloc(1, sizeof(*v));
	int r = v ? explain_crash(u, &explain_with_names, v, e) : 0;

	/* One of several is no line of its own: it needs the others. */
	if (r > 0 && v->sure != SURE_POSSIBLE) {
		fputs(head, out);
		text_puts(out, v->sentence);
		fprintf(out, " (%s; tagcore explain)\n", sure_name(v->sure));
	}
	if (v)
		verdict_fini(v);
	return r < 0 ? r : 0;
}

/* ---- JSON */

static struct json_object *access_json(const struct core *core, const struct verdict *v)
{
	const struct access *a = &v->access;
	struct json_object *o;

	if (!v->has_access)
		return NULL;
	o = json_object_new_object();
	json_put_text(o, "type", access_name(a->type));
	if (a->size)
		json_put_u64(o, "size", a->size);
	else
		json_put_null(o, "size");
	if (a->has_addr)
		json_put_hex(o, "address", core_untag(core, a->addr));
	else
		json_put_null(o, "address");
	json_put_text(o, "register", a->is_decoded && *a->base.name ? a->base.name : NULL);
	if (a->is_decoded && *a->base.name && a->base.known)
		json_put_hex(o, "register_value", a->base.value);
	else
		json_put_null(o, "register_value");
	json_put_text(o, "index_register", a->is_decoded && *a->index.name ? a->index.name : NULL);
	if (a->is_decoded && *a->index.name && a->index.known)
		json_put_hex(o, "index_value", a->index.value);
	else
		json_put_null(o, "index_value");
	json_put_tag(o, "pointer_tag", v->has_tags ? TAG_KNOWN : TAG_NONE, v->pointer_tag);
	json_put_tag(o, "memory_tag", v->has_tags ? TAG_KNOWN : TAG_NONE, v->memory_tag);
	json_put_text(o, "instruction", *a->insn ? a->insn : NULL);
	return o;
}

static struct json_object *object_json(const struct object *b)
{
	struct json_object *o;

	if (!b->is_set)
		return NULL;
	o = json_object_new_object();
	json_put_hex(o, "start", b->start);
	json_put_hex(o, "end", b->end);
	json_put_text(o, "state", b->state);
	json_put_s64(o, "offset", b->offset);
	return o;
}

static struct json_object *evidence_json(const struct verdict *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->n_evidence; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "what", v->evidence[i].what);
		json_put_text(o, "where", v->evidence[i].where);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *candidates_json(const struct verdict *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->n_candidates; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "kind", v->candidates[i].kind);
		json_put_text(o, "what", v->candidates[i].what);
		json_object_array_add(list, o);
	}
	return list;
}

/* A string of an array, escaped as all are. */
static void add_text(struct json_object *list, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "text", text);
	json_object_array_add(list, json_object_get(json_object_object_get(o, "text")));
	json_object_put(o);
}

static int print_json(struct stack_print *p, const struct verdict *v, struct err *e)
{
	struct json_object *o = json_object_new_object(), *frames = json_object_new_array(), *next = json_object_new_array();
	int r;

	json_put_u64(o, "schema", EXPLAIN_SCHEMA);
	json_put_text(o, "verdict", v->sentence);
	json_put_text(o, "kind", v->kind ? v->kind->name : NULL);
	json_put_text(o, "confidence", v->kind ? sure_name(v->sure) : NULL);
	json_put_text(o, "confidence_reason", v->kind ? v->why_sure : NULL);
	json_object_object_add(o, "access", access_json(p->core, v));
	json_object_object_add(o, "object", object_json(&v->object));
	if (v->tid)
		json_put_s64(o, "tid", v->tid);
	else
		json_put_null(o, "tid");
	json_put_bool(o, "caught", v->caught);
	json_put_u64(o, "frame", v->frame);
	json_object_object_add(o, "frames", frames);
	r = stack_print_frames_json(p, &v->stack, FRAMES_JSON, frames, e);
	json_object_object_add(o, "candidates", candidates_json(v));
	json_object_object_add(o, "evidence", evidence_json(v));
	for (size_t i = 0; i < v->n_next; i++)
		add_text(next, v->next[i]);
	json_object_object_add(o, "next", next);
	json_object_object_add(o, "waits", json_object_new_array());
	json_object_object_add(o, "deadlocks", json_object_new_array());
	json_print(p->out, o);
	return r;
}

int explain_print(struct stack_print *p, const struct verdict *v, struct err *e)
{
	return p->json ? print_json(p, v, e) : print_text(p, v, e);
}

/* ---- the table */

static void list_json(FILE *out)
{
	struct json_list l = json_list_begin(out);

	for (size_t i = 0; i < n_diagnoses; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "kind", diagnoses[i].name);
		json_put_text(o, "applies", diagnoses[i].applies);
		json_put_text(o, "sentence", diagnoses[i].sentence);
		json_put_text(o, "rests_on", diagnoses[i].rests_on);
		json_list_add(&l, o);
	}
	json_list_end(&l);
	fputc('\n', out);
}

void explain_print_list(FILE *out, bool json)
{
	if (json) {
		list_json(out);
		return;
	}
	for (size_t i = 0; i < n_diagnoses; i++)
		fprintf(out, "%-24s %s. %s. [%s]\n", diagnoses[i].name, diagnoses[i].applies, diagnoses[i].sentence,
			diagnoses[i].rests_on);
}
