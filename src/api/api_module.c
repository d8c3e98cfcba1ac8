#include <errno.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/scope.h"
#include "core/modules.h"

enum { PATH_BYTES = 4 * 4096 + 1 };	/* PATH_MAX, each byte escaped */

struct walk {
	int (*fn)(const struct tagcore_module *module, void *arg);
	void *arg;
	bool ended;
	char *path;
};

static int give(const struct core_module *m, void *arg, struct err *e)
{
	struct walk *w = arg;
	const char *path = core_text_copy(m->path, w->path, PATH_BYTES);
	const struct tagcore_module out = {
		.start = m->start, .end = m->end, .path = *path ? path : NULL, .build_id = m->build_id,
		.build_id_size = m->build_id_len, .has_header = m->has_header,
	};
	int r = w->fn(&out, w->arg);

	(void)e;
	w->ended = r != 0;
	return r;
}

int tagcore_modules_each(struct tagcore_core *c, int (*fn)(const struct tagcore_module *module, void *arg), void *arg,
			 struct tagcore_error *error)
{
	char *path auto_free = malloc(PATH_BYTES);
	struct walk w = { .fn = fn, .arg = arg, .path = path };
	struct err e = { 0 };
	int r;

	if (!path)
		return api_fail(error, -ENOMEM, "modules");
	r = core_modules(&c->core, give, &w, &e);
	return api_walked(w.ended, r, error, &e);
}

size_t tagcore_core_files(const struct tagcore_core *c)
{
	return c->core.n_maps;
}

const struct tagcore_file *tagcore_core_file(struct tagcore_core *c, size_t i)
{
	const struct core_map *m;

	if (i >= c->core.n_maps)
		return NULL;
	m = &c->core.maps[i];
	/* A NUL ends each name where it stands. */
	c->file = (struct tagcore_file){ .start = m->start, .end = m->end, .offset = m->pgoff, .path = m->name.p };
	return &c->file;
}
