#include "cmocka_all.h"

#include <stdlib.h>

#include "base/pageset.h"

enum { PAGES = 200000 };

static void check_against(const struct pageset *s, const bool *model)
{
	u64 at = 0, start, end, count = 0;

	for (u64 i = 0; i < PAGES; i++) {
		assert_int_equal(pageset_has(s, i), model[i]);
		count += model[i];
	}
	assert_int_equal(s->count, count);
	assert_int_equal(pageset_count(s, 0, PAGES), count);
	for (u64 i = count = 0; i < PAGES / 2; i++)
		count += i >= 77 && model[i];
	assert_int_equal(pageset_count(s, 77, PAGES / 2), count);
	while (pageset_next(s, at, PAGES, &start, &end)) {
		assert_true(start >= at && end > start && end <= PAGES);
		for (; at < start; at++)
			assert_false(model[at]);
		for (; at < end; at++)
			assert_true(model[at]);
	}
	for (; at < PAGES; at++)
		assert_false(model[at]);
}

static void fill(bool *model, u64 from, u64 to, bool value)
{
	for (; from < to; from++)
		model[from] = value;
}

static void ranges_are_as_in_a_plain_array(void **state)
{
	static bool model[PAGES];
	static const u64 borders[] = { 0, 1, 63, 64, 65, 127, 128, 32767, 32768, 32769, 65536, 100000, PAGES - 1, PAGES };
	struct pageset s;
	struct err e;
	unsigned seed = 1;

	(void)state;
	assert_int_equal(pageset_init(&s, PAGES, &e), 0);
	check_against(&s, model);
	for (int k = 0; k < 60; k++) {
		u64 a = borders[rand_r(&seed) % 14], b = borders[rand_r(&seed) % 14];
		bool add = rand_r(&seed) % 3;

		if (a > b)
			continue;
		fill(model, a, b, add);
		if (add)
			assert_int_equal(pageset_add(&s, a, b, &e), 0);
		else
			pageset_remove(&s, a, b);
		check_against(&s, model);
	}
	pageset_fini(&s);
}

static void a_part_is_searched_alone(void **state)
{
	struct pageset s;
	struct err e;
	u64 start, end;

	(void)state;
	assert_int_equal(pageset_init(&s, PAGES, &e), 0);
	assert_int_equal(pageset_add(&s, 100, 70000, &e), 0);
	assert_true(pageset_next(&s, 200, 300, &start, &end));
	assert_int_equal(start, 200);
	assert_int_equal(end, 300);
	assert_false(pageset_next(&s, 0, 100, &start, &end));
	assert_false(pageset_next(&s, 70000, PAGES, &start, &end));
	pageset_fini(&s);
}

static void terabytes_of_nothing_cost_little(void **state)
{
	u64 n = 1ull << 35, start, end;	/* 128 TiB */
	struct pageset s;
	struct err e;

	(void)state;
	assert_int_equal(pageset_init(&s, n, &e), 0);
	assert_int_equal(pageset_add(&s, n - 1, n, &e), 0);
	assert_true(pageset_next(&s, 0, n, &start, &end));
	assert_int_equal(start, n - 1);
	assert_int_equal(end, n);
	pageset_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_as_in_a_plain_array),
		cmocka_unit_test(a_part_is_searched_alone),
		cmocka_unit_test(terabytes_of_nothing_cost_little),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
