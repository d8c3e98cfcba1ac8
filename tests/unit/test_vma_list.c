/* The list of areas: its order, its answers, its names. */
#include "helper.h"

/* Areas of two pages, a page apart, from page 16 on. */
#define AREA_START(i) (0x10000 + 0x3000 * (u64)(i))

static void list_init(struct vma_list *l, int n)
{
	struct err e = { 0 };

	for (int i = 0; i < n; i++)
		assert_ok(vma_list_add(l, &(struct vma){ .start = AREA_START(i),
				       .end = AREA_START(i) + 0x2000, .name = i % 2 ? NULL : "/f" }, &e), &e);
}

static void test_list_order(void **state)
{
	static const struct vma bad[] = {
		{ .start = 0x1000, .end = 0x2000 },
		{ .start = 0x10000, .end = 0x12000 },
		{ .start = 0x11000, .end = 0x13000 },
		{ .start = 0x12000, .end = 0x12000 },
		{ .start = 0x14000, .end = 0x13000 },
	};
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct err e = { 0 };

	(void)state;
	list_init(&l, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(vma_list_add(&l, &bad[i], &e), ERR_INPUT);
	assert_int_equal(l.n, 1);
	assert_ok(vma_list_add(&l, &(struct vma){ .start = 0x12000, .end = 0x13000 }, &e), &e);
	assert_int_equal(l.n, 2);
}

/* Every answer of the list against a search of all of it. */
static void test_list_answers(void **state)
{
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct mm mm;
	struct vma v;
	size_t above = 0, before = 0;

	(void)state;
	list_init(&l, 7);
	mm_open_list(&mm, &l);
	for (u64 addr = 0; addr < AREA_START(8); addr += 0x800) {
		while (above < 7 && l.v[above].end <= addr)
			above++;
		while (before < 7 && l.v[before].start < addr)
			before++;
		assert_int_equal(mm_find(&mm, addr, &v, NULL), above < 7);
		if (above < 7)
			assert_same_vma(&v, &l.v[above]);
		assert_int_equal(mm.ops->prev(&mm, addr, &v, NULL), before > 0);
		if (before)
			assert_same_vma(&v, &l.v[before - 1]);
	}
}

/* 100,000 names, each its own: none moves, all are right, and it does not take long. */
static void test_large_list(void **state)
{
	enum { N = 100000 };
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct vma_list copy scoped(vma_list_fini) = { 0 };
	struct err e = { 0 };
	char name[64];
	struct mm mm;

	(void)state;
	for (u64 i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "/some/where/far/away/%llu", (unsigned long long)i);
		assert_ok(vma_list_add(&l, &(struct vma){ .start = i << 13, .end = (i << 13) + 4096,
							  .name = name }, &e), &e);
	}
	mm_open_list(&mm, &l);
	assert_ok(vma_snapshot(&mm, &copy, &e), &e);
	assert_int_equal(copy.n, N);
	for (u64 i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "/some/where/far/away/%llu", (unsigned long long)i);
		assert_string_equal(copy.v[i].name, name);
		assert_ptr_not_equal(copy.v[i].name, l.v[i].name);
	}
}

/* A name longer than a block of names. */
static void test_large_name(void **state)
{
	struct vma_list l scoped(vma_list_fini) = { 0 };
	char *name auto_free = malloc(200001);
	struct err e = { 0 };

	(void)state;
	memset(name, 'x', 200000);
	name[200000] = '\0';
	for (u64 i = 1; i < 4; i++)
		assert_ok(vma_list_add(&l, &(struct vma){ .start = i << 12, .end = (i + 1) << 12,
							  .name = name + i }, &e), &e);
	for (u64 i = 1; i < 4; i++)
		assert_string_equal(l.v[i - 1].name, name + i);
}

static void test_zeroed_may_be_released(void **state)
{
	struct vma_list l = { 0 };

	(void)state;
	vma_list_fini(&l);
	vma_list_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_order),
		cmocka_unit_test(test_list_answers),
		cmocka_unit_test(test_large_list),
		cmocka_unit_test(test_large_name),
		cmocka_unit_test(test_zeroed_may_be_released),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vma_list", tests, NULL, NULL);
}
