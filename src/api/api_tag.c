#include "api/api.h"
#include "elf/tags.h"

SAME(TAGCORE_TAG_NONE, TAG_NONE);
SAME(TAGCORE_TAG_ABSENT, TAG_ABSENT);
SAME(TAGCORE_TAG_KNOWN, TAG_KNOWN);
SAME(TAGCORE_TAG_GRANULE, TAG_GRANULE);

struct walk {
	int (*fn)(const struct tagcore_tag_run *run, void *arg);
	void *arg;
	bool ended;
};

static int give(const struct core_tag_run *run, void *arg, struct err *e)
{
	const struct tagcore_tag_run out = { .start = run->start, .end = run->end,
					     .state = (enum tagcore_tag_state)run->state, .tag = run->tag };
	struct walk *w = arg;
	int r = w->fn(&out, w->arg);

	(void)e;
	w->ended = r != 0;
	return r;
}

int tagcore_tags_each(struct tagcore_core *c, uint64_t start, uint64_t end,
		      int (*fn)(const struct tagcore_tag_run *run, void *arg), void *arg, struct tagcore_error *error)
{
	struct walk w = { .fn = fn, .arg = arg };
	struct err e = { 0 };
	int r = core_tag_runs(&c->core, start, end, give, &w, &e);

	return api_walked(w.ended, r, error, &e);
}

int tagcore_tag_at(struct tagcore_core *c, uint64_t addr, enum tagcore_tag_state *state, uint8_t *tag,
		   struct tagcore_error *error)
{
	struct err e = { 0 };
	enum tag_state s;
	int r = core_tag_at(&c->core, core_untag(&c->core, addr), &s, tag, &e);

	if (r)
		return api_error(error, r, &e);
	*state = (enum tagcore_tag_state)s;
	return 0;
}

uint8_t tagcore_tag_of_pointer(uint64_t pointer)
{
	return tags_of_pointer(pointer);
}

const struct tagcore_tag_control *tagcore_tag_control_of(struct tagcore_core *c, const struct tagcore_thread *thread)
{
	const struct core_thread *t = api_thread(c, thread, NULL);
	struct core_tag_ctrl ctrl;

	if (!t || core_tag_ctrl(&c->core, t, &ctrl, NULL))
		return NULL;
	c->tag_control = (struct tagcore_tag_control){
		.tagged_addresses = ctrl.tagged_addresses, .sync = ctrl.sync, .async = ctrl.async,
		.store_only = ctrl.store_only, .include_mask = ctrl.include_mask,
	};
	return &c->tag_control;
}
