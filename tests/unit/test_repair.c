#include "corebuild.h"

#include <signal.h>

#include <zlib.h>

#include <tagcore/repair.h>

#include "base/scope.h"
#include "base/util.h"
#include "repair/overlay.h"

/*
 * A good core plus one named damage: @check finds it, @repair mends it, and what
 * is found then was found before, or is @then.  notes: before the places are given;
 * late: headers; bytes: the file.  mte: the core has memory tags, of aarch64.
 */
struct damage {
	const char *repair;
	const char *check;	/* NULL: no check finds it */
	const char *what;
	void (*notes)(struct cb *cb);
	void (*late)(struct cb *cb);
	void (*bytes)(struct cb *cb, struct buf *b);
	bool mte;
	const char *then;
	u32 other_note;		/* of this type: what is in it changes */
	bool hides;		/* the damage hides notes: to be compared with the core without it */
};

/* ---- the damage */

static void bad_magic(struct cb *cb, struct buf *b) { (void)cb; b->p[1] = 'e'; }
static void bad_class(struct cb *cb, struct buf *b) { (void)cb; b->p[EI_CLASS] = 9; }
static void bad_order(struct cb *cb, struct buf *b) { (void)cb; b->p[EI_DATA] = 0; }
static void no_ident(struct cb *cb, struct buf *b) { (void)cb; memset(b->p, 0, EI_NIDENT); }
static void bad_type(struct cb *cb) { cb->ehdr.e_type = ET_NONE; }
static void bad_phentsize(struct cb *cb) { cb->ehdr.e_phentsize = 32; }
static void bad_version(struct cb *cb) { cb->ehdr.e_version = 2; }
static void bad_ident_version(struct cb *cb) { cb->ehdr.e_ident[EI_VERSION] = 0; }
static void bad_ehsize(struct cb *cb) { cb->ehdr.e_ehsize = 52; }
static void far_phdrs(struct cb *cb) { cb->ehdr.e_phoff = cb->segs[3].p_offset + 2 * CB_PAGE - 8; }
static void no_phnum(struct cb *cb) { cb->ehdr.e_phnum = 0; }
static void xnum_needless(struct cb *cb) { cb->ehdr.e_phnum = PN_XNUM; }
static void xnum_small(struct cb *cb)
{
	cb->ehdr.e_phnum = PN_XNUM;
	cb->ehdr.e_shoff = cb->segs[3].p_offset + 2 * CB_PAGE;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
	cb->ehdr.e_shnum = 1;
}
static void lost_sections(struct cb *cb, struct buf *b)
{
	struct err e;
	struct buf h = { 0 };

	cb->ehdr.e_shoff = b->len + 8;
	cb->ehdr.e_shnum = 3;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
	cb_ok(elffmt_put_ehdr(cb->arch.fmt, &cb->ehdr, &h, &e), &e);
	memcpy(b->p, h.p, h.len);
	buf_fini(&h);
}
static void cut_stack(struct cb *cb, struct buf *b) { (void)cb; b->len -= 100; }
static void cut_both(struct cb *cb, struct buf *b) { (void)cb; b->len -= 3 * CB_PAGE; }
static void wrap_offset(struct cb *cb) { cb->segs[3].p_offset = ~0ULL - CB_PAGE + 1; }
static void wrap_memory(struct cb *cb) { cb->segs[3].p_memsz = ~0ULL - CB_PAGE + 1; }
static void endless(struct cb *cb) { cb->segs[2].p_filesz = ~0ULL - 1; }
static void less_memory(struct cb *cb) { cb->segs[2].p_memsz -= CB_PAGE; }
static void more_bytes(struct cb *cb)
{
	/* As many as would reach into the stack's area. */
	cb->segs[3].p_vaddr = CB_HEAP + 2 * CB_PAGE;
	cb->segs[2].p_filesz += CB_PAGE;
}
static void odd_align(struct cb *cb) { cb->segs[2].p_align = 0x3000; }
static void crooked(struct cb *cb) { cb->segs[2].p_align = 0x200000; cb->segs[2].p_vaddr += 0x1000; }
static void notes_16(struct cb *cb) { cb->segs[0].p_align = 16; }
static void notes_8(struct cb *cb) { cb->segs[0].p_align = 8; }

static void swap_loads(struct cb *cb)
{
	GElf_Phdr tmp = cb->segs[1];

	cb->segs[1] = cb->segs[3];
	cb->segs[3] = tmp;
}

static u8 *note_at(struct cb *cb, struct buf *b, size_t n)
{
	return b->p + cb->data_at[0] + cb_notes_len(cb, 0, n);
}

static void long_desc(struct cb *cb, struct buf *b)
{
	uint_put(cb->arch.fmt, note_at(cb, b, cb->n_notes - 1) + 4, 4, 0xffffff);
}

static void half_note(struct cb *cb) { cb->segs[0].p_filesz -= 200; }
static void spare_note(struct cb *cb) { cb_note_add(cb, "OTHER", 77, "abcde", 5); }

/* The FILE note has lost the end of its bytes, and its size says so; what follows stayed where it was. */
static void shorter_file(struct cb *cb)
{
	struct cb_note *n = cb_note_at(cb, NT_FILE, 0);
	struct err e;

	cb_ok(buf_zero(&n->desc, 100, &e), &e);
}
static void file_size(struct cb *cb, struct buf *b)
{
	uint_put(cb->arch.fmt, note_at(cb, b, 4) + 4, 4, cb->notes[4].desc.len - 100);
}
/* Half of them are read as notes. */
static void zeros_behind(struct cb *cb)
{
	cb_note_add(cb, "OTHER", 0x7777, NULL, 0);
}
static void zero_last(struct cb *cb, struct buf *b)
{
	memset(note_at(cb, b, cb->n_notes - 1), 0, 20);
}

static void late_missing(struct cb *cb)
{
	char text[300] = "800000-801000 lost\n";

	cb_note_add(cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text));
	cb->n_late_notes = 1;
}
static void half_missing(struct cb *cb) { cb->segs[4].p_filesz -= 100; }

static void dirty_owner(struct cb *cb, struct buf *b) { note_at(cb, b, cb->n_notes - 1)[12 + 7] = 1; }
static void dirty_desc(struct cb *cb, struct buf *b) { note_at(cb, b, cb->n_notes - 1)[12 + 8 + 6] = 1; }

static void file_long(struct cb *cb, unsigned index, u64 value)
{
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_FILE, 0)->desc.p + index * cb->arch.word, cb->arch.word, value);
}

static void file_count(struct cb *cb) { file_long(cb, 0, 1ULL << 61); }
static void file_two(struct cb *cb) { file_long(cb, 0, 2); }
static void file_none(struct cb *cb) { file_long(cb, 1, 0); }
static void file_odd(struct cb *cb) { file_long(cb, 1, 4097); }
static void file_large(struct cb *cb) { file_long(cb, 1, 65536); }
static void file_backward(struct cb *cb) { file_long(cb, 3, CB_TEXT); }
static void cut_name(struct cb *cb) { cb_note_at(cb, NT_FILE, 0)->desc.len -= 4; }

static void file_none_no_auxv(struct cb *cb)
{
	file_none(cb);
	cb_note_drop(cb, cb_note_at(cb, NT_AUXV, 0));
}

static void tags_old(struct cb *cb) { cb->segs[4].p_type = CORE_PT_MEMTAG_OLD; }
static void tags_of_nothing(struct cb *cb) { cb->segs[5].p_filesz = cb->segs[5].p_memsz = 0; }
static void tags_many(struct cb *cb) { cb->segs[5].p_filesz += 128; }
static void tags_flags(struct cb *cb) { cb->segs[4].p_flags = PF_R; cb->segs[5].p_align = 1; }
static void cut_tags(struct cb *cb, struct buf *b) { (void)cb; b->len -= 128; }

static const struct damage damages[] = {
	{ "elf-ident", "elf-ident", "magic", .bytes = bad_magic },
	{ "elf-ident", "elf-ident", "class 9", .bytes = bad_class },
	{ "elf-ident", "elf-ident", "byte order 0", .bytes = bad_order },
	{ "elf-ident", "elf-ident", "16 zeros", .bytes = no_ident, .then = "quirk-lldb-os" },
	{ "elf-type", "elf-type", "0", .late = bad_type },
	{ "elf-phentsize", "elf-phentsize", "32", .late = bad_phentsize },
	{ "elf-version", "elf-version", "2", .late = bad_version },
	{ "elf-version", "elf-version", "0 in the identification", .late = bad_ident_version },
	{ "elf-ehsize", "elf-ehsize", "52", .late = bad_ehsize },
	{ "phdr-place", "phdr-truncated", "past the end", .late = far_phdrs },
	{ "phdr-count", "phdr-none", "0", .late = no_phnum },
	{ "phdr-count", "phdr-xnum", "lost", .late = xnum_needless },
	{ "phdr-count", "phdr-xnum", "only 4", .late = xnum_small },
	{ "shdr-lost", NULL, "past the end", .bytes = lost_sections },
	{ "seg-cut", "seg-truncated", "100 bytes short", .bytes = cut_stack },
	{ "seg-cut", "seg-truncated", "3 pages short", .bytes = cut_both },
	{ "seg-cut", "seg-wrap", "offset", .late = wrap_offset },
	{ "seg-cut", "seg-wrap", "size", .late = endless },
	{ "seg-cut", "seg-truncated", "tags", .bytes = cut_tags, .mte = true, .then = "mte-unsaved" },
	{ "seg-wrap", "seg-wrap", "memory", .late = wrap_memory },
	{ "seg-filesz", "seg-filesz", "less memory", .late = less_memory },
	{ "seg-filesz", "seg-filesz", "into the next", .notes = more_bytes },
	{ "seg-align", "seg-align", "0x3000", .late = odd_align },
	{ "seg-align", "seg-align", "not congruent", .late = crooked },
	{ "seg-order", "seg-order", "swapped", .late = swap_loads },
	{ "note-align", "note-padding", "16", .late = notes_16 },
	{ "note-align", "note-malformed", "8 for 4", .late = notes_8, .hides = true },
	{ "note-cut", "note-malformed", "descriptor past the end", .bytes = long_desc, .then = "thread-sets" },
	{ "note-cut", "note-malformed", "half a note", .late = half_note, .then = "thread-sets" },
	{ "note-zeros", "note-owner", "behind FILE", .notes = shorter_file, .bytes = file_size, .other_note = NT_FILE,
	  .hides = true },
	{ "note-zeros", "note-owner", "at the end", .notes = zeros_behind, .bytes = zero_last },
	{ "note-missing", "note-malformed", "filling", .notes = late_missing, .late = half_missing, .then = "tagcore-gaps",
	  .other_note = NT_TAGCORE_MISSING, .hides = true },
	{ "note-padding", "note-padding", "owner", .notes = spare_note, .bytes = dirty_owner },
	{ "note-padding", "note-padding", "descriptor", .notes = spare_note, .bytes = dirty_desc },
	{ "file-table", "file-malformed", "count", .notes = file_count, .other_note = NT_FILE },
	{ "file-table", "file-malformed", "count 2", .notes = file_two, .other_note = NT_FILE },
	{ "file-table", "file-malformed", "end before start", .notes = file_backward, .other_note = NT_FILE },
	{ "file-table", "file-malformed", "cut name", .notes = cut_name, .other_note = NT_FILE },
	{ "file-page", "file-page", "0", .notes = file_none, .other_note = NT_FILE },
	{ "file-page", "file-page", "0, no AUXV", .notes = file_none_no_auxv, .other_note = NT_FILE },
	{ "file-page", "file-page", "4097", .notes = file_odd, .other_note = NT_FILE },
	{ "file-page", "file-page", "65536", .notes = file_large, .other_note = NT_FILE },
	{ "mte-type", "mte-old-type", "0x70000001", .late = tags_old, .mte = true },
	{ "mte-empty", "mte-empty", "memsz 0", .notes = tags_of_nothing, .mte = true },
	{ "mte-size", "mte-size", "a page more", .notes = tags_many, .mte = true },
	{ "mte-fields", "mte-fields", "flags and align", .late = tags_flags, .mte = true },
};

/* ---- building and mending */

static void build(const struct damage *d, struct cb *cb, struct buf *b)
{
	if (d->mte)
		cb_good_mte(cb, CB_LE64);
	else
		cb_good(cb, EM_X86_64, CB_LE64);
	/* Without a note of the owner LINUX, LLDB would not know. */
	cb->ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	if (d->notes)
		d->notes(cb);
	cb_layout(cb);
	if (d->late)
		d->late(cb);
	cb_write(cb, b);
	if (d->bytes)
		d->bytes(cb, b);
}

/* @b as a file without a name; -1 and why when it cannot be mended. */
static int mend(const struct buf *b, struct repaired *rep, struct err *e)
{
	struct core_file file = { 0 };
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	int r;

	cb_ok(core_file_open(&file, path, e), e);
	r = repair_open(rep, &file, path, NULL, e);
	assert_null(file.ops);
	return r;
}

static void write_out(struct repaired *rep, struct buf *out)
{
	struct writer w = { 0 };
	int fd auto_close = memfd_create("out", MFD_CLOEXEC);
	struct err e = { 0 };
	u8 *to;

	assert_true(fd >= 0);
	cb_ok(writer_open_stream(&w, fd, "out", &e), &e);
	cb_ok(repair_write(rep, &w, &e), &e);
	cb_ok(writer_finish(&w, &e), &e);
	writer_close(&w);
	cb_ok(buf_reserve(out, rep->size, &to, &e), &e);
	assert_int_equal(pread(fd, to, rep->size + 1, 0), rep->size);
	out->len = rep->size;
}

static void open_bytes(const struct buf *b, struct core *core)
{
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	struct err e = { 0 };

	cb_ok(core_open(core, path, &e), &e);
}

static bool has_finding(const struct findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->f[i].check->id, id))
			return true;
	return false;
}

static void check_bytes(const struct buf *b, struct findings *l)
{
	char path[32];
	int fd auto_close = cb_file_of(b, path);
	struct err e = { 0 };

	cb_ok(check_file(path, l, &e), &e);
}

/* What @was has of the good core's memory, @is has, too; and nothing else. */
static void same_memory(struct core *was, struct core *is)
{
	static const u64 pages[] = { CB_TEXT, CB_TEXT + CB_PAGE, CB_HEAP, CB_HEAP + CB_PAGE, CB_STACK, CB_STACK + CB_PAGE };

	for (size_t i = 0; i < ARRAY_SIZE(pages) * CB_PAGE; i++) {
		u64 addr = pages[i / CB_PAGE] + i % CB_PAGE, until;
		enum mem_state a = core_mem_state(was, addr, &until), b = core_mem_state(is, addr, &until);
		size_t n;
		struct err e;
		u8 byte, old;

		if (a == MEM_PRESENT)
			assert_int_equal(b, MEM_PRESENT);
		if (a != MEM_PRESENT || i % 61)
			continue;
		cb_ok(core_read(is, addr, &byte, 1, &b, &n, &e), &e);
		cb_ok(core_read(was, addr, &old, 1, &a, &n, &e), &e);
		assert_int_equal(byte, old);
	}
}

/* Every note of @is is one of @was, in the same order, but for what may change. */
static void same_notes(const struct core *was, const struct core *is, u32 other)
{
	size_t k = 0;

	assert_true(is->n_notes <= was->n_notes);
	for (size_t i = 0; i < is->n_notes; i++, k++) {
		const struct note *a = &was->notes[k].note, *b = &is->notes[i].note;

		assert_string_equal(a->owner, b->owner);
		assert_int_equal(a->type, b->type);
		if (b->type == other)
			continue;
		assert_int_equal(a->desc.len, b->desc.len);
		assert_memory_equal(a->desc.p, b->desc.p, b->desc.len);
	}
}

static void mends_nothing_more(const struct buf *b)
{
	struct repaired again = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	cb_ok(mend(b, &again, &e), &e);
	if (again.n_deeds)
		fail_msg("mended again: %s: %s", again.deeds[0].repair->id, again.deeds[0].msg);
	write_out(&again, &out);
	assert_int_equal(out.len, b->len);
	assert_memory_equal(out.p, b->p, b->len);
	repair_close(&again);
	buf_fini(&out);
}

/* ---- tests */

static void good_core_is_left_as_it_is(void **state)
{
	static const struct damage none[] = { { 0 }, { .mte = true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		struct buf b = { 0 };
		struct cb cb;

		build(&none[i], &cb, &b);
		mends_nothing_more(&b);
		buf_fini(&b);
		cb_fini(&cb);
	}
}

/* The core as it is read without the damage, where it could be opened not at all: the good one. */
static void open_before(const struct damage *d, const struct buf *bytes, struct core *core)
{
	struct buf good = { 0 };
	struct cb cb;
	char path[32];
	int fd auto_close = cb_file_of(bytes, path);

	if (!core_open(core, path, NULL) && core->n_threads && !d->hides)
		return;
	core_close(core);
	*core = (struct core){ 0 };
	build(&(struct damage){ .mte = d->mte, .notes = d->notes }, &cb, &good);
	open_bytes(&good, core);
	buf_fini(&good);
	cb_fini(&cb);
}

static void damage_is_mended(void **state)
{
	const struct damage *d = *state;
	struct findings before = { 0 }, after = { 0 };
	struct core was = { 0 }, is = { 0 };
	struct repaired rep = { 0 };
	struct buf b = { 0 }, out = { 0 };
	struct err e = { 0 };
	bool done = false;
	struct cb cb;

	build(d, &cb, &b);
	check_bytes(&b, &before);
	if (d->check)
		assert_true(has_finding(&before, d->check));
	cb_ok(mend(&b, &rep, &e), &e);
	for (size_t i = 0; i < rep.n_deeds; i++)
		done |= !strcmp(rep.deeds[i].repair->id, d->repair);
	assert_true(done);
	write_out(&rep, &out);
	check_bytes(&out, &after);
	assert_int_equal(after.n, rep.left.n);
	if (d->check)
		assert_false(has_finding(&after, d->check));
	for (size_t i = 0; i < after.n; i++)
		if (!has_finding(&before, after.f[i].check->id) && (!d->then || strcmp(d->then, after.f[i].check->id)))
			fail_msg("new: %s: %s", after.f[i].check->id, after.f[i].msg);
	open_before(d, &b, &was);
	open_bytes(&out, &is);
	same_memory(&was, &is);
	same_notes(&was, &is, d->other_note);
	mends_nothing_more(&out);
	core_close(&was);
	core_close(&is);
	findings_fini(&before);
	findings_fini(&after);
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&out);
	cb_fini(&cb);
}

static void every_repair_has_a_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_repairs; i++) {
		const char *const *cure = repairs[i].cures;

		/* What needs 65,535 segments or a packed file has a test of its own. */
		if (!strcmp(repairs[i].id, "phdr-xnum") || !strcmp(repairs[i].id, "packed-cut"))
			continue;
		do {
			bool found = false;

			for (size_t k = 0; k < ARRAY_SIZE(damages); k++)
				found |= !strcmp(repairs[i].id, damages[k].repair) &&
					 (!cure || (damages[k].check && !strcmp(*cure, damages[k].check)));
			/* Which of the two a lost number looks like depends on the file's length. */
			if (!found && !(cure && !strcmp(*cure, "phdr-truncated")))
				fail_msg("repair %s, check %s: no damage", repairs[i].id, cure ? *cure : "none");
		} while (cure && *++cure);
	}
}

static void every_repair_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_repairs; i++) {
		assert_non_null(repairs[i].what);
		assert_non_null(repairs[i].reference);
		assert_true(!repairs[i].apply != !repairs[i].rescue);
		for (const char *const *id = repairs[i].cures; id && *id; id++) {
			bool found = false;

			for (size_t k = 0; k < n_checks; k++)
				found |= !strcmp(*id, checks[k].id);
			assert_true(found);
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(repairs[i].id, repairs[k].id);
	}
}

static void file_table_is_read_from_its_names(void **state)
{
	struct core core = { 0 };
	struct repaired rep = { 0 };
	struct core_file file;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct cb cb;

	(void)state;
	build(&(struct damage){ .notes = file_count }, &cb, &b);
	cb_ok(mend(&b, &rep, &e), &e);
	repair_file(&rep, &file);
	cb_ok(core_open_file(&core, &file, "mended", &e), &e);
	assert_int_equal(core.n_maps, 1);
	assert_int_equal(core.maps[0].start, CB_TEXT);
	assert_int_equal(core.maps[0].end, CB_TEXT + 2 * CB_PAGE);
	assert_int_equal(core.maps[0].pgoff, 3 * CB_PAGE);
	assert_true(core_text_is(core.maps[0].name, "/bin/prog"));
	core_close(&core);
	repair_close(&rep);
	buf_fini(&b);
	cb_fini(&cb);
}

/* Errors that say what a truncated file has no more. */
static bool is_loss(const char *id)
{
	static const char *const ids[] = { "phdr-none", "phdr-truncated", "thread-none", "note-none" };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (!strcmp(id, ids[i]))
			return true;
	return false;
}

static void hold_truncated(struct core *good, const struct buf *cut)
{
	struct repaired rep = { 0 };
	struct core was = { 0 }, is = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	if (mend(cut, &rep, &e)) {
		/* A header that is cut is no header. */
		assert_true(cut->len < sizeof(Elf64_Ehdr));
		return;
	}
	for (size_t i = 0; i < rep.left.n; i++)
		if (rep.left.f[i].check->severity == CHECK_ERROR && !is_loss(rep.left.f[i].check->id))
			fail_msg("%zu bytes: %s: %s", cut->len, rep.left.f[i].check->id, rep.left.f[i].msg);
	write_out(&rep, &out);
	open_bytes(&out, &is);
	assert_false(core_is_truncated(&is) && is.n_segs);
	same_notes(good, &is, 0);
	open_bytes(cut, &was);
	same_memory(&was, &is);
	mends_nothing_more(&out);
	core_close(&was);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&out);
}

static void every_truncation_is_mended(void **state)
{
	const struct damage *d = *state;
	struct core good = { 0 };
	struct buf b = { 0 };
	size_t step;
	struct cb cb;

	build(d, &cb, &b);
	open_bytes(&b, &good);
	for (size_t len = 0; len < b.len; len += step) {
		struct buf cut = { .p = b.p, .len = len };

		hold_truncated(&good, &cut);
		/* Every length of headers and a note or two, then ever so many. */
		step = len < 400 ? 1 : len < CB_PAGE ? 31 : 1021;
	}
	core_close(&good);
	buf_fini(&b);
	cb_fini(&cb);
}

static void lost_count_of_many_segments(void **state)
{
	enum { MANY = 66000 };
	struct repaired rep = { 0 };
	struct core is = { 0 };
	struct buf b = { 0 }, out = { 0 };
	struct err e = { 0 };
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	for (u64 i = 0; i < MANY; i++)
		cb_seg_add(&cb, PT_LOAD, PF_R, 0x10000000 + i * CB_PAGE, 0, CB_PAGE);
	cb_layout(&cb);
	cb_write(&cb, &b);
	/* Section header 0, and with it a page of the stack. */
	b.len -= CB_PAGE;
	cb_ok(mend(&b, &rep, &e), &e);
	assert_int_equal(findings_count(&rep.left, CHECK_ERROR), 0);
	write_out(&rep, &out);
	open_bytes(&out, &is);
	assert_int_equal(is.xnum, CORE_XNUM_GOOD);
	assert_int_equal(is.phnum, MANY + 4);
	assert_int_equal(is.n_threads, 2);
	assert_true(is.segs[3].p_filesz < 2 * CB_PAGE);
	mends_nothing_more(&out);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&out);
	cb_fini(&cb);
}

/* @b by zlib, in gzip's form. */
static void pack(const struct buf *b, struct buf *out)
{
	z_stream z = { 0 };
	struct err e;
	u8 *to;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cb_ok(buf_reserve(out, b->len + 1024, &to, &e), &e);
	z.next_in = b->p;
	z.avail_in = (uInt)b->len;
	z.next_out = to;
	z.avail_out = (uInt)b->len + 1024;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = z.total_out;
	deflateEnd(&z);
}

static void packed_core_is_unpacked(void **state)
{
	struct buf b = { 0 }, packed = { 0 }, out = { 0 };
	struct repaired rep = { 0 };
	struct core is = { 0 };
	struct err e = { 0 };
	struct cb cb;

	(void)state;
	build(&(struct damage){ 0 }, &cb, &b);
	pack(&b, &packed);
	cb_ok(mend(&packed, &rep, &e), &e);
	assert_int_equal(rep.n_deeds, 0);
	write_out(&rep, &out);
	assert_int_equal(out.len, b.len);
	assert_memory_equal(out.p, b.p, b.len);
	repair_close(&rep);
	buf_fini(&out);

	packed.len -= packed.len / 4;
	cb_ok(mend(&packed, &rep, &e), &e);
	assert_string_equal(rep.deeds[0].repair->id, "packed-cut");
	assert_int_equal(findings_count(&rep.left, CHECK_ERROR), 0);
	write_out(&rep, &out);
	assert_in_range(out.len, 1, b.len - 1);
	open_bytes(&out, &is);
	assert_int_equal(is.n_threads, 2);
	mends_nothing_more(&out);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&packed);
	buf_fini(&out);
	cb_fini(&cb);
}

static void each_order_and_class_is_rescued(void **state)
{
	static const struct { u16 machine; struct elffmt fmt; } made[] = {
		{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
		{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC, { ELFCLASS32, ELFDATA2MSB } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		struct repaired rep = { 0 };
		struct buf b = { 0 }, good = { 0 }, out = { 0 };
		struct err e = { 0 };
		struct cb cb;

		cb_good(&cb, made[i].machine, made[i].fmt);
		cb_layout(&cb);
		cb_write(&cb, &good);
		cb_write(&cb, &b);
		memset(b.p, 0, EI_NIDENT);
		memset(b.p + 16, 0, 2);
		cb_ok(mend(&b, &rep, &e), &e);
		write_out(&rep, &out);
		assert_memory_equal(out.p, good.p, good.len);
		repair_close(&rep);
		buf_fini(&b);
		buf_fini(&good);
		buf_fini(&out);
		cb_fini(&cb);
	}
}

static void what_is_no_core_is_refused(void **state)
{
	static const char *const texts[] = { "", "#!/bin/sh\nexit 0\n", "\177ELF" };
	char page[CB_PAGE];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(texts); i++) {
		struct repaired rep = { 0 };
		struct buf b = { 0 };

		memset(page, 0xff, sizeof(page));
		cb_ok(i < ARRAY_SIZE(texts) ? buf_add(&b, texts[i], strlen(texts[i]), &e) :
					      buf_add(&b, page, sizeof(page), &e), &e);
		assert_true(mend(&b, &rep, &e) < 0);
		assert_null(rep.in.ops);
		buf_fini(&b);
	}
}

/* A program has headers like a core's, but no threads. */
static void program_is_no_core(void **state)
{
	struct core_file file = { 0 };
	struct repaired rep = { 0 };
	struct err e = { 0 };

	(void)state;
	cb_ok(core_file_open(&file, "/proc/self/exe", &e), &e);
	assert_int_equal(repair_open(&rep, &file, "exe", NULL, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "not a core"));
}

static void cancelled_in_the_middle(void **state)
{
	static volatile sig_atomic_t cancel;
	struct core_file file = { 0 };
	struct repaired rep = { 0 };
	struct writer w = { 0 };
	struct buf b = { 0 };
	struct err e = { 0 };
	char path[32];
	struct cb cb;
	int fd, out;

	(void)state;
	build(&(struct damage){ 0 }, &cb, &b);
	fd = cb_file_of(&b, path);
	out = memfd_create("out", MFD_CLOEXEC);
	cancel = 0;
	cb_ok(core_file_open(&file, path, &e), &e);
	cb_ok(repair_open(&rep, &file, path, &cancel, &e), &e);
	cb_ok(writer_open_stream(&w, out, "out", &e), &e);
	cancel = SIGINT;
	assert_int_equal(repair_write(&rep, &w, &e), ERR_CANCELLED);
	writer_close(&w);
	repair_close(&rep);
	cb_ok(core_file_open(&file, path, &e), &e);
	assert_int_equal(repair_open(&rep, &file, path, &cancel, &e), ERR_CANCELLED);
	close(fd);
	close(out);
	buf_fini(&b);
	cb_fini(&cb);
}

static u32 next_random(u32 *r)
{
	*r = *r * 1664525 + 1013904223;
	return *r >> 8;
}

/* Headers and notes with a few bytes changed: no crash, and what is mended needs no mending. */
static void random_damage_is_mended_once(void **state)
{
	enum { TIMES = 1500, SPOTS = 1600 };
	u32 random = 1;
	struct cb cb;
	struct buf b = { 0 };

	(void)state;
	build(&(struct damage){ .mte = true }, &cb, &b);
	for (int i = 0; i < TIMES; i++) {
		struct buf bad = { 0 }, out = { 0 };
		struct repaired rep = { 0 };
		struct err e = { 0 };

		cb_ok(buf_add(&bad, b.p, b.len, &e), &e);
		for (u32 n = 1 + next_random(&random) % 4; n; n--)
			bad.p[next_random(&random) % SPOTS] = (u8)next_random(&random) & (n & 1 ? 0xff : 0x0f);
		if (!mend(&bad, &rep, &e)) {
			write_out(&rep, &out);
			mends_nothing_more(&out);
		}
		repair_close(&rep);
		buf_fini(&bad);
		buf_fini(&out);
	}
	buf_fini(&b);
	cb_fini(&cb);
}

/* ---- the overlay */

static void overlay_is(struct overlay *o, const char *want)
{
	struct core_file f;
	char got[64] = { 0 };
	struct err e;

	overlay_file(o, &f);
	assert_int_equal(f.size, strlen(want));
	for (size_t from = 0; from < f.size; from++)
		for (size_t n = 1; from + n <= f.size; n++) {
			memset(got, 0, sizeof(got));
			cb_ok(core_file_read(&f, from, got, n, &e), &e);
			assert_memory_equal(got, want + from, n);
		}
}

static void put(struct overlay *o, u64 off, const char *text)
{
	struct err e;

	cb_ok(overlay_put(o, off, text, strlen(text), &e), &e);
}

static void overlay_has_the_holes_of_its_file(void **state)
{
	enum { MIB = 1 << 20 };
	struct core_file file = { 0 }, f;
	struct overlay o;
	struct err e;
	char path[32];
	int fd = memfd_create("sparse", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 8 * MIB), 0);
	assert_int_equal(pwrite(fd, "x", 1, 4 * MIB), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cb_ok(core_file_open(&file, path, &e), &e);
	overlay_init(&o, &file, file.size);
	put(&o, 2 * MIB + 5, "y");
	put(&o, 9 * MIB, "z");
	cb_ok(overlay_settle(&o, &e), &e);
	overlay_file(&o, &f);
	assert_int_equal(core_file_next_data(&f, 0), 2 * MIB + 5);
	assert_int_equal(core_file_next_data(&f, 2 * MIB + 5), 2 * MIB + 5);
	assert_int_equal(core_file_next_data(&f, 2 * MIB + 6), 4 * MIB);
	assert_int_equal(core_file_next_data(&f, 5 * MIB), 9 * MIB);
	assert_int_equal(core_file_next_data(&f, 8 * MIB + 1), 9 * MIB);
	assert_int_equal(core_file_next_data(&f, 9 * MIB + 1), 9 * MIB + 1);
	/* What became shorter has no zeros there: it must be read to be found out. */
	assert_int_equal(ftruncate(fd, MIB), 0);
	assert_int_equal(core_file_next_data(&file, 5 * MIB), 5 * MIB);
	overlay_fini(&o);
	core_file_close(&file);
	close(fd);
}

static void overlay_lays_the_younger_over(void **state)
{
	struct buf b = { 0 };
	struct core_file file = { 0 };
	struct overlay o;
	struct err e;
	char path[32];
	int fd;

	(void)state;
	cb_ok(buf_add(&b, "abcdefghij", 10, &e), &e);
	fd = cb_file_of(&b, path);
	cb_ok(core_file_open(&file, path, &e), &e);
	overlay_init(&o, &file, 9);
	overlay_is(&o, "abcdefghi");
	put(&o, 6, "GH");
	put(&o, 1, "BCD");
	overlay_is(&o, "abcdefghi");
	cb_ok(overlay_settle(&o, &e), &e);
	overlay_is(&o, "aBCDefGHi");
	put(&o, 2, "-----");
	put(&o, 9, "end");
	put(&o, 8, "IJ");
	cb_ok(overlay_settle(&o, &e), &e);
	overlay_is(&o, "aB-----HIJnd");
	assert_int_equal(overlay_put(&o, UINT64_MAX - 1, "xxx", 3, &e), ERR_UNSUPPORTED);
	overlay_fini(&o);
	core_file_close(&file);
	close(fd);
	buf_fini(&b);
}

int main(void)
{
	static const struct damage none = { 0 }, tags = { .mte = true };
	struct CMUnitTest tests[ARRAY_SIZE(damages) + 16] = { { 0 } };
	char names[ARRAY_SIZE(damages)][96];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		snprintf(names[i], sizeof(names[i]), "repair %s: %s", damages[i].repair, damages[i].what);
		tests[n++] = (struct CMUnitTest){ .name = names[i], .test_func = damage_is_mended,
						  .initial_state = (void *)&damages[i] };
	}
#define TEST(fn, arg) tests[n++] = (struct CMUnitTest){ .name = #fn, .test_func = fn, .initial_state = (void *)(arg) }
	TEST(good_core_is_left_as_it_is, NULL);
	TEST(every_repair_has_a_damage, NULL);
	TEST(every_repair_is_told, NULL);
	TEST(file_table_is_read_from_its_names, NULL);
	TEST(every_truncation_is_mended, &none);
	TEST(every_truncation_is_mended, &tags);
	TEST(lost_count_of_many_segments, NULL);
	TEST(packed_core_is_unpacked, NULL);
	TEST(each_order_and_class_is_rescued, NULL);
	TEST(what_is_no_core_is_refused, NULL);
	TEST(program_is_no_core, NULL);
	TEST(cancelled_in_the_middle, NULL);
	TEST(random_damage_is_mended_once, NULL);
	TEST(overlay_has_the_holes_of_its_file, NULL);
	TEST(overlay_lays_the_younger_over, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("repair", tests, n, NULL, NULL);
}
