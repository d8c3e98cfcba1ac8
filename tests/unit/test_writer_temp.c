#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../deny.h"
#include "dump/writer.h"

/*
 * The file writer where the file system can do less: no files without a name
 * (vfat, NFS, many FUSE ones), no RENAME_NOREPLACE (NFS), no links (vfat).  What
 * it cannot do is taken away by seccomp, for good: the tests' order matters, and
 * each finds what those before it have left.
 */
static int take_tmpfile(void **state)
{
	/* O_TMPFILE has O_DIRECTORY in it, which is no sign. */
	const struct deny_if flag = { .arg = 2, .mask = O_TMPFILE & ~O_DIRECTORY, .any = 1 };

	(void)state;
	return deny(SYS_openat, EOPNOTSUPP, &flag, 1);
}

static int take_noreplace(void **state)
{
	const struct deny_if flags = { .arg = 4, .mask = UINT32_MAX, .any = 1 };

	return deny(SYS_renameat2, EINVAL, &flags, 1) ? -1 : enter(state);
}

static int take_links(void **state)
{
#ifdef SYS_link
	if (deny(SYS_link, EPERM, NULL, 0))
		return -1;
#endif
	return deny(SYS_linkat, EPERM, NULL, 0) ? -1 : enter(state);
}

/* Its only file, which must be hidden. */
static void expect_temporary(struct stat *st)
{
	struct dirent *entry;
	DIR *d = opendir(".");
	size_t found = 0;

	while ((entry = readdir(d))) {
		if (strncmp(entry->d_name, ".core-tagcore-", 14))
			continue;
		found++;
		assert_int_equal(stat(entry->d_name, st), 0);
		assert_int_equal(st->st_mode & 07777, 0600);
	}
	closedir(d);
	assert_int_equal(found, 1);
}

static void begin(struct writer *w, bool replace)
{
	struct stat st;
	struct err e;

	assert_int_equal(writer_open_file(w, "core", replace, &e), 0);
	assert_int_equal(writer_emit(w, "new", 3, &e), 0);
	expect_temporary(&st);
}

static void a_named_temporary_is_renamed(void **state)
{
	struct writer w;
	struct stat before, after;
	struct err e;

	(void)state;
	umask(0);
	begin(&w, false);
	expect_temporary(&before);
	assert_int_equal(count_files(), 1);
	assert_int_equal(writer_skip(&w, 2, &e), 0);
	assert_int_equal(writer_finish(&w, &e), 0);
	writer_close(&w);
	expect_file("core", "new\0\0", 5);
	assert_int_equal(stat("core", &after), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_int_equal(after.st_nlink, 1);
	assert_int_equal(count_files(), 1);
}

static void abort_removes_it(void **state)
{
	struct writer w;

	(void)state;
	begin(&w, false);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void an_error_removes_it(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	begin(&w, false);
	w.limit = 3;
	assert_int_equal(writer_emit(&w, "x", 1, &e), ERR_LIMIT);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void a_late_file_is_kept(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	begin(&w, false);
	put_file("core", "late");
	assert_int_equal(writer_finish(&w, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "core"));
	writer_close(&w);
	expect_file("core", "late", 4);
	assert_int_equal(count_files(), 1);
}

static void replaced_in_one_step(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	put_file("core", "old");
	begin(&w, true);
	expect_file("core", "old", 3);
	assert_int_equal(writer_finish(&w, &e), 0);
	writer_close(&w);
	expect_file("core", "new", 3);
	assert_int_equal(count_files(), 1);
}

static void abort_keeps_the_old_one(void **state)
{
	struct writer w;

	(void)state;
	put_file("core", "old");
	begin(&w, true);
	writer_close(&w);
	expect_file("core", "old", 3);
	assert_int_equal(count_files(), 1);
}

/* Nothing is left that would name the file without the risk of replacing another. */
static void neither_renamed_nor_linked(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	begin(&w, false);
	assert_true(writer_finish(&w, &e) < 0);
	assert_non_null(strstr(e.msg, "core"));
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

/* In a process of its own, which closes nothing from then on: 0 when that is an error, and there is no core. */
static int finish_without_close(void)
{
	struct writer w;
	struct err e;

	if (writer_open_file(&w, "core", false, &e) || writer_emit(&w, "new", 3, &e) || deny(SYS_close, EDQUOT, NULL, 0))
		return 1;
	return writer_finish(&w, &e) != -EDQUOT || !strstr(e.msg, "core") || !access("core", F_OK);
}

/* NFS and quotas: close(2), NOTES. */
static void a_disk_that_is_full_at_close(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(finish_without_close());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_files(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(a_disk_that_is_full_at_close),
		in_dir(a_named_temporary_is_renamed),
		in_dir(abort_removes_it),
		in_dir(an_error_removes_it),
		in_dir(a_late_file_is_kept),
		in_dir(replaced_in_one_step),
		in_dir(abort_keeps_the_old_one),
		/* By link(2) from here on. */
		{ "linked: a_named_temporary_is_renamed", a_named_temporary_is_renamed, take_noreplace, leave, NULL },
		{ "linked: a_late_file_is_kept", a_late_file_is_kept, enter, leave, NULL },
		{ "linked: replaced_in_one_step", replaced_in_one_step, enter, leave, NULL },
		{ "linked: abort_removes_it", abort_removes_it, enter, leave, NULL },
		/* By nothing from here on. */
		{ "neither_renamed_nor_linked", neither_renamed_nor_linked, take_links, leave, NULL },
		{ "no links: replaced_in_one_step", replaced_in_one_step, enter, leave, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, take_tmpfile, NULL);
}
