#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <sys/syscall.h>

#include "../deny.h"
#include "dump/writer.h"

/*
 * A file without a name that could not be given one: without /proc, or where a
 * security module or a seccomp filter refuses linkat(2).  That is found before
 * anything is written, and the file has a temporary name from the start.
 */
static int take_linkat(void **state)
{
	(void)state;
	return deny(SYS_linkat, ENOENT, NULL, 0);
}

static void write_core(bool replace)
{
	struct writer w;
	struct err e;

	assert_int_equal(writer_open_file(&w, "core", replace, &e), 0);
	assert_int_equal(writer_emit(&w, "new", 3, &e), 0);
	assert_int_equal(writer_finish(&w, &e), 0);
	writer_close(&w);
	expect_file("core", "new", 3);
	assert_int_equal(count_files(), 1);
}

static void a_new_file(void **state)
{
	(void)state;
	write_core(false);
}

static void a_replaced_file(void **state)
{
	(void)state;
	put_file("core", "old");
	write_core(true);
}

static void abort_leaves_nothing(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(a_new_file),
		in_dir(a_replaced_file),
		in_dir(abort_leaves_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, take_linkat, NULL);
}
