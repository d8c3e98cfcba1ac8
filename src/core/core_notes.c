#include <errno.h>
#include <stdio.h>
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

static bool is_per_thread(const struct core *c, const struct note *n)
{
	const struct note_kind *k = note_kind_find(n->owner, n->type);

	if (c->os && c->os->tid_in_owner && strchr(n->owner, '@'))
		return true;
	/* A register set newer than our table has the owner LINUX. */
	return k ? k->per_thread : !strcmp(n->owner, "LINUX");
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
		c->notes[c->n_notes++] = (struct core_note){ .note = n, .seg = seg, .thread = -1 };
	}
	s->malformed = more < 0;
	return 0;
}

/* The owner under which Linux writes notes of @type; the other types of CORE are Solaris'. */
static const char *linux_owner(u32 type)
{
	static const u32 of_core[] = {
		NT_PRSTATUS, NT_PRFPREG, NT_PRPSINFO, NT_TASKSTRUCT, NT_AUXV, NT_SIGINFO, NT_FILE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(of_core); i++)
		if (of_core[i] == type)
			return "CORE";
	return note_kind_find("LINUX", type) ? "LINUX" : NULL;
}

/* Owners whose types mean other things: those of note_kinds[], and what bfd/elf.c: elf_parse_notes() knows. */
static bool is_known_owner(const char *owner)
{
	static const char *const others[] = { "GNU", "Go", "stapsdt", "FDO", "Xen", "QNX", "SPU/" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strncmp(owner, others[i], strlen(others[i])))
			return true;
	for (size_t i = 0; i < n_note_kinds; i++)
		if (note_owner_is(owner, note_kinds[i].owner))
			return true;
	return false;
}

/* One without content says nothing. */
static void adopt(struct core_note *n, const char *owner)
{
	if (!n->note.desc.len)
		return;
	snprintf(n->note.owner, sizeof(n->note.owner), "%s", owner);
	n->adopted = true;
}

/*
 * Delve writes all notes without an owner.  bfd/elf.c: elfcore_grok_note() and
 * elfutils libebl/eblcorenote.c then go by the type; so do we.  An unknown
 * owner may give its types any meaning, so it counts only where nothing
 * else says something about the process.
 */
static void adopt_notes(struct core *c)
{
	bool has_core = false;

	for (size_t i = 0; i < c->n_notes; i++) {
		struct note *n = &c->notes[i].note;
		const char *owner = *n->owner ? NULL : linux_owner(n->type);

		if (owner)
			adopt(&c->notes[i], owner);
		has_core |= !strcmp(n->owner, "CORE");
	}
	for (size_t i = 0; !has_core && i < c->n_notes; i++) {
		struct note *n = &c->notes[i].note;
		const char *owner = linux_owner(n->type);

		if (owner && !strcmp(owner, "CORE") && !is_known_owner(n->owner))
			adopt(&c->notes[i], owner);
	}
}

/* The type of note that begins a thread. */
static u32 beginning_type(const struct core *c)
{
	for (size_t i = 0; c->os && i < ARRAY_SIZE(c->os->begins); i++)
		if (core_os_note(c, c->os->begins[i]))
			return c->os->begins[i];
	return c->os ? 0 : NT_PRSTATUS;
}

/* @last: the owner of the notes of the thread before, whose number BSD writes after an "@". */
static bool begins_thread(const struct core *c, const struct note *n, u32 type, const char *last)
{
	const char *owner = c->os ? c->os->owner : "CORE";

	if (c->os && c->os->tid_in_owner && strchr(n->owner, '@'))
		return note_owner_is(n->owner, owner) && strcmp(n->owner, last) != 0;
	return type && n->type == type && !strcmp(n->owner, owner);
}

static void assign_threads(struct core *c)
{
	u32 type = beginning_type(c);
	const char *last = "";

	for (size_t i = 0; i < c->n_notes; i++) {
		struct core_note *n = &c->notes[i];

		n->begins = begins_thread(c, &n->note, type, last);
		c->n_threads += n->begins;
		if (n->begins)
			last = n->note.owner;
		if (c->n_threads && (n->begins || is_per_thread(c, &n->note)))
			n->thread = (s32)c->n_threads - 1;
	}
}

int core_load_notes(struct core *c, struct err *e)
{
	size_t cap = 0;
	int r = load_bytes(c, e);

	for (u32 i = 0; !r && i < c->n_note_segs; i++)
		r = index_seg(c, i, &cap, e);
	if (r)
		return r;
	c->kind = core_stated_kind(c);
	c->os = core_kind_os(c->kind);
	if (!c->os)
		adopt_notes(c);
	assign_threads(c);
	return 0;
}

const char *core_note_owner(const struct core *c, const struct core_note *n, char out[CORE_OWNER_MAX])
{
	struct bytes seg = c->note_segs[n->seg].data;
	struct note_iter it;
	struct note raw = n->note;

	note_iter_init(&it, seg, c->fmt, c->segs[c->note_segs[n->seg].seg].p_align);
	it.at = n->note.off - seg.off;
	if (n->adopted && note_next(&it, &raw, NULL) <= 0)
		raw.owner[0] = 0;
	snprintf(out, CORE_OWNER_MAX, "%s", raw.owner);
	return out;
}
