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
					     "/libasan.so", "/libubsan.so", "/libtsan.so", "/libhwasan.so", "/libclang_rt." };
	const struct module *m = module_at(c->u, c->v->stack.frames[frame].pc);

	for (size_t i = 0; m && m->path && i < ARRAY_SIZE(names); i++)
		if (strstr(m->path, names[i]))
			return true;
	return false;
}

/* By names, for a program that has these in itself: what a user may call so, too, as a whole, the others as they begin. */
static bool is_by_name(const char *name)
{
	static const char *const whole[] = { "raise", "abort", "pthread_kill", "malloc_printerr", "gsignal", "tgkill" };
	static const char *const begins[] = {
		"__pthread_kill", "__GI_", "__assert", "__libc_message", "__fortify_fail", "__stack_chk_fail", "__chk_fail", "__libc_fatal",
		"__sanitizer", "__asan", "__hwasan", "__tsan", "__msan", "__ubsan", "__interceptor_",
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		found |= !strcmp(name, whole[i]);
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		found |= !strncmp(name, begins[i], strlen(begins[i]));
	return found;
}

size_t abort_caller(struct crash *c, char *name, size_t size)
{
	for (size_t i = c->v->frame; i < c->v->stack.n && i < c->v->frame + DEPTH_MAX; i++) {
		crash_function(c, i, name, size);
		if (*name && !is_by_name(name) && !is_in_library(c, i))
			return i;
	}
	*name = 0;
	return 0;
}

const char *abort_in(struct crash *c, char out[160])
{
	char name[128];

	*out = 0;
	if (abort_caller(c, name, sizeof(name)))
		put_fmt(out, 160, " in %s", name);
	return out;
}

bool abort_came_by(struct crash *c, const char *part, char *name, size_t size)
{
	size_t end = abort_caller(c, name, size);

	for (size_t i = c->v->frame; i < c->v->stack.n && i < (end ? end : c->v->frame + DEPTH_MAX); i++)
		if (strstr(crash_function(c, i, name, size), part))
			return true;
	return false;
}
