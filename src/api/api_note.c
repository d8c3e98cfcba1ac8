#include "api/api.h"

size_t tagcore_core_notes(const struct tagcore_core *c)
{
	return c->core.n_notes;
}

const struct tagcore_note *tagcore_core_note(struct tagcore_core *c, size_t i)
{
	const struct core_note *n;
	const struct note_kind *k;

	if (i >= c->core.n_notes)
		return NULL;
	n = &c->core.notes[i];
	k = note_kind_find(n->note.owner, n->note.type);
	c->note = (struct tagcore_note){
		.owner = core_note_owner(&c->core, n, c->owner), .type = n->note.type, .type_name = k ? k->name : NULL,
		.data = n->note.desc.p, .size = n->note.desc.len, .offset = n->note.off, .has_tid = n->thread >= 0,
		.tid = n->thread >= 0 ? c->core.threads[n->thread].tid : 0,
	};
	return &c->note;
}
