/* dirs.h - for tests that write: each in an empty directory of its own. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int enter(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = NULL;

	if (asprintf(&dir, "%s/writer-XXXXXX", tmp ? tmp : "/tmp") < 0 || !mkdtemp(dir) || chdir(dir))
		return -1;
	*state = dir;
	return 0;
}

static inline size_t count_files(void)
{
	DIR *d = opendir(".");
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(d)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(d);
	return n;
}

static inline int leave(void **state)
{
	struct dirent *entry;
	DIR *d = opendir(".");
	int r;

	while ((entry = readdir(d)))
		unlink(entry->d_name);
	closedir(d);
	r = chdir("/") || rmdir(*state);
	free(*state);
	return r;
}

static inline void expect_file(const char *path, const void *p, size_t len)
{
	char buf[256];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(buf, 1, sizeof(buf), f), len);
	assert_memory_equal(buf, p, len);
	fclose(f);
}

static inline void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define in_dir(f) cmocka_unit_test_setup_teardown(f, enter, leave)
