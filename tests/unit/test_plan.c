#include "cmocka_all.h"

#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/plan.h"

enum { R = VM_READ, W = VM_WRITE, X = VM_EXEC, S = VM_SHARED, K = VM_KNOWN };
enum { DEFAULT = 0x33, PAGE = 4096, LEN = 3 * PAGE };

/* One area, one decision; at least one row per rule, named after it. */
static const struct row {
	const char *rule;
	enum plan_action action;
	u32 flags;
	const char *name;
	u64 anon;
	u32 file;
	u64 pgoff;
	u32 filter;
	bool all;
	const char *select;	/* "+glob" or "-glob" */
	bool stacks;
	bool files_at_hand;
	bool has_range;		/* --stacks has found something in this area */
} rows[] = {
	{ .rule = "vsyscall", .flags = X, .name = "[vsyscall]", .all = true },
	/* Linux up to 6.x; 7.3; 32-bit Arm; and of a time to come. */
	{ .rule = "vvar", .flags = R | VM_IO | VM_PFNMAP | VM_DONTDUMP, .name = "[vvar]", .all = true },
	{ .rule = "vvar", .flags = R | VM_MIXEDMAP | VM_DONTDUMP, .name = "[vvar]", .all = true },
	{ .rule = "vvar", .flags = R, .name = "[vvar]", .select = "+*" },
	{ .rule = "vvar", .flags = R | VM_IO | VM_PFNMAP | VM_DONTDUMP, .name = "[vvar_vclock]" },
	{ .rule = "vvar", .flags = R, .name = "[vvar_to_come]", .stacks = true, .has_range = true },
	{ .rule = "special-io", .flags = X | VM_IO | VM_DONTCOPY, .name = "[uprobes]", .all = true },
	{ .rule = "special-io", .flags = R | X | VM_IO | VM_DONTCOPY, .name = "[uprobes-trampoline]" },
	{ .rule = "excluded", .flags = R | W, .name = "[heap]", .anon = PAGE, .select = "-[heap]" },
	{ .rule = "excluded", .flags = R | X, .name = "[vdso]", .select = "-*" },
	{ .rule = "io", .flags = R | W | S | VM_IO, .name = "/dev/dri/card0", .all = true },
	{ .rule = "io", .flags = R | W | S | VM_IO, .name = "/dev/dri/card0", .select = "+*" },
	{ .rule = "reserved", .flags = 0, .all = true },
	{ .rule = "private-anon", .action = PLAN_TOUCHED, .flags = 0, .anon = PAGE },
	{ .rule = "included-anon", .action = PLAN_TOUCHED, .flags = R | W | VM_DONTDUMP, .name = "[anon:keys]",
	  .select = "+[[]anon:*" },
	{ .rule = "included", .action = PLAN_WHOLE, .flags = R | X, .name = "/lib/libc.so", .select = "+/lib/*" },
	{ .rule = "vdso", .action = PLAN_WHOLE, .flags = R | X | VM_DONTDUMP, .name = "[vdso]", .filter = 1u << 31 },
	{ .rule = "vdso", .action = PLAN_WHOLE, .flags = R | X, .name = "[vdso]", .stacks = true },
	{ .rule = "vdso", .action = PLAN_WHOLE, .flags = R | X, .name = "[vectors]" },
	{ .rule = "vdso", .action = PLAN_WHOLE, .flags = R | X, .name = "[to come]" },
	{ .rule = "private-anon", .action = PLAN_TOUCHED, .flags = R | W, .name = "[stack:17]" },
	{ .rule = "private-anon", .action = PLAN_TOUCHED, .flags = R | W, .name = "[anon:[vvar]]" },
	{ .rule = "stack", .action = PLAN_TOUCHED, .flags = R | W, .name = "[stack]", .stacks = true, .has_range = true },
	{ .rule = "stack-file", .action = PLAN_WHOLE, .flags = R, .name = "/f", .anon = PAGE, .stacks = true, .has_range = true },
	{ .rule = "stack-code", .action = PLAN_WHOLE, .flags = R | X, .name = "/f (deleted)", .pgoff = PAGE,
	  .file = AREA_FILE_ELF | AREA_FILE_UNLINKED, .stacks = true },
	{ .rule = "stack-code", .action = PLAN_WHOLE, .flags = R, .name = "/f", .pgoff = PAGE,
	  .file = AREA_FILE_ELF | AREA_FILE_ELSEWHERE, .stacks = true },
	{ .rule = "stack-code", .action = PLAN_WHOLE, .flags = R, .name = "/f (deleted)", .pgoff = PAGE,
	  .file = AREA_FILE_ELF | AREA_FILE_UNLINKED | AREA_FILE_ELSEWHERE, .stacks = true, .files_at_hand = true },
	{ .rule = "stack-rest", .flags = R, .name = "/f", .pgoff = PAGE, .file = AREA_FILE_ELF | AREA_FILE_ELSEWHERE, .stacks = true,
	  .files_at_hand = true },
	{ .rule = "stack-header", .action = PLAN_FIRST_PAGE, .flags = R, .name = "/f", .file = AREA_FILE_ELF,
	  .filter = 1u << 31, .stacks = true },
	{ .rule = "stack-rest", .flags = R | W, .anon = PAGE, .stacks = true },
	{ .rule = "stack-rest", .flags = R | W | VM_DONTDUMP, .anon = PAGE, .stacks = true, .has_range = true },
	{ .rule = "stack-rest", .flags = R | W, .name = "/f (deleted)", .file = AREA_FILE_ELF | AREA_FILE_UNLINKED,
	  .pgoff = PAGE, .stacks = true },
	{ .rule = "private-anon", .action = PLAN_TOUCHED, .flags = R | W, .has_range = true },
	{ .rule = "all-anon", .action = PLAN_TOUCHED, .flags = R | W | VM_DONTDUMP, .all = true },
	{ .rule = "all", .action = PLAN_WHOLE, .flags = R, .name = "/x", .all = true },
	{ .rule = "filtered", .flags = 0, .name = "/x", .all = true },
	{ .rule = "secret", .flags = R | W | VM_SHARED | VM_DONTDUMP, .name = "/secretmem (deleted)" },
	{ .rule = "dontdump", .flags = R | W | VM_DONTDUMP, .anon = PAGE },
	{ .rule = "dontdump", .flags = R | W | VM_HUGETLB | VM_DONTDUMP, .name = "/anon_hugepage (deleted)", .anon = PAGE },
	{ .rule = "dax-shared", .action = PLAN_WHOLE, .flags = R | S, .name = "/d", .file = AREA_FILE_DAX, .filter = 0x100 },
	{ .rule = "dax-private", .action = PLAN_WHOLE, .flags = R, .name = "/d", .file = AREA_FILE_DAX, .filter = 0x80 },
	{ .rule = "dax-filtered", .flags = R | W, .name = "/d", .anon = PAGE, .file = AREA_FILE_DAX },
	{ .rule = "hugetlb-shared", .action = PLAN_WHOLE, .flags = R | S | VM_HUGETLB, .name = "/h", .filter = 0x40 },
	{ .rule = "hugetlb-anon", .action = PLAN_TOUCHED, .flags = R | W | VM_HUGETLB, .name = "/anon_hugepage (deleted)" },
	{ .rule = "hugetlb-private", .action = PLAN_WHOLE, .flags = R | W | VM_HUGETLB, .name = "/mnt/huge/x" },
	{ .rule = "hugetlb-filtered", .flags = R | S | VM_HUGETLB, .name = "/h" },
	{ .rule = "shared-anon", .action = PLAN_WHOLE, .flags = R | W | S, .name = "/dev/zero (deleted)",
	  .file = AREA_FILE_UNLINKED },
	{ .rule = "shared-mapped", .action = PLAN_WHOLE, .flags = R | S, .name = "/f", .filter = 8 },
	{ .rule = "shared-filtered", .flags = R | S, .name = "/f" },
	{ .rule = "shared-filtered", .flags = R | W | S, .name = "/dev/zero (deleted)", .file = AREA_FILE_UNLINKED, .filter = 0x31 },
	{ .rule = "private-anon", .action = PLAN_TOUCHED, .flags = R | W, .name = "[stack]" },
	{ .rule = "private-written", .action = PLAN_WHOLE, .flags = R | W, .name = "/f", .anon = PAGE },
	{ .rule = "private-mapped", .action = PLAN_WHOLE, .flags = R, .name = "/f", .filter = 4 },
	{ .rule = "elf-header", .action = PLAN_FIRST_PAGE, .flags = R, .name = "/f", .file = AREA_FILE_ELF },
	{ .rule = "elf-header", .action = PLAN_FIRST_PAGE, .flags = R, .name = "/f", .file = AREA_FILE_EXEC },
	{ .rule = "elf-header", .action = PLAN_FIRST_PAGE, .flags = R, .name = "/f", .file = AREA_FILE_UNKNOWN },
	{ .rule = "filtered", .flags = R, .name = "/f", .file = AREA_FILE_ELF, .pgoff = PAGE },
	{ .rule = "filtered", .flags = R, .name = "/f", .file = AREA_FILE_ELF, .filter = 1 },
	{ .rule = "filtered", .flags = R, .name = "/f" },
	{ .rule = "filtered", .flags = R | W, .anon = PAGE, .filter = 1u << 31 },
};

static void run_row(const struct row *row)
{
	struct vma v = { .start = 0x10000, .end = 0x10000 + LEN, .flags = row->flags | K, .name = row->name,
			 .anon = row->anon, .pgoff = row->pgoff, .ino = row->name && row->name[0] == '/' ? 1 : 0 };
	struct area area = { .vma = &v, .file = row->file };
	struct areas areas = { .v = &area, .n = 1 };
	struct plan_select sel = { .include = row->select && row->select[0] == '+',
				   .glob = row->select ? row->select + 1 : NULL };
	/* The first before it, the second in the middle of it. */
	struct plan_range ranges[] = { { 0x1000, 0x10000 }, { 0x10000 + PAGE, 0x10000 + 2 * PAGE } };
	struct plan_opts o = { .filter = row->filter ? row->filter : DEFAULT, .all = row->all, .page_size = PAGE,
			       .stacks = row->stacks, .files_at_hand = row->files_at_hand, .ranges = { .v = ranges, .n = row->has_range ? 2 : 1 },
			       .select = &sel, .n_select = row->select ? 1 : 0 };
	struct plan p scoped(plan_free) = { 0 };
	struct err e;

	assert_int_equal(plan_make(&areas, &o, &p, &e), 0);
	assert_string_equal(p.v[0].rule->name, row->rule);
	assert_int_equal(p.v[0].action, row->action);
	assert_int_equal(p.v[0].filesz, row->action == PLAN_OMIT ? 0 : row->action == PLAN_FIRST_PAGE ? PAGE : LEN);
}

static void decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# row %zu: %s\n", i, rows[i].rule);
		run_row(&rows[i]);
	}
}

static void every_rule_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_plan_rules; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			found |= !strcmp(rows[k].rule, plan_rules[i].name);
		if (!found)
			fail_msg("rule %s is not tested", plan_rules[i].name);
	}
}

static void last_selection_decides(void **state)
{
	struct vma v = { .start = 0x10000, .end = 0x20000, .flags = R | W | K };
	struct area area = { .vma = &v };
	struct areas areas = { .v = &area, .n = 1 };
	struct plan_select sel[2];
	struct plan_opts o = { .filter = DEFAULT, .page_size = PAGE, .select = sel, .n_select = 2 };
	struct err e;

	(void)state;
	assert_int_equal(plan_select_parse("0x10000-0x20000", false, &sel[0], &e), 0);
	assert_int_equal(plan_select_parse("1f000-30000", true, &sel[1], &e), 0);
	for (int i = 0; i < 2; i++) {
		struct plan p scoped(plan_free) = { 0 };

		o.n_select = i ? 1 : 2;
		assert_int_equal(plan_make(&areas, &o, &p, &e), 0);
		assert_string_equal(p.v[0].rule->name, i ? "excluded" : "included-anon");
	}
}

static void selections(void **state)
{
	struct plan_select s;
	struct err e;

	(void)state;
	assert_int_equal(plan_select_parse("/lib/*-2.so", true, &s, &e), 0);
	assert_string_equal(s.glob, "/lib/*-2.so");
	assert_int_equal(plan_select_parse("2000-1000", true, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("1000-1000", true, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("", true, &s, &e), ERR_USAGE);
	/* Neither ranges nor names. */
	assert_int_equal(plan_select_parse("7f00-", false, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("-7f00", false, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("zz-yy", false, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("0x-0x1000", false, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("1000-2000-3000", false, &s, &e), ERR_USAGE);
	assert_int_equal(plan_select_parse("1000-11112222333344445", false, &s, &e), ERR_USAGE);
}

/* A name that is equal, a name in brackets, a glob: whatever fnmatch(3) makes of the brackets. */
static void names(void **state)
{
	static const struct { const char *what, *name; bool matches; } names[] = {
		{ "[heap]", "[heap]", true },
		{ "[heap]", "h", true },	/* a class, to fnmatch(3) */
		{ "[heap]", "[stack]", false },
		{ "[anon:secret]", "[anon:secret]", true },
		{ "[anon:secret]", "[anon:secrets]", false },
		{ "[anon:*]", "[anon:a b]", true },
		{ "[anon:*]", "[heap]", false },
		{ "[*]", "[stack]", true },
		{ "[*]", "/lib/x", false },
		{ "*[stack]*", "/a/k", true },
		{ "/tmp/a[b]c", "/tmp/a[b]c", true },
		{ "/tmp/a[b]c", "/tmp/abc", true },
		{ "/tmp/*", "/tmp/a/b (deleted)", true },
		{ "/tmp/a\\*", "/tmp/a*", true },
		{ "/tmp/a", "/tmp/a/b", false },
		{ "*", NULL, true },
		{ "?", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct plan_select s = { .glob = names[i].what };
		struct vma v = { .start = 0x1000, .end = 0x2000, .name = names[i].name };

		print_message("# %s of %s\n", names[i].what, names[i].name ? names[i].name : "no name");
		assert_int_equal(plan_select_matches(&s, &v), names[i].matches);
	}
}

static void effects(void **state)
{
	struct vma v[] = {
		{ .start = 0x1000, .end = 0x2000, .flags = R | W | K, .name = "[heap]" },
		{ .start = 0x2000, .end = 0x3000, .flags = R | VM_IO | K, .name = "/dev/x" },
	};
	struct area area[] = { { .vma = &v[0] }, { .vma = &v[1] } };
	struct areas areas = { .v = area, .n = 2 };
	static const struct { const char *what; bool include; enum plan_select_effect effect; } cases[] = {
		{ "[heap]", false, PLAN_SELECT_DONE },
		{ "[heap]", true, PLAN_SELECT_DONE },
		{ "[stack]", false, PLAN_SELECT_NOTHING },
		{ "[stack]", true, PLAN_SELECT_NOTHING },
		{ "3000-4000", false, PLAN_SELECT_NOTHING },
		{ "1fff-2000", true, PLAN_SELECT_DONE },
		{ "/dev/x", false, PLAN_SELECT_DONE },
		{ "/dev/x", true, PLAN_SELECT_REFUSED },
		{ "*", true, PLAN_SELECT_DONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan p scoped(plan_free) = { 0 };
		struct plan_select s;
		struct plan_opts o = { .filter = DEFAULT, .page_size = PAGE, .select = &s, .n_select = 1 };
		const char *why;
		struct err e;

		print_message("# %s\n", cases[i].what);
		assert_int_equal(plan_select_parse(cases[i].what, cases[i].include, &s, &e), 0);
		assert_int_equal(plan_make(&areas, &o, &p, &e), 0);
		assert_int_equal(plan_select_effect(&s, &areas, &p, &o, &why), cases[i].effect);
		assert_true((why != NULL) == (cases[i].effect == PLAN_SELECT_REFUSED));
	}
}

/* Cutting an area keeps every byte in exactly one piece. */
static void split(void **state)
{
	static const u64 at[] = { 0x800, 0x2000, 0x2000, 0x5000, 0x9000 };
	struct areas a scoped(areas_fini) = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(vma_list_add(&a.list, &(struct vma){ .start = 0x1000, .end = 0x5000, .ino = 1, .pgoff = 0x7000, .name = "/f" }, &e), 0);
	assert_int_equal(vma_list_add(&a.list, &(struct vma){ .start = 0x5000, .end = 0x6000 }, &e), 0);
	a.n = 2;
	a.v = calloc(2, sizeof(*a.v));
	for (size_t i = 0; i < 2; i++)
		a.v[i] = (struct area){ .vma = &a.list.v[i], .file = (u32)i + 1, .map_start = a.list.v[i].start,
					.map_end = a.list.v[i].end };
	assert_int_equal(areas_split(&a, at, ARRAY_SIZE(at), &e), 0);
	assert_int_equal(a.n, 3);
	assert_true(a.v[0].vma->end == 0x2000 && a.v[1].vma->start == 0x2000 && a.v[1].vma->end == 0x5000);
	assert_true(a.v[1].vma->pgoff == 0x8000 && a.v[1].file == 1 && a.v[2].file == 2);
	assert_true(a.v[1].map_start == 0x1000 && a.v[1].map_end == 0x5000);
	assert_string_equal(a.v[1].vma->name, "/f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions),
		cmocka_unit_test(every_rule_has_a_row),
		cmocka_unit_test(last_selection_decides),
		cmocka_unit_test(selections),
		cmocka_unit_test(names),
		cmocka_unit_test(effects),
		cmocka_unit_test(split),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
