#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"
#include "os/os.h"

/* The next set whose registers are in the machine's tables. */
static bool next_set(const struct core *c, const struct core_thread *t, struct core_regset_iter *it, struct view_set *out)
{
	struct core_regset s;

	if (!core_thread_next_regset(c, t, it, &s))
		return false;
	*out = (struct view_set){ .arch = c->arch, .set = s.set, .desc = s.desc, .core = c, .thread = t };
	return true;
}

static struct json_object *set_json(const struct view_set *s)
{
	struct json_object *o = json_object_new_object();
	char buf[VIEW_REG_MAX];

	for (unsigned i = 0; i < s->set->n_regs; i++) {
		const char *text = view_set_value(s, i, buf);

		if (text)
			json_put_text(o, s->set->regs[i].name, text);
	}
	return o;
}

static void thread_json(struct json_list *l, const struct core *c, const struct core_thread *t)
{
	struct json_object *o = json_object_new_object(), *sets = json_object_new_object();
	struct core_regset_iter it = { 0 };
	struct view_set s;

	json_put_s64(o, "tid", t->tid);
	while (next_set(c, t, &it, &s))
		json_object_object_add(sets, s.set->name, set_json(&s));
	json_object_object_add(o, "sets", sets);
	json_list_add(l, o);
}

static bool has_values(const struct view_set *s)
{
	char buf[VIEW_REG_MAX];

	for (unsigned i = 0; i < s->set->n_regs; i++)
		if (view_set_value(s, i, buf))
			return true;
	return false;
}

/* 1. */
static size_t set_text(FILE *f, const struct view_set *s)
{
	fprintf(f, "%s:", s->set->name);
	if (has_values(s))
		fputc('\n', f);
	view_set_text(f, s, has_values(s) ? 2 : 1);
	return 1;
}

/* For a note with another machine's layout: prstatus_host(). */
static void say_cut(FILE *f, const struct core *c, const struct core_thread *t)
{
	struct prstatus st;

	if (c->arch && !c->os && !prstatus_get(c->arch, c->notes[t->note].note.desc, &st, NULL) && st.regs.len < c->arch->gregs.size)
		fprintf(f, "PRSTATUS has %zu of %u bytes of registers\n", st.regs.len, c->arch->gregs.size);
}

static void thread_text(FILE *f, const struct core *c, const struct core_thread *t)
{
	char name[CORE_NAME_MAX], machine[CORE_MACHINE_MAX];
	struct core_regset_iter it = { 0 };
	struct view_set s;
	size_t n = 0;

	fprintf(f, "%sthread %d", t == c->threads ? "" : "\n", t->tid);
	if (core_thread_name(c, t, name)[0]) {
		fputs(" (", f);
		text_puts(f, name);
		fputc(')', f);
	}
	fputc('\n', f);
	if (!c->arch && !c->os)
		fprintf(f, "unknown registers: there is no table of machine %s\n", core_machine(c, machine));
	say_cut(f, c, t);
	while (next_set(c, t, &it, &s))
		n += set_text(f, &s);
	if (c->os && !n)
		fprintf(f, "unknown registers: there is no table of %s on %s\n", c->os->name, core_machine(c, machine));
}

static int wanted(const struct view_ctx *v, s32 *tid, struct err *e)
{
	u64 n;

	if (text_parse_u64(v->thread, 10, false, &n) || n > INT_MAX)
		return err_set(e, ERR_USAGE, "%s is not a thread's number", v->thread);
	if (!core_thread_find(v->core, (s32)n))
		return err_set(e, ERR_USAGE, "%s has no thread %s", v->path, v->thread);
	*tid = (s32)n;
	return 0;
}

int view_registers(struct view_ctx *v, struct err *e)
{
	const struct core *c = v->core;
	struct json_list l;
	s32 tid = 0;
	int r = v->thread ? wanted(v, &tid, e) : 0;

	if (r)
		return r;
	if (v->json)
		l = json_list_begin(v->out);
	for (size_t i = 0; i < c->n_threads; i++) {
		const struct core_thread *t = &c->threads[i];

		if (v->thread && t->tid != tid)
			continue;
		if (v->json)
			thread_json(&l, c, t);
		else
			thread_text(v->out, c, t);
	}
	if (v->json)
		json_list_end(&l);
	return 0;
}
