#include "packbuild.h"

#include <sys/stat.h>

#include "checkmut.h"
#include "core/core_file_packed.h"

/* ---- a packed core, as a file that is open */

struct packed_core {
	struct buf plain;
	struct buf packed;
	struct core_file file;
	char path[32];
	int fd;
};

static void good_core(struct buf *out, void (*change)(struct cb *cb))
{
	struct cb cb;

	cb_good(&cb, EM_X86_64, CB_LE64);
	cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	if (change)
		change(&cb);
	cb_layout(&cb);
	cb_write(&cb, out);
	cb_fini(&cb);
}

/* 0 or what opening or starting said. */
static int try_open(struct packed_core *c, struct err *e)
{
	int r;

	c->fd = cb_file_of(&c->packed, c->path);
	r = core_file_open(&c->file, c->path, e);
	return r ? r : core_file_start(&c->file, e);
}

static void shut(struct packed_core *c)
{
	core_file_close(&c->file);
	if (c->fd > 0)
		close(c->fd);
	c->fd = 0;
}

static void done(struct packed_core *c)
{
	shut(c);
	buf_fini(&c->plain);
	buf_fini(&c->packed);
}

static void open_packed(struct packed_core *c, void (*pack)(const struct buf *in, struct buf *out))
{
	struct err e = { 0 };

	*c = (struct packed_core){ 0 };
	good_core(&c->plain, NULL);
	pack(&c->plain, &c->packed);
	cb_ok(try_open(c, &e), &e);
}

static struct packed *inside(struct packed_core *c)
{
	assert_non_null(c->file.packing);
	return c->file.priv;
}

/* The whole file is as the plain one, up to @size. */
static void same_up_to(struct packed_core *c, u64 size)
{
	u8 *got = malloc(c->plain.len);
	struct err e = { 0 };

	assert_true(size <= c->plain.len);
	cb_ok(core_file_read(&c->file, 0, got, size, &e), &e);
	assert_memory_equal(got, c->plain.p, size);
	free(got);
}

static void expect_faults(struct packed_core *c, size_t n, int code)
{
	struct err e = { 0 };

	cb_ok(core_file_verify(&c->file, &e), &e);
	assert_int_equal(c->file.packing->n_faults, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c->file.packing->faults[i].code, code);
}

/* ---- every way of packing */

static unsigned roll(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

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

/* ---- frames made by hand */

/* RFC 8878: a frame without checksum that tells @size in 8 bytes, or with @size 0 nothing, in a window of 128 KiB. */
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
static void zeros(struct buf *out, u64 tells, size_t n)
{
	zeros_head(out, tells);
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
static void told_size_is_compared(void **state)
{
	static const u64 tells[] = { 1ull << 60, UINT64_MAX - 2, 200 * RLE_MAX + 1, 200 * RLE_MAX - 1, 300 * RLE_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tells); i++) {
		struct packed_core c = { 0 };
		struct err e = { 0 };

		zeros(&c.packed, tells[i], 200);
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
	/* Of which only the core's first pages are not zero. */
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

static void wish_to_stop_is_obeyed(void **state)
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

/* ---- as a core */

static void late_notes(struct cb *cb) { cb->n_late_notes = 3; }

/* The frame with the last notes is lost: the core is what comes before. */
static void core_opens_up_to_the_damage(void **state)
{
	struct packed_core c = { 0 };
	struct core core = { 0 };
	struct err e = { 0 };
	size_t last;

	(void)state;
	good_core(&c.plain, late_notes);
	pb_frames(&c.packed, &c.plain, true, &honest);
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
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(many_zeros_take_no_room),
		cmocka_unit_test(told_size_is_compared),
		cmocka_unit_test(size_of_all_frames_may_not_wrap),
		cmocka_unit_test(large_window_is_refused),
		cmocka_unit_test(large_dictionary_is_refused),
		cmocka_unit_test(large_one_is_unpacked_as_far_as_read),
		cmocka_unit_test(damage_is_met_where_it_is),
		cmocka_unit_test(shrinking_is_an_error),
		cmocka_unit_test(wish_to_stop_is_obeyed),
		cmocka_unit_test(core_opens_up_to_the_damage),
		cmocka_unit_test(packed_is_not_unpacked_twice),
		cmocka_unit_test(nothing_but_a_magic_is_refused),
		cmocka_unit_test(every_check_has_a_mutation),
	};
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
	memcpy(tests + n, plain, sizeof(plain));
	n += ARRAY_SIZE(plain);
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
