#include <string.h>

#include "base/search.h"
#include "base/util.h"
#include "core/core_priv.h"

/* Look-ups in what has been loaded; below the loaders in the order of files, since they use it. */

const struct core_note *core_note_find(const struct core *c, size_t from, const char *owner, u32 type)
{
	for (size_t i = from; i < c->n_notes; i++)
		if (c->notes[i].note.type == type && !strcmp(c->notes[i].note.owner, owner))
			return &c->notes[i];
	return NULL;
}

const struct core_note *core_thread_note(const struct core *c, const struct core_thread *t,
					 const char *owner, u32 type)
{
	s32 self = (s32)(t - c->threads);

	for (size_t i = t->note; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];

		if (n->thread > self)
			return NULL;
		if (n->thread == self && n->note.type == type && note_owner_is(n->note.owner, owner))
			return n;
	}
	return NULL;
}

const struct core_note *core_os_note(const struct core *c, u32 type)
{
	for (size_t i = 0; type && i < c->n_notes; i++)
		if (c->notes[i].note.type == type && note_owner_is(c->notes[i].note.owner, c->os->owner))
			return &c->notes[i];
	return NULL;
}

const struct core_thread *core_thread_find(const struct core *c, s32 tid)
{
	size_t at = search_first(i, 0, c->n_threads, c->threads[c->by_tid[i]].tid >= tid);

	if (at == c->n_threads || c->threads[c->by_tid[at]].tid != tid)
		return NULL;
	return &c->threads[c->by_tid[at]];
}

int core_prpsinfo(const struct core *c, struct prpsinfo *out, struct err *e)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_PRPSINFO);

	if (!n)
		return err_set(e, ERR_INPUT, "the core has no PRPSINFO note");
	return prpsinfo_get(&c->layout, n->note.desc, out, e);
}

const char *core_text_copy(struct core_text t, char *out, size_t size)
{
	size_t n = t.p ? strnlen(t.p, min(t.len, size - 1)) : 0;

	if (n)
		memcpy(out, t.p, n);
	out[n] = 0;
	return out;
}

bool core_text_is(struct core_text t, const char *s)
{
	return t.p && t.len == strlen(s) && !memcmp(t.p, s, t.len);
}
