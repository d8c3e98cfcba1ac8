#include <string.h>

#include "api/api.h"

size_t tagcore_core_threads(const struct tagcore_core *c)
{
	return c->core.n_threads;
}

const struct tagcore_thread *tagcore_core_thread(const struct tagcore_core *c, size_t i)
{
	return i < c->core.n_threads ? &c->threads[i] : NULL;
}

const struct tagcore_thread *tagcore_core_thread_find(const struct tagcore_core *c, int32_t tid)
{
	const struct core_thread *t = core_thread_find(&c->core, tid);

	return t ? &c->threads[t - c->core.threads] : NULL;
}

/* Compared as numbers: the pointer may be one of another core's threads. */
const struct core_thread *api_thread(const struct tagcore_core *c, const struct tagcore_thread *t,
				     struct tagcore_error *error)
{
	uintptr_t first = (uintptr_t)c->threads, at = (uintptr_t)t;

	if (at < first || at >= (uintptr_t)(c->threads + c->core.n_threads)) {
		api_fail(error, ERR_USAGE, "the thread is none of this core's");
		return NULL;
	}
	return &c->core.threads[(at - first) / sizeof(*t)];
}

struct walk {
	const struct tagcore_core *c;
	const struct core_thread *thread;
	const char *set;	/* NULL: all */
	int (*fn)(const struct tagcore_register *reg, void *arg);
	void *arg;
	bool seen;		/* such a set */
};

static int give_set(const struct walk *w, const struct core_regset *s)
{
	int r = 0;

	for (unsigned i = 0; !r && i < s->set->n_regs; i++) {
		const struct reg *reg = &s->set->regs[i];
		struct tagcore_register out = { .set = s->set->name, .name = reg->name, .dwarf = reg->dwarf };
		struct bytes b;

		/* One that this system's set lacks, that was never read, or that the note is too short for. */
		if (!reg->size || !core_thread_has_reg(&w->c->core, w->thread, s->set, i) || reg_bytes(w->c->core.arch, s->set, i, s->desc, &b, NULL))
			continue;
		out.bytes = b.p;
		out.size = b.len;
		r = w->fn(&out, w->arg);
	}
	return r;
}

static int walk(struct walk *w)
{
	struct core_regset_iter it = { 0 };
	struct core_regset s;
	int r = 0;

	while (!r && core_thread_next_regset(&w->c->core, w->thread, &it, &s)) {
		if (w->set && strcmp(s.set->name, w->set) != 0)
			continue;
		w->seen = true;
		r = give_set(w, &s);
	}
	return r;
}

static int begin(struct walk *w, const struct tagcore_thread *t, struct tagcore_error *error)
{
	w->thread = api_thread(w->c, t, error);
	if (!w->thread)
		return ERR_USAGE;
	if (!w->c->core.arch)
		return api_fail(error, ERR_UNSUPPORTED, "there is no table of the registers of machine %s", w->c->machine);
	return 0;
}

static int no_set(const struct walk *w, struct tagcore_error *error)
{
	return api_fail(error, ERR_INPUT, "thread %d has no registers %s", w->thread->tid, w->set ? w->set : "");
}

int tagcore_registers_each(struct tagcore_core *c, const struct tagcore_thread *thread, const char *set,
			   int (*fn)(const struct tagcore_register *reg, void *arg), void *arg, struct tagcore_error *error)
{
	struct walk w = { .c = c, .set = set, .fn = fn, .arg = arg };
	int r = begin(&w, thread, error);

	if (r)
		return r;
	r = walk(&w);
	return r || w.seen ? r : no_set(&w, error);
}

struct wanted {
	const char *name;
	struct tagcore_register reg;
};

static int is_wanted(const struct tagcore_register *reg, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(reg->name, w->name) != 0)
		return 0;
	/* Its bytes are the core's own. */
	w->reg = *reg;
	return 1;
}

int tagcore_register_get(struct tagcore_core *c, const struct tagcore_thread *thread, const char *set, const char *name,
			 uint64_t *value, struct tagcore_error *error)
{
	struct wanted wanted = { .name = name };
	struct walk w = { .c = c, .set = set, .fn = is_wanted, .arg = &wanted };
	struct bytes b;
	struct err e = { 0 };
	u64 v;
	int r = begin(&w, thread, error);

	if (r)
		return r;
	if (!walk(&w))
		return api_fail(error, ERR_INPUT, "thread %d has no register %s", w.thread->tid, name);
	if (wanted.reg.size != 1 && wanted.reg.size != 2 && wanted.reg.size != 4 && wanted.reg.size != 8)
		return api_fail(error, ERR_UNSUPPORTED, "register %s has %zu bytes, and is no number", name, wanted.reg.size);
	b = (struct bytes){ .p = wanted.reg.bytes, .len = wanted.reg.size };
	r = bytes_uint(b, c->core.fmt, 0, (unsigned)b.len, &v, &e);
	if (r)
		return api_error(error, r, &e);
	*value = v;
	return 0;
}
