#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/dump_text.h"
#include "cli/message.h"
#include "cli/stack_print.h"
#include "cli/view_text.h"

/* A frame being printed: its symbols come one by one. */
struct row {
	struct stack_print *p;
	const struct frame *f;
	size_t i;			/* number in the stack */
	struct json_object *list;	/* or NULL for text */
};

static s32 pid_of(const struct core *core)
{
	struct core_procinfo ps;

	core_procinfo(core, &ps);
	if (ps.has_pid)
		return (s32)ps.pid;
	return core->n_threads ? core->threads[0].tid : 0;
}

static unsigned wanted(const struct stack_print *p)
{
	return (p->source || p->json ? SYMBOL_SOURCE : 0u) | (p->inlines ? SYMBOL_INLINES : 0u);
}

/* ---- text */

/* For frames that were not found by a table, or that tail calls have replaced. */
static const char *const by_text[] = {
	[FRAME_BY_CODE] = "found by reading code",
	[FRAME_BY_LINK] = "found by return address",
	[FRAME_BY_TAIL_CALL] = "tail call",
	[FRAME_BY_LIKELY_TAIL_CALL] = "tail call, likely",
	[FRAME_BY_FP] = "found by frame pointer",
};

static int put_text(const struct symbol *s, void *arg, struct err *e)
{
	struct row *r = arg;
	FILE *out = r->p->out;

	(void)e;
	fprintf(out, "#%-3zu 0x%016" PRIx64 " ", r->i, r->f->pc);
	text_puts(out, s->function ? s->function : "??");
	if (s->function && !s->is_inline)
		fprintf(out, "+0x%" PRIx64, s->offset);
	if (s->is_inline)
		fputs(" (inlined)", out);
	if (s->module) {
		fputs(" - ", out);
		text_puts(out, s->module);
	}
	if (r->f->signal && !s->is_inline)
		fputs(" (signal frame)", out);
	if (by_text[r->f->by])
		fprintf(out, " (%s%s)", by_text[r->f->by], r->f->gap ? ", perhaps among others" : "");
	fputc('\n', out);
	if (!r->p->source || !s->file)
		return 0;
	fputs("       at ", out);
	text_puts(out, s->file);
	fprintf(out, ":%u\n", s->line);
	return 0;
}

static void put_head(struct stack_print *p, const struct core_thread *t)
{
	char name[CORE_NAME_MAX];

	fprintf(p->out, "TID %d", t->tid);
	core_thread_name(p->core, t, name);
	if (*name) {
		fputs(" ", p->out);
		text_puts(p->out, name);
	}
	fputs(":\n", p->out);
}

int stack_print_frames(struct stack_print *p, const struct stack *s, size_t most, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->n && i < most; i++) {
		struct row row = { .p = p, .f = &s->frames[i], .i = i };

		if (p->raw)
			fprintf(p->out, "#%-3zu 0x%016" PRIx64 "\n", i, s->frames[i].pc);
		else
			r = unwind_symbols(p->u, &s->frames[i], wanted(p), put_text, &row, e);
	}
	return r;
}

static int put_frames(struct stack_print *p, const struct stack *s, struct err *e)
{
	int r = stack_print_frames(p, s, SIZE_MAX, e);

	if (!r && (s->end != STACK_OUTERMOST || s->is_coroutine)) {
		fputs(s->is_coroutine ? "     bottom: " : "     incomplete: ", p->out);
		text_puts(p->out, s->why);
		fputc('\n', p->out);
	}
	return r;
}

/* ---- JSON */

static struct json_object *frame_object(const struct frame *f)
{
	struct json_object *o = json_object_new_object();

	json_put_hex(o, "pc", f->pc);
	return o;
}

static int put_json(const struct symbol *s, void *arg, struct err *e)
{
	struct row *r = arg;
	struct json_object *o = frame_object(r->f);
	char id[VIEW_BUILD_ID_MAX];

	(void)e;
	json_put_text(o, "function", s->function);
	if (s->function && !s->is_inline)
		json_put_u64(o, "offset", s->offset);
	else
		json_put_null(o, "offset");
	json_put_text(o, "module", s->module);
	json_put_text(o, "build_id", view_build_id(s->build_id, s->build_id_len, id));
	json_put_text(o, "file", s->file);
	if (s->line)
		json_put_u64(o, "line", s->line);
	else
		json_put_null(o, "line");
	json_put_bool(o, "inline", s->is_inline);
	json_put_bool(o, "signal", r->f->signal);
	json_put_bool(o, "gap", r->f->gap);
	json_put_text(o, "found_by", frame_by_name(r->f->by));
	json_object_array_add(r->list, o);
	return 0;
}

int stack_print_frames_json(struct stack_print *p, const struct stack *s, size_t most, struct json_object *list, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->n && i < most; i++) {
		struct row row = { .p = p, .f = &s->frames[i], .i = i, .list = list };

		if (p->raw)
			json_object_array_add(list, frame_object(&s->frames[i]));
		else
			r = unwind_symbols(p->u, &s->frames[i], wanted(p), put_json, &row, e);
	}
	return r;
}

static int print_json(struct stack_print *p, const struct stack *s, size_t group, struct err *e)
{
	struct json_object *o = json_object_new_object(), *frames = json_object_new_array();
	char name[CORE_NAME_MAX];
	int r;

	json_object_object_add(o, "tid", json_object_new_int(s->thread->tid));
	core_thread_name(p->core, s->thread, name);
	json_put_text(o, "name", *name ? name : NULL);
	json_put_bool(o, "crashed", s->thread == p->core->crashed);
	json_put_u64(o, "group", group);
	json_object_object_add(o, "frames", frames);
	r = stack_print_frames_json(p, s, SIZE_MAX, frames, e);
	json_put_text(o, "unwinder", s->unwinder);
	json_put_bool(o, "complete", s->end == STACK_OUTERMOST);
	json_put_text(o, "why_stopped", s->why);
	if (r)
		json_object_put(o);
	else
		json_list_add(&p->threads, o);
	return r;
}

/* ---- */

/* As in the report of a dump. */
static void put_stop_json(const struct stack_print *p)
{
	const struct dump_report *l = p->live;
	struct json_object *why;

	if (!l)
		return;
	why = l->no_snapshot[0] ? json_object_new_string(l->no_snapshot) : NULL;
	fprintf(p->out, "\"pause_us\": %" PRIu64 ", \"snapshot\": %s, \"no_snapshot\": %s, \"fork_us\": %" PRIu64 ", ",
		l->pause_us, l->snapshot ? "true" : "false", json_object_to_json_string(why), l->fork_us);
	json_object_put(why);
}

void stack_print_begin(struct stack_print *p, struct core *core, struct unwind *u)
{
	p->core = core;
	p->u = u;
	if (p->json) {
		fprintf(p->out, "{ \"pid\": %d, ", pid_of(core));
		put_stop_json(p);
		fputs("\"threads\": ", p->out);
		p->threads = json_list_begin(p->out);
		return;
	}
	if (p->folded)
		return;
	fprintf(p->out, "PID %d - ", pid_of(core));
	text_puts(p->out, p->name);
	if (p->live)
		fprintf(p->out, ", stopped for %.1f ms", (double)p->live->pause_us / 1000);
	if (p->live && p->live->snapshot)
		fprintf(p->out, " (snapshot, made in %.1f ms)", (double)p->live->fork_us / 1000);
	fputc('\n', p->out);
}

int stack_print(struct stack_print *p, const struct stack *s, const struct stack_group *g, struct err *e)
{
	if (p->json)
		return print_json(p, s, g->id, e);
	put_head(p, s->thread);
	return put_frames(p, s, e);
}

int stack_print_group(struct stack_print *p, const struct stack_group *g, struct err *e)
{
	if (g->n == 1)
		put_head(p, g->threads[0]);
	else
		stack_group_head(p->out, p->core, g);
	return put_frames(p, &g->stack, e);
}

void stack_print_notes(const struct stack_print *p)
{
	struct unwind_note n;

	if (p->live && p->live->no_snapshot[0])
		message("tagcore", "%s; process %d was stopped while its stacks were copied", p->live->no_snapshot, p->live->pid);
	if (p->live && p->live->zombie_left)
		message("tagcore", "a zombie of the snapshot stays until process %d ends or waits for it", p->live->pid);
	for (size_t i = 0; unwind_note(p->u, &i, &n);)
		message("tagcore", "%s", n.text);
}

static void print_notes_json(struct stack_print *p)
{
	struct json_list l;
	struct unwind_note n;

	fputs(", \"notes\": ", p->out);
	l = json_list_begin(p->out);
	for (size_t i = 0; unwind_note(p->u, &i, &n);) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "module", n.module);
		json_put_text(o, "message", n.text);
		json_list_add(&l, o);
	}
	json_list_end(&l);
	fputs("}\n", p->out);
}

/* A thread without registers. */
static void print_bare(struct stack_print *p, pid_t tid, const char *why)
{
	struct json_object *o;

	if (p->folded)
		message("tagcore", "thread %d: %s", (int)tid, why);
	if (!p->json && !p->folded)
		fprintf(p->out, "TID %d:\n     incomplete: %s\n", (int)tid, why);
	if (!p->json)
		return;
	o = json_object_new_object();
	json_put_u64(o, "tid", (u64)tid);
	json_put_null(o, "name");
	json_put_null(o, "group");
	json_object_object_add(o, "frames", json_object_new_array());
	json_put_null(o, "unwinder");
	json_put_bool(o, "complete", false);
	json_put_text(o, "why_stopped", why);
	json_list_add(&p->threads, o);
}

/* It did not stop, and was in no system call by which its pc and sp are known. */
static void print_unstopped(struct stack_print *p, const struct dump_unstopped *u)
{
	char text[UNSTOPPED_TEXT_MAX], why[UNSTOPPED_TEXT_MAX + 64];

	snprintf(why, sizeof(why), "it did not stop, %s: its registers could not be read", unstopped_text(u, text));
	print_bare(p, u->tid, why);
}

/* Of a core: those that its list has. */
static void print_bare_of_core(struct stack_print *p)
{
	struct core_thread t;
	u64 at = 0;

	while (!p->live && core_next_bare_thread(p->core, &at, &t))
		if (!core_thread_find(p->core, t.tid))
			print_bare(p, t.tid, "it was not stopped: its registers are not in the core");
}

void stack_print_end(struct stack_print *p)
{
	for (size_t i = 0; i < p->n_unstopped; i++)
		if (!core_thread_find(p->core, p->unstopped[i].tid))
			print_unstopped(p, &p->unstopped[i]);
	if (!p->one)
		print_bare_of_core(p);
	if (!p->json) {
		stack_print_notes(p);
		return;
	}
	json_list_end(&p->threads);
	print_notes_json(p);
}
