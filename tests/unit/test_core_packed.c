#include "packopen.h"

#include "checkmut.h"

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

/*
 * Of a file that ends too early there is what comes before.  That is told, but
 * where the cut is between two frames, members or streams, which then are a
 * whole file, or cuts off nothing that counts.
 */
static void any_cut_is_a_prefix(void **state)
{
	const struct packer *p = *state;
	size_t untold = 0, told = 0, whole;
	struct packed_core c;
	u64 last = 0;

	open_packed(&c, p->pack);
	whole = c.packed.len;
	for (c.packed.len = 1; c.packed.len < whole; c.packed.len += 1 + c.packed.len / 300) {
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
			told++;
		else if (last < c.plain.len)
			untold++;
		for (size_t i = 0; i < c.file.packing->n_faults; i++)
			assert_int_equal(c.file.packing->faults[i].code, ERR_TRUNCATED);
	}
	assert_true(told > 4 * untold);
	done(&c);
}

/* A file without a fault is as it was packed, whichever byte of it is another. */
static void any_damage_is_told(void **state)
{
	const struct packer *p = *state;
	struct packed_core c;
	size_t told = 0;

	open_packed(&c, p->pack);
	for (size_t at = 0; at < c.packed.len; at += 1 + c.packed.len / 1500) {
		struct err e = { 0 };

		c.packed.p[at] ^= 1 << at % 8;
		shut(&c);
		if (try_open(&c, &e)) {
			assert_true(e.msg[0]);
			told++;
		} else if (c.file.packing) {
			cb_ok(core_file_verify(&c.file, &e), &e);
			told += c.file.packing->n_faults > 0;
			if (!c.file.packing->n_faults)
				same_up_to(&c, c.plain.len);
		}
		c.packed.p[at] ^= 1 << at % 8;
	}
	assert_true(told > 200);
	done(&c);
}

/* ---- seek tables that lie */

static struct pb_table honest;

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

static const struct lie {
	const char *what;
	void (*tell)(struct pb_table *t);
	size_t faults;	/* of frames that know their size themselves; one that is none to us is not told */
} lies[] = {
	{ "sizes", swap_sizes, 1 },
	{ "lengths", swap_lengths, 1 },
	{ "past the end", too_long, 1 },
	{ "frames that are too large to keep", large_sizes, 0 },
	{ "a row too few", row_too_few, 1 },
	{ "a count of one more", count_more, 0 },
	{ "a count without end", count_huge, 0 },
	{ "a reserved bit", reserved_bit, 0 },
	{ "checksums of frames", rows_of_12, 0 },
	{ "another magic", other_magic, 0 },
	{ "no rows", nothing, 1 },
};

/* Whatever the table says, the frames say what is in them. */
static void lying_table_is_not_believed(void **state)
{
	const struct lie *lie = *state;
	struct packed_core c = { 0 };
	struct err e = { 0 };

	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, true, &honest);
	lie->tell(&honest);
	pb_table_put(&c.packed, &honest);
	cb_ok(try_open(&c, &e), &e);
	assert_int_equal(c.file.size, c.plain.len);
	same_up_to(&c, c.plain.len);
	expect_faults(&c, lie->faults, ERR_INPUT);
	assert_string_equal(c.file.ops->name, "frames");
	done(&c);
}

/* Of frames that do not know their size, a false one is found when it is asked for. */
static void lie_is_found_by_unpacking(void **state)
{
	const struct lie *lie = *state;
	struct packed_core c = { 0 };
	struct err e = { 0 };
	u8 got[PB_FRAME];

	good_core(&c.plain, NULL);
	pb_frames(&c.packed, &c.plain, false, &honest);
	lie->tell(&honest);
	pb_table_put(&c.packed, &honest);
	cb_ok(try_open(&c, &e), &e);
	if (lie->tell == swap_sizes) {
		cb_ok(core_file_read(&c.file, 0, got, PB_FRAME, &e), &e);
		assert_memory_equal(got, c.plain.p, PB_FRAME);
		assert_int_equal(core_file_read(&c.file, PB_FRAME, got, 1, &e), ERR_INPUT);
		assert_non_null(strstr(e.msg, "more of the expected 4095 bytes"));
		assert_int_equal(c.file.packing->good_to, PB_FRAME);
		cb_ok(core_file_read(&c.file, 3 * PB_FRAME, got, PB_FRAME, &e), &e);
		assert_memory_equal(got, c.plain.p + 3 * PB_FRAME, PB_FRAME);
		expect_faults(&c, 2, ERR_INPUT);
	} else {
		same_up_to(&c, c.plain.len);
		expect_faults(&c, lie->faults, ERR_INPUT);
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
	pb_frames(&out, b, true, &honest);
	swap_sizes(&honest);
	pb_table_put(&out, &honest);
	replace(b, &out);
}

static const struct mutation mutations[] = {
	{ "packed-truncated", "gzip's checksum", .bytes = cut_in_stack },
	{ "packed-damaged", "the last frame", .bytes = checksum_wrong },
	{ "packed-damaged", "what follows", .bytes = stray_bytes },
	{ "packed-damaged", "the seek table", .bytes = table_wrong },
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
	struct CMUnitTest tests[128], found[ARRAY_SIZE(mutations)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		add_rows(tests, &n, "reads as the plain file", reads_as_the_plain_file, &packers[i]);
		add_rows(tests, &n, "has no finding", has_no_finding, &packers[i]);
		add_rows(tests, &n, "any cut is a prefix", any_cut_is_a_prefix, &packers[i]);
		add_rows(tests, &n, "any damage is told", any_damage_is_told, &packers[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		add_rows(tests, &n, "lying table is not believed", lying_table_is_not_believed, &lies[i]);
		add_rows(tests, &n, "lie is found by unpacking", lie_is_found_by_unpacking, &lies[i]);
	}
	mut_tests(mutations, ARRAY_SIZE(mutations), found);
	memcpy(tests + n, found, sizeof(found));
	n += ARRAY_SIZE(found);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_check_has_a_mutation);
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
