#include "corebuild.h"

#include "repair/overlay.h"

static void overlay_is(struct overlay *o, const char *want)
{
	struct core_file f;
	char got[64] = { 0 };
	struct err e;

	overlay_file(o, &f);
	assert_int_equal(f.size, strlen(want));
	for (size_t from = 0; from < f.size; from++)
		for (size_t n = 1; from + n <= f.size; n++) {
			memset(got, 0, sizeof(got));
			cb_ok(core_file_read(&f, from, got, n, &e), &e);
			assert_memory_equal(got, want + from, n);
		}
}

static void put(struct overlay *o, u64 off, const char *text)
{
	struct err e;

	cb_ok(overlay_put(o, off, text, strlen(text), &e), &e);
}

static void overlay_has_the_holes_of_its_file(void **state)
{
	enum { MIB = 1 << 20 };
	struct core_file file = { 0 }, f;
	struct overlay o;
	struct err e;
	char path[32];
	int fd = memfd_create("sparse", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 8 * MIB), 0);
	assert_int_equal(pwrite(fd, "x", 1, 4 * MIB), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cb_ok(core_file_open(&file, path, &e), &e);
	overlay_init(&o, &file, file.size);
	put(&o, 2 * MIB + 5, "y");
	put(&o, 9 * MIB, "z");
	cb_ok(overlay_commit(&o, &e), &e);
	overlay_file(&o, &f);
	assert_int_equal(core_file_next_data(&f, 0), 2 * MIB + 5);
	assert_int_equal(core_file_next_data(&f, 2 * MIB + 5), 2 * MIB + 5);
	assert_int_equal(core_file_next_data(&f, 2 * MIB + 6), 4 * MIB);
	assert_int_equal(core_file_next_data(&f, 5 * MIB), 9 * MIB);
	assert_int_equal(core_file_next_data(&f, 8 * MIB + 1), 9 * MIB);
	assert_int_equal(core_file_next_data(&f, 9 * MIB + 1), 9 * MIB + 1);
	/* What became shorter has no zeros there: it must be read to be found out. */
	assert_int_equal(ftruncate(fd, MIB), 0);
	assert_int_equal(core_file_next_data(&file, 5 * MIB), 5 * MIB);
	overlay_fini(&o);
	core_file_close(&file);
	close(fd);
}

static void newer_patch_is_on_top(void **state)
{
	struct buf b = { 0 };
	struct core_file file = { 0 };
	struct overlay o;
	struct err e;
	char path[32];
	int fd;

	(void)state;
	cb_ok(buf_add(&b, "abcdefghij", 10, &e), &e);
	fd = cb_file_of(&b, path);
	cb_ok(core_file_open(&file, path, &e), &e);
	overlay_init(&o, &file, 9);
	overlay_is(&o, "abcdefghi");
	put(&o, 6, "GH");
	put(&o, 1, "BCD");
	overlay_is(&o, "abcdefghi");
	cb_ok(overlay_commit(&o, &e), &e);
	overlay_is(&o, "aBCDefGHi");
	put(&o, 2, "-----");
	put(&o, 9, "end");
	put(&o, 8, "IJ");
	cb_ok(overlay_commit(&o, &e), &e);
	overlay_is(&o, "aB-----HIJnd");
	assert_int_equal(overlay_put(&o, UINT64_MAX - 1, "xxx", 3, &e), ERR_UNSUPPORTED);
	overlay_fini(&o);
	core_file_close(&file);
	close(fd);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newer_patch_is_on_top),
		cmocka_unit_test(overlay_has_the_holes_of_its_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
