/*
 * unreadable: memory that a dump cannot read, or that has no content, in the working directory's files.  "kind NAME
 * START END" for what is to be missing; "skip NAME WHY" where the kernel has no such thing.
 * Files are made shorter when they have been mapped, and written to, as databases and log writers do.
 */
#include "target.h"

#include <glob.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102	/* Linux 6.13 */
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447	/* Linux 5.14 */
#endif

#define PAGE 4096ul
#define PAGES 16
#define LEN (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static void say(const char *name, const char *p, size_t from, size_t to)
{
	printf("kind %s 0x%lx 0x%lx\n", name, (unsigned long)p + from, (unsigned long)p + to);
}

static void skip(const char *name)
{
	printf("skip %s %s\n", name, strerrorname_np(errno));
}

/* Room with a page on each side that is no part of any range. */
static char *reserve(size_t len)
{
	char *p = mmap(NULL, len + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	return p + PAGE;
}

static int fill(int fd)
{
	char page[PAGE];

	for (size_t i = 0; i < PAGES; i++) {
		target_fill(page, PAGE, i);
		must(write(fd, page, PAGE) == (ssize_t)PAGE, "write");
	}
	return fd;
}

static int disk_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0, name);
	return fill(fd);
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, 0);

	must(fd >= 0, name);
	return fill(fd);
}

static const struct shorter {
	const char *name;
	int (*file)(const char *name);
	int flags;
	int written;	/* each so manieth page; 0: none */
	size_t size;	/* afterwards */
} shorter[] = {
	{ "disk-private", disk_file, MAP_PRIVATE, 0, 5 * PAGE },
	{ "disk-private-written", disk_file, MAP_PRIVATE, 2, 5 * PAGE },
	{ "disk-shared", disk_file, MAP_SHARED, 0, 5 * PAGE },
	{ "disk-shared-written", disk_file, MAP_SHARED, 1, 4 * PAGE + 1 },
	{ "disk-empty", disk_file, MAP_PRIVATE, 1, 0 },
	{ "memory-private", memory_file, MAP_PRIVATE, 0, 5 * PAGE },
	{ "memory-private-written", memory_file, MAP_PRIVATE, 2, 4 * PAGE + PAGE / 2 },
	{ "memory-shared", memory_file, MAP_SHARED, 0, 5 * PAGE },
	{ "memory-shared-written", memory_file, MAP_SHARED, 1, 5 * PAGE },
	{ "memory-empty", memory_file, MAP_SHARED, 1, 0 },
};

static void make_shorter(const struct shorter *s)
{
	int fd = s->file(s->name);
	char *p = mmap(reserve(LEN), LEN, RW, s->flags | MAP_FIXED, fd, 0);

	must(p != MAP_FAILED, s->name);
	for (size_t i = 0; s->written && i < PAGES; i += (size_t)s->written)
		target_fill(p + i * PAGE, PAGE, 100 + i);
	must(ftruncate(fd, (off_t)s->size) == 0, s->name);
	say(s->name, p, (s->size + PAGE - 1) / PAGE * PAGE, LEN);
}

/* A shared mapping that has grown; its file has not. */
static void make_grown(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	target_fill(p, PAGE, 3);
	p = mremap(p, PAGE, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, reserve(LEN));
	must(p != MAP_FAILED, "mremap");
	say("memory-grown", p, PAGE, LEN);
}

static void make_huge(void)
{
	const size_t huge = 2ul << 20;
	int fd = memfd_create("huge", MFD_HUGETLB);
	char *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)(2 * huge)) == 0)
		p = mmap(NULL, 2 * huge, RW, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		skip("huge-shorter");
		return;
	}
	target_fill(p, 2 * huge, 9);
	must(ftruncate(fd, (off_t)huge) == 0, "huge");
	say("huge-shorter", p, huge, 2 * huge);
}

static void make_secret(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	char *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)LEN) == 0)
		p = mmap(reserve(LEN), LEN, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	if (p == MAP_FAILED) {
		skip("secret");
		return;
	}
	target_fill(p, LEN, 1);
	say("secret", p, 0, LEN);
}

static void make_guard(void)
{
	char *p = mmap(NULL, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	madvise(p, LEN, MADV_NOHUGEPAGE);
	target_fill(p, LEN, 2);
	if (madvise(p + 4 * PAGE, 4 * PAGE, MADV_GUARD_INSTALL))
		skip("guard");
	else
		say("guard", p, 4 * PAGE, 8 * PAGE);
}

/* A page of memory is lost to the machine by that: for one of our own alone. */
static void make_poisoned(void)
{
	char *p = mmap(reserve(LEN), LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	must(p != MAP_FAILED, "mmap");
	madvise(p, LEN, MADV_NOHUGEPAGE);
	target_fill(p, LEN, 4);
	/* For whom it may concern; the page is not needed. */
	signal(SIGBUS, SIG_IGN);
	errno = EPERM;
	if (!getenv("OWN_MACHINE") || madvise(p + 3 * PAGE, PAGE, MADV_HWPOISON))
		skip("poisoned");
	else
		say("poisoned", p, 3 * PAGE, 4 * PAGE);
}

/* A device's registers: VM_IO and VM_PFNMAP. */
static void make_device(void)
{
	char *p = MAP_FAILED;
	glob_t found;

	if (!glob("/sys/bus/pci/devices/*/resource[0-9]", 0, NULL, &found))
		for (size_t i = 0; p == MAP_FAILED && i < found.gl_pathc; i++)
			p = mmap(NULL, PAGE, RW, MAP_SHARED, open(found.gl_pathv[i], O_RDWR), 0);
	globfree(&found);
	if (p == MAP_FAILED)
		skip("device");
	else
		say("device", p, 0, PAGE);
}

int main(void)
{
	target_begin();
	target_block_usr1();
	for (size_t i = 0; i < sizeof(shorter) / sizeof(shorter[0]); i++)
		make_shorter(&shorter[i]);
	make_grown();
	make_huge();
	make_secret();
	make_guard();
	make_poisoned();
	make_device();
	target_ready();
	for (;;) {
		target_wait();
		puts("alive");
	}
}
