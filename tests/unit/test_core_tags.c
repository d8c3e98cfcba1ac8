#include "coreopen.h"

#include <signal.h>

#include "base/util.h"
#include "check/check.h"

/* Tags of cores: every granule's state, and their runs. */
struct runs {
	struct core_tag_run *v;
	size_t n;
	size_t cap;
	int stop;	/* what to return for the first run */
};

static int add(const struct core_tag_run *run, void *arg, struct err *e)
{
	struct runs *l = arg;

	(void)e;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = reallocarray(l->v, l->cap, sizeof(*l->v));
		assert_non_null(l->v);
	}
	l->v[l->n++] = *run;
	return l->stop;
}

static void walk(struct opened *o, u64 start, u64 end, struct runs *l)
{
	struct err e = { 0 };

	l->n = 0;
	cb_ok(core_tag_runs(&o->core, start, end, add, l, &e), &e);
}

static void expect_run(const struct runs *l, size_t i, u64 start, u64 end, int tag)
{
	assert_true(i < l->n);
	assert_int_equal(l->v[i].start, start);
	assert_int_equal(l->v[i].end, end);
	assert_int_equal(l->v[i].state, tag < 0 ? TAG_ABSENT : TAG_KNOWN);
	assert_int_equal(l->v[i].tag, tag < 0 ? 0 : tag);
}

static void put(struct opened *o, size_t seg, u64 off, const void *p, size_t len)
{
	assert_int_equal(pwrite(o->fd, p, len, (off_t)(o->core.segs[seg].p_offset + off)), (ssize_t)len);
}

/* What the documentation says of tags 0, 1, 2, 3 ...: they are stored 10 32 54. */
static void low_nibble_is_the_lower_granule(void **state)
{
	static const u8 stored[] = { 0x10, 0x32, 0x54 };
	const struct elffmt *fmt = *state;
	struct opened o;

	cb_good_mte(&o.cb, *fmt);
	open_built(&o);
	put(&o, 4, 0, stored, sizeof(stored));
	for (u64 g = 0; g < 6; g++) {
		expect_at(&o, CB_HEAP + g * TAG_GRANULE, TAG_KNOWN, (u8)g);
		expect_at(&o, CB_HEAP + g * TAG_GRANULE + 15, TAG_KNOWN, (u8)g);
	}
	fini(&o);
}

static void every_granule_has_its_tag(void **state)
{
	const struct elffmt *fmt = *state;
	struct runs l = { 0 };
	struct opened o;
	size_t i = 0;

	cb_good_mte(&o.cb, *fmt);
	open_built(&o);
	walk(&o, 0, UINT64_MAX, &l);
	for (u64 base = CB_HEAP; base <= CB_STACK; base += CB_STACK - CB_HEAP)
		for (u64 a = base; a < base + 2 * CB_PAGE; a += TAG_GRANULE)
			expect_run(&l, i++, a, a + TAG_GRANULE, cb_tag(a));
	assert_int_equal(l.n, i);
	expect_at(&o, CB_TEXT, TAG_NONE, 0);
	expect_at(&o, CB_HEAP - 1, TAG_NONE, 0);
	expect_at(&o, CB_HEAP + 2 * CB_PAGE, TAG_NONE, 0);
	expect_at(&o, UINT64_MAX, TAG_NONE, 0);
	free(l.v);
	fini(&o);
}

/* Every length of run at every place, among sixteens and halves of bytes. */
static void runs_of_any_length_are_joined(void **state)
{
	struct runs l = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	open_built(&o);
	for (size_t from = 0; from < 40; from++)
		for (size_t n = 1; n < 80; n++) {
			u8 tags[512] = { 0 }, packed[256];
			u64 first = CB_HEAP + from * TAG_GRANULE, end = first + n * TAG_GRANULE;

			memset(tags + from, 9, n);
			tags_pack(tags, 512, packed);
			put(&o, 4, 0, packed, sizeof(packed));
			walk(&o, CB_HEAP, CB_HEAP + 2 * CB_PAGE, &l);
			assert_int_equal(l.n, from ? 3 : 2);
			if (from)
				expect_run(&l, 0, CB_HEAP, first, 0);
			expect_run(&l, !!from, first, end, 9);
			expect_run(&l, !!from + 1, end, CB_HEAP + 2 * CB_PAGE, 0);
		}
	free(l.v);
	fini(&o);
}

static void range_cuts_runs(void **state)
{
	u8 same[256];
	struct runs l = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	open_built(&o);
	memset(same, 0x55, sizeof(same));
	put(&o, 4, 0, same, sizeof(same));
	for (u64 start = CB_HEAP; start < CB_HEAP + 128; start += TAG_GRANULE)
		for (u64 end = start + TAG_GRANULE; end < CB_HEAP + 256; end += TAG_GRANULE) {
			walk(&o, start, end, &l);
			assert_int_equal(l.n, 1);
			expect_run(&l, 0, start, end, 5);
		}
	walk(&o, CB_HEAP - 16, CB_HEAP + 17, &l);
	expect_run(&l, 0, CB_HEAP, CB_HEAP + 17, 5);
	walk(&o, CB_HEAP + 2 * CB_PAGE - 16, CB_STACK + 16, &l);
	assert_int_equal(l.n, 2);
	expect_run(&l, 0, CB_HEAP + 2 * CB_PAGE - 16, CB_HEAP + 2 * CB_PAGE, 5);
	expect_run(&l, 1, CB_STACK, CB_STACK + 16, cb_tag(CB_STACK));
	walk(&o, CB_HEAP + 2 * CB_PAGE, CB_STACK, &l);
	assert_int_equal(l.n, 0);
	free(l.v);
	fini(&o);
}

/* First page only, nothing at all, and cut off: never taken for 0. */
static void what_is_not_stored_is_absent(void **state)
{
	struct runs l = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	o.cb.segs[4].p_filesz = 128;
	o.cb.segs[5].p_filesz = 0;
	open_built(&o);
	expect_at(&o, CB_HEAP + CB_PAGE - 1, TAG_KNOWN, cb_tag(CB_HEAP + CB_PAGE - 16));
	expect_at(&o, CB_HEAP + CB_PAGE, TAG_ABSENT, 0);
	expect_at(&o, CB_STACK, TAG_ABSENT, 0);
	walk(&o, CB_HEAP + CB_PAGE - 16, UINT64_MAX, &l);
	assert_int_equal(l.n, 3);
	expect_run(&l, 1, CB_HEAP + CB_PAGE, CB_HEAP + 2 * CB_PAGE, -1);
	expect_run(&l, 2, CB_STACK, CB_STACK + 2 * CB_PAGE, -1);
	free(l.v);
	fini(&o);
}

static void truncated_tags_are_absent(void **state)
{
	struct opened o;
	off_t cut;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	open_built(&o);
	cut = (off_t)o.core.segs[5].p_offset + 3;
	assert_int_equal(ftruncate(o.fd, cut), 0);
	reopen(&o);
	assert_true(core_is_truncated(&o.core));
	expect_at(&o, CB_STACK + 95, TAG_KNOWN, cb_tag(CB_STACK + 80));
	expect_at(&o, CB_STACK + 96, TAG_ABSENT, 0);
	/* Shorter than at opening: an error, and no result. */
	assert_int_equal(ftruncate(o.fd, cut - 1), 0);
	enum tag_state s = 99;
	struct err e = { 0 };
	u8 tag = 77;
	assert_int_equal(core_tag_at(&o.core, CB_STACK + 95, &s, &tag, &e), ERR_TRUNCATED);
	assert_int_equal(s, 99);
	assert_non_null(strstr(e.msg, "memory tag at 0x70005f"));
	fini(&o);
}

static void old_type_reads_as_the_new(void **state)
{
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	o.cb.segs[4].p_type = CORE_PT_MEMTAG_OLD;
	open_built(&o);
	expect_at(&o, CB_HEAP + 48, TAG_KNOWN, cb_tag(CB_HEAP + 48));
	assert_true(o.core.areas[1].mte);
	fini(&o);
}

static void overlaps_and_wraps_are_cut(void **state)
{
	struct runs l = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	cb_memtag_add(&o.cb, CB_HEAP + CB_PAGE + 8, 256, 2 * CB_PAGE);
	cb_memtag_add(&o.cb, 0ULL - CB_PAGE, 128, 4 * CB_PAGE);
	open_built(&o);
	walk(&o, CB_HEAP, CB_STACK, &l);
	expect_run(&l, 512, CB_HEAP + 2 * CB_PAGE, CB_HEAP + 2 * CB_PAGE + 8,
		   cb_tag(CB_HEAP + 2 * CB_PAGE + 8 - 16));
	assert_int_equal(l.v[l.n - 1].end, CB_HEAP + 3 * CB_PAGE + 8);
	for (size_t i = 1; i < l.n; i++)
		assert_true(l.v[i].start >= l.v[i - 1].end);
	walk(&o, CB_STACK + 2 * CB_PAGE, UINT64_MAX, &l);
	assert_int_equal(l.n, 256);
	assert_int_equal(l.v[255].end, UINT64_MAX);
	free(l.v);
	fini(&o);
}

/* A segment of 64 GiB whose 2 GiB of tags are a hole but for two granules; in a few seconds at most. */
static void huge_segments_are_walked(void **state)
{
	const u64 base = 0x10000000000, size = 64ull << 30;
	const u8 three = 0x03, four = 0x40;
	struct runs l = { 0 };
	struct opened o;
	u64 began;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	cb_memtag_add(&o.cb, base, 0, size);
	o.core = (struct core){ 0 };
	cb_layout(&o.cb);
	o.cb.segs[6].p_filesz = size / TAG_BYTE_SPAN;
	struct buf file = { 0 };
	cb_write(&o.cb, &file);
	o.fd = cb_file_of(&file, o.path);
	buf_fini(&file);
	assert_int_equal(ftruncate(o.fd, (off_t)(o.cb.segs[6].p_offset + size / TAG_BYTE_SPAN)), 0);
	reopen(&o);
	put(&o, 6, 1ull << 30, &three, 1);
	put(&o, 6, size / TAG_BYTE_SPAN - 1, &four, 1);
	began = now_ns();
	walk(&o, base, UINT64_MAX, &l);
	assert_true(now_ns() - began < 60ull * 1000000000);
	assert_int_equal(l.n, 4);
	expect_run(&l, 0, base, base + (32ull << 30), 0);
	expect_run(&l, 1, base + (32ull << 30), base + (32ull << 30) + 16, 3);
	expect_run(&l, 2, base + (32ull << 30) + 16, base + size - 16, 0);
	expect_run(&l, 3, base + size - 16, base + size, 4);
	expect_at(&o, base + size - 1, TAG_KNOWN, 4);
	free(l.v);
	fini(&o);
}

static void walk_can_be_ended(void **state)
{
	volatile sig_atomic_t cancel = 0;
	struct runs l = { .stop = 5 };
	struct err e = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	open_built(&o);
	assert_int_equal(core_tag_runs(&o.core, 0, UINT64_MAX, add, &l, &e), 5);
	assert_int_equal(l.n, 1);
	o.core.cancel = &cancel;
	l.stop = 0;
	assert_int_equal(core_tag_runs(&o.core, 0, UINT64_MAX, add, &l, &e), 0);
	cancel = SIGINT;
	assert_int_equal(core_tag_runs(&o.core, 0, UINT64_MAX, add, &l, &e), ERR_CANCELLED);
	free(l.v);
	fini(&o);
}

/* Each byte of the tag segments' headers in turn becomes each of a few values. */
static void any_byte_of_a_header_is_survived(void **state)
{
	static const u8 values[] = { 0x00, 0xff, 0x7f, 0x80 };
	struct findings f = { 0 };
	struct runs l = { 0 };
	struct err e = { 0 };
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	open_built(&o);
	for (u64 i = core_phdr_off(&o.core, 4); i < core_phdr_off(&o.core, 6); i++)
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			u8 old, tag;

			assert_int_equal(pread(o.fd, &old, 1, (off_t)i), 1);
			assert_int_equal(pwrite(o.fd, &values[k], 1, (off_t)i), 1);
			reopen(&o);
			walk(&o, 0, UINT64_MAX, &l);
			for (size_t n = 0; n < l.n; n++)
				assert_true(l.v[n].start < l.v[n].end && (!n || l.v[n].start >= l.v[n - 1].end));
			at(&o, CB_HEAP + 0x1230, &tag);
			cb_ok(check_core(&o.core, &f, &e), &e);
			findings_fini(&f);
			assert_int_equal(pwrite(o.fd, &old, 1, (off_t)i), 1);
		}
	free(l.v);
	fini(&o);
}

int main(void)
{
	static struct elffmt le = CB_LE64, be = CB_BE64;
	const struct CMUnitTest tests[] = {
		{ "low_nibble_is_the_lower_granule: little-endian", low_nibble_is_the_lower_granule, NULL, NULL, &le },
		{ "low_nibble_is_the_lower_granule: big-endian", low_nibble_is_the_lower_granule, NULL, NULL, &be },
		{ "every_granule_has_its_tag: little-endian", every_granule_has_its_tag, NULL, NULL, &le },
		{ "every_granule_has_its_tag: big-endian", every_granule_has_its_tag, NULL, NULL, &be },
		cmocka_unit_test(runs_of_any_length_are_joined),
		cmocka_unit_test(range_cuts_runs),
		cmocka_unit_test(what_is_not_stored_is_absent),
		cmocka_unit_test(truncated_tags_are_absent),
		cmocka_unit_test(old_type_reads_as_the_new),
		cmocka_unit_test(overlaps_and_wraps_are_cut),
		cmocka_unit_test(huge_segments_are_walked),
		cmocka_unit_test(walk_can_be_ended),
		cmocka_unit_test(any_byte_of_a_header_is_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
