#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "unwind/mod/mod.h"

static char *text_dup(struct core_text t)
{
	return t.p ? strndup(t.p, strnlen(t.p, t.len)) : NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int modules_add(struct unwind *u, const struct core_module *m, struct err *e)
{
	struct module mod scoped(module_fini) = {
		.u = u, .start = m->start, .end = m->end, .fd = -1, .build_id_len = m->build_id_len,
	};

	memcpy(mod.build_id, m->build_id, m->build_id_len);
	mod.path = text_dup(m->path);
	if (m->path.p && !mod.path)
		return err_set(e, -ENOMEM, "modules");
	return modules_take(u, &mod, e);
}

static void sort(struct unwind *u)
{
	if (u->n_mods)
		qsort(u->mods, u->n_mods, sizeof(*u->mods), by_start);
	u->n_sorted = u->n_mods;
}

static int add_module(const struct core_module *m, void *arg, struct err *e)
{
	return modules_add(arg, m, e);
}

int modules_load(struct unwind *u, struct err *e)
{
	int r = core_modules(u->core, add_module, u, e);

	sort(u);
	if (!r && u->opts.exe)
		r = exe_load(u, e);
	sort(u);
	if (!r)
		r = program_load(u, e);
	sort(u);
	if (!r)
		r = links_load(u, e);
	sort(u);
	return r;
}
