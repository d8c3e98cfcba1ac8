#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/dump.h"
#include "unwind/process.h"
#include "unwind/unwind.h"

SAME(TAGCORE_FRAME_BY_REGISTERS, FRAME_BY_REGISTERS);
SAME(TAGCORE_FRAME_BY_CFI, FRAME_BY_CFI);
SAME(TAGCORE_FRAME_BY_EXIDX, FRAME_BY_EXIDX);
SAME(TAGCORE_FRAME_BY_SIGNAL, FRAME_BY_SIGNAL);
SAME(TAGCORE_FRAME_BY_CODE, FRAME_BY_CODE);
SAME(TAGCORE_FRAME_BY_LINK, FRAME_BY_LINK);
SAME(TAGCORE_FRAME_BY_TAIL_CALL, FRAME_BY_TAIL_CALL);
SAME(TAGCORE_FRAME_BY_LIKELY_TAIL_CALL, FRAME_BY_LIKELY_TAIL_CALL);
SAME(TAGCORE_FRAME_BY_FP, FRAME_BY_FP);
SAME(TAGCORE_STACK_OUTERMOST, STACK_OUTERMOST);
SAME(TAGCORE_STACK_NO_REGISTERS, STACK_NO_REGISTERS);
SAME(TAGCORE_STACK_NO_CODE, STACK_NO_CODE);
SAME(TAGCORE_STACK_NO_TABLE, STACK_NO_TABLE);
SAME(TAGCORE_STACK_NO_RETURN, STACK_NO_RETURN);
SAME(TAGCORE_STACK_NO_MEMORY, STACK_NO_MEMORY);
SAME(TAGCORE_STACK_SWITCHED, STACK_SWITCHED);
SAME(TAGCORE_STACK_LOOP, STACK_LOOP);
SAME(TAGCORE_STACK_LIMIT, STACK_LIMIT);
SAME(TAGCORE_SYMBOL_SOURCE, SYMBOL_SOURCE);
SAME(TAGCORE_SYMBOL_INLINES, SYMBOL_INLINES);

struct tagcore_unwind {
	struct unwind *u;
	struct tagcore_core *core;
	bool owns_core;		/* of a live process: */
	struct tagcore_unwind_process process;
	char *strings[4];	/* of the options, which the unwinder borrows */
	struct tagcore_unwind_remark remark;
};

/* The rows that the caller gets, beside those that they are made of. */
struct tagcore_stack {
	struct stack s;
	struct tagcore_frame *frames;
};

void tagcore_unwind_close(struct tagcore_unwind *u)
{
	if (!u)
		return;
	unwind_close(u->u);
	if (u->owns_core)
		tagcore_core_close(u->core);
	for (size_t i = 0; i < ARRAY_SIZE(u->strings); i++)
		free(u->strings[i]);
	free(u);
}

static int copy_strings(struct tagcore_unwind *u, const struct tagcore_unwind_options *o, struct unwind_opts *out,
			struct tagcore_error *error)
{
	const char *from[] = { o->exe, o->sysroot, o->debuginfo_path, o->unwinder };
	const char **to[] = { &out->exe, &out->sysroot, &out->debuginfo_path, &out->unwinder };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		if (!from[i])
			continue;
		u->strings[i] = strdup(from[i]);
		if (!u->strings[i])
			return api_fail(error, -ENOMEM, "options");
		*to[i] = u->strings[i];
	}
	return 0;
}

/* u->core is open. */
static int start(struct tagcore_unwind *u, const struct tagcore_unwind_options *o, pid_t pid, struct tagcore_error *error)
{
	struct unwind_opts opts = { .max_frames = o->max_frames, .no_tail_calls = o->no_tail_calls, .pid = pid };
	struct err e = { 0 };
	int r = copy_strings(u, o, &opts, error);

	if (r)
		return r;
	r = unwind_open(&u->u, &u->core->core, &opts, &e);
	return r ? api_error(error, r, &e) : 0;
}

static int open_process(struct tagcore_unwind *u, pid_t pid, const struct tagcore_unwind_options *o,
			struct tagcore_error *error)
{
	struct dump_report report scoped(dump_report_fini) = { 0 };
	struct err e = { 0 };
	int r;

	u->core = api_core_make(error);
	if (!u->core)
		return -ENOMEM;
	u->owns_core = true;
	r = process_core(pid, o->stop_timeout_ms ? o->stop_timeout_ms : PROCESS_STOP_TIMEOUT_MS, SNAPSHOT_NO, false, o->cancel,
			 &u->core->core, &report, &e);
	r = r ? api_error(error, r, &e) : api_core_fill(u->core, error);
	u->process = (struct tagcore_unwind_process){
		.pid = report.pid, .pause_us = report.pause_us, .n_unstopped = report.n_unstopped,
	};
	return r ? r : start(u, o, report.pid, error);
}

/* Of @core, or if that is NULL of process @pid. */
static int open_any(struct tagcore_unwind **out, struct tagcore_core *core, pid_t pid,
		    const struct tagcore_unwind_options *options, struct tagcore_error *error)
{
	struct tagcore_unwind_options o;
	struct tagcore_unwind *u;
	int r = api_options(&o, sizeof(o), options, error);

	if (r)
		return r;
	u = calloc(1, sizeof(*u));
	if (!u)
		return api_fail(error, -ENOMEM, "unwinder");
	u->core = core;
	r = core ? start(u, &o, 0, error) : open_process(u, pid, &o, error);
	if (r)
		tagcore_unwind_close(u);
	else
		*out = u;
	return r;
}

int tagcore_unwind_open_core(struct tagcore_unwind **unwind, struct tagcore_core *core,
			     const struct tagcore_unwind_options *options, struct tagcore_error *error)
{
	return open_any(unwind, core, 0, options, error);
}

int tagcore_unwind_open_pid(struct tagcore_unwind **unwind, pid_t pid, const struct tagcore_unwind_options *options,
			    struct tagcore_error *error)
{
	return open_any(unwind, NULL, pid, options, error);
}

struct tagcore_core *tagcore_unwind_core(struct tagcore_unwind *u)
{
	return u->core;
}

const struct tagcore_unwind_process *tagcore_unwind_get_process(const struct tagcore_unwind *u)
{
	return u->owns_core ? &u->process : NULL;
}

static int fill_frames(struct tagcore_stack *s, struct tagcore_error *error)
{
	s->frames = calloc(s->s.n + 1, sizeof(*s->frames));
	if (!s->frames)
		return api_fail(error, -ENOMEM, "%zu frames", s->s.n);
	for (size_t i = 0; i < s->s.n; i++) {
		const struct frame *f = &s->s.frames[i];

		s->frames[i] = (struct tagcore_frame){
			.pc = f->pc, .sp = f->sp, .by = (enum tagcore_frame_by)f->by, .by_name = frame_by_name(f->by),
			.exact = f->exact, .signal = f->signal, .gap = f->gap,
		};
	}
	return 0;
}

int tagcore_unwind_thread(struct tagcore_stack **stack, struct tagcore_unwind *u, const struct tagcore_thread *thread,
			  struct tagcore_error *error)
{
	const struct core_thread *t = api_thread(u->core, thread, error);
	struct tagcore_stack *s;
	struct err e = { 0 };
	int r;

	if (!t)
		return ERR_USAGE;
	s = calloc(1, sizeof(*s));
	if (!s)
		return api_fail(error, -ENOMEM, "stack");
	r = unwind_thread(u->u, t, &s->s, &e);
	r = r ? api_error(error, r, &e) : fill_frames(s, error);
	if (r)
		tagcore_stack_free(s);
	else
		*stack = s;
	return r;
}

void tagcore_stack_free(struct tagcore_stack *s)
{
	if (!s)
		return;
	stack_fini(&s->s);
	free(s->frames);
	free(s);
}

size_t tagcore_stack_frames(const struct tagcore_stack *s)
{
	return s->s.n;
}

const struct tagcore_frame *tagcore_stack_frame(const struct tagcore_stack *s, size_t i)
{
	return i < s->s.n ? &s->frames[i] : NULL;
}

enum tagcore_stack_end tagcore_stack_get_end(const struct tagcore_stack *s)
{
	return (enum tagcore_stack_end)s->s.end;
}

const char *tagcore_stack_why(const struct tagcore_stack *s)
{
	return s->s.why;
}

const char *tagcore_stack_unwinder(const struct tagcore_stack *s)
{
	return s->s.unwinder;
}

struct walk {
	int (*fn)(const struct tagcore_symbol *symbol, void *arg);
	void *arg;
	bool ended;
};

static int give(const struct symbol *s, void *arg, struct err *e)
{
	const struct tagcore_symbol out = {
		.function = s->function, .linkage = s->linkage, .offset = s->offset, .module = s->module,
		.module_start = s->module_start, .build_id = s->build_id, .build_id_size = s->build_id_len,
		.file = s->file, .line = s->line, .column = s->column, .is_inline = s->is_inline,
	};
	struct walk *w = arg;
	int r = w->fn(&out, w->arg);

	(void)e;
	w->ended = r != 0;
	return r;
}

int tagcore_symbols_each(struct tagcore_unwind *u, const struct tagcore_frame *f, unsigned want,
			 int (*fn)(const struct tagcore_symbol *symbol, void *arg), void *arg, struct tagcore_error *error)
{
	const struct frame frame = { .pc = f->pc, .sp = f->sp, .by = (enum frame_by)f->by, .exact = f->exact,
				     .signal = f->signal, .gap = f->gap };
	struct walk w = { .fn = fn, .arg = arg };
	struct err e = { 0 };
	int r = unwind_symbols(u->u, &frame, want, give, &w, &e);

	return api_walked(w.ended, r, error, &e);
}

const struct tagcore_unwind_remark *tagcore_unwind_next_remark(struct tagcore_unwind *u, size_t *i)
{
	struct unwind_note n;

	if (!unwind_note(u->u, i, &n))
		return NULL;
	u->remark = (struct tagcore_unwind_remark){ .module = n.module, .start = n.start, .text = n.text };
	return &u->remark;
}
