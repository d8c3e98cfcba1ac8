/* test_repair_lost.c - what a cut file lost is recorded, and no reader takes other bytes for it. */
#include "repairbuild.h"

/* @cb with what it has, repaired after it was cut to @len bytes, as @is. */
struct lost {
	struct repaired rep;
	struct buf out;
	struct core is;
};

static void repair_cut(struct cb *cb, size_t len, struct lost *l)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	*l = (struct lost){ 0 };
	cb_layout(cb);
	cb_write(cb, &b);
	b.len = min(b.len, len ? len : (size_t)cb->data_at[2] + CB_PAGE / 2);
	cb_ok(rb_repair(&b, &l->rep, &e), &e);
	rb_write_out(&l->rep, &l->out);
	rb_open_bytes(&l->out, &l->is);
	rb_repairs_nothing_more(&l->out);
	buf_fini(&b);
}

static void lost_fini(struct lost *l)
{
	core_close(&l->is);
	repair_close(&l->rep);
	buf_fini(&l->out);
}

static const GElf_Phdr *seg_at(const struct core *c, u64 addr)
{
	for (size_t i = 0; i < c->n_segs; i++)
		if (c->segs[i].p_type == PT_LOAD && c->segs[i].p_vaddr == addr)
			return &c->segs[i];
	fail_msg("no segment at 0x%llx", (unsigned long long)addr);
	return NULL;
}

struct seen {
	u64 start, end;
	size_t n;
};

static int see(const struct core_gap *g, void *arg, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (g->start > s->start || g->end <= s->start || g->tags)
		return 0;
	assert_true(g->lost);
	assert_non_null(strstr(g->reason, "lost: the file was cut short"));
	s->end = g->end;
	s->n++;
	return 0;
}

/* Said once, and as lost. */
static void expect_lost(const struct core *c, u64 start, u64 end)
{
	struct seen s = { .start = start };
	struct err e = { 0 };
	u64 until;

	cb_ok(core_gaps(c, see, &s, &e), &e);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.end, end);
	assert_int_equal(core_mem_state(c, start, &until), MEM_ABSENT);
	assert_int_equal(until, end);
}

/* Half of the heap's first page is left, and nothing of the stack. */
static void recorded_in_every_class_and_order(void **state)
{
	static const struct { u16 machine; struct elffmt fmt; } made[] = {
		{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
		{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC, { ELFCLASS32, ELFDATA2MSB } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		struct core_loss loss;
		struct err e = { 0 };
		struct lost l;
		struct cb cb;

		cb_good(&cb, made[i].machine, made[i].fmt);
		repair_cut(&cb, 0, &l);
		expect_lost(&l.is, CB_HEAP + CB_PAGE / 2, CB_HEAP + 2 * CB_PAGE);
		expect_lost(&l.is, CB_STACK, CB_STACK + 2 * CB_PAGE);
		cb_ok(core_loss(&l.is, &loss, &e), &e);
		assert_int_equal(loss.bytes, 3 * CB_PAGE + CB_PAGE / 2);
		assert_int_equal(loss.ranges, 2);
		assert_int_equal(loss.parts, 0);
		/* No reader finds memory without bytes there; of the text there still is. */
		assert_int_equal(seg_at(&l.is, CB_HEAP)->p_memsz, CB_PAGE / 2);
		assert_int_equal(seg_at(&l.is, CB_STACK)->p_memsz, 0);
		assert_int_equal(seg_at(&l.is, CB_TEXT)->p_memsz, 2 * CB_PAGE);
		assert_true(rb_has_finding(&l.rep.left, "tagcore-lost"));
		assert_int_equal(findings_count(&l.rep.left, CHECK_ERROR), 0);
		lost_fini(&l);
		cb_fini(&cb);
	}
}

/* Debuggers read a program's code from its file, but not what may have been written. */
static void file_note_ends_before_what_is_lost(void **state)
{
	const u64 longs[] = { 3, CB_PAGE, CB_TEXT, CB_TEXT + 2 * CB_PAGE, 3, CB_HEAP, CB_HEAP + 2 * CB_PAGE, 5,
			      CB_STACK, CB_STACK + 2 * CB_PAGE, 0 };
	static const u64 cuts[] = { CB_PAGE / 2, CB_PAGE + CB_PAGE / 2 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct cb_note *n;
		struct err e = { 0 };
		struct lost l;
		struct cb cb;

		cb_good(&cb, EM_X86_64, CB_LE64);
		n = cb_note_at(&cb, NT_FILE, 0);
		n->desc.len = 0;
		for (size_t k = 0; k < ARRAY_SIZE(longs); k++)
			cb_long(&cb, &n->desc, longs[k]);
		cb_ok(buf_add(&n->desc, "/bin/prog\0/bin/prog\0/dev/zero", 30, &e), &e);
		cb_layout(&cb);
		repair_cut(&cb, (size_t)(cb.data_at[2] + cuts[i]), &l);
		/* A page that is only partly there counts as lost. */
		assert_int_equal(l.is.n_maps, 1 + i);
		assert_int_equal(l.is.maps[0].end, CB_TEXT + 2 * CB_PAGE);
		assert_int_equal(l.is.maps[0].pgoff, 3 * CB_PAGE);
		if (i) {
			assert_int_equal(l.is.maps[1].start, CB_HEAP);
			assert_int_equal(l.is.maps[1].end, CB_HEAP + CB_PAGE);
			assert_int_equal(l.is.maps[1].pgoff, 5 * CB_PAGE);
			assert_true(core_text_is(l.is.maps[1].name, "/bin/prog"));
		}
		/* The name is not lost. */
		assert_non_null(memmem(l.out.p, l.out.len, "cut short (/dev/zero)\n", 22));
		lost_fini(&l);
		cb_fini(&cb);
	}
}

static void earlier_record_is_kept(void **state)
{
	static const char text[100] = "600010-600020 Input/output error\n+3 12288 more ranges";
	struct lost l;
	struct cb cb;

	(void)state;
	/* In the only segment of notes, and before others. */
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_note_add(&cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text));
	cb_note_add(&cb, "OTHER", 0x77, "abcdefgh", 8);
	repair_cut(&cb, 0, &l);
	assert_int_equal(l.is.n_note_segs, 1);
	assert_int_equal(l.is.n_notes, 10);
	assert_int_equal(l.is.n_threads, 2);
	assert_int_equal(l.is.more_missing, 3);
	assert_int_equal(l.is.n_missing, 3);
	assert_true(core_text_is(l.is.missing[0].reason, "Input/output error"));
	assert_non_null(core_note_find(&l.is, 0, "OTHER", 0x77));
	assert_true(rb_has_finding(&l.rep.left, "tagcore-gaps"));
	lost_fini(&l);
	cb_fini(&cb);
}

/* Its own segment at the end, which is cut off: what it said is a part that is lost. */
static void lost_record_is_recorded(void **state)
{
	static const char text[100] = "600010-600020 Input/output error\n";
	struct lost l;
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_note_add(&cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text));
	cb.n_late_notes = 1;
	repair_cut(&cb, 0, &l);
	assert_int_equal(l.is.n_note_segs, 2);
	assert_int_equal(l.is.n_missing, 2);
	assert_int_equal(l.is.n_missing_other, 1);
	assert_true(core_text_is(l.is.missing_other[0].reason, "lost: bytes of notes"));
	lost_fini(&l);
	cb_fini(&cb);
}

/* Twice cut and repaired: the second record has what the first one has. */
static void repaired_core_is_cut_again(void **state)
{
	struct lost l;
	struct cb cb;
	struct repaired rep = { 0 };
	struct buf cut = { 0 }, out = { 0 };
	struct core is = { 0 };
	struct err e = { 0 };

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	repair_cut(&cb, 0, &l);
	/* The bytes of the heap that were left, with the notes at the end. */
	cb_ok(buf_add(&cut, l.out.p, (size_t)cb.data_at[2], &e), &e);
	cb_ok(rb_repair(&cut, &rep, &e), &e);
	rb_write_out(&rep, &out);
	rb_open_bytes(&out, &is);
	/* With all notes; what is known of memory is what the headers still say. */
	assert_int_equal(is.n_missing_other, 1);
	expect_lost(&is, CB_HEAP, CB_HEAP + CB_PAGE / 2);
	assert_true(rb_has_finding(&rep.left, "thread-none"));
	core_close(&is);
	repair_close(&rep);
	buf_fini(&out);
	buf_fini(&cut);
	lost_fini(&l);
	cb_fini(&cb);
}

static void program_headers_are_parts(void **state)
{
	struct lost l;
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	repair_cut(&cb, sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) + 20, &l);
	assert_int_equal(l.is.n_segs, 2);
	assert_int_equal(l.is.n_missing_other, 2);
	assert_true(core_text_is(l.is.missing_other[0].reason, "lost: 2 of 4 program headers, and what they were of"));
	lost_fini(&l);
	cb_fini(&cb);
}

/* As Delve places it: at the end.  What is left of a cut core does not say that there was nothing. */
static void number_of_lost_headers_is_kept(void **state)
{
	struct lost l;
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_layout(&cb);
	cb.ehdr.e_phoff = cb.data_at[3] + 2 * CB_PAGE;
	{
		struct buf b = { 0 };
		struct err e = { 0 };

		cb_write(&cb, &b);
		memset(b.p + sizeof(Elf64_Ehdr), 0, 4 * sizeof(Elf64_Phdr));
		b.len -= CB_PAGE;
		l = (struct lost){ 0 };
		cb_ok(rb_repair(&b, &l.rep, &e), &e);
		rb_write_out(&l.rep, &l.out);
		rb_open_bytes(&l.out, &l.is);
		buf_fini(&b);
	}
	assert_true(rb_has_finding(&l.rep.left, "phdr-truncated"));
	assert_true(core_is_truncated(&l.is));
	lost_fini(&l);
	cb_fini(&cb);
}

static void core_without_notes_is_repaired(void **state)
{
	struct lost l;
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_layout(&cb);
	cb.segs[0].p_type = PT_NULL;
	{
		struct buf b = { 0 };
		struct err e = { 0 };

		cb_write(&cb, &b);
		b.len -= CB_PAGE;
		l = (struct lost){ 0 };
		cb_ok(rb_repair(&b, &l.rep, &e), &e);
		buf_fini(&b);
	}
	assert_true(rb_has_finding(&l.rep.left, "note-none"));
	lost_fini(&l);
	cb_fini(&cb);
}

/* Notes that are padded to 8 stay so. */
static void notes_padded_to_8(void **state)
{
	struct elffmt fmt = CB_LE64;
	struct buf b = { 0 };
	struct note_iter it;
	struct note n;
	struct err e = { 0 };

	(void)state;
	cb_ok(note_put_aligned(&b, fmt, 8, "TAGCORE", NT_TAGCORE_MISSING, "abc", 3, &e), &e);
	cb_ok(note_put_aligned(&b, fmt, 8, "CORE", NT_AUXV, "x", 1, &e), &e);
	assert_int_equal(b.len % 8, 0);
	note_iter_init(&it, (struct bytes){ .p = b.p, .len = b.len }, fmt, 8);
	assert_int_equal(note_next(&it, &n, &e), 1);
	assert_int_equal(n.desc.len, 3);
	assert_memory_equal(n.desc.p, "abc", 3);
	assert_int_equal(note_next(&it, &n, &e), 1);
	assert_string_equal(n.owner, "CORE");
	assert_int_equal(note_next(&it, &n, &e), 0);
	buf_fini(&b);
}

/* Segments at the top of all addresses end at 2^64, which the record can say. */
static void lost_up_to_the_last_byte(void **state)
{
	const u64 top = 0ULL - 2 * CB_PAGE;
	enum mem_state s = 99;
	struct err e = { 0 };
	struct lost l;
	struct cb cb;
	size_t n = 0;
	u8 byte[2];

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_seg_add(&cb, PT_LOAD, PF_R | PF_W, top, 2 * CB_PAGE, 2 * CB_PAGE);
	cb_layout(&cb);
	repair_cut(&cb, (size_t)cb.data_at[4] + 100, &l);
	expect_lost(&l.is, top + 100, UINT64_MAX);
	cb_ok(core_read(&l.is, UINT64_MAX, byte, 2, &s, &n, &e), &e);
	assert_int_equal(s, MEM_ABSENT);
	assert_int_equal(n, 1);
	assert_non_null(memmem(l.out.p, l.out.len, "-10000000000000000 lost: ", 25));
	lost_fini(&l);
	cb_fini(&cb);
}

/* A table elsewhere that is in use is not replaced by a stale one that looks as good. */
static void table_with_threads_stays_in_its_place(void **state)
{
	struct repaired rep = { 0 };
	struct buf b = { 0 }, head = { 0 };
	u8 table[4 * sizeof(Elf64_Phdr)];
	struct err e = { 0 };
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_layout(&cb);
	cb_write(&cb, &b);
	cb.ehdr.e_phoff = b.len;
	memcpy(table, b.p + sizeof(Elf64_Ehdr), sizeof(table));
	cb_ok(buf_add(&b, table, sizeof(table), &e), &e);
	cb_ok(elffmt_put_ehdr(cb.arch.fmt, &cb.ehdr, &head, &e), &e);
	memcpy(b.p, head.p, head.len);
	cb_ok(rb_repair(&b, &rep, &e), &e);
	for (size_t i = 0; i < rep.n_changes; i++)
		assert_string_not_equal(rep.changes[i].repair->id, "phdr-place");
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&head);
	cb_fini(&cb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_in_every_class_and_order),
		cmocka_unit_test(file_note_ends_before_what_is_lost),
		cmocka_unit_test(earlier_record_is_kept),
		cmocka_unit_test(lost_record_is_recorded),
		cmocka_unit_test(repaired_core_is_cut_again),
		cmocka_unit_test(program_headers_are_parts),
		cmocka_unit_test(number_of_lost_headers_is_kept),
		cmocka_unit_test(core_without_notes_is_repaired),
		cmocka_unit_test(notes_padded_to_8),
		cmocka_unit_test(lost_up_to_the_last_byte),
		cmocka_unit_test(table_with_threads_stays_in_its_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
