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

static void row_json(struct view_ctx *v, const struct core_thread *t, struct json_list *l)
{
	const struct core *c = v->core;
	struct json_object *o = json_object_new_object();
	char name[CORE_NAME_MAX], state[2] = { t->state };

	core_thread_name(c, t, name);
	json_put_s64(o, "tid", t->tid);
	json_put_text(o, "name", name[0] ? name : NULL);
	json_put_text(o, "state", state[0] && state[0] != '!' ? state : NULL);
	json_put_s64(o, "signal", t->cursig);
	reg_json(o, "pc", core_thread_pc, c, t);
	reg_json(o, "sp", core_thread_sp, c, t);
	json_put_bool(o, "partial", t->partial);
	json_put_bool(o, "crashed", t == c->crashed);
	json_list_add(l, o);
}

static const char *reg_text(reg_fn *get, const struct core *c, const struct core_thread *t, char out[24])
{
	u64 value;

	if (get(c, t, &value, NULL))
		return "-";
	snprintf(out, 24, "0x%" PRIx64, value);
	return out;
}

static void row_text(struct view_ctx *v, const struct core_thread *t, struct json_list *l)
{
	const struct core *c = v->core;
	char name[CORE_NAME_MAX], sig[CORE_SIGNAL_MAX], num[16], pc[24], sp[24];
	const char *signal = t->cursig ? core_signal_text(c, t->cursig, sig) : "-";
	int w = c->fmt.class == ELFCLASS32 ? 10 : 18;

	(void)l;
	snprintf(num, sizeof(num), "%d", t->cursig);
	fprintf(v->out, "%c %8d  %-10s %-*s %-*s ", t == c->crashed ? '*' : ' ', t->tid, signal ? signal : num, w,
		reg_text(core_thread_pc, c, t, pc), w, reg_text(core_thread_sp, c, t, sp));
	text_puts(v->out, core_thread_name(c, t, name));
	fputc('\n', v->out);
}

/* Those with registers, and then those that did not stop and have none. */
static void each_row(struct view_ctx *v, void (*row)(struct view_ctx *, const struct core_thread *, struct json_list *),
		     struct json_list *l)
{
	const struct core *c = v->core;
	struct core_thread t;
	u64 at = 0;

	for (size_t i = 0; i < c->n_threads; i++)
		if (!core_thread_is_bare(c, &c->threads[i]))
			row(v, &c->threads[i], l);
	while (core_next_bare_thread(c, &at, &t))
		row(v, &t, l);
}

int view_threads(struct view_ctx *v, struct err *e)
{
	int w = v->core->fmt.class == ELFCLASS32 ? 10 : 18;
	struct json_list l;

	(void)e;
	if (v->json) {
		l = json_list_begin(v->out);
		each_row(v, row_json, &l);
		json_list_end(&l);
		return 0;
	}
	fprintf(v->out, "  %8s  %-10s %-*s %-*s %s\n", "TID", "SIGNAL", w, "PC", w, "SP", "NAME");
	each_row(v, row_text, NULL);
	return 0;
}
