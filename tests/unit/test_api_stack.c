#include "stackbuild.h"

#include <pthread.h>

#include <tagcore/tagcore.h>

#include "core/modules.h"
#include "helper.h"

/* Stacks and modules by the public interface, against what the library itself finds in the same core. */

struct walked {
	struct sb_open in;
	struct tagcore_core *core;
	struct tagcore_unwind *unwind;
};

/* No file of this machine is found. */
static const struct tagcore_unwind_options no_files = {
	.size = sizeof(no_files), .sysroot = "/proc/self/ns", .debuginfo_path = "",
};

static void begin(struct walked *w, const struct tagcore_unwind_options *options)
{
	struct unwind_opts opts = { 0 };
	struct tagcore_error error = { 0 };
	int r;

	sb_begin(&w->in.s, EM_X86_64, CB_LE64, ET_DYN);
	sb_open(&w->in, &opts);
	r = tagcore_core_open(&w->core, w->in.path, NULL, &error);
	if (!r)
		r = tagcore_unwind_open_core(&w->unwind, w->core, options, &error);
	if (r)
		fail_msg("%d: %s", r, error.message);
}

static void done(struct walked *w)
{
	tagcore_unwind_close(w->unwind);
	tagcore_core_close(w->core);
	sb_close(&w->in);
}

static void same_frame(const struct tagcore_frame *f, const struct frame *want)
{
	assert_int_equal(f->pc, want->pc);
	assert_int_equal(f->sp, want->sp);
	assert_int_equal(f->exact, want->exact);
	assert_int_equal(f->signal, want->signal);
	assert_int_equal(f->by, want->by);
	assert_string_equal(f->by_name, frame_by_name(want->by));
}

static void frames_are_those_of_the_stack(void **state)
{
	struct stack want scoped(stack_fini) = { 0 };
	struct tagcore_error error;
	struct err e = { 0 };
	struct tagcore_stack *s;
	struct walked w;

	(void)state;
	begin(&w, &no_files);
	assert_ok(unwind_thread(w.in.u, &w.in.core.threads[0], &want, &e), &e);
	assert_ptr_equal(tagcore_unwind_core(w.unwind), w.core);
	assert_null(tagcore_unwind_get_process(w.unwind));
	assert_int_equal(tagcore_unwind_thread(&s, w.unwind, tagcore_core_thread(w.core, 0), &error), 0);
	assert_true(want.n > 2);
	assert_int_equal(tagcore_stack_frames(s), want.n);
	for (size_t i = 0; i < want.n; i++)
		same_frame(tagcore_stack_frame(s, i), &want.frames[i]);
	assert_null(tagcore_stack_frame(s, want.n));
	assert_int_equal(tagcore_stack_frame(s, 0)->pc, sb_pc(0));
	assert_int_equal(tagcore_stack_get_end(s), want.end);
	assert_string_equal(tagcore_stack_why(s), want.why);
	assert_string_equal(tagcore_stack_unwinder(s), want.unwinder);
	tagcore_stack_free(s);
	tagcore_stack_free(NULL);
	done(&w);
}

static int add_name(const struct tagcore_symbol *symbol, void *arg)
{
	snprintf(arg, 64, "%s+%llu %s", symbol->function ? symbol->function : "?", (unsigned long long)symbol->offset,
		 symbol->module ? symbol->module : "?");
	return 0;
}

static int add_name_inside(const struct symbol *symbol, void *arg, struct err *e)
{
	(void)e;
	snprintf(arg, 64, "%s+%llu %s", symbol->function ? symbol->function : "?", (unsigned long long)symbol->offset,
		 symbol->module ? symbol->module : "?");
	return 0;
}

static int stop_at_once(const struct tagcore_symbol *symbol, void *arg)
{
	(void)symbol;
	(void)arg;
	return 12;
}

static void frames_have_names(void **state)
{
	struct stack inside scoped(stack_fini) = { 0 };
	struct tagcore_error error;
	struct err e = { 0 };
	struct unwind_note note;
	struct tagcore_stack *s;
	struct walked w;
	size_t at = 0, at_inside = 0;

	(void)state;
	begin(&w, &no_files);
	assert_ok(unwind_thread(w.in.u, &w.in.core.threads[1], &inside, &e), &e);
	assert_int_equal(tagcore_unwind_thread(&s, w.unwind, tagcore_core_thread(w.core, 1), &error), 0);
	for (size_t i = 0; i < inside.n; i++) {
		char name[64] = "", want[64] = "";

		assert_ok(unwind_symbols(w.in.u, &inside.frames[i], SYMBOL_INLINES, add_name_inside, want, &e), &e);
		assert_int_equal(tagcore_symbols_each(w.unwind, tagcore_stack_frame(s, i), TAGCORE_SYMBOL_INLINES, add_name,
						      name, &error), 0);
		assert_string_equal(name, want);
	}
	assert_int_equal(tagcore_symbols_each(w.unwind, tagcore_stack_frame(s, 0), 0, stop_at_once, NULL, &error), 12);
	while (unwind_note(w.in.u, &at_inside, &note)) {
		const struct tagcore_unwind_remark *r = tagcore_unwind_next_remark(w.unwind, &at);

		assert_non_null(r);
		assert_string_equal(r->text, note.text);
	}
	assert_null(tagcore_unwind_next_remark(w.unwind, &at));
	tagcore_stack_free(s);
	done(&w);
}

struct modules {
	struct core_module m[8];
	char path[8][64];
	size_t n;
};

static int add_module(const struct core_module *m, void *arg, struct err *e)
{
	struct modules *l = arg;

	(void)e;
	core_text_copy(m->path, l->path[l->n], sizeof(l->path[0]));
	l->m[l->n++] = *m;
	return 0;
}

static int same_module(const struct tagcore_module *m, void *arg)
{
	struct modules *want = arg;
	const struct core_module *w = &want->m[want->n];

	assert_int_equal(m->start, w->start);
	assert_int_equal(m->end, w->end);
	assert_string_equal(m->path ? m->path : "", want->path[want->n]);
	assert_int_equal(m->build_id_size, w->build_id_len);
	assert_memory_equal(m->build_id, w->build_id, w->build_id_len);
	assert_int_equal(m->has_header, w->has_header);
	want->n++;
	return 0;
}

static int stop_at_module(const struct tagcore_module *m, void *arg)
{
	(void)m;
	(void)arg;
	return 4;
}

static void modules_are_listed(void **state)
{
	struct modules l = { 0 };
	struct tagcore_error error;
	struct err e = { 0 };
	struct walked w;
	size_t n;

	(void)state;
	begin(&w, &no_files);
	assert_ok(core_modules(&w.in.core, add_module, &l, &e), &e);
	n = l.n;
	assert_true(n > 0);
	l.n = 0;
	assert_int_equal(tagcore_modules_each(w.core, same_module, &l, &error), 0);
	assert_int_equal(l.n, n);
	assert_int_equal(tagcore_modules_each(w.core, stop_at_module, NULL, &error), 4);
	done(&w);
}

static void options_are_taken(void **state)
{
	char unwinder[] = "libdw";
	struct tagcore_unwind_options o = {
		.size = sizeof(o), .sysroot = "/proc/self/ns", .max_frames = 2, .unwinder = unwinder,
	};
	struct tagcore_unwind *none = NULL;
	struct tagcore_error error;
	struct tagcore_stack *s;
	struct walked w;

	(void)state;
	begin(&w, &o);
	/* The caller's strings are needed for the call alone. */
	memset(unwinder, 'x', sizeof(unwinder) - 1);
	assert_int_equal(tagcore_unwind_thread(&s, w.unwind, tagcore_core_thread(w.core, 0), &error), 0);
	assert_int_equal(tagcore_stack_frames(s), 2);
	assert_int_equal(tagcore_stack_get_end(s), TAGCORE_STACK_LIMIT);
	assert_string_equal(tagcore_stack_unwinder(s), "libdw");
	tagcore_stack_free(s);
	assert_int_equal(tagcore_unwind_open_core(&none, w.core, &o, &error), TAGCORE_ERR_USAGE);
	o = (struct tagcore_unwind_options){ .size = sizeof(o), .exe = "/no/such/program" };
	assert_true(tagcore_unwind_open_core(&none, w.core, &o, &error) < 0);
	assert_null(none);
	done(&w);
}

enum { ROUNDS = 20 };

struct round {
	const char *path;
	size_t frames;	/* in all rounds */
	int r;
};

/* Opens, walks and closes; in threads no cmocka. */
static void *walk_again(void *arg)
{
	struct round *x = arg;

	for (int i = 0; !x->r && i < ROUNDS; i++) {
		struct tagcore_unwind *unwind = NULL;
		struct tagcore_core *core = NULL;
		struct tagcore_stack *s = NULL;
		char name[64];

		x->r = tagcore_core_open(&core, x->path, NULL, NULL);
		if (!x->r)
			x->r = tagcore_unwind_open_core(&unwind, core, &no_files, NULL);
		if (!x->r)
			x->r = tagcore_unwind_thread(&s, unwind, tagcore_core_thread(core, 0), NULL);
		for (size_t k = 0; !x->r && k < tagcore_stack_frames(s); k++, x->frames++)
			x->r = tagcore_symbols_each(unwind, tagcore_stack_frame(s, k), 0, add_name, name, NULL);
		tagcore_stack_free(s);
		tagcore_unwind_close(unwind);
		tagcore_core_close(core);
	}
	return NULL;
}

static void handles_in_several_threads(void **state)
{
	struct round rounds[4] = { 0 };
	pthread_t threads[ARRAY_SIZE(rounds)];
	struct tagcore_error error;
	struct tagcore_stack *s;
	struct walked w;
	size_t n;

	(void)state;
	begin(&w, &no_files);
	assert_int_equal(tagcore_unwind_thread(&s, w.unwind, tagcore_core_thread(w.core, 0), &error), 0);
	n = tagcore_stack_frames(s);
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		rounds[i].path = w.in.path;
		assert_int_equal(pthread_create(&threads[i], NULL, walk_again, &rounds[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(rounds[i].r, 0);
		assert_int_equal(rounds[i].frames, n * ROUNDS);
	}
	tagcore_stack_free(s);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_those_of_the_stack),
		cmocka_unit_test(frames_have_names),
		cmocka_unit_test(modules_are_listed),
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(handles_in_several_threads),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
