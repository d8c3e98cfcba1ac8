#include <inttypes.h>

#include "base/text.h"
#include "cli/package.h"
#include "cli/view.h"

enum { PATH_BYTES = 4 * 4096 + 1 };	/* PATH_MAX, each byte escaped */

struct modules_print {
	struct view_ctx *v;
	struct json_list *list;
	char path[PATH_BYTES];
};

/* A line of its own: files without a package have none. */
static void print_package(FILE *f, const struct core_module *m, struct json_object *package)
{
	char text[512];

	if (package && package_text(package, text, sizeof(text)))
		fprintf(f, "    package  %s\n", text);
	else if (m->package_len)
		fputs("    package  (its note cannot be read)\n", f);
}

static int print_module(const struct core_module *m, void *arg, struct err *e)
{
	char hex[VIEW_BUILD_ID_MAX];
	struct modules_print *p = arg;
	const char *id = view_build_id(m->build_id, m->build_id_len, hex);
	const char *path = core_text_copy(m->path, p->path, sizeof(p->path));
	int w = p->v->core->fmt.class == ELFCLASS32 ? 8 : 12;
	struct json_object *package;
	int r = package_read(p->v->core, m, &package, e);

	if (r)
		return r;
	if (p->list) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "path", path[0] ? path : NULL);
		json_put_text(o, "build_id", id);
		json_put_hex(o, "start", m->start);
		json_put_hex(o, "end", m->end);
		json_object_object_add(o, "package", package);
		json_list_add(p->list, o);
		return 0;
	}
	fprintf(p->v->out, "%0*" PRIx64 "-%0*" PRIx64 " %-40s  ", w, m->start, w, m->end, id ? id : "-");
	text_puts(p->v->out, path[0] ? path : "-");
	fputc('\n', p->v->out);
	print_package(p->v->out, m, package);
	json_object_put(package);
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
