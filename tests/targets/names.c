/*
 * names: maps files with names that break parsers, made in the working
 * directory.  Prints "name START HOW" for each; SIGUSR1: "alive".
 */
#include "target.h"

#include <sys/mman.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef PR_SET_VMA_ANON_NAME
#define PR_SET_VMA_ANON_NAME 0
#endif

#define PAGE 4096

struct odd {
	const char *how;
	const char *path;
	int unlinked;
};

static const struct odd odds[] = {
	{ .how = "newline", .path = "new\nline" },
	{ .how = "space", .path = "with two  spaces " },
	{ .how = "looks-deleted", .path = "alive (deleted)" },
	{ .how = "unlinked", .path = "unlinked", .unlinked = 1 },
	{ .how = "unlinked-newline", .path = "un\nlinked", .unlinked = 1 },
	{ .how = "literal-escape", .path = "back\\012slash" },
	{ .how = "terminal", .path = "\033[31mred\033[0m" },
	{ .how = "utf8", .path = "\303\244\342\202\254" },
	{ .how = "not-utf8", .path = "\377\376" },
	{ .how = "quote", .path = "\"quo'te\"" },
	{ .how = "looks-special", .path = "[heap]" },
};

static void *map_fd(int fd, const char *how, int flags)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(p != MAP_FAILED, how);
	snprintf(p, PAGE, "content of %s", how);
	printf("name 0x%lx %s\n", (unsigned long)p, how);
	return p;
}

static void map_odd(const struct odd *o)
{
	int fd = open(o->path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && ftruncate(fd, PAGE) == 0, o->how);
	map_fd(fd, o->how, MAP_PRIVATE);
	close(fd);
	if (o->unlinked)
		unlink(o->path);
}

static void map_memfd(void)
{
	int fd = memfd_create("tagcore memfd", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, PAGE) == 0, "memfd_create");
	map_fd(fd, "memfd", MAP_SHARED);
	close(fd);
}

static void name_anon(void)
{
	void *p = map_fd(-1, "anon-named", MAP_PRIVATE | MAP_ANONYMOUS);

	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, PAGE, "tagcore anon") < 0)
		puts("skip anon-named");
}

int main(void)
{
	target_begin();
	target_block_usr1();
	for (size_t i = 0; i < sizeof(odds) / sizeof(odds[0]); i++)
		map_odd(&odds[i]);
	map_memfd();
	map_fd(-1, "shared-anon", MAP_SHARED | MAP_ANONYMOUS);
	name_anon();
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
