#include "packopen.h"

#include "checkmut.h"
#include "soak.h"

/* ---- every way of packing */

static void reads_as_the_plain_file(void **state)
{
	const struct packer *p = *state;
	struct packed_core c;
	unsigned dice = 1;
	u8 got[9000];

	open_packed(&c, p->pack);
	assert_string_equal(c.file.packing->name, p->compression);
	assert_int_equal(c.file.packing->size, c.packed.len);
	assert_int_equal(c.file.size, c.plain.len);
	assert_string_equal(c.file.ops->name, p->frames ? "frames" : "spool");
	/* What is not looked at is not unpacked, where that can be. */
	assert_int_equal(inside(&c)->have, p->sized ? 0 : c.plain.len);
	for (int i = 0; i < 500; i++) {
		u64 off = roll(&dice) % c.plain.len;
		size_t len = min(roll(&dice) % sizeof(got), c.plain.len - off);
		struct err e = { 0 };

		cb_ok(core_file_read(&c.file, off, got, len, &e), &e);
		assert_memory_equal(got, c.plain.p + off, len);
	}
	same_up_to(&c, c.plain.len);
	assert_int_equal(core_file_read(&c.file, c.plain.len - 1, got, 2, NULL), ERR_TRUNCATED);
	expect_faults(&c, 0, 0);
	same_up_to(&c, c.plain.len);
	done(&c);
}

static void has_no_finding(void **state)
{
	const struct packer *p = *state;
	struct findings l = { 0 };
	struct packed_core c;
	struct err e = { 0 };

	open_packed(&c, p->pack);
	cb_ok(check_file(c.path, &l, &e), &e);
	if (l.n)
		fail_msg("%s: %s", l.f[0].check->id, l.f[0].msg);
	findings_fini(&l);
	done(&c);
}

/* Always before the last four bytes: nothing of a single zstd frame comes out without what is before its sum. */
static size_t next_cut(size_t len, size_t whole, size_t cuts)
{
	size_t next = len + 1 + len / cuts, sum = whole - 4;

	return len < sum ? min(next, sum) : next;
}

/*
 * A file that ends too early gives what comes before.  That is reported, unless
 * the cut is between two frames, members or streams, which then are a
 * whole file, or what is cut off does not count.
 */
static void any_cut_is_a_prefix(void **state)
{
	const struct packer *p = *state;
	size_t unreported = 0, reported = 0, whole, cuts = soak_or(20, 300);
	struct packed_core c;
	u64 last = 0;

	open_packed(&c, p->pack);
	whole = c.packed.len;
	for (c.packed.len = 1; c.packed.len < whole; c.packed.len = next_cut(c.packed.len, whole, cuts)) {
		struct err e = { 0 };
		int r;

		shut(&c);
		r = try_open(&c, &e);
		if (r || !c.file.packing) {
			assert_true(!last && (!r || e.msg[0]));
			continue;
		}
		assert_true(c.file.size >= last);
		last = c.file.size;
		same_up_to(&c, last);
		cb_ok(core_file_verify(&c.file, &e), &e);
		if (c.file.packing->n_faults)
			reported++;
		else if (last < c.plain.len)
			unreported++;
		for (size_t i = 0; i < c.file.packing->n_faults; i++)
			assert_int_equal(c.file.packing->faults[i].code, ERR_TRUNCATED);
	}
	assert_true(reported > 4 * unreported);
	done(&c);
}

/* A file without a fault is as it was packed, whichever byte of it is another. */
static void any_damage_is_reported(void **state)
{
	const struct packer *p = *state;
	struct packed_core c;
	size_t reported = 0, tried = 0, places = soak_or(150, 1500);

	open_packed(&c, p->pack);
	for (size_t at = 0; at < c.packed.len; at += 1 + c.packed.len / places, tried++) {
		struct err e = { 0 };

		c.packed.p[at] ^= 1 << at % 8;
		shut(&c);
		if (try_open(&c, &e)) {
			assert_true(e.msg[0]);
			reported++;
		} else if (c.file.packing) {
			cb_ok(core_file_verify(&c.file, &e), &e);
			reported += c.file.packing->n_faults > 0;
			if (!c.file.packing->n_faults)
				same_up_to(&c, c.plain.len);
		}
		c.packed.p[at] ^= 1 << at % 8;
	}
	assert_true(reported > tried / 2);
	done(&c);
}

/* ---- seek tables that are wrong */

static struct pb_table table;

static void swap_sizes(struct pb_table *t) { t->rows[1][1]--; t->rows[2][1]++; }
static void swap_lengths(struct pb_table *t) { t->rows[1][0]--; t->rows[2][0]++; }
static void too_long(struct pb_table *t) { t->rows[t->n - 1][0]++; }
static void large_sizes(struct pb_table *t) { t->rows[0][1] = 0x4000000; }
static void row_too_few(struct pb_table *t) { t->n = --t->count; }
static void count_more(struct pb_table *t) { t->count++; }
static void count_huge(struct pb_table *t) { t->count = UINT32_MAX; }
static void reserved_bit(struct pb_table *t) { t->descriptor = 0x40; }
static void rows_of_12(struct pb_table *t) { t->descriptor = 0x80; }
static void other_magic(struct pb_table *t) { t->magic++; }
static void nothing(struct pb_table *t) { t->n = t->count = 0; }
static void total_less(struct pb_table *t) { t->rows[t->n - 1][1]--; }

static void insert_row(struct pb_table *t, u32 at, u32 len, u32 size)
{
	memmove(t->rows + at + 1, t->rows + at, (t->n - at) * sizeof(t->rows[0]));
	t->rows[at][0] = len;
	t->rows[at][1] = size;
	t->count = ++t->n;
}

/* Each frame's size in a row without a frame, and its length in a row without content. */
static void rows_of_halves(struct pb_table *t)
{
	for (u32 i = 0; i < t->n; i += 2) {
		u32 size = t->rows[i][1];

		t->rows[i][1] = 0;
		insert_row(t, i, 0, size);
	}
}

/* The same in the other order: with the first row the frame is passed over. */
static void rows_of_other_halves(struct pb_table *t)
{
	for (u32 i = 0; i < t->n; i += 2) {
		u32 len = t->rows[i][0];

		t->rows[i][0] = 0;
		insert_row(t, i, len, 0);
	}
}

static void row_of_nothing(struct pb_table *t) { insert_row(t, 1, 0, 0); }

/* The second frame is part of the first one's row, and its content is left out. */
static void frame_left_out(struct pb_table *t)
{
	t->rows[0][0] += t->rows[1][0];
	memmove(t->rows + 1, t->rows + 2, (t->n - 2) * sizeof(t->rows[0]));
	t->count = --t->n;
}

/* A frame as one that nothing comes out of. */
static void frame_as_skippable(struct pb_table *t) { t->rows[1][1] = 0; }

static const struct table_case {
	const char *what;
	void (*change)(struct pb_table *t);
	bool reported;	/* one that is no table to us is not reported */
	bool late;	/* of frames that do not know their size: found when the frame is unpacked */
	bool good;	/* it is not wrong */
} table_cases[] = {
	{ "sizes", swap_sizes, .reported = true, .late = true },
	{ "lengths", swap_lengths, .reported = true },
	{ "past the end", too_long, .reported = true },
	{ "frames that are too large to keep", large_sizes, .reported = false },
	{ "a row too few", row_too_few, .reported = true },
	{ "a count of one more", count_more, .reported = true },
	{ "a count without end", count_huge, .reported = true },
	{ "a reserved bit", reserved_bit, .reported = false },
	{ "checksums of frames", rows_of_12, .good = true },
	{ "another magic", other_magic, .reported = false },
	{ "no rows", nothing, .reported = true },
	{ "sizes without frames", rows_of_halves, .reported = true },
	{ "frames without sizes", rows_of_other_halves, .reported = true },
	{ "a row of nothing", row_of_nothing, .reported = true },
	{ "a frame that is left out", frame_left_out, .reported = true },
	{ "a frame as a skippable one", frame_as_skippable, .reported = true },
};

/* Whatever the table says, the frames say what is in them. */
static void wrong_table_is_not_used(void **state)
{
	const struct table_case *table_case = *state;
	struct packed_core c = { 0 };
	struct err e = { 0 };

	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, true, &table);
	table_case->change(&table);
	pb_table_put(&c.packed, &table);
	cb_ok(try_open(&c, &e), &e);
	assert_int_equal(c.file.size, c.plain.len);
	same_up_to(&c, c.plain.len);
	expect_faults(&c, 0, 0);
	assert_int_equal(c.file.packing->table.code, table_case->reported ? ERR_INPUT : 0);
	assert_string_equal(c.file.ops->name, "frames");
	done(&c);
}

/*
 * If frames do not have their size, a false one may be found only when it is
 * asked for: from there on it is unpacked in order, and every byte is right.
 */
static void wrong_table_is_found_by_unpacking(void **state)
{
	const struct table_case *table_case = *state;
	struct packed_core c = { 0 };
	struct err e = { 0 };
	u8 got[PB_FRAME];

	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, false, &table);
	table_case->change(&table);
	pb_table_put(&c.packed, &table);
	cb_ok(try_open(&c, &e), &e);
	assert_string_equal(c.file.ops->name, table_case->late || table_case->good ? "frames" : "spool");
	cb_ok(core_file_read(&c.file, 2 * PB_FRAME - 1, got, PB_FRAME, &e), &e);
	assert_memory_equal(got, c.plain.p + 2 * PB_FRAME - 1, PB_FRAME);
	assert_string_equal(c.file.ops->name, table_case->good ? "frames" : "spool");
	same_up_to(&c, c.plain.len);
	expect_faults(&c, 0, 0);
	assert_int_equal(c.file.packing->table.code, table_case->reported ? ERR_INPUT : 0);
	done(&c);
}

/* The sum is false, too: the core was opened with it, so that its end is lost, or not there; verifying says so. */
static void false_sum_is_found_by_verifying(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };

	(void)state;
	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, false, &table);
	total_less(&table);
	pb_table_put(&c.packed, &table);
	cb_ok(try_open(&c, &e), &e);
	expect_faults(&c, 1, ERR_INPUT);
	assert_int_equal(c.file.packing->table.code, ERR_INPUT);
	same_up_to(&c, c.plain.len - 1);
	done(&c);
}

/* A frame that is damaged is no fault of the table's: the others are still to be had by it. */
static void damage_is_not_the_tables_fault(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };
	u8 got[PB_FRAME];
	size_t at;

	(void)state;
	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, true, &table);
	pb_table_put(&c.packed, &table);
	at = table.rows[0][0];
	/* In its checksum, in its blocks, and in a block's length. */
	for (size_t k = 1; k <= 3; k++) {
		size_t damage = at + (k == 1 ? table.rows[1][0] - 1 : k == 2 ? table.rows[1][0] - 5 : 8);

		c.packed.p[damage] ^= 0x10;
		shut(&c);
		cb_ok(try_open(&c, &e), &e);
		assert_true(unpack_is_fault(core_file_read(&c.file, PB_FRAME, got, 1, &e)));
		cb_ok(core_file_read(&c.file, 3 * PB_FRAME, got, PB_FRAME, &e), &e);
		assert_memory_equal(got, c.plain.p + 3 * PB_FRAME, PB_FRAME);
		cb_ok(core_file_verify(&c.file, &e), &e);
		assert_int_equal(c.file.packing->n_faults, 1);
		assert_int_equal(c.file.packing->table.code, 0);
		c.packed.p[damage] ^= 0x10;
	}
	done(&c);
}

/* ---- what validate says */

static void replace(struct buf *b, struct buf *by)
{
	buf_fini(b);
	*b = *by;
}

static void cut_in_stack(struct cb *cb, struct buf *b)
{
	struct buf out = { 0 };

	(void)cb;
	pb_gz(b, &out);
	out.len -= 8;
	replace(b, &out);
}

static void checksum_wrong(struct cb *cb, struct buf *b)
{
	struct buf out = { 0 };

	(void)cb;
	pb_zstd_frames(b, &out);
	out.p[out.len - 1] ^= 1;
	replace(b, &out);
}

static void stray_bytes(struct cb *cb, struct buf *b)
{
	struct buf out = { 0 };

	(void)cb;
	pb_gz(b, &out);
	pb_add(&out, "stray", 5);
	replace(b, &out);
}

static void table_wrong(struct cb *cb, struct buf *b)
{
	struct buf out = { 0 };

	(void)cb;
	pb_frames(&out, b, true, &table);
	swap_sizes(&table);
	pb_table_put(&out, &table);
	replace(b, &out);
}

static const struct mutation mutations[] = {
	{ "packed-truncated", "gzip's checksum", .bytes = cut_in_stack },
	{ "packed-damaged", "the last frame", .bytes = checksum_wrong },
	{ "packed-damaged", "what follows", .bytes = stray_bytes },
	{ "packed-table", "its sizes", .bytes = table_wrong },
};

static void every_check_has_a_mutation(void **state)
{
	static const char *const here[] = { "packed-", NULL };

	(void)state;
	mut_all_there(mutations, ARRAY_SIZE(mutations), here, false);
}

static void add_rows(struct CMUnitTest *tests, size_t *n, const char *what, void (*fn)(void **state), const void *row)
{
	static char names[128][96];

	assert_true(*n < ARRAY_SIZE(names));
	/* Each table's rows begin with their name. */
	snprintf(names[*n], sizeof(names[*n]), "%s: %s", what, *(const char *const *)row);
	tests[*n] = (struct CMUnitTest){ .name = names[*n], .test_func = fn, .initial_state = (void *)row };
	++*n;
}

int main(void)
{
	struct CMUnitTest tests[128], found[ARRAY_SIZE(mutations)] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		add_rows(tests, &n, "reads as the plain file", reads_as_the_plain_file, &packers[i]);
		add_rows(tests, &n, "has no finding", has_no_finding, &packers[i]);
		add_rows(tests, &n, "any cut is a prefix", any_cut_is_a_prefix, &packers[i]);
		add_rows(tests, &n, "any damage is reported", any_damage_is_reported, &packers[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(table_cases); i++) {
		add_rows(tests, &n, "wrong table is not used", wrong_table_is_not_used, &table_cases[i]);
		add_rows(tests, &n, "wrong table is found by unpacking", wrong_table_is_found_by_unpacking, &table_cases[i]);
	}
	mut_tests(mutations, ARRAY_SIZE(mutations), found);
	memcpy(tests + n, found, sizeof(found));
	n += ARRAY_SIZE(found);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(false_sum_is_found_by_verifying);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(damage_is_not_the_tables_fault);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_check_has_a_mutation);
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
