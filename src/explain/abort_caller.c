#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"

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

/* Of these: by names, too, for a program that has them in itself. */
size_t abort_caller(struct crash *c, char *name, size_t size)
{
	static const char *const own[] = {
		"raise", "abort", "__pthread_kill", "pthread_kill", "__GI_", "__assert", "__libc_message", "__fortify_fail",
		"__stack_chk_fail", "malloc_printerr", "__chk_fail", "gsignal", "tgkill", "__libc_fatal", "__sanitizer", "__asan",
		"__hwasan", "__tsan", "__msan", "__ubsan", "__interceptor_",
	};

	for (size_t i = c->v->frame; i < c->v->stack.n && i < c->v->frame + 24; i++) {
		bool is_own = is_in_library(c, i);

		crash_function(c, i, name, size);
		for (size_t k = 0; k < ARRAY_SIZE(own); k++)
			is_own |= !strncmp(name, own[k], strlen(own[k]));
		if (*name && !is_own)
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

bool abort_has_frame(struct crash *c, const char *const names[], size_t n)
{
	char name[128];

	for (size_t i = c->v->frame; i < c->v->stack.n && i < c->v->frame + 16; i++)
		for (size_t k = 0; k < n; k++)
			if (strstr(crash_function(c, i, name, sizeof(name)), names[k]))
				return true;
	return false;
}
