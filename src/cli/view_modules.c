#include <inttypes.h>

#include <tagcore/modules.h>

#include "base/text.h"
#include "cli/view.h"

enum { PATH_BYTES = 4 * 4096 + 1 };	/* PATH_MAX, each byte escaped */

struct modules_print {
	struct view_ctx *v;
	struct json_list *list;
	char path[PATH_BYTES];
};

static const char *build_id_text(const struct core_module *m, char out[2 * CORE_BUILD_ID_MAX + 1])
{
	for (size_t i = 0; i < m->build_id_len; i++)
		snprintf(out + 2 * i, 3, "%02x", m->build_id[i]);
	return m->build_id_len ? out : NULL;
}

static int print_module(const struct core_module *m, void *arg, struct err *e)
{
	char hex[2 * CORE_BUILD_ID_MAX + 1];
	struct modules_print *p = arg;
	const char *id = build_id_text(m, hex);
	const char *path = core_text_copy(m->path, p->path, sizeof(p->path));
	int w = p->v->core->fmt.class == ELFCLASS32 ? 8 : 12;

	(void)e;
	if (p->list) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "path", path[0] ? path : NULL);
		json_put_text(o, "build_id", id);
		json_put_hex(o, "start", m->start);
		json_put_hex(o, "end", m->end);
		json_list_add(p->list, o);
		return 0;
	}
	fprintf(p->v->out, "%0*" PRIx64 "-%0*" PRIx64 " %-40s  ", w, m->start, w, m->end, id ? id : "-");
	text_puts(p->v->out, path[0] ? path : "-");
	fputc('\n', p->v->out);
	return 0;
}

int view_modules(struct view_ctx *v, struct err *e)
{
	struct modules_print p = { .v = v };
	struct json_list l;
	int r;

	if (v->json) {
		l = json_list_begin(v->out);
		p.list = &l;
	} else {
		fprintf(v->out, "%-*s %-40s  %s\n", v->core->fmt.class == ELFCLASS32 ? 17 : 25, "START-END",
			"BUILD-ID", "PATH");
	}
	r = core_modules(v->core, print_module, &p, e);
	if (v->json)
		json_list_end(&l);
	return r;
}
