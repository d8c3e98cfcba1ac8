#include "cmocka_all.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"
#include "base/search.h"
#include "base/text.h"
#include "base/util.h"

static const struct elffmt le = { ELFCLASS64, ELFDATA2LSB }, be = { ELFCLASS64, ELFDATA2MSB };

static void err_messages(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(e.msg, "open x: No such file or directory");
	assert_int_equal(err_wrap(&e, "core"), -ENOENT);
	assert_string_equal(e.msg, "core: open x: No such file or directory");
	assert_int_equal(err_at(&e, ERR_INPUT, 0x40, "bad"), ERR_INPUT);
	assert_string_equal(e.msg, "at 0x40: bad");
	assert_true(e.has_off && e.off == 0x40);
	assert_string_equal(err_sentence(&e), "bad");
	err_wrap(&e, "core");
	assert_string_equal(e.msg, "core: at 0x40: bad");
	assert_true(e.has_off && e.off == 0x40);
	assert_string_equal(err_sentence(&e), "bad");
	err_at(&e, ERR_INPUT, 0x40, "bad");
	err_set(&e, ERR_INPUT, "at 0x50: bad");
	assert_false(e.has_off);
	assert_string_equal(err_sentence(&e), e.msg);
	assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), ERR_LIMIT);
	for (int i = 0; i < 100; i++)
		err_wrap(&e, "a long context, again and again");
	assert_in_range(strlen(e.msg), 1, sizeof(e.msg) - 1);
	assert_true(e.sentence <= strlen(e.msg));
}

static void bytes_bounds(void **state)
{
	const u8 data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b', 0, 'c' };
	struct bytes b = { .p = data, .len = sizeof(data), .off = 100 }, sub;
	struct err e;
	const char *s;
	size_t len;
	u64 v;

	(void)state;
	assert_int_equal(bytes_uint(b, le, 0, 8, &v, &e), 0);
	assert_true(v == 0x0807060504030201);
	assert_int_equal(bytes_uint(b, be, 0, 2, &v, &e), 0);
	assert_true(v == 0x0102);
	assert_int_equal(bytes_uint(b, le, 9, 4, &v, &e), ERR_TRUNCATED);
	assert_int_equal(bytes_uint(b, le, UINT64_MAX, 4, &v, &e), ERR_TRUNCATED);
	assert_int_equal(bytes_sub(b, 4, UINT64_MAX, &sub, &e), ERR_TRUNCATED);
	assert_int_equal(bytes_sub(b, 4, 8, &sub, &e), 0);
	assert_true(sub.off == 104);
	assert_int_equal(bytes_str(b, 8, &s, &len, &e), 0);
	assert_string_equal(s, "ab");
	assert_int_equal(bytes_str(b, 11, &s, &len, &e), ERR_TRUNCATED);
	assert_int_equal(bytes_str(b, 12, &s, &len, &e), ERR_TRUNCATED);
}

static void uint_round_trip(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 8; size *= 2)
		for (int k = 0; k < 2; k++) {
			u64 v = 0x1122334455667788 >> (64 - 8 * size);
			u8 p[8];

			uint_put(k ? le : be, p, size, v);
			assert_true(uint_get(k ? le : be, p, size) == v);
			assert_int_equal(p[0], size == 1 ? 0x11 : k ? (u8)v : 0x11);
		}
}

static void buf_grows(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&b, &e, "%03d,", i), 0);
	assert_int_equal(b.len, 4000);
	assert_memory_equal(b.p + 3996, "999,", 4);
	assert_int_equal(buf_add(&b, "x", 1, &e), 0);
	assert_int_equal(buf_align(&b, 16, &e), 0);
	assert_int_equal(b.len, 4016);
	assert_int_equal(b.p[4015], 0);
	assert_int_equal(buf_zero(&b, SIZE_MAX - 10, &e), -ENOMEM);
}

static void arrays_grow(void **state)
{
	size_t cap = 0, n = 0, moves = 0;
	u32 *rows = NULL;
	struct err e;

	(void)state;
	for (; n < 1000; n++) {
		size_t old = cap;

		assert_int_equal(array_grow((void **)&rows, n, &cap, sizeof(*rows), "rows", &e), 0);
		moves += cap != old;
		assert_true(n < cap);
		rows[n] = (u32)n;
	}
	assert_int_equal(moves, 7);
	for (n = 0; n < 1000; n++)
		assert_int_equal(rows[n], n);
	free(rows);
}

/* Every length up to 9, every place in and between the rows, and equal rows. */
static void searches_begin_and_end(void **state)
{
	static const u64 v[] = { 2, 4, 4, 4, 8, 10, 12, 12, 16 };

	(void)state;
	for (size_t n = 0; n <= ARRAY_SIZE(v); n++)
		for (size_t from = 0; from <= n; from++)
			for (u64 key = 0; key < 18; key++) {
				size_t first = from, above = from;

				while (first < n && v[first] < key)
					first++;
				while (above < n && v[above] <= key)
					above++;
				assert_int_equal(search_first(i, from, n, v[i] >= key), first);
				assert_int_equal(search_first(i, from, n, v[i] > key), above);
			}
	assert_int_equal(search_first(i, 3, 2, v[i] > 0), 3);
}

static void zeros_end_at_the_first_other_byte(void **state)
{
	u8 p[19] = { 0 };

	(void)state;
	assert_true(mem_is_zero(NULL, 0));
	for (size_t len = 0; len < sizeof(p); len++)
		for (size_t at = 0; at < sizeof(p); at++) {
			p[at] = 1;
			assert_int_equal(mem_is_zero(p, len), at >= len);
			p[at] = 0;
		}
	memset(p, 7, sizeof(p));
	assert_false(mem_is_zero(p, sizeof(p)));
}

static void products_are_clipped(void **state)
{
	(void)state;
	assert_true(mul_clip(1ull << 32, (1ull << 32) - 1) == ~0xffffffffull);
	assert_true(mul_clip(1ull << 32, 1ull << 32) == UINT64_MAX);
	assert_true(mul_clip(UINT64_MAX, 0) == 0);
}

static void slurp_is_bounded(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(io_write_full(fds[1], "0123456789", 10, "pipe", &e), 0);
	close(fds[1]);
	assert_int_equal(io_slurp_fd(fds[0], &b, 9, "pipe", &e), ERR_LIMIT);
	close(fds[0]);
	assert_int_equal(io_slurp("/nonexistent", &b, 9, &e), -ENOENT);
}

static void sizes_for_people(void **state)
{
	char out[TEXT_SIZE_MAX];

	(void)state;
	assert_string_equal(text_size(0, out), "0 B");
	assert_string_equal(text_size(1023, out), "1023 B");
	assert_string_equal(text_size(1536, out), "1.5 KiB");
	assert_string_equal(text_size(UINT64_MAX, out), "16.0 EiB");
}

static void bytes_and_permissions_in_letters(void **state)
{
	const u8 id[] = { 0x00, 0x9a, 0xf0, 0xff };
	char out[2 * sizeof(id) + 1], perms[4];

	(void)state;
	assert_string_equal(text_hex(id, sizeof(id), out), "009af0ff");
	assert_string_equal(text_hex(id, 0, out), "");
	assert_string_equal(text_rwx(true, false, true, perms), "r-x");
	assert_string_equal(text_rwx(false, true, false, perms), "-w-");
}

static void escapes_what_drives_a_terminal(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "plain", "plain" },
		{ "\033[2J", "\\033[2J" },
		{ "a\nb\x7f", "a\\012b\\177" },
		{ "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac" },
		{ "\xc2\x9b", "\\302\\233" },		/* CSI of C1 */
		{ "\xff\xfe", "\\377\\376" },
		{ "\xe2\x82", "\\342\\202" },		/* cut short */
		{ "\xc0\x80", "\\300\\200" },		/* overlong */
		{ "\xed\xa0\x80", "\\355\\240\\200" },	/* surrogate */
		{ "\xe2\x80\xa9\xe2\x80\xaf", "\xe2\x80\xa9\xe2\x80\xaf" },	/* beside U+202A to U+202E */
		{ "\xe2\x80\xaa", "\\342\\200\\252" },
		{ "a\xe2\x80\xae" "b", "a\\342\\200\\256b" },
		{ "\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x81\xa5\xe2\x81\xaa" },	/* beside U+2066 to U+2069 */
		{ "\xe2\x81\xa6", "\\342\\201\\246" },
		{ "\xe2\x81\xa9", "\\342\\201\\251" },
		{ "\xe2\x80\x8d\xe2\x80\x90", "\xe2\x80\x8d\xe2\x80\x90" },	/* joiner, hyphen */
		{ "\xe2\x80\x8e\xe2\x80\x8f", "\\342\\200\\216\\342\\200\\217" },
		{ "\xd8\x9c\xd8\x9b", "\\330\\234\xd8\x9b" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(text_escape(rows[i].in, out, sizeof(out)), rows[i].out);
	assert_string_equal(text_escape("a\nb", out, 5), "a");
	assert_string_equal(text_escape(NULL, out, sizeof(out)), "");
}

static void numbers(void **state)
{
	u64 v;

	(void)state;
	assert_int_equal(text_parse_u64("10", 10, false, &v), 0);
	assert_true(v == 10);
	assert_int_equal(text_parse_u64("0x7fff", 16, false, &v), 0);
	assert_true(v == 0x7fff);
	assert_int_equal(text_parse_u64("7fff", 16, false, &v), 0);
	assert_int_equal(text_parse_u64("2M", 10, true, &v), 0);
	assert_true(v == 2 << 20);
	assert_int_equal(text_parse_u64("1GiB", 10, true, &v), 0);
	assert_true(v == 1 << 30);
	assert_int_equal(text_parse_u64("2M", 10, false, &v), -EINVAL);
	assert_int_equal(text_parse_u64("-1", 10, false, &v), -EINVAL);
	assert_int_equal(text_parse_u64(" 1", 10, false, &v), -EINVAL);
	assert_int_equal(text_parse_u64("", 10, false, &v), -EINVAL);
	assert_int_equal(text_parse_u64("", 16, false, &v), -EINVAL);
	assert_int_equal(text_parse_u64("1Mx", 10, true, &v), -EINVAL);
	assert_int_equal(text_parse_u64("99999999999999999999", 10, false, &v), -ERANGE);
	assert_int_equal(text_parse_u64("99999999999T", 10, true, &v), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_messages),
		cmocka_unit_test(bytes_bounds),
		cmocka_unit_test(uint_round_trip),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(arrays_grow),
		cmocka_unit_test(searches_begin_and_end),
		cmocka_unit_test(zeros_end_at_the_first_other_byte),
		cmocka_unit_test(products_are_clipped),
		cmocka_unit_test(bytes_and_permissions_in_letters),
		cmocka_unit_test(slurp_is_bounded),
		cmocka_unit_test(sizes_for_people),
		cmocka_unit_test(escapes_what_drives_a_terminal),
		cmocka_unit_test(numbers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
