/* The iterator, on address spaces made up here. */
#include "helper.h"

/*
 * A fake target: a list whose answer may change with every question.  It has
 * no prev, so that vma_prev() is tried on find alone.
 */
struct fake {
	struct mm mm;
	struct vma_list list;
	int asked;
	int fail_at;	/* this question fails with ERR_GONE; 0: none */
	bool silent;	/* without a message */
	void (*change)(struct fake *f, struct vma *answer);
};

static int fake_find(struct mm *mm, u64 addr, struct vma *out, struct err *e)
{
	struct fake *f = mm->priv;
	struct mm list;

	if (++f->asked == f->fail_at)
		return f->silent ? ERR_GONE : err_set(e, ERR_GONE, "fake is gone");
	mm_open_list(&list, &f->list);
	int r = mm_find(&list, addr, out, e);
	if (r > 0 && f->change)
		f->change(f, out);
	return r;
}

static const struct mm_ops fake_ops = { .name = "fake", .find = fake_find };

/* @n areas of two pages, a page apart, from page 16 on; every third with VM_MTE. */
#define FAKE_START(i) (0x10000 + 0x3000 * (u64)(i))
static void fake_init(struct fake *f, int n)
{
	struct err e = { 0 };

	*f = (struct fake){ .mm = { .ops = &fake_ops, .priv = f } };
	for (int i = 0; i < n; i++) {
		char name[32];
		struct vma v = {
			.start = FAKE_START(i),
			.end = FAKE_START(i) + 0x2000,
			.pgoff = 0x100000,
			.ino = 7,
			.flags = i % 3 ? VM_READ : VM_READ | VM_MTE,
			.name = name,
		};

		snprintf(name, sizeof(name), "/file %d", i / 2);
		assert_ok(vma_list_add(&f->list, &v, &e), &e);
	}
}

static void fake_fini(struct fake *f)
{
	vma_list_fini(&f->list);
}

static void test_forward(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma *v;
	size_t n = 0;

	(void)state;
	fake_init(&f, 10);
	VMA_ITERATOR(vmi, &f.mm, 0);
	for_each_vma(vmi, v)
		assert_same_vma(v, &f.list.v[n++]);
	assert_int_equal(n, 10);
	assert_null(vma_next(&vmi));
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
	/* One question for each area and one for the end. */
	assert_int_equal(f.asked, 11);
}

static void test_nothing(void **state)
{
	struct fake f scoped(fake_fini);

	(void)state;
	fake_init(&f, 0);
	VMA_ITERATOR(vmi, &f.mm, 0);
	assert_null(vma_prev(&vmi));
	assert_null(vma_next(&vmi));
	assert_null(vma_prev(&vmi));
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

static void test_range(void **state)
{
	static const struct {
		u64 start, end;
		int first, n;
	} rows[] = {
		{ 0, FAKE_START(0), 0, 0 },
		{ 0, FAKE_START(0) + 1, 0, 1 },
		{ FAKE_START(1), FAKE_START(3), 1, 2 },
		{ FAKE_START(1) + 0x1000, FAKE_START(3) + 0x1000, 1, 3 },	/* whole at both ends */
		{ FAKE_START(1) + 0x2000, FAKE_START(2), 0, 0 },		/* a hole */
		{ FAKE_START(4), FAKE_START(4), 0, 0 },
		{ FAKE_START(4) + 0x1000, FAKE_START(4), 0, 0 },
		{ FAKE_START(4), UINT64_MAX, 4, 6 },
		{ FAKE_START(10), UINT64_MAX, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake f scoped(fake_fini);
		struct vma *v;
		int n = 0;

		fake_init(&f, 10);
		VMA_ITERATOR(vmi, &f.mm, rows[i].start);
		for_each_vma_range(vmi, v, rows[i].end)
			assert_same_vma(v, &f.list.v[rows[i].first + n++]);
		assert_int_equal(n, rows[i].n);
		assert_int_equal(vma_iter_end(&vmi, NULL), 0);
	}
}

/* The iterator goes on where the range ended. */
static void test_range_after_range(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma *v;
	size_t n = 0;

	(void)state;
	fake_init(&f, 10);
	VMA_ITERATOR(vmi, &f.mm, 0);
	for (u64 end = FAKE_START(0); end < FAKE_START(11); end += 0x1000)
		for_each_vma_range(vmi, v, end)
			assert_same_vma(v, &f.list.v[n++]);
	assert_int_equal(n, 10);
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

static void test_mte(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma *v;
	size_t n = 0;

	(void)state;
	fake_init(&f, 10);
	VMA_ITERATOR(vmi, &f.mm, 0);
	for_each_mte_vma(vmi, v)
		assert_int_equal(v->start, f.list.v[3 * n++].start);
	assert_int_equal(n, 4);
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

/* Backward is forward reversed, by the backend's own prev and by find alone. */
static void test_backward(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct fake f scoped(fake_fini);
		struct mm list;
		struct vma *v;

		fake_init(&f, 10);
		mm_open_list(&list, &f.list);
		size_t n = f.list.n;
		VMA_ITERATOR(vmi, own ? &list : &f.mm, UINT64_MAX);
		while ((v = vma_prev(&vmi)))
			assert_same_vma(v, &f.list.v[--n]);
		assert_int_equal(n, 0);
		/* Then forward again, from the first. */
		assert_same_vma(vma_next(&vmi), &f.list.v[0]);
		assert_int_equal(vma_iter_end(&vmi, NULL), 0);
	}
}

static void test_to_and_fro(void **state)
{
	struct fake f scoped(fake_fini);

	(void)state;
	fake_init(&f, 4);
	VMA_ITERATOR(vmi, &f.mm, 0);
	const struct vma *all = f.list.v;
	assert_same_vma(vma_next(&vmi), &all[0]);
	assert_same_vma(vma_next(&vmi), &all[1]);
	assert_same_vma(vma_prev(&vmi), &all[0]);
	assert_same_vma(vma_next(&vmi), &all[1]);
	assert_same_vma(vma_next(&vmi), &all[2]);
	assert_same_vma(vma_next(&vmi), &all[3]);
	assert_null(vma_next(&vmi));
	/* After the end: the one before is the last. */
	assert_same_vma(vma_prev(&vmi), &all[3]);
	assert_same_vma(vma_prev(&vmi), &all[2]);
	assert_same_vma(vma_next(&vmi), &all[3]);
	assert_null(vma_next(&vmi));
	/* A range that is over: the one before is the last of the range. */
	vma_iter_set(&vmi, all[1].start);
	assert_same_vma(vma_next_range(&vmi, all[2].start), &all[1]);
	assert_null(vma_next_range(&vmi, all[2].start));
	assert_same_vma(vma_prev(&vmi), &all[1]);
	/* Put inside an area: it is the first both ways, and whole. */
	vma_iter_set(&vmi, all[2].start + 0x1000);
	assert_same_vma(vma_next(&vmi), &all[2]);
	vma_iter_set(&vmi, all[2].start + 0x1000);
	assert_same_vma(vma_prev(&vmi), &all[2]);
	vma_iter_set(&vmi, all[2].start);
	assert_same_vma(vma_prev(&vmi), &all[1]);
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

static void test_sticky_error(void **state)
{
	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		struct fake f scoped(fake_fini);
		struct err e = { 0 };

		fake_init(&f, 10);
		f.fail_at = 3;
		f.silent = silent;
		VMA_ITERATOR(vmi, &f.mm, 0);
		assert_non_null(vma_next(&vmi));
		assert_non_null(vma_next(&vmi));
		assert_null(vma_next(&vmi));
		/* The backend would answer again; the iterator does not ask. */
		assert_null(vma_next(&vmi));
		assert_null(vma_prev(&vmi));
		vma_iter_set(&vmi, 0);
		assert_null(vma_next(&vmi));
		assert_null(vma_next_range(&vmi, UINT64_MAX));
		assert_null(vma_next_mte(&vmi));
		assert_int_equal(f.asked, 3);
		assert_int_equal(vma_iter_end(&vmi, &e), ERR_GONE);
		assert_int_equal(e.code, ERR_GONE);
		assert_string_equal(e.msg, silent ? "walk areas by fake" : "fake is gone");
		assert_int_equal(vma_iter_end(&vmi, NULL), ERR_GONE);
	}
}

static void test_sticky_error_backward(void **state)
{
	struct fake f scoped(fake_fini);

	(void)state;
	fake_init(&f, 4);
	f.fail_at = 3;
	VMA_ITERATOR(vmi, &f.mm, UINT64_MAX);
	assert_null(vma_prev(&vmi));
	assert_null(vma_next(&vmi));
	assert_int_equal(vma_iter_end(&vmi, NULL), ERR_GONE);
}

static void test_snapshot_fails_whole(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma_list l = { .n = 42 };
	struct err e = { 0 };

	(void)state;
	fake_init(&f, 10);
	f.fail_at = 5;
	assert_int_equal(vma_snapshot(&f.mm, &l, &e), ERR_GONE);
	assert_int_equal(l.n, 42);
}

/* Every area has meanwhile grown down to address 0. */
static void grow_down(struct fake *f, struct vma *answer)
{
	(void)f;
	answer->pgoff -= min(answer->pgoff, answer->start);
	answer->start = 0;
}

static void test_grown_area_is_cut(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma *v;
	u64 visited = 0;

	(void)state;
	fake_init(&f, 10);
	f.change = grow_down;
	VMA_ITERATOR(vmi, &f.mm, 0);
	for_each_vma(vmi, v) {
		assert_int_equal(v->start, visited);
		/* Where the file begins to be mapped has not moved. */
		assert_int_equal(v->pgoff - v->start, 0x100000 - min(0x100000ULL, v->end - 0x2000));
		visited = v->end;
	}
	assert_int_equal(visited, f.list.v[9].end);
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

static void make_anon(struct fake *f, struct vma *answer)
{
	grow_down(f, answer);
	answer->ino = 0;
	answer->name = NULL;
	answer->pgoff = 0;
}

static void test_cut_of_anonymous_has_no_offset(void **state)
{
	struct fake f scoped(fake_fini);
	struct vma *v;

	(void)state;
	fake_init(&f, 4);
	f.change = make_anon;
	VMA_ITERATOR(vmi, &f.mm, 0);
	for_each_vma(vmi, v)
		assert_int_equal(v->pgoff, 0);
	assert_int_equal(vma_iter_end(&vmi, NULL), 0);
}

static void go_back(struct fake *f, struct vma *answer)
{
	if (f->asked > 3)
		*answer = f->list.v[0];
}

static void turn_round(struct fake *f, struct vma *answer)
{
	if (f->asked > 3)
		answer->start = answer->end;
}

/* A backend that answers nonsense is an error, not an endless walk. */
static void test_wrong_answers(void **state)
{
	static void (*const changes[])(struct fake *, struct vma *) = { go_back, turn_round };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct fake f scoped(fake_fini);
		struct vma *v;
		int n = 0;

		fake_init(&f, 10);
		f.change = changes[i];
		VMA_ITERATOR(vmi, &f.mm, 0);
		for_each_vma(vmi, v)
			n++;
		assert_int_equal(n, 3);
		assert_int_equal(vma_iter_end(&vmi, NULL), ERR_INPUT);
		VMA_ITERATOR(back, &f.mm, UINT64_MAX);
		f.asked = 0;
		assert_null(vma_prev(&back));
		assert_int_equal(vma_iter_end(&back, NULL), ERR_INPUT);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		struct vma v;
		bool anon, special;
	} rows[] = {
		{ { .name = NULL }, true, false },
		{ { .name = "[heap]" }, true, false },
		{ { .name = "[stack]" }, true, false },
		{ { .name = "[anon:x]" }, true, false },
		{ { .name = "/dev/zero (deleted)", .ino = 5, .dev_minor = 1 }, false, false },
		{ { .name = "[anon_shmem:x]", .ino = 5, .dev_minor = 1 }, false, false },
		{ { .name = "/bin/sh", .ino = 5, .dev_major = 8 }, false, false },
		{ { .name = "/bin/sh" }, false, false },	/* of a core: no inode */
		{ { .name = "socket:[12]", .ino = 12, .dev_minor = 8 }, false, false },
		{ { .name = "[vdso]" }, false, true },
		{ { .name = "[vvar]" }, false, true },
		{ { .name = "[vvar_vclock]" }, false, true },
		{ { .name = "[vsyscall]" }, false, true },
		{ { .name = "[uprobes]" }, false, true },
		{ { .name = "[sigpage]" }, false, true },
		{ { .name = "[vectors]" }, false, true },
		{ { .name = "/tmp/[vdso]", .ino = 3 }, false, false },
		{ { .name = "[uprobes-trampoline]" }, false, true },
		{ { .name = "[of a kernel to come]" }, false, true },
		{ { .name = "[stack:17]" }, true, false },
		{ { .name = "[anon:[vvar]]" }, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (vma_is_anon(&rows[i].v) != rows[i].anon || vma_is_special(&rows[i].v) != rows[i].special)
			fail_msg("%s", rows[i].v.name ? rows[i].v.name : "(null)");
	}
}

static void test_zeroed_may_be_closed(void **state)
{
	struct mm mm = { 0 };

	(void)state;
	mm_close(&mm);
	mm_close(&mm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_range_after_range),
		cmocka_unit_test(test_mte),
		cmocka_unit_test(test_backward),
		cmocka_unit_test(test_to_and_fro),
		cmocka_unit_test(test_sticky_error),
		cmocka_unit_test(test_sticky_error_backward),
		cmocka_unit_test(test_snapshot_fails_whole),
		cmocka_unit_test(test_grown_area_is_cut),
		cmocka_unit_test(test_cut_of_anonymous_has_no_offset),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_zeroed_may_be_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vma_iter", tests, NULL, NULL);
}
