#include <inttypes.h>

#include "base/text.h"
#include "cli/view.h"

static void row_json(struct json_list *l, const struct auxv *a, const char *name, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_put_u64(o, "type", a->type);
	json_put_text(o, "name", name);
	json_put_hex(o, "value", a->value);
	json_put_text(o, "text", text[0] ? text : NULL);
	json_list_add(l, o);
}

static void row_text(FILE *f, const struct auxv *a, const char *name, bool is_number, const char *text)
{
	char type[24], value[24];

	snprintf(type, sizeof(type), "%" PRIu64, a->type);
	snprintf(value, sizeof(value), is_number ? "%" PRIu64 : "0x%" PRIx64, a->value);
	fprintf(f, text[0] ? "%-20s %-18s  " : "%-20s %s", name ? name : type, value);
	text_puts(f, text);
	fputc('\n', f);
}

int view_auxv(struct view_ctx *v, struct err *e)
{
	struct auxv_iter it;
	struct json_list l;
	struct auxv a;
	int r = 0;

	if (v->json)
		l = json_list_begin(v->out);
	auxv_iter_init(&it, v->core);
	while (!r && auxv_next(&it, &a)) {
		bool is_number;
		const char *name = view_auxv_name(v->core, a.type, &is_number);
		char text[VIEW_AUXV_MAX];

		r = view_auxv_text(v->core, a.type, a.value, text, e);
		if (r)
			break;
		if (v->json)
			row_json(&l, &a, name, text);
		else
			row_text(v->out, &a, name, is_number, text);
	}
	if (v->json)
		json_list_end(&l);
	return r;
}
