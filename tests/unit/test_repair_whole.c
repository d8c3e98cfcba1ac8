#include "repairbuild.h"
#include "soak.h"

#include <signal.h>

#include <zlib.h>

static void good_core_is_left_as_it_is(void **state)
{
	static const struct damage none[] = { { 0 }, { .mte = true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		struct buf b = { 0 };
		struct cb cb;

		rb_build(&none[i], &cb, &b);
		rb_repairs_nothing_more(&b);
		buf_fini(&b);
		cb_fini(&cb);
	}
}

static void false_count(struct cb *cb)
{
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_FILE, 0)->desc.p, cb->arch.word, 1ULL << 61);
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
	rb_build(&(struct damage){ .notes = false_count }, &cb, &b);
	cb_ok(rb_repair(&b, &rep, &e), &e);
	repair_file(&rep, &file);
	cb_ok(core_open_file(&core, &file, "repaired", &e), &e);
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

/* Whatever was cut, it is said; memory is absent, where its program header is there. */
static void assert_loss(const struct core *good, const struct core *is, const struct buf *cut)
{
	static const u64 pages[] = { CB_TEXT, CB_HEAP, CB_HEAP + CB_PAGE, CB_STACK, CB_STACK + CB_PAGE };
	struct core_loss loss;
	struct err e = { 0 };

	cb_ok(core_loss(is, &loss, &e), &e);
	if (!loss.bytes && !loss.tagged && !loss.parts)
		fail_msg("%zu bytes: nothing is recorded as lost", cut->len);
	if (is->n_segs < good->n_segs)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 last = pages[i] + CB_PAGE - 1, until;
		const struct core_missing *m = core_missing_find(is, last);

		if (core_mem_state(is, last, &until) == MEM_PRESENT)
			continue;
		assert_int_equal(core_mem_state(is, last, &until), MEM_ABSENT);
		assert_non_null(m);
		assert_true(m->start <= last && core_missing_is_lost(m));
	}
}

static void assert_truncated(struct core *good, const struct buf *cut)
{
	struct repaired rep = { 0 };
	struct core was = { 0 }, is = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	if (rb_repair(cut, &rep, &e)) {
		/* A header that is cut is no header. */
		assert_true(cut->len < sizeof(Elf64_Ehdr));
		return;
	}
	for (size_t i = 0; i < rep.left.n; i++)
		if (rep.left.f[i].severity == CHECK_ERROR && !is_loss(rep.left.f[i].check->id))
			fail_msg("%zu bytes: %s: %s", cut->len, rep.left.f[i].check->id, rep.left.f[i].msg);
	rb_write_out(&rep, &out);
	rb_open_bytes(&out, &is);
	assert_false(core_is_truncated(&is) && is.n_segs);
	if (is.n_segs)
		assert_loss(good, &is, cut);
	rb_same_notes(good, &is, 0);
	rb_open_bytes(cut, &was);
	rb_same_memory(&was, &is);
	rb_repairs_nothing_more(&out);
	core_close(&was);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&out);
}

static void every_truncation_is_repaired(void **state)
{
	const struct damage *d = *state;
	struct core good = { 0 };
	struct buf b = { 0 };
	size_t step;
	struct cb cb;

	rb_build(d, &cb, &b);
	rb_open_bytes(&b, &good);
	for (size_t len = 0; len < b.len; len += step) {
		struct buf cut = { .p = b.p, .len = len };

		assert_truncated(&good, &cut);
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
	cb_ok(rb_repair(&b, &rep, &e), &e);
	assert_int_equal(findings_count(&rep.left, CHECK_ERROR), 0);
	rb_write_out(&rep, &out);
	rb_open_bytes(&out, &is);
	assert_int_equal(is.xnum, CORE_XNUM_GOOD);
	assert_int_equal(is.phnum, MANY + 4);
	assert_int_equal(is.n_threads, 2);
	assert_true(is.segs[3].p_filesz < 2 * CB_PAGE);
	rb_repairs_nothing_more(&out);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&out);
	cb_fini(&cb);
}

/* Zeros between the headers and the first bytes of a segment are no headers. */
static void lost_count_is_not_one_too_many(void **state)
{
	struct repaired rep = { 0 };
	struct core is = { 0 };
	struct core_file file;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct cb cb;

	(void)state;
	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_seg_add(&cb, PT_NULL, 0, 0, 0, 0);
	cb_layout(&cb);
	cb.segs[4] = (GElf_Phdr){ .p_type = PT_NULL };
	cb.data_len[4] = 0;
	cb.ehdr.e_phnum = PN_XNUM;
	cb_write(&cb, &b);
	cb_ok(rb_repair(&b, &rep, &e), &e);
	repair_file(&rep, &file);
	cb_ok(core_open_file(&is, &file, "repaired", &e), &e);
	assert_int_equal(is.phnum, 4);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&b);
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
	rb_build(&(struct damage){ 0 }, &cb, &b);
	pack(&b, &packed);
	cb_ok(rb_repair(&packed, &rep, &e), &e);
	assert_int_equal(rep.n_changes, 0);
	rb_write_out(&rep, &out);
	assert_int_equal(out.len, b.len);
	assert_memory_equal(out.p, b.p, b.len);
	repair_close(&rep);
	buf_fini(&out);

	packed.len -= packed.len / 4;
	cb_ok(rb_repair(&packed, &rep, &e), &e);
	assert_string_equal(rep.changes[0].repair->id, "packed-cut");
	assert_int_equal(findings_count(&rep.left, CHECK_ERROR), 0);
	rb_write_out(&rep, &out);
	assert_in_range(out.len, 1, b.len - 1);
	rb_open_bytes(&out, &is);
	assert_int_equal(is.n_threads, 2);
	rb_repairs_nothing_more(&out);
	core_close(&is);
	repair_close(&rep);
	buf_fini(&b);
	buf_fini(&packed);
	buf_fini(&out);
	cb_fini(&cb);
}

static void each_order_and_class_is_repaired(void **state)
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
		cb_ok(rb_repair(&b, &rep, &e), &e);
		rb_write_out(&rep, &out);
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
		assert_true(rb_repair(&b, &rep, &e) < 0);
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
	rb_build(&(struct damage){ 0 }, &cb, &b);
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

/* Headers and notes with a few bytes changed: no crash, and what is repaired needs no repair. */
static void random_damage_is_repaired_once(void **state)
{
	enum { SPOTS = 1600 };
	const size_t times = soak_or(200, 1500);
	u32 random = 1;
	struct cb cb;
	struct buf b = { 0 };

	(void)state;
	rb_build(&(struct damage){ .mte = true }, &cb, &b);
	for (size_t i = 0; i < times; i++) {
		struct buf bad = { 0 }, out = { 0 };
		struct repaired rep = { 0 };
		struct err e = { 0 };

		cb_ok(buf_add(&bad, b.p, b.len, &e), &e);
		for (u32 n = 1 + next_random(&random) % 4; n; n--)
			bad.p[next_random(&random) % SPOTS] = (u8)next_random(&random) & (n & 1 ? 0xff : 0x0f);
		if (!rb_repair(&bad, &rep, &e)) {
			rb_write_out(&rep, &out);
			rb_repairs_nothing_more(&out);
		}
		repair_close(&rep);
		buf_fini(&bad);
		buf_fini(&out);
	}
	buf_fini(&b);
	cb_fini(&cb);
}

int main(void)
{
	static struct damage none = { 0 }, tags = { .mte = true };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_core_is_left_as_it_is),
		cmocka_unit_test(file_table_is_read_from_its_names),
		cmocka_unit_test_prestate(every_truncation_is_repaired, &none),
		cmocka_unit_test_prestate(every_truncation_is_repaired, &tags),
		cmocka_unit_test(lost_count_of_many_segments),
		cmocka_unit_test(lost_count_is_not_one_too_many),
		cmocka_unit_test(packed_core_is_unpacked),
		cmocka_unit_test(each_order_and_class_is_repaired),
		cmocka_unit_test(what_is_no_core_is_refused),
		cmocka_unit_test(program_is_no_core),
		cmocka_unit_test(cancelled_in_the_middle),
		cmocka_unit_test(random_damage_is_repaired_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
