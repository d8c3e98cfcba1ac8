#include "cmocka_all.h"
#include "dirs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/scope.h"
#include "base/util.h"
#include "dump/writer.h"

#define LE ((struct elffmt){ .data = ELFDATA2LSB })

static void ok(int r, const struct err *e)
{
	if (r)
		fail_msg("%s", e->msg);
}

/* Pages that differ, and of which each packs to less than it is. */
static u8 byte_at(u64 off)
{
	return (u8)((off >> 12) * 37 + (off * 7 >> 9));
}

static void open_packed(struct writer *w, const char *path, u64 limit, int level)
{
	struct writer inner = { 0 };
	struct err e = { 0 };

	ok(writer_open_file(&inner, path, false, &e), &e);
	inner.limit = limit;
	ok(writer_open_zstd(w, &inner, level, &e), &e);
	assert_null(inner.ops);
}

static int emit(struct writer *w, size_t len, struct err *e)
{
	u8 piece[5000];

	while (len) {
		size_t n = min(len, sizeof(piece));
		int r;

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(w->off + i);
		r = writer_emit(w, piece, n, e);
		if (r)
			return r;
		len -= n;
	}
	return 0;
}

static void slurp(const char *path, struct buf *b)
{
	int fd auto_close = open(path, O_RDONLY | O_CLOEXEC);
	struct err e = { 0 };
	struct stat st;
	u8 *to;

	assert_true(fd >= 0 && !fstat(fd, &st));
	ok(buf_reserve(b, (size_t)st.st_size, &to, &e), &e);
	assert_int_equal(read(fd, to, (size_t)st.st_size), st.st_size);
	b->len = (size_t)st.st_size;
}

/* ---- what a file of ours must be, as RFC 8878 and the format of seek tables say */

struct expect {
	u64 size;
	u64 data_end;		/* byte_at() up to there, then zeros */
	size_t frames;
	size_t largest;
};

static void check_frame(const u8 *p, size_t len, u64 size, u64 off, const struct expect *x)
{
	u8 *out auto_free = malloc(size);

	assert_non_null(out);
	assert_int_equal(ZSTD_findFrameCompressedSize(p, len), len);
	assert_int_equal(ZSTD_getFrameContentSize(p, len), size);
	/* A checksum: the flag is in the descriptor, RFC 8878, 3.1.1.1.1. */
	assert_true(p[4] & 4);
	assert_int_equal(ZSTD_decompress(out, size, p, len), size);
	for (u64 i = 0; i < size; i++)
		if (out[i] != (off + i < x->data_end ? byte_at(off + i) : 0))
			fail_msg("byte %llu is %d", (unsigned long long)(off + i), out[i]);
}

static void check_file(const char *path, const struct expect *x)
{
	struct buf b scoped(buf_fini) = { 0 };
	u64 n, at = 0, off = 0, largest = 0;
	const u8 *foot, *row;

	slurp(path, &b);
	foot = b.p + b.len - 9;
	n = uint_get(LE, foot, 4);
	assert_int_equal(foot[4], 0);
	assert_int_equal(uint_get(LE, foot + 5, 4), 0x8f92eab1);
	row = foot - 8 * n;
	assert_int_equal(uint_get(LE, row - 8, 4), 0x184d2a5e);
	assert_int_equal(uint_get(LE, row - 4, 4), 8 * n + 9);
	for (u64 i = 0; i < n; i++, row += 8) {
		u64 len = uint_get(LE, row, 4), size = uint_get(LE, row + 4, 4);

		/* Holes of GiBs are not unpacked, but at their ends. */
		if (off < x->data_end + (4 << 20) || off + size == x->size)
			check_frame(b.p + at, (size_t)len, size, off, x);
		largest = max(largest, size);
		at += len;
		off += size;
	}
	assert_int_equal(at, row - 8 * n - 8 - b.p);
	assert_int_equal(off, x->size);
	if (x->frames)
		assert_int_equal(n, x->frames);
	assert_int_equal(largest, x->largest);
}

/* ---- */

static void data(void **state)
{
	struct expect x = { .size = 3 * 1000 * 1000, .data_end = 3 * 1000 * 1000, .frames = 12, .largest = 256 << 10 };
	struct writer w = { 0 };
	struct err e = { 0 };
	struct stat st;

	(void)state;
	open_packed(&w, "core", 0, 1);
	ok(emit(&w, x.size, &e), &e);
	assert_int_equal(w.off, x.size);
	assert_int_equal(access("core", F_OK), -1);
	ok(writer_finish(&w, &e), &e);
	assert_int_equal(stat("core", &st), 0);
	assert_true(st.st_size < 1000 * 1000);
	assert_int_equal(w.on_disk, st.st_blocks * 512);
	writer_close(&w);
	check_file("core", &x);
	assert_int_equal(count_files(), 1);
}

/* Stronger levels get more to look back on. */
static void levels(void **state)
{
	struct expect x = { .size = 1500 * 1000, .data_end = 1500 * 1000, .frames = 2, .largest = 1 << 20 };
	struct writer w = { 0 };
	struct err e = { 0 };

	(void)state;
	open_packed(&w, "core", 0, ZSTD_maxCLevel());
	ok(emit(&w, x.size, &e), &e);
	ok(writer_finish(&w, &e), &e);
	check_file("core", &x);
	assert_int_equal(writer_level_check(1, &e), 0);
	assert_int_equal(writer_level_check(0, &e), ERR_USAGE);
	assert_int_equal(writer_level_check(-1, &e), ERR_USAGE);
	assert_int_equal(writer_level_check(ZSTD_maxCLevel() + 1, &e), ERR_USAGE);
}

/* Frames of zeros that cost nothing to pack, and a TiB of them hardly any room. */
static void holes(void **state)
{
	static const struct {
		u64 hole;
		size_t frames, largest;
		off_t most;
	} cases[] = {
		{ 4096, 1, 10000 + 4096, 1000 },
		{ 1000 * 1000, 4, 256 << 10, 5000 },
		{ 1 << 20, 2, 1 << 20, 5000 },
		{ (5u << 20) + 12345, 7, 1 << 20, 5000 },
		{ 1ull << 30, 1 + 64, 16 << 20, 100000 },
		{ (1ull << 40) + (3 << 20) + 7, 1 + 65536 + 3 + 1, 16 << 20, 40 << 20 },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct expect x = { .size = 10000 + cases[i].hole, .data_end = 10000, .frames = cases[i].frames,
				    .largest = cases[i].largest };
		struct writer w = { 0 };
		struct stat st;

		open_packed(&w, "core", 0, 1);
		ok(emit(&w, 10000, &e), &e);
		ok(writer_skip(&w, cases[i].hole, &e), &e);
		ok(writer_finish(&w, &e), &e);
		check_file("core", &x);
		assert_int_equal(stat("core", &st), 0);
		assert_in_range(st.st_size, 1, cases[i].most);
		unlink("core");
	}
}

/* Data after a hole begin at the right place, whether it is in a frame of its own or not. */
static void after_holes(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct writer w = { 0 };
	struct err e = { 0 };
	u8 *out auto_free = malloc(4 << 20);
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_outBuffer to = { out, 4 << 20, 0 };
	ZSTD_inBuffer from;

	(void)state;
	open_packed(&w, "core", 0, 1);
	ok(writer_skip(&w, 123, &e), &e);
	ok(writer_emit(&w, "a", 1, &e), &e);
	ok(writer_skip_to(&w, (2 << 20) + 5, &e), &e);
	ok(writer_emit(&w, "b", 1, &e), &e);
	ok(writer_finish(&w, &e), &e);
	slurp("core", &b);
	from = (ZSTD_inBuffer){ b.p, b.len, 0 };
	while (from.pos < from.size)
		assert_false(ZSTD_isError(ZSTD_decompressStream(d, &to, &from)));
	ZSTD_freeDCtx(d);
	assert_int_equal(to.pos, (2 << 20) + 6);
	for (size_t i = 0; i < to.pos; i++)
		assert_int_equal(out[i], i == 123 ? 'a' : i == to.pos - 1 ? 'b' : 0);
}

/* Of the packed bytes; whatever is under way in other threads is given up. */
static void limit(void **state)
{
	struct writer w = { 0 };
	struct err e = { 0 };

	(void)state;
	open_packed(&w, "core", 100, 1);
	ok(emit(&w, 1000, &e), &e);
	assert_int_equal(emit(&w, 50 << 20, &e), ERR_LIMIT);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
	/* Only the end is too much. */
	open_packed(&w, "core", 100, 1);
	ok(emit(&w, 100000, &e), &e);
	assert_int_equal(writer_finish(&w, &e), ERR_LIMIT);
	assert_int_equal(count_files(), 0);
}

static void no_room(void **state)
{
	struct rlimit old, small = { 4096, 4096 };
	struct writer w = { 0 };
	struct err e = { 0 };
	int r;

	(void)state;
	open_packed(&w, "core", 0, 1);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	r = emit(&w, 50 << 20, &e);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(r, -EFBIG);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void abort_leaves_nothing(void **state)
{
	struct writer w = { 0 };
	struct err e = { 0 };

	(void)state;
	open_packed(&w, "core", 0, 1);
	writer_close(&w);
	open_packed(&w, "core", 0, 1);
	ok(emit(&w, 3 << 20, &e), &e);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

/* Nothing written is a file of zstd's, too. */
static void empty(void **state)
{
	struct expect x = { .size = 0 };
	struct writer w = { 0 };
	struct err e = { 0 };

	(void)state;
	open_packed(&w, "core", 0, 1);
	ok(writer_finish(&w, &e), &e);
	check_file("core", &x);
}

int main(void)
{
#define in_dir(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
		in_dir(data),		in_dir(levels),		in_dir(holes),			in_dir(after_holes),
		in_dir(limit),		in_dir(no_room),	in_dir(abort_leaves_nothing),	in_dir(empty),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
