#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "core/core_priv.h"

/* Bytes of all PT_NOTEs: bounded by the file's size, as overlapping segments would repeat them. */
static size_t note_bytes(struct core *c)
{
	u64 total = 0, bound = min((u64)CORE_NOTE_BYTES_MAX, c->file.size);

	for (size_t i = 0; i < c->n_segs; i++) {
		if (c->segs[i].p_type != PT_NOTE)
			continue;
		total += core_seg_in_file(c, i);
		c->n_note_segs++;
		if (total > bound) {
			c->notes_cut = true;
			return (size_t)bound;
		}
	}
	return (size_t)total;
}

/* In pieces, so that a file that shrank is found before much memory is filled. */
static int read_pieces(struct core *c, u64 off, u8 *to, size_t len, struct err *e)
{
	enum { PIECE = 1 << 20 };
	int r = 0;

	for (size_t at = 0; !r && at < len; at += PIECE)
		r = core_file_read(&c->file, off + at, to + at, min((size_t)PIECE, len - at), e);
	return r ? err_wrap(e, "notes") : 0;
}

static int load_bytes(struct core *c, struct err *e)
{
	size_t room = note_bytes(c), at = 0, n = 0;
	int r = 0;

	c->note_data = malloc(room ? room : 1);
	c->note_segs = calloc(c->n_note_segs ? c->n_note_segs : 1, sizeof(*c->note_segs));
	if (!c->note_data || !c->note_segs)
		return err_set(e, -ENOMEM, "%zu bytes of notes", room);
	for (size_t i = 0; !r && i < c->n_segs && n < c->n_note_segs; i++) {
		size_t len;

		if (c->segs[i].p_type != PT_NOTE)
			continue;
		len = (size_t)min(core_seg_in_file(c, i), (u64)(room - at));
		c->note_segs[n++] = (struct core_note_seg){
			.seg = (u32)i,
			.data = { .p = c->note_data + at, .len = len, .off = c->segs[i].p_offset },
		};
		r = read_pieces(c, c->segs[i].p_offset, c->note_data + at, len, e);
		at += len;
	}
	return r;
}

static bool is_per_thread(const struct note *n)
{
	const struct note_kind *k = note_kind_find(n->owner, n->type);

	/* A register set newer than our table has the owner LINUX. */
	return k ? k->per_thread : !strcmp(n->owner, "LINUX");
}

static bool is_prstatus(const struct note *n)
{
	return n->type == NT_PRSTATUS && !strcmp(n->owner, "CORE");
}

/* Reading a segment stops at the first note that does not fit: what follows has no known place. */
static int index_seg(struct core *c, u32 seg, size_t *cap, struct err *e)
{
	struct core_note_seg *s = &c->note_segs[seg];
	struct note_iter it;
	struct note n;
	int more;

	note_iter_init(&it, s->data, c->fmt, c->segs[s->seg].p_align);
	while ((more = note_next(&it, &n, NULL)) > 0) {
		int r;

		if (c->n_notes == CORE_NOTES_MAX) {
			c->notes_cut = true;
			return 0;
		}
		r = array_grow((void **)&c->notes, c->n_notes, cap, sizeof(*c->notes), "read core", e);
		if (r)
			return r;
		c->n_threads += is_prstatus(&n);
		c->notes[c->n_notes++] = (struct core_note){
			.note = n,
			.seg = seg,
			.thread = c->n_threads && is_per_thread(&n) ? (s32)c->n_threads - 1 : -1,
		};
	}
	s->malformed = more < 0;
	return 0;
}

int core_load_notes(struct core *c, struct err *e)
{
	size_t cap = 0;
	int r = load_bytes(c, e);

	for (u32 i = 0; !r && i < c->n_note_segs; i++)
		r = index_seg(c, i, &cap, e);
	return r;
}

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
		if (n->thread == self && n->note.type == type && !strcmp(n->note.owner, owner))
			return n;
	}
	return NULL;
}
