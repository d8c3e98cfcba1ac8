#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"

enum { DEPTH_MAX = 24 };	/* frames between raise(3) and who called abort(3) */

bool crash_is_abort(const struct crash *c)
{
	return !c->is_fault && crash_is(c, "ABRT");
}

/* The libraries between abort(3) and who is to blame. */
static bool is_in_library(struct crash *c, size_t frame)
{
	static const char *const names[] = { "/libc.so", "/libc-2", "/libpthread", "/libstdc++.so", "/libc++", "/libgcc_s", "/libunwind",
					     "/libasan.so", "/libubsan.so", "/libtsan.so", "/libhwasan.so", "/libclang_rt.", "/libscudo", "/libglib-2.", "/libgobject-2." };
	const struct module *m = module_at(c->u, c->v->stack.frames[frame].pc);

	for (size_t i = 0; m && m->path && i < ARRAY_SIZE(names); i++)
		if (strstr(m->path, names[i]))
			return true;
	return false;
}

/* By names, for a program that has these in itself: what a user may call so, too, as a whole, the others as they begin. */
static bool is_by_name(const char *name)
{
	static const char *const whole[] = { "raise", "abort", "pthread_kill", "malloc_printerr", "gsignal", "tgkill",
					     "kill", "sigqueue", "__kernel_vsyscall", "malloc", "free", "cfree", "calloc", "realloc",
					     "__malloc", "__free", "__calloc", "__realloc" };
	static const char *const begins[] = {
		"__pthread_kill", "__GI_", "__assert", "__libc_", "__fortify_fail", "__stack_chk_fail", "__chk_fail",
		/* glibc's malloc/malloc.c */
		"_int_free", "_int_malloc", "_int_realloc", "_int_memalign", "malloc_consolidate", "munmap_chunk", "sysmalloc", "unlink_chunk",
		"__sanitizer", "__asan", "__hwasan", "__tsan", "__msan", "__ubsan", "__interceptor_", "scudo::", "scudo_",
		/* Of C++: libstdc++-v3/libsupc++ and libgcc; clang's own function for what noexcept forbids. */
		"__cxa_", "__cxxabiv1::", "__gnu_cxx::__verbose_terminate_handler", "__gxx_personality", "__clang_call_terminate", "_Unwind_",
		"std::terminate", "std::rethrow_exception", "std::__throw_", "operator new",
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		found |= !strcmp(name, whole[i]);
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		found |= !strncmp(name, begins[i], strlen(begins[i]));
	return found;
}

/* The name itself in "int f<char>(long)", where a function template's has its type before it. */
static const char *own_name(const char *function)
{
	const char *name = function;
	int depth = 0;

	for (const char *s = function; *s && !(*s == '(' && !depth && s != name); s++) {
		if (strchr("<({[", *s))
			depth++;
		else if (strchr(">)}]", *s))
			depth--;
		else if (*s == ' ' && !depth)
			name = s + 1;
	}
	return name;
}

/* Templates of the C++ library are compiled into the program, but who called them is to blame. */
static bool is_template(const char *function)
{
	const char *name = own_name(function);

	return !strncmp(name, "std::", 5) || !strncmp(name, "__gnu_cxx::", 11);
}

size_t abort_caller_from(struct crash *c, size_t from, char *name, size_t size)
{
	size_t second = 0;

	/* What a handler has interrupted is not who called abort(3) in it. */
	for (size_t i = from; i < c->v->stack.n && i < from + DEPTH_MAX && !c->v->stack.frames[i].signal; i++) {
		crash_function(c, i, name, size);
		if (!*name || is_by_name(name) || is_in_library(c, i))
			continue;
		if (!is_template(name))
			return i;
		if (!second)
			second = i;
	}
	crash_function(c, second, name, size);
	if (!second)
		*name = 0;
	return second;
}

size_t abort_caller(struct crash *c, char *name, size_t size)
{
	return abort_caller_from(c, c->v->frame, name, size);
}

const char *abort_in(struct crash *c, char out[160])
{
	char name[128];

	*out = 0;
	if (abort_caller(c, name, sizeof(name)))
		put_fmt(out, 160, " in %s", name);
	return out;
}

bool abort_frame(struct crash *c, const char *const parts[], size_t n, size_t *out)
{
	char name[128];

	for (size_t i = c->v->frame; i < c->v->stack.n && i < c->v->frame + DEPTH_MAX; i++) {
		crash_function(c, i, name, sizeof(name));
		for (size_t k = 0; k < n; k++)
			if (strstr(name, parts[k])) {
				*out = i;
				return true;
			}
	}
	return false;
}

bool abort_came_by(struct crash *c, const char *part, char *name, size_t size)
{
	size_t end = abort_caller(c, name, size);

	for (size_t i = c->v->frame; i < c->v->stack.n && i < (end ? end : c->v->frame + DEPTH_MAX); i++)
		if (strstr(crash_function(c, i, name, size), part))
			return true;
	return false;
}

bool abort_came_by_file(struct crash *c, const char *part)
{
	char name[128];
	size_t end = abort_caller(c, name, sizeof(name));

	for (size_t i = c->v->frame; i < c->v->stack.n && i < (end ? end : c->v->frame + DEPTH_MAX); i++) {
		const struct module *m = module_at(c->u, c->v->stack.frames[i].pc);

		if (m && m->path && strstr(m->path, part))
			return true;
	}
	return false;
}
