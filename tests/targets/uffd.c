/*
 * uffd: areas that are registered with userfaultfd(2), of whose 16 pages some are
 * filled in.  The monitor is this process itself, which a dump has stopped: who
 * reads a page that is not there waits for ever.  Prints "kind NAME START END", or
 * "skip NAME WHY"; "refused WHY" when there is no userfaultfd at all.  A page that
 * is there begins with the text "NAME page N".  "uffd tracked": that area alone, whose
 * monitor is not asked, only notified.
 */
#include "target.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PAGE 4096ul
#define PAGES 16ul
#define HUGE (2ul << 20)
#define RW (PROT_READ | PROT_WRITE)

/* Linux 5.11, 5.13, 6.4, 6.6, 7.3. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFDIO_REGISTER_MODE_MINOR
#define UFFDIO_REGISTER_MODE_MINOR (1ull << 2)
#endif
#define FEATURE_PAGEFAULT_WP (1ull << 0)
#define FEATURE_MINOR_SHMEM (1ull << 10)
#define FEATURE_WP_HUGETLBFS_SHMEM (1ull << 12)
#define FEATURE_WP_UNPOPULATED (1ull << 13)
#define FEATURE_POISON (1ull << 14)
#define FEATURE_RWP (1ull << 17)
#define FEATURE_RWP_ASYNC (1ull << 18)
#define MODE_RWP (1ull << 3)

struct uffd_rwprotect {
	struct uffdio_range range;
	uint64_t mode;
};
#define IOCTL_RWPROTECT _IOWR(UFFDIO, 0x09, struct uffd_rwprotect)

struct uffd_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define IOCTL_POISON _IOWR(UFFDIO, 0x08, struct uffd_poison)

static uint64_t features;

/* A monitor of faults in the kernel, too, where that is allowed: then a read from outside waits. */
static int open_uffd(uint64_t want)
{
	struct uffdio_api api = { .api = UFFD_API, .features = want };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
		close(fd);
		return -1;
	}
	features = api.features;
	return fd;
}

static int with_features(uint64_t want)
{
	int fd = open_uffd(0);

	if (fd < 0)
		return -1;
	close(fd);
	errno = EOPNOTSUPP;
	return (features & want) == want ? open_uffd(want) : -1;
}

static int watch(int fd, char *p, size_t len, uint64_t mode)
{
	struct uffdio_register reg = { .range = { (uintptr_t)p, len }, .mode = mode };

	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

static void label(char *page, const char *name, unsigned n)
{
	snprintf(page, 64, "%s page %u", name, n);
}

static void fill(int fd, char *p, size_t size, const char *name, unsigned n)
{
	char *from = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_copy copy = { .dst = (uintptr_t)p + n * size, .src = (uintptr_t)from, .len = size };

	must(from != MAP_FAILED, "mmap");
	label(from, name, n);
	must(ioctl(fd, UFFDIO_COPY, &copy) == 0, "UFFDIO_COPY");
	munmap(from, size);
}

static void say(const char *name, const char *p, size_t len)
{
	printf("kind %s 0x%lx 0x%lx\n", name, (unsigned long)p, (unsigned long)p + len);
}

/* Apart from its neighbours, so that it is an area of its own. */
static char *map(size_t len, int flags, int file)
{
	char *p = mmap(NULL, len + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	p = mmap(p + PAGE, len, RW, flags | MAP_FIXED, file, 0);
	must(p != MAP_FAILED, "mmap");
	return p;
}

static int skip(const char *name)
{
	printf("skip %s %s\n", name, strerrorname_np(errno));
	return 0;
}

/* Pages 0, 3, 6 ... are filled in, 1 by the zero page. */
static int anon(const char *name)
{
	char *p = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct uffdio_zeropage zero = { .range = { (uintptr_t)p + PAGE, PAGE } };
	int fd = open_uffd(0);

	if (fd < 0 || watch(fd, p, PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING) < 0)
		return skip(name);
	must(ioctl(fd, UFFDIO_ZEROPAGE, &zero) == 0, "UFFDIO_ZEROPAGE");
	for (unsigned i = 0; i < PAGES; i += 3)
		fill(fd, p, PAGE, name, i);
	say(name, p, PAGES * PAGE);
	return 1;
}

/* The same, and pages 1 and 2 poisoned, 4 and 5 write-protected while there is nothing. */
static int marked(const char *name)
{
	char *p = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct uffd_poison poison = { .range = { (uintptr_t)p + PAGE, 2 * PAGE } };
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)p + 4 * PAGE, 2 * PAGE },
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = with_features(FEATURE_PAGEFAULT_WP | FEATURE_WP_UNPOPULATED | FEATURE_POISON);

	if (fd < 0 || watch(fd, p, PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP) < 0 ||
	    ioctl(fd, IOCTL_POISON, &poison) < 0 || ioctl(fd, UFFDIO_WRITEPROTECT, &wp) < 0)
		return skip(name);
	for (unsigned i = 0; i < PAGES; i += 3)
		fill(fd, p, PAGE, name, i);
	say(name, p, PAGES * PAGE);
	return 1;
}

/* Nobody watches any more, but the poison stays. */
static int poisoned(const char *name)
{
	char *p = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct uffd_poison poison = { .range = { (uintptr_t)p + PAGE, 2 * PAGE } };
	int fd = with_features(FEATURE_POISON);

	if (fd < 0 || watch(fd, p, PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING) < 0 ||
	    ioctl(fd, IOCTL_POISON, &poison) < 0)
		return skip(name);
	close(fd);
	label(p, name, 0);
	say(name, p, PAGES * PAGE);
	return 1;
}

/*
 * A memfd of PAGES - 1/2 pages with the pages 0, 3, 6 ... filled in, and 1, 7, 13
 * by write(2): nobody has those mapped in.
 */
static int shmem(const char *name, int flags, uint64_t mode, uint64_t want)
{
	int file = memfd_create(name, MFD_CLOEXEC), fd = with_features(want);
	char page[PAGE] = "", *p;

	must(file >= 0 && ftruncate(file, (off_t)(PAGES * PAGE - PAGE / 2)) == 0, "memfd");
	for (unsigned i = 1; i < PAGES; i += 6) {
		label(page, name, i);
		must(pwrite(file, page, PAGE, (off_t)(i * PAGE)) == (ssize_t)PAGE, "pwrite");
	}
	p = map(PAGES * PAGE, flags, file);
	close(file);
	if (fd < 0 || watch(fd, p, PAGES * PAGE, mode) < 0)
		return skip(name);
	for (unsigned i = 0; i < PAGES && mode == UFFDIO_REGISTER_MODE_MISSING; i += 3)
		if (i < PAGES - 1)
			fill(fd, p, PAGE, name, i);
	say(name, p, PAGES * PAGE);
	return 1;
}

/* Pages 1 and 7, which the file has, are marked as write-protected where nothing is mapped in. */
static int marked_minor(const char *name)
{
	uint64_t want = FEATURE_PAGEFAULT_WP | FEATURE_MINOR_SHMEM | FEATURE_WP_HUGETLBFS_SHMEM;
	int file = memfd_create(name, MFD_CLOEXEC), fd = with_features(want);
	char page[PAGE] = "", *p;

	must(file >= 0 && ftruncate(file, PAGES * PAGE) == 0, "memfd");
	for (unsigned i = 1; i < PAGES; i += 6) {
		label(page, name, i);
		must(pwrite(file, page, PAGE, (off_t)(i * PAGE)) == (ssize_t)PAGE, "pwrite");
	}
	p = map(PAGES * PAGE, MAP_SHARED, file);
	close(file);
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)p, 8 * PAGE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	if (fd < 0 || watch(fd, p, PAGES * PAGE, UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP) < 0 ||
	    ioctl(fd, UFFDIO_WRITEPROTECT, &wp) < 0)
		return skip(name);
	say(name, p, PAGES * PAGE);
	return 1;
}

/* Pages 0, 3, 6 ... are written, and of the first half nobody may read them but by asking the monitor. */
static int protected(const char *name, int flags, uint64_t want)
{
	int file = flags & MAP_ANONYMOUS ? -1 : memfd_create(name, MFD_CLOEXEC), fd = with_features(want);
	char *p;

	must(file < 0 || ftruncate(file, PAGES * PAGE) == 0, "memfd");
	p = map(PAGES * PAGE, flags, file);
	for (unsigned i = 0; i < PAGES; i += 3)
		label(p + i * PAGE, name, i);
	struct uffd_rwprotect rwp = { .range = { (uintptr_t)p, PAGES / 2 * PAGE }, .mode = 1 };
	if (fd < 0 || watch(fd, p, PAGES * PAGE, MODE_RWP) < 0 || ioctl(fd, IOCTL_RWPROTECT, &rwp) < 0)
		return skip(name);
	say(name, p, PAGES * PAGE);
	return 1;
}

static int hugetlb(const char *name, int flags)
{
	char *p = mmap(NULL, 2 * HUGE, RW, flags | MAP_HUGETLB | MAP_ANONYMOUS, -1, 0);
	int fd = open_uffd(0);

	if (p == MAP_FAILED || fd < 0 || watch(fd, p, 2 * HUGE, UFFDIO_REGISTER_MODE_MISSING) < 0)
		return skip(name);
	fill(fd, p, HUGE, name, 0);
	say(name, p, 2 * HUGE);
	return 1;
}

int main(int argc, char **argv)
{
	int only_tracked = argc > 1 && !strcmp(argv[1], "tracked");
	int fd;

	target_begin();
	target_block_usr1();
	fd = open_uffd(0);
	if (fd < 0)
		printf("refused %s\n", strerrorname_np(errno));
	if (fd >= 0 && only_tracked)
		protected("tracked", MAP_PRIVATE | MAP_ANONYMOUS, FEATURE_RWP | FEATURE_RWP_ASYNC);
	if (fd >= 0 && !only_tracked) {
		anon("anon");
		marked("marked");
		poisoned("poisoned");
		shmem("shared", MAP_SHARED, UFFDIO_REGISTER_MODE_MISSING, 0);
		shmem("private", MAP_PRIVATE, UFFDIO_REGISTER_MODE_MISSING, 0);
		shmem("minor", MAP_SHARED, UFFDIO_REGISTER_MODE_MINOR, FEATURE_MINOR_SHMEM);
		marked_minor("marked-minor");
		protected("protected", MAP_PRIVATE | MAP_ANONYMOUS, FEATURE_RWP);
		protected("protected-shared", MAP_SHARED, FEATURE_RWP);
		hugetlb("huge", MAP_PRIVATE);
		hugetlb("huge-shared", MAP_SHARED);
	}
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
