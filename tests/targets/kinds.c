/*
 * kinds: one area of every kind that a dump must think about, in the working
 * directory's files.  Prints "kind NAME START END", or "skip NAME WHY" where
 * the kernel has no such thing.  Each area has a page without access on both
 * sides, so that none is merged with another.
 */
#include "target.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102	/* Linux 6.13 */
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447	/* Linux 5.14 */
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define PAGE 4096ul
#define PAGES 16
#define LEN (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

struct kind {
	const char *name;
	int prot;
	int flags;
	int (*fd)(const char *name);	/* NULL: -1 */
	int (*shape)(char *p);		/* 0, or -1 and errno */
	int keep;			/* the descriptor stays open */
};

/* A file of LEN known bytes. */
static int fd_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p = malloc(LEN);

	must(fd >= 0 && p, name);
	target_fill(p, LEN, 99);
	must(write(fd, p, LEN) == (ssize_t)LEN, name);
	free(p);
	return fd;
}

static int fd_deleted(const char *name)
{
	int fd = fd_file(name);

	must(unlink(name) == 0, name);
	return fd;
}

/* One that ends in the middle of the second page: the rest of the mapping is SIGBUS. */
static int fd_short(const char *name)
{
	int fd = fd_file(name);

	must(ftruncate(fd, PAGE + PAGE / 2) == 0, name);
	return fd;
}

static int fd_elf(const char *name)
{
	(void)name;
	return open("/proc/self/exe", O_RDONLY);
}

static int fd_memfd(const char *name)
{
	int fd = memfd_create(name, 0);

	must(fd >= 0 && ftruncate(fd, (off_t)LEN) == 0, name);
	return fd;
}

/* Its content comes by write(2): it is there, but nobody has it mapped in. */
static int fd_memfd_written(const char *name)
{
	int fd = memfd_create(name, 0);
	char *p = malloc(LEN);

	must(fd >= 0 && p, name);
	target_fill(p, LEN, 11);
	must(write(fd, p, LEN) == (ssize_t)LEN, name);
	free(p);
	return fd;
}

static int shape_all(char *p)
{
	target_fill(p, LEN, 5);
	return 0;
}

static int shape_some(char *p)
{
	for (size_t i = 0; i < PAGES; i += 3)
		target_fill(p + i * PAGE, PAGE, i + 1);
	return 0;
}

static int shape_none(char *p)
{
	(void)p;
	return 0;
}

/* The shared zero page: present, but nothing was ever written. */
static int shape_read(char *p)
{
	volatile char sink;

	for (size_t i = 0; i < PAGES; i++)
		sink = p[i * PAGE];
	(void)sink;
	return 0;
}

static int shape_protect(char *p)
{
	shape_all(p);
	return mprotect(p, LEN, PROT_NONE);
}

static int shape_dontdump(char *p)
{
	shape_all(p);
	return madvise(p, LEN, MADV_DONTDUMP);
}

static int shape_dontfork(char *p)
{
	shape_all(p);
	return madvise(p, LEN, MADV_DONTFORK);
}

static int shape_wipeonfork(char *p)
{
	shape_all(p);
	return madvise(p, LEN, MADV_WIPEONFORK);
}

static int shape_dropped(char *p)
{
	shape_all(p);
	return madvise(p + 4 * PAGE, 4 * PAGE, MADV_DONTNEED);
}

static int shape_guard(char *p)
{
	shape_all(p);
	return madvise(p + 4 * PAGE, 4 * PAGE, MADV_GUARD_INSTALL);
}

static const struct kind kinds[] = {
	{ .name = "anon-touched", .prot = RW, .flags = ANON, .shape = shape_all },
	{ .name = "anon-partial", .prot = RW, .flags = ANON, .shape = shape_some },
	{ .name = "anon-untouched", .prot = RW, .flags = ANON, .shape = shape_none },
	{ .name = "anon-zero-read", .prot = RW, .flags = ANON, .shape = shape_read },
	{ .name = "anon-dropped", .prot = RW, .flags = ANON, .shape = shape_dropped },
	{ .name = "anon-exec", .prot = RW | PROT_EXEC, .flags = ANON, .shape = shape_some },
	{ .name = "anon-writeonly", .prot = PROT_WRITE, .flags = ANON, .shape = shape_all },
	{ .name = "none-reserved", .prot = PROT_NONE, .flags = ANON | MAP_NORESERVE,
	  .shape = shape_none },
	{ .name = "none-written", .prot = RW, .flags = ANON, .shape = shape_protect },
	{ .name = "dontdump", .prot = RW, .flags = ANON, .shape = shape_dontdump },
	{ .name = "dontfork", .prot = RW, .flags = ANON, .shape = shape_dontfork },
	{ .name = "wipeonfork", .prot = RW, .flags = ANON, .shape = shape_wipeonfork },
	{ .name = "growsdown", .prot = RW, .flags = ANON | MAP_GROWSDOWN, .shape = shape_some },
	{ .name = "guarded", .prot = RW, .flags = ANON, .shape = shape_guard },
	{ .name = "shared-anon", .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS,
	  .shape = shape_some },
	{ .name = "shared-anon-untouched", .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS,
	  .shape = shape_none },
	{ .name = "file-private", .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd_file,
	  .shape = shape_none },
	{ .name = "file-private-written", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_file,
	  .shape = shape_some },
	{ .name = "file-elf", .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd_elf,
	  .shape = shape_none },
	{ .name = "file-shared", .prot = RW, .flags = MAP_SHARED, .fd = fd_file,
	  .shape = shape_some },
	{ .name = "file-short", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_short,
	  .shape = shape_none },
	{ .name = "memfd", .prot = RW, .flags = MAP_SHARED, .fd = fd_memfd, .shape = shape_some },
	{ .name = "memfd-private", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_memfd,
	  .shape = shape_some },
	{ .name = "memfd-hidden", .prot = RW, .flags = MAP_SHARED, .fd = fd_memfd_written,
	  .shape = shape_none },
	{ .name = "memfd-hidden-private", .prot = RW, .flags = MAP_PRIVATE, .fd = fd_memfd_written,
	  .shape = shape_some },
	{ .name = "memfd-open", .prot = RW, .flags = MAP_SHARED, .fd = fd_memfd_written,
	  .shape = shape_none, .keep = 1 },
	{ .name = "file-deleted", .prot = RW, .flags = MAP_SHARED, .fd = fd_deleted,
	  .shape = shape_none },
};

static void print_kind(const char *name, const char *p, size_t len)
{
	printf("kind %s 0x%lx 0x%lx\n", name, (unsigned long)p, (unsigned long)p + len);
}

static char *reserve(size_t len)
{
	char *p = mmap(NULL, len + 2 * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	must(p != MAP_FAILED, "mmap");
	return p + PAGE;
}

/*
 * The neighbours are made shared mappings, which merge with nothing private
 * and, without access, are in no dump.
 */
static void fence(char *p, size_t len)
{
	must(mmap(p - PAGE, PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	     MAP_FAILED, "fence");
	must(mmap(p + len, PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	     MAP_FAILED, "fence");
}

static void kind_make(const struct kind *k)
{
	int fd = k->fd ? k->fd(k->name) : -1;
	char *at = reserve(LEN), *p;

	fence(at, LEN);
	p = mmap(at, LEN, k->prot, k->flags | MAP_FIXED, fd, 0);
	must(p != MAP_FAILED, k->name);
	madvise(p, LEN, MADV_NOHUGEPAGE);
	if (k->shape(p) < 0)
		printf("skip %s %s\n", k->name, strerrorname_np(errno));
	else
		print_kind(k->name, p, LEN);
	if (fd >= 0 && !k->keep)
		close(fd);
}

static void make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, LEN, IPC_CREAT | 0600);
	char *p = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

	if (p == (char *)-1) {
		printf("skip sysv-shm %s\n", strerrorname_np(errno));
		return;
	}
	shmctl(id, IPC_RMID, NULL);
	shape_some(p);
	print_kind("sysv-shm", p, LEN);
}

/* Memory that nobody else can read, the kernel included; marked DONTDUMP by it. */
static void make_secret(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	char *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)LEN) == 0)
		p = mmap(NULL, LEN, RW, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		printf("skip secret %s\n", strerrorname_np(errno));
		return;
	}
	shape_all(p);
	print_kind("secret", p, LEN);
}

static void make_hugetlb(void)
{
	size_t len = 2ul << 20;
	char *p = mmap(NULL, len, RW, ANON | MAP_HUGETLB, -1, 0);

	if (p == MAP_FAILED) {
		printf("skip hugetlb %s\n", strerrorname_np(errno));
		return;
	}
	target_fill(p, len, 7);
	print_kind("hugetlb", p, len);
}

int main(void)
{
	target_begin();
	target_block_usr1();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		kind_make(&kinds[i]);
	make_sysv();
	make_hugetlb();
	make_secret();
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
