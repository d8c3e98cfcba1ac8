#include "cmocka_all.h"

#include "dump/dump_priv.h"
#include "dump/precopy_priv.h"

enum { PAGE = 4096, TABLE = 512 * PAGE, START = 3 * PAGE, MS = 1000 * 1000 };

/* A place of @pages, of which the first @stored are in the output. */
static struct place place_of(u64 pages, u64 stored)
{
	struct place p = { .start = START, .end = START + pages * PAGE, .watched = true };
	struct err e;

	assert_int_equal(pageset_init(&p.stored, pages, &e), 0);
	assert_int_equal(pageset_add(&p.stored, 0, stored, &e), 0);
	return p;
}

/* How many pieces a place is of, and *longest of what they take. */
static unsigned pieces_of(u64 page_ns, u64 pages, u64 stored, u64 *longest)
{
	struct dump d = { .page_size = PAGE, .pre.unwatch_ns = page_ns };
	struct place p = place_of(pages, stored);
	unsigned n = 0;
	u64 ns, sum = 0;

	*longest = 0;
	for (u64 at = p.start, end; at < p.end; at = end, n++) {
		end = precopy_piece(&d, &p, at, &ns);
		assert_true(end > at && end <= p.end);
		assert_true(end == p.end || end % TABLE == 0);
		sum += ns;
		*longest = ns > *longest ? ns : *longest;
	}
	assert_int_equal(sum, stored * page_ns);
	pageset_fini(&p.stored);
	return n;
}

static void watching_ends_in_pieces_that_take_no_longer_than_a_few_ms(void **state)
{
	static const u64 costs[] = { 20, 500, 2000, 9000 };
	u64 longest;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(pieces_of(costs[i], 100000, 100000, &longest) > 100000 * costs[i] / (10 * MS));
		/* No page table is done by halves. */
		assert_true(longest < 2 * MS + 512 * costs[i]);
	}
}

static void memory_that_was_never_touched_takes_no_time(void **state)
{
	u64 longest;

	(void)state;
	assert_int_equal(pieces_of(9000, 1 << 24, 0, &longest), 1);
	assert_int_equal(pieces_of(2000, 1 << 24, 100, &longest), 1);
	assert_int_equal(longest, 100 * 2000);
}

static void its_cost_is_measured(void **state)
{
	u64 ns = written_unwatch_ns();

	(void)state;
	assert_true(ns > 0 && ns < 10 * MS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(watching_ends_in_pieces_that_take_no_longer_than_a_few_ms),
		cmocka_unit_test(memory_that_was_never_touched_takes_no_time),
		cmocka_unit_test(its_cost_is_measured),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
