/* Which files are opened for a process that unwinds, by their names. */
#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "unwind/broker.h"

static char here[4096];

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, path, strlen(path)) == (ssize_t)strlen(path));
	close(fd);
}

static const char *at(const char *name)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s/%s", here, name);
	return path;
}

/* The file that has @content, or none where that is NULL. */
static void gives(struct broker *b, const char *path, const char *content)
{
	char text[64] = "";
	struct err e = { 0 };
	int fd = broker_open(b, path, &e);

	if (!content && fd >= 0)
		fail_msg("%s was opened", path);
	if (!content)
		return;
	if (fd < 0)
		fail_msg("%s: %s", path, e.msg);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, content);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
}

static void make_files(void)
{
	assert_true(getcwd(here, sizeof(here)));
	mkdir("root", 0700);
	mkdir("root/dir", 0700);
	mkdir("debug", 0700);
	mkdir("cache", 0700);
	put("outside");
	put("root/inside");
	put("debug/file");
	put("cache/file");
	put("exe");
	assert_int_equal(symlink(at("outside"), "root/out") || symlink("../../outside", "root/dir/up") ||
			 symlink("/inside", "root/dir/absolute"), 0);
}

static void remove_files(void)
{
	static const char *const names[] = { "root/out", "root/dir/up", "root/dir/absolute", "root/inside", "root/dir", "root",
					     "debug/file", "debug", "cache/file", "cache" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(remove(names[i]), 0);
}

static void a_root_is_not_left(void **state)
{
	struct unwind_opts opts = { .sysroot = "root", .exe = "exe", .debuginfo_path = "debug" };
	struct broker *b = NULL;
	struct err e;

	(void)state;
	make_files();
	setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1);
	setenv("DEBUGINFOD_CACHE_PATH", at("cache"), 1);
	assert_int_equal(broker_make(&b, &opts, &e), 0);
	gives(b, at("root/inside"), "root/inside");
	gives(b, at("root/dir/absolute"), "root/inside");
	gives(b, at("root/../root/inside"), NULL);
	gives(b, at("root/../outside"), NULL);
	gives(b, at("root/out"), NULL);
	gives(b, at("root/dir/up"), NULL);
	gives(b, at("rootx"), NULL);
	gives(b, at("outside"), NULL);
	gives(b, "outside", NULL);
	gives(b, "/etc/passwd", NULL);
	gives(b, "exe", "exe");
	gives(b, at("debug/file"), "debug/file");
	gives(b, at("debug/../outside"), NULL);
	gives(b, at("cache/file"), "cache/file");
	gives(b, at("cache/../outside"), NULL);
	broker_free(b);
	unsetenv("DEBUGINFOD_URLS");
	assert_int_equal(broker_make(&b, &opts, &e), 0);
	gives(b, at("cache/file"), NULL);
	broker_free(b);
	remove_files();
}

static void without_a_root(void **state)
{
	struct unwind_opts opts = { 0 }, bad = { .sysroot = "outside" };
	struct broker *b = NULL;
	struct err e;

	(void)state;
	make_files();
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(broker_make(&b, &opts, &e), 0);
	gives(b, at("outside"), "outside");
	gives(b, "outside", NULL);
	gives(b, "", NULL);
	gives(b, at("fifo"), NULL);
	gives(b, at("root"), NULL);
	gives(b, "/proc/self/mem", NULL);
	gives(b, "/proc/self/environ", NULL);
	gives(b, "/dev/zero", NULL);
	broker_free(b);
	assert_int_equal(broker_make(&b, &bad, &e), ERR_INPUT);
	remove_files();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(a_root_is_not_left),
		in_dir(without_a_root),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
