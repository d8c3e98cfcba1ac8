#include "corebuild.h"

#include "base/util.h"

static const struct elffmt fmts[] = {
	{ ELFCLASS64, ELFDATA2LSB }, { ELFCLASS64, ELFDATA2MSB },
	{ ELFCLASS32, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB },
};

static struct bytes window(const struct buf *b)
{
	return (struct bytes){ .p = b->p, .len = b->len, .off = 0x1000 };
}

static void notes_come_back(void **state)
{
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		struct buf b = { 0 };
		struct note_iter it;
		struct note n;

		cb_ok(note_put(&b, fmts[i], "CORE", 1, "abcde", 5, &e), &e);
		cb_ok(note_put(&b, fmts[i], "LINUX", 0x202, NULL, 0, &e), &e);
		assert_int_equal(b.len, 12 + 8 + 8 + 12 + 8);
		note_iter_init(&it, window(&b), fmts[i], 4);
		assert_int_equal(note_next(&it, &n, &e), 1);
		assert_string_equal(n.owner, "CORE");
		assert_int_equal(n.type, 1);
		assert_int_equal(n.desc.len, 5);
		assert_memory_equal(n.desc.p, "abcde", 5);
		assert_int_equal(n.off, 0x1000);
		assert_int_equal(n.desc.off, 0x1000 + 20);
		assert_int_equal(note_next(&it, &n, &e), 1);
		assert_string_equal(n.owner, "LINUX");
		assert_int_equal(n.type, 0x202);
		assert_int_equal(n.desc.len, 0);
		assert_int_equal(note_next(&it, &n, &e), 0);
		buf_fini(&b);
	}
}

/* One note: name of @namesz bytes, descriptor of @descsz, both said, whatever follows. */
static void raw_note(struct buf *b, u32 namesz, u32 descsz, const char *rest, size_t len)
{
	u8 hdr[12];
	struct err e;

	uint_put(CB_LE64, hdr, 4, namesz);
	uint_put(CB_LE64, hdr + 4, 4, descsz);
	uint_put(CB_LE64, hdr + 8, 4, 7);
	cb_ok(buf_add(b, hdr, 12, &e), &e);
	cb_ok(buf_add(b, rest, len, &e), &e);
}

static void padding_of_8_is_followed(void **state)
{
	struct buf b = { 0 };
	struct note_iter it;
	struct note n;
	struct err e = { 0 };

	(void)state;
	/* 12 + 5 end at 17: padded to 24, where 4 bytes stand, padded to 32. */
	raw_note(&b, 5, 4, "CORE\0\0\0\0\0\0\0\0" "four\0\0\0\0", 20);
	raw_note(&b, 5, 0, "CORE\0\0\0\0\0\0\0\0", 12);
	note_iter_init(&it, window(&b), CB_LE64, 8);
	assert_int_equal(note_next(&it, &n, &e), 1);
	assert_memory_equal(n.desc.p, "four", 4);
	assert_int_equal(note_next(&it, &n, &e), 1);
	assert_int_equal(n.off, 0x1000 + 32);
	assert_int_equal(note_next(&it, &n, &e), 0);
	buf_fini(&b);
}

static void expect_bad(u32 namesz, u32 descsz, size_t len)
{
	struct buf b = { 0 };
	struct note_iter it;
	struct note n;
	struct err e = { 0 };

	raw_note(&b, namesz, descsz, "CORE\0\0\0\0abcd", len);
	note_iter_init(&it, window(&b), CB_LE64, 4);
	assert_true(note_next(&it, &n, &e) < 0);
	buf_fini(&b);
}

static void what_does_not_fit_is_an_error(void **state)
{
	(void)state;
	expect_bad(5, 5, 12);
	expect_bad(5, 0xffffffff, 12);
	expect_bad(0xffffffff, 4, 12);
	expect_bad(0xffffffff, 0xffffffff, 12);
	expect_bad(13, 0, 12);
	expect_bad(5, 0, 0);
}

static void owner_cannot_drive_a_terminal(void **state)
{
	struct buf b = { 0 };
	struct note_iter it;
	struct note n;
	struct err e = { 0 };

	(void)state;
	raw_note(&b, 40, 0, "\033[2Jabcdefghijklmnopqrstuvwxyz0123456789", 40);
	note_iter_init(&it, window(&b), CB_LE64, 4);
	assert_int_equal(note_next(&it, &n, &e), 1);
	assert_string_equal(n.owner, "?[2Jabcdefghijklmnopqrstuvwxyz0");
	buf_fini(&b);
}

static void sizes_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(prstatus_size(arch_find(EM_X86_64, CB_LE64, 0)), 336);
	assert_int_equal(prstatus_size(arch_find(EM_AARCH64, CB_LE64, 0)), 392);
	assert_int_equal(prpsinfo_size(arch_find(EM_X86_64, CB_LE64, 0)), 136);
	assert_int_equal(prpsinfo_size(arch_find(EM_AARCH64, CB_LE64, 0)), 136);
}

static void prstatus_comes_back(void **state)
{
	u8 regs[64];
	struct err e = { 0 };

	(void)state;
	memset(regs, 0x5a, sizeof(regs));
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		struct arch a = cb_arch(CB_NO_MACHINE, fmts[i], 0);
		struct prstatus in = { .si_signo = 6, .si_code = -6, .si_errno = -1, .cursig = 11, .sigpend = 0x80000001,
				       .sighold = 5, .pid = 100, .ppid = -1, .pgrp = 3, .sid = 4, .utime = { 5, 6 },
				       .stime = { 7, 8 }, .cutime = { 9, 10 }, .cstime = { 11, -12 }, .fpvalid = 1,
				       .regs = { .p = regs, .len = a.gregs.size } };
		struct prstatus out;
		struct buf b = { 0 };

		cb_ok(prstatus_put(&a, &in, &b, &e), &e);
		assert_int_equal(b.len, prstatus_size(&a));
		cb_ok(prstatus_get(&a, window(&b), &out, &e), &e);
		assert_int_equal(out.regs.len, a.gregs.size);
		assert_memory_equal(out.regs.p, regs, a.gregs.size);
		out.regs = in.regs;
		assert_memory_equal(&out, &in, offsetof(struct prstatus, fpvalid) + sizeof(in.fpvalid));
		b.len--;
		assert_int_equal(prstatus_get(&a, window(&b), &out, &e), ERR_TRUNCATED);
		buf_fini(&b);
	}
}

static void prpsinfo_comes_back(void **state)
{
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		struct arch a = cb_arch(CB_NO_MACHINE, fmts[i], 0);
		struct prpsinfo in = { .state = 2, .sname = 'D', .zomb = 1, .nice = -20, .flag = 0x400100, .uid = 65534,
				       .gid = 7, .pid = 1, .ppid = 2, .pgrp = 3, .sid = 4,
				       .fname = "sixteen letters!", .psargs = "a b c" };
		struct prpsinfo out;
		struct buf b = { 0 };

		cb_ok(prpsinfo_put(&a, &in, &b, &e), &e);
		assert_int_equal(b.len, prpsinfo_size(&a));
		cb_ok(prpsinfo_get(&a, window(&b), &out, &e), &e);
		assert_string_equal(out.fname, "sixteen letters!");
		assert_string_equal(out.psargs, "a b c");
		assert_int_equal(out.nice, -20);
		assert_int_equal(out.flag, 0x400100);
		assert_int_equal(out.uid, 65534);
		assert_int_equal(out.sid, 4);
		buf_fini(&b);
	}
}

static void kinds_are_found(void **state)
{
	(void)state;
	assert_string_equal(note_kind_find("CORE", NT_PRSTATUS)->name, "NT_PRSTATUS");
	assert_true(note_kind_find("CORE", NT_PRSTATUS)->per_thread);
	assert_false(note_kind_find("CORE", NT_FILE)->per_thread);
	assert_null(note_kind_find("OTHER", NT_PRSTATUS));
	for (size_t i = 0; i < n_note_kinds; i++)
		assert_ptr_equal(note_kind_find(note_kinds[i].owner, note_kinds[i].type), &note_kinds[i]);
}

static void file_note(struct buf *b, struct elffmt fmt, unsigned word, u64 unit)
{
	const u64 longs[] = { 2, unit, 0x1000, 0x3000, 1, 0x5000, 0x6000, 7 };
	struct err e;
	u8 raw[8];

	for (size_t i = 0; i < ARRAY_SIZE(longs); i++) {
		uint_put(fmt, raw, word, longs[i]);
		cb_ok(buf_add(b, raw, word, &e), &e);
	}
	cb_ok(buf_add(b, "/bin/a\0/bin/b", 14, &e), &e);
}

static void expect_file(struct elffmt fmt, unsigned word, u64 unit)
{
	struct buf b = { 0 };
	struct ntfile_iter it;
	struct core_map m;
	struct err e = { 0 };

	file_note(&b, fmt, word, unit);
	cb_ok(ntfile_iter_init(&it, window(&b), fmt, &e), &e);
	assert_int_equal(it.count, 2);
	assert_int_equal(ntfile_next(&it, &m, &e), 1);
	assert_int_equal(m.start, 0x1000);
	assert_int_equal(m.end, 0x3000);
	assert_int_equal(m.pgoff, unit);
	assert_true(core_text_is(m.name, "/bin/a"));
	assert_int_equal(ntfile_next(&it, &m, &e), 1);
	assert_int_equal(m.pgoff, 7 * unit);
	assert_true(core_text_is(m.name, "/bin/b"));
	assert_int_equal(ntfile_next(&it, &m, &e), 0);
	/* The last name's NUL is not there. */
	b.len--;
	cb_ok(ntfile_iter_init(&it, window(&b), fmt, &e), &e);
	assert_int_equal(ntfile_next(&it, &m, &e), 1);
	assert_true(ntfile_next(&it, &m, &e) < 0);
	buf_fini(&b);
}

static void file_notes_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fmts); i++) {
		expect_file(fmts[i], fmts[i].class == ELFCLASS64 ? 8 : 4, 4096);
		expect_file(fmts[i], fmts[i].class == ELFCLASS64 ? 8 : 4, 1);
		/* MIPS o32 and n32 from a 64-bit kernel. */
		expect_file(fmts[i], 8, 4096);
	}
}

static struct core_text text(const char *s)
{
	return (struct core_text){ .p = s, .len = strlen(s) };
}

static void tagcore_lines_are_strict(void **state)
{
	static const char *const bad_areas[] = {
		"", "1000-2000", "1000-2000 rw-p 0 - whole", "2000-1000 rw-p 0 - whole x n",
		"1000-10000000000000001 rw-p 0 - whole x n", "1000-2000 rwp 0 - whole x n",
		"1000-2000 rw-p z - whole x n", "-2000 rw-p 0 - whole x n", "0x1000-0x2000 rw-p 0 - whole x n",
	};
	struct core_noted_area a;
	struct core_missing m;
	struct core_thread t;
	struct err e;

	(void)state;
	assert_int_equal(areas_line_parse(text("1000-2000 rw-s 3000 dd,mt omit dontdump a name"), 0, &a, &e), 0);
	assert_int_equal(a.pgoff, 0x3000);
	assert_int_equal(a.flags, VM_READ | VM_WRITE | VM_SHARED | VM_KNOWN | VM_DONTDUMP | VM_MTE);
	assert_true(core_text_is(a.rule, "dontdump"));
	assert_true(core_text_is(a.name, "a name"));
	assert_int_equal(areas_line_parse(text("1000-2000 rw-s 3000 - omit dontdump"), 0, &a, &e), 0);
	assert_int_equal(a.name.len, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_areas); i++)
		assert_int_equal(areas_line_parse(text(bad_areas[i]), 0, &a, &e), ERR_INPUT);
	assert_int_equal(missing_line_parse(text("1000-2000 why not"), 0, &m, &e), 0);
	assert_true(core_text_is(m.reason, "why not"));
	assert_int_equal(missing_line_parse(text("+5 4096 more ranges"), 0, &m, &e), 1);
	assert_int_equal(m.start, 5);
	assert_int_equal(missing_line_parse(text("+5"), 0, &m, &e), ERR_INPUT);
	assert_int_equal(threads_line_parse(text("12 S a b"), 0, &t, &e), 0);
	assert_int_equal(t.tid, 12);
	assert_true(core_text_is(t.name, "a b"));
	assert_int_equal(threads_line_parse(text("4294967297 S a"), 0, &t, &e), ERR_INPUT);
	assert_int_equal(threads_line_parse(text("12 SS a"), 0, &t, &e), ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_come_back),
		cmocka_unit_test(padding_of_8_is_followed),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(owner_cannot_drive_a_terminal),
		cmocka_unit_test(sizes_are_the_kernels),
		cmocka_unit_test(prstatus_comes_back),
		cmocka_unit_test(prpsinfo_comes_back),
		cmocka_unit_test(kinds_are_found),
		cmocka_unit_test(file_notes_are_read),
		cmocka_unit_test(tagcore_lines_are_strict),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
