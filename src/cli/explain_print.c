#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- text: what threads wait for, equal ones together */

enum { WAITS_MAX = 24, TIDS_MAX = 8 };

static int compare_waits(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;
	int r = strcmp(x->call, y->call);

	if (!r)
		r = strcmp(x->on, y->on);
	return r ? r : x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void put_group(FILE *out, const struct wait *w, size_t n)
{
	fprintf(out, n == 1 ? "  %zu thread, " : "  %zu threads, ", n);
	text_puts(out, *w->call ? w->call : "in no system call");
	if (*w->on) {
		fputs(": ", out);
		text_puts(out, w->on);
	}
	fputs(" [", out);
	for (size_t i = 0; i < n && i < TIDS_MAX; i++)
		fprintf(out, "%s%d", i ? ", " : "", w[i].tid);
	if (n > TIDS_MAX)
		fprintf(out, " and %zu more", n - TIDS_MAX);
	fputs("]\n", out);
}

/* The largest group first would be of more use than their order, but a list that is sorted can be compared. */
static void put_waits(FILE *out, const struct verdict *v)
{
	struct wait *w auto_free = calloc(v->n_waits + 1, sizeof(*w));
	size_t groups = 0;

	if (!v->n_waits || !w)
		return;
	memcpy(w, v->waits, v->n_waits * sizeof(*w));
	qsort(w, v->n_waits, sizeof(*w), compare_waits);
	fputs("what threads wait for\n", out);
	for (size_t i = 0, n; i < v->n_waits; i += n) {
		for (n = 1; i + n < v->n_waits && !strcmp(w[i].call, w[i + n].call) && !strcmp(w[i].on, w[i + n].on);)
			n++;
		if (groups++ < WAITS_MAX)
			put_group(out, &w[i], n);
	}
	if (groups > WAITS_MAX)
		fprintf(out, "  and %zu groups more: --json has all\n", groups - WAITS_MAX);
}

static int put_stack(struct stack_print *p, s32 tid, const struct stack *s, struct err *e)
{
	int r;

	if (!s->n)
		return 0;
	fprintf(p->out, "frames of thread %d\n", tid);
	r = stack_print_frames(p, s, FRAMES_TEXT, e);
	if (s->n > FRAMES_TEXT)
		fprintf(p->out, "     and %zu more: tagcore stack\n", s->n - FRAMES_TEXT);
	return r;
}

static int print_text(struct stack_print *p, const struct verdict *v, struct err *e)
{
	int r = 0;

	if (!v->kind) {
		put_line(p->out, "", v->sentence);
		put_waits(p->out, v);
		return 0;
	}
	put_line(p->out, "", v->sentence);
	fprintf(p->out, "%s (%s): ", sure_name(v->sure), v->kind->name);
	put_line(p->out, "", v->why_sure);
	put_evidence(p->out, v);
	put_candidates(p->out, v);
	put_waits(p->out, v);
	r = put_stack(p, v->tid, &v->stack, e);
	for (size_t i = 0; !r && i < v->n_others; i++)
		r = put_stack(p, v->others[i].thread->tid, &v->others[i], e);
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

static void put_tid(struct json_object *o, const char *key, s32 tid)
{
	if (tid)
		json_put_s64(o, key, tid);
	else
		json_put_null(o, key);
}

static struct json_object *waits_json(const struct verdict *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->n_waits; i++) {
		const struct wait *w = &v->waits[i];
		struct json_object *o = json_object_new_object();

		json_put_s64(o, "tid", w->tid);
		json_put_text(o, "call", *w->call ? w->call : NULL);
		json_put_text(o, "on", *w->on ? w->on : NULL);
		put_tid(o, "owner_tid", w->owner);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *deadlocks_json(const struct verdict *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->n_deadlocks; i++) {
		const struct deadlock *d = &v->deadlocks[i];
		struct json_object *tids = json_object_new_array();

		for (size_t k = 0; k < d->n; k++)
			json_object_array_add(tids, json_object_new_int(v->locked[d->from + k]));
		json_object_array_add(list, tids);
	}
	return list;
}

/* Of the other threads that the verdict is about. */
static int others_json(struct stack_print *p, const struct verdict *v, struct json_object *list, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < v->n_others; i++) {
		struct json_object *o = json_object_new_object(), *frames = json_object_new_array();

		json_put_s64(o, "tid", v->others[i].thread->tid);
		json_object_object_add(o, "frames", frames);
		json_object_array_add(list, o);
		r = stack_print_frames_json(p, &v->others[i], FRAMES_JSON, frames, e);
	}
	return r;
}

static int print_json(struct stack_print *p, const struct verdict *v, struct err *e)
{
	struct json_object *o = json_object_new_object(), *frames = json_object_new_array(), *next = json_object_new_array();
	struct json_object *others = json_object_new_array();
	int r;

	json_put_u64(o, "schema", EXPLAIN_SCHEMA);
	json_put_text(o, "verdict", v->sentence);
	json_put_text(o, "kind", v->kind ? v->kind->name : NULL);
	json_put_text(o, "confidence", v->kind ? sure_name(v->sure) : NULL);
	json_put_text(o, "confidence_reason", v->kind ? v->why_sure : NULL);
	json_object_object_add(o, "access", access_json(p->core, v));
	json_object_object_add(o, "object", object_json(&v->object));
	put_tid(o, "tid", v->tid);
	json_put_bool(o, "caught", v->caught);
	json_put_u64(o, "frame", v->frame);
	json_object_object_add(o, "frames", frames);
	r = stack_print_frames_json(p, &v->stack, FRAMES_JSON, frames, e);
	json_object_object_add(o, "candidates", candidates_json(v));
	json_object_object_add(o, "evidence", evidence_json(v));
	for (size_t i = 0; i < v->n_next; i++)
		add_text(next, v->next[i]);
	json_object_object_add(o, "next", next);
	if (p->live)
		json_put_u64(o, "pause_us", p->live->pause_us);
	else
		json_put_null(o, "pause_us");
	json_object_object_add(o, "waits", waits_json(v));
	json_object_object_add(o, "deadlocks", deadlocks_json(v));
	json_object_object_add(o, "other_threads", others);
	if (!r)
		r = others_json(p, v, others, e);
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
