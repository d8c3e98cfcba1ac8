#include "packopen.h"

#include <sys/stat.h>

/* ---- frames made by hand */

/* RFC 8878: a frame without checksum that states @size in 8 bytes, or with @size 0 no size, in a window of 128 KiB. */
static void zeros_head(struct buf *out, u64 size)
{
	pb_le(out, 4, ZSTD_MAGICNUMBER);
	pb_le(out, 1, size ? 0xc0 : 0);
	pb_le(out, 1, 7 << 3);
	if (size)
		pb_le(out, 8, size);
}

enum { RLE_MAX = 128 << 10 };
/* @n blocks of as many zeros as a block can have. */
static void zeros(struct buf *out, u64 stated, size_t n)
{
	zeros_head(out, stated);
	for (size_t i = 0; i < n; i++) {
		pb_le(out, 3, (u32)RLE_MAX << 3 | 1 << 1 | (i + 1 == n));
		pb_le(out, 1, 0);
	}
}

static u64 temp_blocks(struct packed_core *c)
{
	struct stat st;

	assert_int_equal(fstat(inside(c)->temp, &st), 0);
	return (u64)st.st_blocks;
}

static void many_zeros_take_no_room(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };

	(void)state;
	zeros(&c.packed, 0, 4096);
	cb_ok(try_open(&c, &e), &e);
	assert_int_equal(c.file.size, (u64)4096 * RLE_MAX);
	assert_true(temp_blocks(&c) <= 16);
	expect_faults(&c, 0, 0);
	done(&c);
}

/* More than the blocks can hold is not believed, and less is found out. */
static void stated_size_is_compared(void **state)
{
	static const u64 stated[] = { 1ull << 60, UINT64_MAX - 2, 200 * RLE_MAX + 1, 200 * RLE_MAX - 1, 300 * RLE_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stated); i++) {
		struct packed_core c = { 0 };
		struct err e = { 0 };

		zeros(&c.packed, stated[i], 200);
		cb_ok(try_open(&c, &e), &e);
		assert_true(c.file.size <= 200 * RLE_MAX);
		expect_faults(&c, 1, ERR_INPUT);
		done(&c);
	}
}

static void size_of_all_frames_may_not_wrap(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		zeros(&c.packed, 1ull << 63, 1);
	assert_int_equal(try_open(&c, &e), ERR_INPUT);
	done(&c);
}

/* zstd --long=31 */
static void large_window_is_refused(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };

	(void)state;
	zeros(&c.packed, 0, 10);
	c.packed.p[5] = (31 - 10) << 3;
	assert_int_equal(try_open(&c, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "unpack it first with zstd -d --long=31"));
	done(&c);
}

/* A dictionary of 1 GiB, which this file has no use for, but nobody knows beforehand. */
static void large_dictionary_is_refused(void **state)
{
	struct packed_core c = { 0 };
	struct err e = { 0 };
	size_t len;

	(void)state;
	good_core(&c.plain, NULL);
	pb_xz(&c.plain, &c.packed);
	/* The .xz file format, 3.1: the block's header, of which LZMA2's one byte of properties is the size, then a CRC32. */
	len = (c.packed.p[12] + 1u) * 4;
	assert_int_equal(c.packed.p[14], 0x21);
	c.packed.p[16] = 36;
	uint_put(CB_LE64, c.packed.p + 12 + len - 4, 4, lzma_crc32(c.packed.p + 12, len - 4, 0));
	cb_ok(try_open(&c, &e), &e);
	assert_int_equal(core_file_read(&c.file, 0, &(u8){ 0 }, 1, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "unpacking takes 1024 MiB of memory: unpack it first with xz -d"));
	expect_faults(&c, 1, ERR_UNSUPPORTED);
	done(&c);
}

/* ---- large ones are unpacked from their beginning, as far as is read */

enum { LARGE = UNPACK_FRAME_MAX + (1 << 20) };

/* A core's beginning, zeros, and at the end what cannot be packed. */
static void open_large(struct packed_core *c)
{
	struct err e = { 0 };
	unsigned dice = 7;

	*c = (struct packed_core){ 0 };
	good_core(&c->plain, NULL);
	cb_ok(buf_zero(&c->plain, LARGE - c->plain.len, &e), &e);
	for (size_t i = LARGE - (1 << 20); i < LARGE; i++)
		c->plain.p[i] = (u8)roll(&dice);
	pb_zstd(&c->plain, &c->packed);
	cb_ok(try_open(c, &e), &e);
}

static void large_one_is_unpacked_as_far_as_read(void **state)
{
	struct packed_core c;
	struct err e = { 0 };
	u8 got[100];

	(void)state;
	open_large(&c);
	assert_string_equal(c.file.ops->name, "spool");
	assert_int_equal(c.file.size, LARGE);
	assert_int_equal(inside(&c)->have, 0);
	cb_ok(core_file_read(&c.file, 0x100000, got, sizeof(got), &e), &e);
	assert_memory_equal(got, c.plain.p + 0x100000, sizeof(got));
	assert_true(inside(&c)->have <= 0x200000);
	/* Only the core's first pages are not zero. */
	assert_true(temp_blocks(&c) <= 128);
	expect_faults(&c, 0, 0);
	assert_true(inside(&c)->have <= 0x200000);
	same_up_to(&c, LARGE);
	done(&c);
}

static void damage_is_met_where_it_is(void **state)
{
	struct packed_core c;
	struct err e = { 0 };
	u8 got[100];

	(void)state;
	open_large(&c);
	shut(&c);
	c.packed.p[c.packed.len - 1] ^= 1;	/* of the checksum */
	cb_ok(try_open(&c, &e), &e);
	same_up_to(&c, LARGE - (1 << 20));
	expect_faults(&c, 1, ERR_INPUT);
	shut(&c);
	/* A block's header, which the walk sees: it has no known type. */
	c.packed.len -= 100;
	cb_ok(try_open(&c, &e), &e);
	assert_true(c.file.size < LARGE && c.file.size >= LARGE - (1 << 20));
	same_up_to(&c, c.file.size);
	assert_int_not_equal(core_file_read(&c.file, c.file.size, got, 1, &e), 0);
	expect_faults(&c, 1, ERR_TRUNCATED);
	done(&c);
}

static void shrinking_is_an_error(void **state)
{
	struct packed_core c;
	struct err e = { 0 };
	u8 got[100];

	(void)state;
	open_large(&c);
	assert_int_equal(ftruncate(c.fd, (off_t)c.packed.len / 2), 0);
	assert_int_equal(core_file_read(&c.file, LARGE - 100, got, 100, &e), ERR_TRUNCATED);
	assert_non_null(strstr(e.msg, "end in the middle"));
	assert_true(c.file.packing->good_to < LARGE);
	cb_ok(core_file_read(&c.file, 0, got, 100, &e), &e);
	assert_memory_equal(got, c.plain.p, 100);
	done(&c);
}

static void cancel_ends_unpacking(void **state)
{
	volatile sig_atomic_t cancel = 1;
	struct packed_core c;
	struct err e = { 0 };
	u8 got[100];

	(void)state;
	open_large(&c);
	c.file.cancel = &cancel;
	assert_int_equal(core_file_read(&c.file, LARGE - 100, got, 100, &e), ERR_CANCELLED);
	assert_int_equal(core_file_verify(&c.file, &e), ERR_CANCELLED);
	/* It can be gone on with. */
	cancel = 0;
	same_up_to(&c, LARGE);
	expect_faults(&c, 0, 0);
	done(&c);
	cancel = 1;
	good_core(&c.plain, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct core_file f = { .cancel = &cancel };

		if (packers[i].sized)
			continue;
		shut(&c);
		c.packed.len = 0;
		packers[i].pack(&c.plain, &c.packed);
		c.fd = cb_file_of(&c.packed, c.path);
		cb_ok(core_file_open(&f, c.path, &e), &e);
		assert_int_equal(core_file_start(&f, &e), ERR_CANCELLED);
		core_file_close(&f);
	}
	done(&c);
}

/* ---- bombs */

static void expect_limit(int r, const struct err *e)
{
	assert_int_equal(r, ERR_LIMIT);
	assert_non_null(strstr(e->msg, "--unpack-limit"));
}

static void limit_is_on_all_that_comes_out(void **state)
{
	static const struct {
		u64 limit;
		bool good;
	} rows[] = { { 1 << 20, false }, { 512 * RLE_MAX - 1, false }, { 512 * RLE_MAX, true }, { 0, true }, { UINT64_MAX, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packed_core c = { .file.unpack_limit = rows[i].limit };
		struct err e = { 0 };
		int r;

		zeros(&c.packed, 0, 512);
		r = try_open(&c, &e);
		if (rows[i].good)
			assert_int_equal(r, 0);
		else
			expect_limit(r, &e);
		done(&c);
	}
}

/* Every way of packing, also where the size is known and nothing is unpacked beforehand. */
static void limit_is_on_verifying(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct packed_core c = { 0 };
		struct err e = { 0 };
		int r;

		good_core(&c.plain, NULL);
		packers[i].pack(&c.plain, &c.packed);
		c.file.unpack_limit = c.plain.len - 1;
		r = try_open(&c, &e);
		expect_limit(r ? r : core_file_verify(&c.file, &e), &e);
		shut(&c);
		c.file.unpack_limit = c.plain.len;
		cb_ok(try_open(&c, &e), &e);
		expect_faults(&c, 0, 0);
		same_up_to(&c, c.plain.len);
		done(&c);
	}
}

/* What came before the limit is right, and stays so; what comes after it is refused each time, and is no damage. */
static void limit_is_on_what_is_kept(void **state)
{
	struct packed_core c;
	struct err e = { 0 };
	u8 got[100];

	(void)state;
	open_large(&c);
	assert_int_equal(inside(&c)->out_max, 64ull << 30);
	assert_int_equal(inside(&c)->kept_max, 4ull << 30);
	inside(&c)->kept_max = 512 << 10;
	for (int i = 0; i < 3; i++) {
		expect_limit(core_file_read(&c.file, LARGE - 100, got, 100, &e), &e);
		assert_non_null(strstr(e.msg, "not zero"));
		same_up_to(&c, LARGE - (1 << 20));
	}
	assert_int_equal(c.file.packing->good_to, UINT64_MAX);
	expect_limit(core_file_verify(&c.file, &e), &e);
	done(&c);
}

/* ---- as a core */

static void late_notes(struct cb *cb) { cb->n_late_notes = 3; }

/* The frame with the last notes is lost: the core is what comes before. */
static void core_opens_up_to_the_damage(void **state)
{
	struct packed_core c = { 0 };
	static struct pb_table table;
	struct core core = { 0 };
	struct err e = { 0 };
	size_t last;

	(void)state;
	good_core(&c.plain, late_notes);
	pb_frames(&c.packed, &c.plain, true, &table);
	c.packed.p[c.packed.len - 1] ^= 1;
	last = (c.plain.len - 1) / PB_FRAME * PB_FRAME;
	c.fd = cb_file_of(&c.packed, c.path);
	cb_ok(core_open(&core, c.path, &e), &e);
	assert_int_equal(core.file.size, last);
	assert_true(core_is_truncated(&core));
	assert_int_equal(core.n_threads, 1);
	core_close(&core);
	done(&c);
}

static void packed_is_not_unpacked_twice(void **state)
{
	struct packed_core c = { 0 };
	struct buf once = { 0 };
	struct core core = { 0 };
	struct err e = { 0 };

	(void)state;
	good_core(&c.plain, NULL);
	pb_zstd(&c.plain, &once);
	pb_gz(&once, &c.packed);
	c.fd = cb_file_of(&c.packed, c.path);
	assert_int_equal(core_open(&core, c.path, &e), ERR_INPUT);
	assert_int_equal(core.fault, CORE_FAULT_IDENT);
	buf_fini(&once);
	done(&c);
}

static void nothing_but_a_magic_is_refused(void **state)
{
	static const char *const heads[] = { "\x28\xb5\x2f\xfd", "\x1f\x8b\x08", "\xfd" "7zXZ\0", "\x50\x2a\x4d\x18" };
	static const size_t lens[] = { 4, 3, 6, 4 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct packed_core c = { 0 };
		struct err e = { 0 };

		pb_add(&c.packed, heads[i], lens[i]);
		assert_true(try_open(&c, &e) < 0);
		assert_non_null(strstr(e.msg, "data"));
		done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_zeros_take_no_room),
		cmocka_unit_test(stated_size_is_compared),
		cmocka_unit_test(size_of_all_frames_may_not_wrap),
		cmocka_unit_test(large_window_is_refused),
		cmocka_unit_test(large_dictionary_is_refused),
		cmocka_unit_test(large_one_is_unpacked_as_far_as_read),
		cmocka_unit_test(damage_is_met_where_it_is),
		cmocka_unit_test(shrinking_is_an_error),
		cmocka_unit_test(cancel_ends_unpacking),
		cmocka_unit_test(limit_is_on_all_that_comes_out),
		cmocka_unit_test(limit_is_on_verifying),
		cmocka_unit_test(limit_is_on_what_is_kept),
		cmocka_unit_test(core_opens_up_to_the_damage),
		cmocka_unit_test(packed_is_not_unpacked_twice),
		cmocka_unit_test(nothing_but_a_magic_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
