#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/writer.h"
#include "elf/note.h"

static void file_appears_when_finished(void **state)
{
	struct writer w;
	struct stat st;
	struct err e;

	(void)state;
	umask(0);
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	assert_int_equal(writer_emit(&w, "ab", 2, &e), 0);
	assert_int_equal(writer_skip(&w, 3, &e), 0);
	assert_int_equal(writer_emit(&w, "c", 1, &e), 0);
	assert_int_equal(writer_skip_to(&w, 8, &e), 0);
	assert_int_equal(access("core", F_OK), -1);
	assert_int_equal(writer_finish(&w, &e), 0);
	writer_close(&w);
	expect_file("core", "ab\0\0\0c\0\0", 8);
	assert_int_equal(stat("core", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_files(), 1);
}

static void abort_leaves_nothing(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	assert_int_equal(writer_emit(&w, "ab", 2, &e), 0);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void existing_file_is_kept(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	put_file("core", "old");
	assert_int_equal(writer_open_file(&w, "core", false, &e), -EEXIST);
	expect_file("core", "old", 3);
	/* One that comes into being while we write is not replaced either. */
	assert_int_equal(writer_open_file(&w, "late", false, &e), 0);
	put_file("late", "late");
	assert_int_equal(writer_finish(&w, &e), -EEXIST);
	writer_close(&w);
	expect_file("late", "late", 4);
	assert_int_equal(count_files(), 2);
}

static void replace(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	put_file("core", "old");
	assert_int_equal(writer_open_file(&w, "core", true, &e), 0);
	assert_int_equal(writer_emit(&w, "new!", 4, &e), 0);
	expect_file("core", "old", 3);
	assert_int_equal(writer_finish(&w, &e), 0);
	expect_file("core", "new!", 4);
	assert_int_equal(count_files(), 1);
}

/* A link in place of the output leads nowhere: it is replaced itself, or refused. */
static void symlink_is_not_followed(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	put_file("victim", "safe");
	assert_int_equal(symlink("victim", "core"), 0);
	assert_int_equal(writer_open_file(&w, "core", false, &e), -EEXIST);
	assert_int_equal(writer_open_file(&w, "core", true, &e), 0);
	assert_int_equal(writer_emit(&w, "x", 1, &e), 0);
	assert_int_equal(writer_finish(&w, &e), 0);
	expect_file("victim", "safe", 4);
	expect_file("core", "x", 1);
}

/* Whatever takes the name while we write is kept, and not written into. */
static void a_late_fifo_is_kept(void **state)
{
	struct writer w;
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	assert_int_equal(writer_emit(&w, "x", 1, &e), 0);
	assert_int_equal(mkfifo("core", 0666), 0);
	assert_int_equal(writer_finish(&w, &e), -EEXIST);
	writer_close(&w);
	assert_int_equal(lstat("core", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(count_files(), 1);
}

/* The directory is the one that was there at the beginning, whatever has its name later. */
static void a_moved_directory_gets_it(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	assert_int_equal(writer_open_file(&w, "dir/core", true, &e), 0);
	assert_int_equal(writer_emit(&w, "x", 1, &e), 0);
	assert_int_equal(rename("dir", "moved"), 0);
	assert_int_equal(symlink("elsewhere", "dir"), 0);
	assert_int_equal(writer_finish(&w, &e), 0);
	expect_file("moved/core", "x", 1);
	assert_int_equal(access("elsewhere/core", F_OK), -1);
	assert_int_equal(unlink("moved/core"), 0);
	assert_int_equal(rmdir("moved") | rmdir("elsewhere"), 0);
}

static void directories_are_refused(void **state)
{
	static const char *const names[] = { "dir", "dir/", "dir/.", "..", "new/", "/" };
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (int replace = 0; replace < 2; replace++)
			assert_int_equal(writer_open_file(&w, names[i], replace, &e), -EISDIR);
	assert_int_equal(rmdir("dir"), 0);
	assert_int_equal(count_files(), 0);
}

static void no_directory(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_true(writer_open_file(&w, "no/such/core", false, &e) < 0);
	assert_non_null(strstr(e.msg, "no/such/core"));
}

static void zero_pages_become_holes(void **state)
{
	static u8 data[5 * 4096];
	struct writer w;
	struct err e;

	(void)state;
	data[0] = 1;
	data[2 * 4096 + 4095] = 2;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	assert_int_equal(writer_emit_sparse(&w, data, sizeof(data), 4096, &e), 0);
	assert_int_equal(w.off, sizeof(data));
	assert_int_equal(w.written, 2 * 4096);
	assert_int_equal(writer_finish(&w, &e), 0);
	/* Some file systems allocate more than a page at a time. */
	assert_in_range(w.on_disk, 0, 4 * 4096);
}

static void limit(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	w.limit = 10;
	assert_int_equal(writer_skip(&w, 100, &e), 0);
	assert_int_equal(writer_emit(&w, "0123456789", 10, &e), 0);
	assert_int_equal(writer_emit(&w, "x", 1, &e), ERR_LIMIT);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void write_error(void **state)
{
	struct rlimit old, small = { 4096, 4096 };
	static u8 data[8192] = { 1 };
	struct writer w;
	struct err e;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(writer_emit(&w, data, sizeof(data), &e), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	writer_close(&w);
	assert_int_equal(count_files(), 0);
}

static void stream_has_no_holes(void **state)
{
	static const u8 expect[] = { 'a', 0, 0, 0, 'b', 0 };
	struct writer w;
	struct err e;
	u8 buf[16];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(writer_open_stream(&w, fds[1], "pipe", &e), 0);
	assert_int_equal(writer_emit(&w, "a", 1, &e), 0);
	assert_int_equal(writer_skip(&w, 3, &e), 0);
	assert_int_equal(writer_emit(&w, "b", 1, &e), 0);
	assert_int_equal(writer_skip(&w, 1, &e), 0);
	assert_int_equal(writer_finish(&w, &e), 0);
	writer_close(&w);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), sizeof(expect));
	assert_memory_equal(buf, expect, sizeof(expect));
	close(fds[0]);
	close(fds[1]);
}

static void stream_reader_gone(void **state)
{
	struct writer w;
	struct err e;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(writer_open_stream(&w, fds[1], "pipe", &e), 0);
	assert_int_equal(writer_emit(&w, "a", 1, &e), -EPIPE);
	writer_close(&w);
	close(fds[1]);
}

static void never_backwards(void **state)
{
	struct writer w;
	struct err e;

	(void)state;
	assert_int_equal(writer_open_file(&w, "core", false, &e), 0);
	assert_int_equal(writer_emit(&w, "ab", 2, &e), 0);
	assert_int_equal(writer_skip_to(&w, 1, &e), ERR_UNSUPPORTED);
	assert_int_equal(writer_skip(&w, UINT64_MAX, &e), ERR_UNSUPPORTED);
	writer_close(&w);
}

static void templates(void **state)
{
	static const struct { const char *template, *comm, *want; } rows[] = {
		{ "core.%p", "x", "core.42" },
		{ "%e-%p%%", "a/b", "a!b-42%" },
		{ "%e", "..", "!." },
		{ "%e", "", "!" },
		{ "%%p", "x", "%p" },
		{ "%s", "x", NULL },
		{ "core%", "x", NULL },
		{ "", "x", NULL },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = NULL;
		int r = dump_template(rows[i].template, 42, rows[i].comm, &out, &e);

		assert_int_equal(r, rows[i].want ? 0 : ERR_USAGE);
		if (rows[i].want)
			assert_string_equal(out, rows[i].want);
		free(out);
	}
}

static void losses_are_joined(void **state)
{
	struct missing m = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(missing_add(&m, 0x1000, 0x2000, "a", &e), 0);
	assert_int_equal(missing_add(&m, 0x2000, 0x3000, "a", &e), 0);
	assert_int_equal(missing_add(&m, 0x3000, 0x4000, "b", &e), 0);
	assert_int_equal(missing_add(&m, 0x5000, 0x6000, "b", &e), 0);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.bytes, 0x4000);
	assert_true(m.v[0].end == 0x3000);
	missing_fini(&m);
}

/* Every second page of an area of @n pages is lost, for the longest of the reasons. */
static void lose_every_second(struct missing *m, u64 n)
{
	u64 base = UINT64_MAX - UINT32_MAX;
	struct err e;

	for (u64 i = 0; i < n; i += 2)
		assert_int_equal(missing_add(m, base + i * 0x1000, base + (i + 1) * 0x1000,
					     TAGCORE_TAGS_LOST ": not mapped in, and its file cannot be opened", &e), 0);
}

/* However much is lost, the note is as large as the room kept for it; all is listed while it is below the bound. */
static void missing_note_fills_its_room(void **state)
{
	static const u64 pages[] = { 0, 1, 2, 5, 24, 1000, 100000 };
	const struct arch *a = arches[0];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct dump_report rep = { 0 };
		struct vma v = { .start = 0, .end = pages[i] * 0x1000 };
		struct area area = { .vma = &v };
		struct plan_entry entry = { .filesz = pages[i] * 0x1000 };
		struct dump d = { .report = &rep, .target.arch = a, .page_size = 0x1000, .areas = { .v = &area, .n = 1 },
				  .plan = { .v = &entry, .n = 1 } };
		struct buf b = { 0 };
		u64 room = dump_missing_room(&d);
		struct err e;

		assert_in_range(room, MISSING_NOTE_MIN, min(MISSING_NOTE_MIN + 100 * (pages[i] + 1), (u64)MISSING_NOTE_MAX));
		assert_int_equal(room % 4, 0);
		lose_every_second(&rep.missing, pages[i]);
		assert_int_equal(dump_missing_note(&d, room, &b, &e), 0);
		assert_int_equal(b.len, room);
		assert_int_equal(strstr((char *)b.p + 20, " more ranges\n") != NULL, pages[i] > 1500);
		buf_fini(&b);
		missing_fini(&rep.missing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(file_appears_when_finished),
		in_dir(abort_leaves_nothing),
		in_dir(existing_file_is_kept),
		in_dir(replace),
		in_dir(symlink_is_not_followed),
		in_dir(a_late_fifo_is_kept),
		in_dir(a_moved_directory_gets_it),
		in_dir(directories_are_refused),
		in_dir(no_directory),
		in_dir(zero_pages_become_holes),
		in_dir(limit),
		in_dir(write_error),
		cmocka_unit_test(stream_has_no_holes),
		cmocka_unit_test(stream_reader_gone),
		in_dir(never_backwards),
		cmocka_unit_test(templates),
		cmocka_unit_test(losses_are_joined),
		cmocka_unit_test(missing_note_fills_its_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
