#include "repairbuild.h"

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
static void map_heap(struct cb *cb)
{
	const u64 longs[] = { 2, CB_PAGE, CB_TEXT, CB_TEXT + 2 * CB_PAGE, 3, CB_HEAP, CB_HEAP + 2 * CB_PAGE, 5 };
	struct cb_note *n = cb_note_at(cb, NT_FILE, 0);
	struct err e;

	buf_fini(&n->desc);
	n->desc = (struct buf){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		cb_long(cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/bin/prog\0/bin/prog", 20, &e), &e);
}
static void cut_heap(struct cb *cb, struct buf *b) { b->len = cb->data_at[2] + 100; }
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
static void misaligned(struct cb *cb) { cb->segs[2].p_align = 0x200000; cb->segs[2].p_vaddr += 0x1000; }
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
static void zeros_after(struct cb *cb)
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
	{ "seg-cut", "seg-truncated", "100 bytes short", .bytes = cut_stack, .lossy = true },
	{ "seg-cut", "seg-truncated", "3 pages short", .bytes = cut_both, .lossy = true },
	{ "seg-cut", "seg-wrap", "offset", .late = wrap_offset, .lossy = true },
	{ "seg-cut", "seg-wrap", "size", .late = endless },
	{ "seg-cut", "seg-truncated", "tags", .bytes = cut_tags, .mte = true, .then = "mte-unsaved", .lossy = true },
	{ "seg-wrap", "seg-wrap", "memory", .late = wrap_memory },
	{ "seg-filesz", "seg-filesz", "less memory", .late = less_memory },
	{ "seg-filesz", "seg-filesz", "into the next", .notes = more_bytes },
	{ "seg-align", "seg-align", "0x3000", .late = odd_align },
	{ "seg-align", "seg-align", "not congruent", .late = misaligned },
	{ "seg-order", "seg-order", "swapped", .late = swap_loads },
	{ "note-align", "note-padding", "16", .late = notes_16 },
	{ "note-align", "note-malformed", "8 for 4", .late = notes_8, .hides = true },
	{ "note-cut", "note-malformed", "descriptor past the end", .bytes = long_desc, .then = "thread-sets", .lossy = true },
	{ "note-cut", "note-malformed", "half a note", .late = half_note, .then = "thread-sets", .lossy = true },
	{ "note-zeros", "note-owner", "after FILE", .notes = shorter_file, .bytes = file_size, .other_note = NT_FILE,
	  .hides = true },
	{ "note-zeros", "note-owner", "at the end", .notes = zeros_after, .bytes = zero_last },
	{ "note-missing", "note-malformed", "filling", .notes = late_missing, .late = half_missing, .then = "tagcore-gaps",
	  .other_note = NT_TAGCORE_MISSING, .hides = true },
	{ "lost-record", NULL, "half of the stack", .bytes = cut_both, .lossy = true },
	{ "lost-file", NULL, "a written mapping", .notes = map_heap, .bytes = cut_heap, .lossy = true, .other_note = NT_FILE },
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
	{ "mte-size", "mte-size", "a page more", .notes = tags_many, .mte = true, .then = "file-tail" },
	{ "mte-fields", "mte-fields", "flags and align", .late = tags_flags, .mte = true },
};

/* ---- what is not certain */

/* If areas overlap, the first header counts. */
static void overlap_unsorted(struct cb *cb)
{
	swap_loads(cb);
	cb->segs[2].p_memsz = CB_STACK - CB_HEAP + CB_PAGE;
}
static void owner_open(struct cb *cb, struct buf *b)
{
	/* The NUL of the spare note's owner, and padding of it. */
	note_at(cb, b, cb->n_notes - 1)[12 + 5] = 'X';
	dirty_owner(cb, b);
}
/* An area has the notes' bytes, too: to clean padding would be to change memory. */
static void shared_with_memory(struct cb *cb)
{
	cb->segs[2].p_offset = 0;
	cb->segs[2].p_filesz = CB_PAGE;
}
static void zeros_after_auxv(struct cb *cb)
{
	struct err e;

	cb_ok(buf_zero(&cb_note_at(cb, NT_AUXV, 0)->desc, 100, &e), &e);
}
static void auxv_size(struct cb *cb, struct buf *b)
{
	uint_put(cb->arch.fmt, note_at(cb, b, 3) + 4, 4, cb->notes[3].desc.len - 100);
}
static void no_thread(struct cb *cb)
{
	cb_note_drop(cb, cb_note_at(cb, NT_PRSTATUS, 1));
	cb_note_drop(cb, cb_note_at(cb, NT_PRSTATUS, 0));
}

/* The first header's bytes are no sign of where the headers end. */
static void xnum_unknown(struct cb *cb)
{
	GElf_Phdr notes = cb->segs[0];

	cb->segs[0] = cb->segs[1];
	cb->segs[1] = notes;
	cb->segs[0].p_offset = cb->segs[0].p_filesz = 0;
	cb->ehdr.e_phnum = PN_XNUM;
}

/* Found by @check before and after, and not touched by @repair. */
static const struct damage uncertain[] = {
	{ "seg-order", "seg-order", "areas overlap", .late = overlap_unsorted },
	{ "note-padding", "note-padding", "an owner is no string", .notes = spare_note, .bytes = owner_open },
	{ "note-padding", "note-padding", "bytes are memory's, too", .notes = spare_note, .late = shared_with_memory,
	  .bytes = dirty_owner },
	{ "note-zeros", "note-owner", "after AUXV", .notes = zeros_after_auxv, .bytes = auxv_size },
	{ "phdr-count", "phdr-xnum", "the number is not stated", .late = xnum_unknown },
	{ "seg-cut", "phdr-xnum", "what may be no header", .late = xnum_unknown },
	{ "phdr-count", "phdr-none", "no threads", .notes = no_thread, .late = no_phnum },
};

static void what_is_not_certain_is_left(void **state)
{
	const struct damage *d = *state;
	struct findings before = { 0 };
	struct repaired rep = { 0 };
	struct buf b = { 0 };
	struct err e = { 0 };
	struct cb cb;

	rb_build(d, &cb, &b);
	rb_check_bytes(&b, &before);
	assert_true(rb_has_finding(&before, d->check));
	cb_ok(rb_repair(&b, &rep, &e), &e);
	assert_true(rb_has_finding(&rep.left, d->check));
	for (size_t i = 0; i < rep.n_changes; i++)
		assert_string_not_equal(rep.changes[i].repair->id, d->repair);
	findings_fini(&before);
	repair_close(&rep);
	buf_fini(&b);
	cb_fini(&cb);
}

/* ---- tests */

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
	rb_build(&(struct damage){ .mte = d->mte, .notes = d->notes }, &cb, &good);
	rb_open_bytes(&good, core);
	buf_fini(&good);
	cb_fini(&cb);
}

/* What may be found where something is lost. */
static bool is_of_loss(const char *id)
{
	return !strcmp(id, "tagcore-lost") || !strcmp(id, "thread-stack");
}

static void damage_is_repaired(void **state)
{
	const struct damage *d = *state;
	struct findings before = { 0 }, after = { 0 };
	struct core was = { 0 }, is = { 0 };
	struct repaired rep = { 0 };
	struct buf b = { 0 }, out = { 0 };
	struct err e = { 0 };
	bool done = false;
	struct cb cb;

	rb_build(d, &cb, &b);
	rb_check_bytes(&b, &before);
	if (d->check)
		assert_true(rb_has_finding(&before, d->check));
	cb_ok(rb_repair(&b, &rep, &e), &e);
	for (size_t i = 0; i < rep.n_changes; i++)
		done |= !strcmp(rep.changes[i].repair->id, d->repair);
	assert_true(done);
	rb_write_out(&rep, &out);
	rb_check_bytes(&out, &after);
	assert_int_equal(after.n, rep.left.n);
	if (d->check)
		assert_false(rb_has_finding(&after, d->check));
	for (size_t i = 0; i < after.n; i++)
		if (!rb_has_finding(&before, after.f[i].check->id) && !(d->lossy && is_of_loss(after.f[i].check->id)) &&
		    (!d->then || strcmp(d->then, after.f[i].check->id)))
			fail_msg("new: %s: %s", after.f[i].check->id, after.f[i].msg);
	assert_int_equal(rb_has_finding(&after, "tagcore-lost"), d->lossy);
	open_before(d, &b, &was);
	rb_open_bytes(&out, &is);
	rb_same_memory(&was, &is);
	rb_same_notes(&was, &is, d->other_note);
	rb_repairs_nothing_more(&out);
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
		const char *const *check = repairs[i].found_by;

		/* What needs 65,535 segments, a packed file or checksums has a test of its own. */
		if (!strcmp(repairs[i].id, "phdr-xnum") || !strncmp(repairs[i].id, "packed-", 7) ||
		    !strncmp(repairs[i].id, "checksum-", 9))
			continue;
		do {
			bool found = false;

			for (size_t k = 0; k < ARRAY_SIZE(damages); k++)
				found |= !strcmp(repairs[i].id, damages[k].repair) &&
					 (!check || (damages[k].check && !strcmp(*check, damages[k].check)));
			/* Which of the two a lost number looks like depends on the file's length. */
			if (!found && !(check && !strcmp(*check, "phdr-truncated")))
				fail_msg("repair %s, check %s: no damage", repairs[i].id, check ? *check : "none");
		} while (check && *++check);
	}
}

static void every_repair_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_repairs; i++) {
		assert_non_null(repairs[i].what);
		assert_non_null(repairs[i].reference);
		assert_true(!repairs[i].apply != !repairs[i].apply_refused);
		for (const char *const *id = repairs[i].found_by; id && *id; id++) {
			bool found = false;

			for (size_t k = 0; k < n_checks; k++)
				found |= !strcmp(*id, checks[k].id);
			assert_true(found);
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(repairs[i].id, repairs[k].id);
	}
}

static size_t add_tests(struct CMUnitTest *tests, const struct damage *rows, size_t n, void (*fn)(void **))
{
	for (size_t i = 0; i < n; i++) {
		char *name = NULL;

		assert_true(asprintf(&name, "%s: %s", rows[i].repair, rows[i].what) > 0);
		tests[i] = (struct CMUnitTest){ .name = name, .test_func = fn, .initial_state = (void *)&rows[i] };
	}
	return n;
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(damages) + ARRAY_SIZE(uncertain) + 2] = {
		cmocka_unit_test(every_repair_has_a_damage),
		cmocka_unit_test(every_repair_is_described),
	};
	size_t n = 2;
	int r;

	n += add_tests(tests + n, damages, ARRAY_SIZE(damages), damage_is_repaired);
	n += add_tests(tests + n, uncertain, ARRAY_SIZE(uncertain), what_is_not_certain_is_left);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 2; i < n; i++)
		free((char *)tests[i].name);
	return r;
}
