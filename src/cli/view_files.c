#include <inttypes.h>

#include "base/text.h"
#include "cli/view.h"

static void row_json(struct json_list *l, const struct core_map *m, const char *name)
{
	struct json_object *o = json_object_new_object();

	json_put_hex(o, "start", m->start);
	json_put_hex(o, "end", m->end);
	json_put_u64(o, "offset", m->pgoff);
	json_put_text(o, "name", name);
	json_list_add(l, o);
}

static void row_text(struct view_ctx *v, const struct core_map *m, const char *name)
{
	int w = v->core->fmt.class == ELFCLASS32 ? 8 : 12;

	fprintf(v->out, "%0*" PRIx64 "-%0*" PRIx64 " %12" PRIx64 "  ", w, m->start, w, m->end, m->pgoff);
	text_puts(v->out, name);
	fputc('\n', v->out);
}

int view_files(struct view_ctx *v, struct err *e)
{
	const struct core *c = v->core;
	struct json_list l;

	(void)e;
	if (v->json)
		l = json_list_begin(v->out);
	else
		fprintf(v->out, "%-*s %12s  %s\n", c->fmt.class == ELFCLASS32 ? 17 : 25, "START-END", "OFFSET", "NAME");
	for (size_t i = 0; i < c->n_maps; i++) {
		/* A NUL ends each name where it stands. */
		if (v->json)
			row_json(&l, &c->maps[i], c->maps[i].name.p);
		else
			row_text(v, &c->maps[i], c->maps[i].name.p);
	}
	if (v->json)
		json_list_end(&l);
	return 0;
}
