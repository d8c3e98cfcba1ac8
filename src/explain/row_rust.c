#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"
#include "explain/rust_panic.h"

/* Programs that Rust's library has ended. */

/* By their names in several versions; library/std/src/panicking.rs, library/core/src/panicking.rs. */
static const char *const panicking[] = { "rust_panic", "panic_with_hook", "__rust_start_panic", "rust_begin_unwind",
					 "std::panicking::begin_panic", "core::panicking::panic" };
/* Where a second panic would be needed: within one, or out of a function of another language. */
static const char *const no_unwinding[] = { "panic_cannot_unwind", "panic_nounwind", "panic_no_unwind", "panic_in_cleanup" };

static bool is_of_rust(const char *name)
{
	static const char *const begins[] = { "core::", "std::", "alloc::", "__rustc::", "rust_", "__rust", "<core::", "<std::", "<alloc::",
					      "_rust" };

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* " in NAME" of the first function further out than @from that is not of Rust's libraries, or "". */
static const char *called_in(struct crash *c, size_t from, char out[160])
{
	enum { DEPTH = 24 };
	char name[128];

	*out = 0;
	for (size_t i = from; !*out && i < c->v->stack.n && i < from + DEPTH; i++)
		if (*crash_function(c, i, name, sizeof(name)) && !is_of_rust(name))
			put_fmt(out, 160, " in %s", name);
	return out;
}

enum { STACK_BYTES = 16 << 10, UNNAMED_BYTES = 2048, UNWOUND_BYTES = 64 << 10 };

/* Of the frame that called what is of the C library, or 0. */
static u64 abort_sp(struct crash *c)
{
	const struct stack *s = &c->v->stack;

	for (size_t i = c->v->frame; i < s->n; i++) {
		const struct module *m = module_at(c->u, s->frames[i].pc);

		if (m && m->path && !strstr(m->path, "/libc.so") && !strstr(m->path, "/libc-2") && !strstr(m->path, "/ld-musl"))
			return s->frames[i].sp;
	}
	return 0;
}

static void show_panic(struct crash *c, const struct rust_panic *p)
{
	show_mem(c, p->found_at, "the place in the source, as it was given to the hook: %.200s:%u:%u", p->location.file, p->location.line,
		 p->location.column);
	if (*p->message)
		show_mem(c, p->found_at, "the message: \"%.250s\"", p->message);
}

/* What was panicking already is of more help than where the second one was. */
static void say_second(struct crash *c, const char *in)
{
	static const char *const cleanup[] = { "panic_in_cleanup" };
	char before[200];
	const char *what;
	size_t at;

	what = abort_frame(c, cleanup, 1, &at) ? "a panic within a panic" : "a function that may not unwind";
	if (rust_exception_find(c, c->sp, UNWOUND_BYTES, before, sizeof(before))) {
		say(c, "a Rust panic could not go on%s: %s; the panic was: %.200s", in, what, before);
		show_thread(c, "the payload of the panic that was on its way: \"%.200s\"", before);
	} else {
		say(c, "a Rust panic could not go on%s: %s", in, what);
	}
}

static void say_panic(struct crash *c, const struct rust_panic *p, bool found, const char *in)
{
	if (!found)
		say(c, "a Rust panic%s, whose message is not in memory", in);
	else if (*p->message)
		say(c, "a Rust panic%s at %.120s:%u: %.200s", in, p->location.file, p->location.line, p->message);
	else
		say(c, "a Rust panic%s at %.120s:%u, with a payload that is no text", in, p->location.file, p->location.line);
}

bool row_rust_panic(struct crash *c)
{
	struct rust_panic p;
	char in[160];
	size_t at, second;
	bool is_named, found;
	u64 sp = crash_is_abort(c) && !abort_message(c) ? abort_sp(c) : 0;

	if (!sp)
		return false;
	is_named = abort_frame(c, panicking, ARRAY_SIZE(panicking), &at);
	found = rust_panic_find(c, sp, is_named ? STACK_BYTES : UNNAMED_BYTES, &p);
	/* Names of others are there, and none of a panic: what the stack has is of another one, long ago. */
	if (!is_named && (!found || *abort_in(c, in)))
		return false;
	called_in(c, is_named ? at : c->v->stack.n, in);
	if (abort_frame(c, no_unwinding, ARRAY_SIZE(no_unwinding), &second))
		say_second(c, in);
	else
		say_panic(c, &p, found, in);
	if (is_named)
		say_sure(c, SURE_CERTAIN, "SIGABRT, and functions of Rust's library for panics are on the stack");
	else
		say_sure(c, SURE_LIKELY, "SIGABRT, and what the hook of a panic is given is on the stack; no function has a name");
	if (is_named)
		show_frame(c, at, "Rust's functions for panics");
	if (found)
		show_panic(c, &p);
	return true;
}

/* library/alloc/src/alloc.rs: handle_alloc_error(); library/std/src/alloc.rs: default_alloc_error_hook(). */
bool row_rust_alloc(struct crash *c)
{
	static const char *const failed[] = { "handle_alloc_error", "rust_oom", "__rust_alloc_error_handler", "alloc_error_handler" };
	char in[160];
	size_t at;

	if (!crash_is_abort(c) || !abort_frame(c, failed, ARRAY_SIZE(failed), &at))
		return false;
	say(c, "there was not enough memory%s: Rust's allocation of memory has failed", called_in(c, at, in));
	say_sure(c, SURE_CERTAIN, "SIGABRT, and Rust's function for allocations that fail is on the stack");
	show_frame(c, at, "Rust's function for allocations that fail");
	memory_show_mapped(c);
	memory_try_limits(c);
	return true;
}
