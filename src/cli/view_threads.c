#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/view.h"

typedef int reg_fn(const struct core *c, const struct core_thread *t, u64 *out, struct err *e);

static void reg_json(struct json_object *o, const char *key, reg_fn *get, const struct core *c,
		     const struct core_thread *t)
{
	u64 value;

	if (get(c, t, &value, NULL))
		json_put_null(o, key);
	else
		json_put_hex(o, key, value);
}

static void print_json(struct view_ctx *v)
{
	struct core *c = v->core;
	struct json_list l = json_list_begin(v->out);

	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_thread *t = &c->threads[i];
		struct json_object *o = json_object_new_object();
		char name[CORE_NAME_MAX];

		core_thread_name(c, t, name);
		json_put_s64(o, "tid", t->tid);
		json_put_text(o, "name", name[0] ? name : NULL);
		json_put_s64(o, "signal", t->cursig);
		reg_json(o, "pc", core_thread_pc, c, t);
		reg_json(o, "sp", core_thread_sp, c, t);
		json_put_bool(o, "crashed", t == c->crashed);
		json_list_add(&l, o);
	}
	json_list_end(&l);
}

static const char *reg_text(reg_fn *get, const struct core *c, const struct core_thread *t, char out[24])
{
	u64 value;

	if (get(c, t, &value, NULL))
		return "-";
	snprintf(out, 24, "0x%" PRIx64, value);
	return out;
}

static void print_text(struct view_ctx *v)
{
	const struct core *c = v->core;
	int w = c->fmt.class == ELFCLASS32 ? 10 : 18;

	fprintf(v->out, "  %8s  %-10s %-*s %-*s %s\n", "TID", "SIGNAL", w, "PC", w, "SP", "NAME");
	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_thread *t = &c->threads[i];
		char name[CORE_NAME_MAX], sig[CORE_SIGNAL_MAX], num[16], pc[24], sp[24];
		const char *signal = t->cursig ? core_signal_text(c, t->cursig, sig) : "-";

		snprintf(num, sizeof(num), "%d", t->cursig);
		fprintf(v->out, "%c %8d  %-10s %-*s %-*s ", t == c->crashed ? '*' : ' ', t->tid,
			signal ? signal : num, w, reg_text(core_thread_pc, c, t, pc), w,
			reg_text(core_thread_sp, c, t, sp));
		text_puts(v->out, core_thread_name(c, t, name));
		fputc('\n', v->out);
	}
}

int view_threads(struct view_ctx *v, struct err *e)
{
	(void)e;
	if (v->json)
		print_json(v);
	else
		print_text(v);
	return 0;
}
