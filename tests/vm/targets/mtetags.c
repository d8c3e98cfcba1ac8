/*
 * mtetags [SIZE]: a tagged area of every kind that a dump must think about.
 * Prints "area START END KIND FIRST BY STEP", the tags as struct tagging has
 * them, or "skip KIND WHY"; then "ready PID".  SIZE (1G) is that of the sparse
 * area.  A page without access is on both sides of each, so that none is
 * merged with another; but for the kinds with "beside", which lie side by side.
 */
#include "mte.h"

#define PAGES 16
#define LEN (PAGES * PAGE)
#define HUGE (2ul << 20)

struct kind {
	const char *name;
	size_t len;		/* 0: LEN */
	int prot;		/* besides PROT_MTE */
	int flags;
	int (*fd)(const struct kind *k);	/* NULL: -1 */
	struct tagging tags;
	int (*shape)(char *p, size_t len);	/* after tagging; 0, or -1 and errno */
	int elsewhere;		/* tagged through another mapping of the same file */
};

static size_t kind_len(const struct kind *k)
{
	return k->len ? k->len : LEN;
}

/* ---- files that can have tags: those in memory (shmem_mmap() allows VM_MTE) */

static int fd_memfd(const struct kind *k)
{
	int fd = memfd_create(k->name, 0);

	must(fd >= 0 && ftruncate(fd, (off_t)kind_len(k)) == 0, k->name);
	return fd;
}

/* Has content, and begins as an ELF file: of a copy that nobody changed the first page is saved. */
static int fd_elf(const struct kind *k)
{
	int fd = fd_memfd(k);

	must(pwrite(fd, "\177ELF", 4, 0) == 4, k->name);
	for (off_t at = 4096; at < (off_t)kind_len(k); at += 4096)
		must(pwrite(fd, k->name, strlen(k->name), at) > 0, k->name);
	return fd;
}

static int fd_tmpfs(const struct kind *k)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/mtetags.%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && ftruncate(fd, (off_t)kind_len(k)) == 0, path);
	unlink(path);
	return fd;
}

/* On disk: no kernel so far allows tags there. */
static int fd_disk(const struct kind *k)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "mtetags.%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && ftruncate(fd, (off_t)kind_len(k)) == 0, path);
	unlink(path);
	return fd;
}

/* ---- what becomes of an area after tagging */

static int shape_none(char *p, size_t len)
{
	return mprotect(p, len, PROT_NONE);
}

static int shape_readonly(char *p, size_t len)
{
	return mprotect(p, len, PROT_READ);
}

static int shape_dontdump(char *p, size_t len)
{
	return madvise(p, len, MADV_DONTDUMP);
}

static int shape_dontfork(char *p, size_t len)
{
	return madvise(p, len, MADV_DONTFORK);
}

static int shape_wipeonfork(char *p, size_t len)
{
	return madvise(p, len, MADV_WIPEONFORK);
}

/* To swap, if there is any: the kernel keeps the tags of such pages beside it. */
static int shape_pageout(char *p, size_t len)
{
	return madvise(p, len, MADV_PAGEOUT);
}

/* Present, in an area with tags, and all tags are 0. */
static int shape_write(char *p, size_t len)
{
	target_fill(p, len, 7);
	return 0;
}

/* The shared zero page: read, never written. */
static int shape_read(char *p, size_t len)
{
	volatile char sink;

	for (size_t at = 0; at < len; at += PAGE)
		sink = p[at];
	(void)sink;
	return 0;
}

static const struct kind kinds[] = {
	{ .name = "anon-one-tag", .prot = RW, .flags = ANON, .tags = { 5, 0, 1 } },
	{ .name = "anon-ramp", .prot = RW, .flags = ANON, .tags = { 0, 1, 1 } },
	{ .name = "anon-some-pages", .prot = RW, .flags = ANON, .tags = { 9, 7, 3 } },
	{ .name = "anon-one-page", .len = PAGE, .prot = RW, .flags = ANON, .tags = { 1, 3, 1 } },
	{ .name = "anon-untouched", .prot = RW, .flags = ANON },
	{ .name = "anon-zero-tags", .prot = RW, .flags = ANON, .shape = shape_write },
	{ .name = "anon-zero-page", .prot = RW, .flags = ANON, .shape = shape_read },
	{ .name = "anon-exec", .prot = RW | PROT_EXEC, .flags = ANON, .tags = { 2, 5, 2 } },
	{ .name = "anon-readonly", .prot = RW, .flags = ANON, .tags = { 3, 1, 1 },
	  .shape = shape_readonly },
	{ .name = "anon-none", .prot = RW, .flags = ANON, .tags = { 4, 1, 1 }, .shape = shape_none },
	{ .name = "anon-dontdump", .prot = RW, .flags = ANON, .tags = { 6, 1, 1 },
	  .shape = shape_dontdump },
	{ .name = "anon-dontfork", .prot = RW, .flags = ANON, .tags = { 7, 1, 1 },
	  .shape = shape_dontfork },
	{ .name = "anon-wipeonfork", .prot = RW, .flags = ANON, .tags = { 8, 1, 1 },
	  .shape = shape_wipeonfork },
	{ .name = "anon-paged-out", .prot = RW, .flags = ANON, .tags = { 10, 1, 1 },
	  .shape = shape_pageout },
	{ .name = "anon-growsdown", .prot = RW, .flags = ANON | MAP_GROWSDOWN, .tags = { 11, 3, 1 } },
	{ .name = "shared-anon", .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS,
	  .tags = { 12, 1, 1 } },
	{ .name = "shared-anon-some", .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS,
	  .tags = { 13, 1, 4 } },
	{ .name = "memfd-shared", .prot = RW, .flags = MAP_SHARED, .fd = fd_memfd,
	  .tags = { 14, 1, 1 } },
	{ .name = "memfd-elsewhere", .prot = RW, .flags = MAP_SHARED, .fd = fd_memfd,
	  .tags = { 15, 1, 2 }, .elsewhere = 1 },
	{ .name = "memfd-private", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_memfd,
	  .tags = { 1, 1, 1 } },
	{ .name = "memfd-private-elf", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_elf,
	  .tags = { 2, 1, 1 }, .elsewhere = 1 },
	{ .name = "tmpfs-shared", .prot = RW, .flags = MAP_SHARED, .fd = fd_tmpfs,
	  .tags = { 3, 1, 1 } },
	{ .name = "tmpfs-private", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_tmpfs,
	  .tags = { 4, 1, 2 } },
	{ .name = "disk-private", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_disk,
	  .tags = { 5, 1, 1 } },
	{ .name = "hugetlb", .len = HUGE, .prot = RW, .flags = ANON | MAP_HUGETLB,
	  .tags = { 6, 1, 7 } },
};

static void report(const char *p, size_t len, const char *name, const struct tagging *t)
{
	printf("area %lx %lx %s %u %u %u\n", (unsigned long)p, (unsigned long)p + len, name,
	       t->first, t->by, t->step);
}

/* Address space for @len bytes aligned to @align, with a page without access on each side. */
static char *room(size_t len, size_t align)
{
	size_t all = len + 2 * PAGE + align;
	char *p = mmap(NULL, all, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	must(p != MAP_FAILED, "room");
	return (char *)(((uintptr_t)p + PAGE + align - 1) & ~(align - 1));
}

/* Tags belong to a file's pages, whoever maps them. */
static void tag_elsewhere(int fd, size_t len, const struct tagging *t)
{
	char *p = mmap(NULL, len, RW | PROT_MTE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED, "second mapping");
	for (size_t page = 0; page < len / PAGE; page += t->step)
		for (size_t g = page * PER_PAGE; g < (page + 1) * PER_PAGE; g++)
			tag_granule((uintptr_t)p + g * GRANULE, tag_of(t, g));
	munmap(p, len);
}

static void make(const struct kind *k)
{
	size_t len = kind_len(k);
	char *at = room(len, k->flags & MAP_HUGETLB ? HUGE : PAGE);
	int fd = k->fd ? k->fd(k) : -1;
	char *p = mmap(at, len, k->prot | PROT_MTE, k->flags | MAP_FIXED, fd, 0);

	if (p == MAP_FAILED) {
		printf("skip %s %s\n", k->name, strerrorname_np(errno));
		return;
	}
	if (k->elsewhere)
		tag_elsewhere(fd, len, &k->tags);
	else
		tag_area(p, len, &k->tags);
	if (k->shape && k->shape(p, len) < 0)
		printf("skip %s %s\n", k->name, strerrorname_np(errno));
	else
		report(p, len, k->name, &k->tags);
	if (fd >= 0)
		close(fd);
}

/*
 * Four areas side by side: the middle two differ in protection only; the outer
 * ones have no tags and differ from their neighbours in nothing that maps shows.
 */
static void make_beside(void)
{
	const struct tagging one = { 1, 1, 1 }, two = { 9, 5, 1 };
	char *p = room(4 * LEN, PAGE);

	must(mmap(p, LEN, RW, ANON | MAP_FIXED, -1, 0) == p &&
	     mmap(p + LEN, 2 * LEN, RW | PROT_MTE, ANON | MAP_FIXED, -1, 0) == p + LEN &&
	     mmap(p + 3 * LEN, LEN, PROT_READ, ANON | MAP_FIXED, -1, 0) == p + 3 * LEN, "beside");
	target_fill(p, LEN, 3);
	tag_area(p + LEN, LEN, &one);
	tag_area(p + 2 * LEN, LEN, &two);
	must(mprotect(p + 2 * LEN, LEN, PROT_READ | PROT_MTE) == 0, "beside");
	report(p + LEN, LEN, "beside-writable", &one);
	report(p + 2 * LEN, LEN, "beside-readonly", &two);
}

/* A huge page, as madvise(MADV_HUGEPAGE) makes it where the kernel can. */
static void make_thp(void)
{
	const struct tagging t = { 7, 1, 1 };
	char *p = room(HUGE, HUGE);

	must(mmap(p, HUGE, RW | PROT_MTE, ANON | MAP_FIXED, -1, 0) == p, "thp");
	if (madvise(p, HUGE, MADV_HUGEPAGE) < 0)
		printf("skip thp %s\n", strerrorname_np(errno));
	tag_area(p, HUGE, &t);
	report(p, HUGE, "thp", &t);
}

/* Far more address space than memory, with five pages in it. */
static void make_sparse(size_t len)
{
	const struct tagging t = { 8, 1, (unsigned)(len / PAGE / 5) + 1 };
	char *p = room(len, PAGE);

	must(mmap(p, len, RW | PROT_MTE, ANON | MAP_NORESERVE | MAP_FIXED, -1, 0) == p &&
	     madvise(p, len, MADV_NOHUGEPAGE) == 0, "sparse");
	tag_area(p, len, &t);
	report(p, len, "sparse", &t);
}

int main(int argc, char **argv)
{
	target_begin();
	target_block_usr1();
	mte_begin(PR_MTE_TCF_SYNC);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		make(&kinds[i]);
	make_beside();
	make_thp();
	make_sparse(argc > 1 ? target_size(argv[1]) : 1ul << 30);
	target_ready();
	target_wait();
	return 0;
}
