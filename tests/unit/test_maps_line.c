/* Lines of maps and smaps: what the kernel prints, and what it never would. */
#include "helper.h"
#include <elf.h>

#include "mm/maps_line.h"
#include "mm/vma_backend.h"

#define AREA "55d0c0000000-55d0c0002000 "

static void test_good_lines(void **state)
{
	static const struct {
		const char *line;
		struct vma v;
	} rows[] = {
		{ "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/dbus daemon",
		  { .start = 0x400000, .end = 0x452000, .pgoff = 0x1000, .ino = 173521, .dev_major = 8,
		    .dev_minor = 2, .flags = VM_READ | VM_EXEC, .name = "/usr/bin/dbus daemon" } },
		{ AREA "rw-s 00000000 00:01 1024 /dev/zero (deleted)",
		  { .start = 0x55d0c0000000, .end = 0x55d0c0002000, .ino = 1024, .dev_minor = 1,
		    .flags = VM_READ | VM_WRITE | VM_SHARED, .name = "/dev/zero (deleted)" } },
		{ AREA "---p 00000000 00:00 0 ",
		  { .start = 0x55d0c0000000, .end = 0x55d0c0002000 } },
		{ AREA "---p 00000000 00:00 0",
		  { .start = 0x55d0c0000000, .end = 0x55d0c0002000 } },
		{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
		  { .start = 0xffffffffff600000, .end = 0xffffffffff601000, .flags = VM_EXEC,
		    .name = "[vsyscall]" } },
		{ AREA "r--p fffffffffffff000 fffff:fffff 18446744073709551615 /a\\012b",
		  { .start = 0x55d0c0000000, .end = 0x55d0c0002000, .pgoff = 0xfffffffffffff000,
		    .ino = UINT64_MAX, .dev_major = 0xfffff, .dev_minor = 0xfffff, .flags = VM_READ,
		    .name = "/a\\012b" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = { 0 };
		struct vma v;

		assert_ok(maps_line_parse(rows[i].line, strlen(rows[i].line), &v, &e), &e);
		assert_same_vma(&v, &rows[i].v);
	}
}

static void test_bad_lines(void **state)
{
	static const char *const rows[] = {
		"",
		"\n",
		"-",
		"00400000",
		"00400000-",
		"00400000-00452000",
		"00400000-00452000 ",
		"00400000 00452000 r-xp 00000000 08:02 1",
		"-00400000-00452000 r-xp 00000000 08:02 1",
		"0x400000-0x452000 r-xp 00000000 08:02 1",
		"00400000-0045200G r-xp 00000000 08:02 1",
		"00400000-00452000 r-x  00000000 08:02 1",
		"00400000-00452000 rwx 00000000 08:02 1",
		"00400000-00452000 wr-p 00000000 08:02 1",
		"00400000-00452000 r-xq 00000000 08:02 1",
		"00400000-00452000 r-xpp 00000000 08:02 1",
		"00400000-00452000 r-xp  00000000 08:02 1",
		"00400000-00452000 r-xp 00000000 0802 1",
		"00400000-00452000 r-xp 00000000 08:02",
		"00400000-00452000 r-xp 00000000 08:02 ",
		"00400000-00452000 r-xp 00000000 08:02 1f",
		"00400000-00452000 r-xp 00000000 08:02 -1",
		"00400000-00452000 r-xp 00000000 08:02 18446744073709551616",
		"00400000-00452000 r-xp 00000000 08:100000000 1",
		"00400000-10000000000000000 r-xp 00000000 08:02 1",
		"00400000-00400000 r-xp 00000000 08:02 1",
		"00452000-00400000 r-xp 00000000 08:02 1",
		"00400001-00452000 r-xp 00000000 08:02 1",
		"00400000-00452010 r-xp 00000000 08:02 1",
		"00400000-00452000 r-xp 00000000 08:02\t1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = { 0 };
		struct vma v;

		if (maps_line_parse(rows[i], strlen(rows[i]), &v, &e) != ERR_INPUT)
			fail_msg("taken: \"%s\"", rows[i]);
		assert_int_equal(e.code, ERR_INPUT);
	}
	struct vma v;
	assert_int_equal(maps_line_parse("00400000-00452000 r-xp 00000000 08:02 1 a\0b", 43, &v, NULL),
			 ERR_INPUT);
}

/* Reads text as the areas of a process; the number of areas, or the error. */
static int read_text(int (*open)(struct mm *, struct proc_file *, struct err *), const char *text,
		     size_t len, struct vma_list *l, struct err *e)
{
	struct proc_file file = { .fd = text_fd(text, len), .pid = getpid(), .tid = getpid(),
				  .path = "text" };
	struct mm mm scoped(mm_close) = { 0 };
	int r = open(&mm, &file, e);

	if (!r)
		r = vma_snapshot(&mm, l, e);
	return r < 0 ? r : (int)l->n;
}

static void test_place_of_a_bad_line(void **state)
{
	static const struct {
		int (*open)(struct mm *, struct proc_file *, struct err *);
		const char *text;
		int code;
		const char *place;
	} rows[] = {
		{ vma_maps_open_file, AREA "rw-p 0 0:0 0\nrubbish\n", ERR_INPUT, "text: line 2: " },
		{ vma_maps_open_file, AREA "rw-p 0 0:0 0\n" AREA "rw", ERR_INPUT, "text: line 2 is cut short" },
		{ vma_maps_open_file, "", ERR_GONE, "" },
		{ vma_smaps_open_file, AREA "rw-p 0 0:0 0\nSwap: x kB\n", ERR_INPUT, "text: line 2: " },
		{ vma_smaps_open_file, AREA "rw-p 0 0:0 0\nSwap: 1\n", ERR_INPUT, "text: line 2: " },
		{ vma_smaps_open_file, AREA "rw-p 0 0:0 0\nAnonymous: 99999999999999999999 kB\n",
		  ERR_INPUT, "text: line 2: " },
		{ vma_smaps_open_file, AREA "rw-p 0 0:0 0\nRss: 1 kB\nNo colon\n", ERR_INPUT,
		  "text: line 3: " },
		{ vma_smaps_open_file, "Rss: 1 kB\n", ERR_INPUT, "text: line 1: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vma_list l scoped(vma_list_fini) = { 0 };
		struct err e = { 0 };

		assert_int_equal(read_text(rows[i].open, rows[i].text, strlen(rows[i].text), &l, &e),
				 rows[i].code);
		if (strncmp(e.msg, rows[i].place, strlen(rows[i].place)))
			fail_msg("\"%s\" does not begin with \"%s\"", e.msg, rows[i].place);
	}
}

static void test_smaps_keys(void **state)
{
	static const char text[] =
		"00400000-00402000 rw-p 00000000 00:00 0 \nRss:  8 kB\nAnonymous:   8 kB\nSwap: 4 kB\n"
		"Shared_Hugetlb:  2048 kB\nPrivate_Hugetlb: 4096 kB\n"
		"SwapPss: 16 kB\nTHPeligible:    0\nVmFlags: rd wr mr ?? dd io pf mm ht mt dc wf gd um ss ui ur \n"
		"00402000-00403000 rw-p 00000000 00:00 0 \nRss: 8 kB\nAnonymous: 8 kB\nSwap: 4 kB\n"
		"00403000-00404000 rw-p 00000000 08:01 7 /a b\nRss: 8 kB\nVmFlags: \n";
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_text(vma_smaps_open_file, text, sizeof(text) - 1, &l, &e), 3);
	assert_int_equal(l.v[0].flags, VM_READ | VM_WRITE | VM_KNOWN | VM_DONTDUMP | VM_IO | VM_PFNMAP |
			 VM_MIXEDMAP | VM_HUGETLB | VM_MTE | VM_DONTCOPY | VM_WIPEONFORK | VM_GROWSDOWN |
			 VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_RWP | VM_SHADOW_STACK);
	assert_int_equal(l.v[0].anon, 8192);
	assert_int_equal(l.v[0].swap, 4096);
	assert_int_equal(l.v[0].huge, 6 << 20);
	assert_int_equal(l.v[2].huge, 0);
	/* A kernel without VmFlags: nothing is known, and nothing is said. */
	assert_int_equal(l.v[1].flags, VM_READ | VM_WRITE);
	assert_int_equal(l.v[1].anon + l.v[1].swap, 0);
	assert_int_equal(l.v[2].flags, VM_READ | VM_WRITE | VM_KNOWN);
	assert_string_equal(l.v[2].name, "/a b");
}

/* Longer than any buffer that the reader begins with, between ordinary lines. */
static void test_long_line(void **state)
{
	enum { NAME = 300000 };
	struct buf text scoped(buf_fini) = { 0 };
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct err e = { 0 };
	u8 *name;

	(void)state;
	assert_ok(buf_printf(&text, &e, "00400000-00402000 rw-p 0 0:0 0 \n00402000-00403000 rw-p 0 8:1 5 /"), &e);
	assert_ok(buf_reserve(&text, NAME, &name, &e), &e);
	memset(name, 'n', NAME);
	text.len += NAME;
	assert_ok(buf_printf(&text, &e, "\n00403000-00404000 rw-p 0 0:0 0 [heap]\n"), &e);
	assert_int_equal(read_text(vma_maps_open_file, (char *)text.p, text.len, &l, &e), 3);
	assert_int_equal(strlen(l.v[1].name), NAME + 1);
	assert_string_equal(l.v[2].name, "[heap]");

	/* And one without end. */
	text.len = 0;
	assert_ok(buf_reserve(&text, 17 << 20, &name, &e), &e);
	memset(name, 'n', 17 << 20);
	assert_int_equal(read_text(vma_maps_open_file, (char *)name, 17 << 20, &l, &e), ERR_INPUT);
}

/* Each code is read as the flag that prints it. */
static void test_flags_both_ways(void **state)
{
	char text[VMA_FLAGS_MAX], perms[VMA_PERMS_MAX];
	u32 all = 0;

	(void)state;
	for (u32 flag = VM_KNOWN << 1; flag <= VM_UFFD_RWP; flag <<= 1) {
		assert_int_equal(strlen(vma_flags_text(flag, text)), 2);
		assert_int_equal(vma_flag_of(text), flag);
		all |= flag;
	}
	assert_string_equal(vma_flags_text(all, text), "dd,io,pf,mm,ht,mt,dc,wf,gd,um,ss,ui,ur");
	assert_string_equal(vma_flags_text(VM_DONTDUMP | VM_MTE | VM_KNOWN, text), "dd,mt");
	assert_string_equal(vma_flags_text(VM_READ | VM_KNOWN, text), "-");
	assert_string_equal(vma_flags_text(VM_READ, text), "?");
	assert_int_equal(vma_flag_of("rd"), 0);
	assert_string_equal(vma_perms(VM_READ | VM_EXEC, perms), "r-xp");
	assert_string_equal(vma_perms(VM_WRITE | VM_SHARED | VM_MTE, perms), "-w-s");
	assert_int_equal(vma_seg_flags(VM_READ | VM_SHARED), PF_R);
	assert_int_equal(vma_seg_flags(VM_WRITE | VM_EXEC | VM_KNOWN), PF_W | PF_X);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_place_of_a_bad_line),
		cmocka_unit_test(test_smaps_keys),
		cmocka_unit_test(test_flags_both_ways),
		cmocka_unit_test(test_long_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("maps_line", tests, NULL, NULL);
}
