/*
 * odd WHAT - dies, with a core, in a state that few processes are in, all of which
 * the kernel writes well.  "odd list" prints the names; 77: this kernel cannot.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { MIB = 1 << 20 };

static volatile int sink;
static int ready[2];	/* a pipe: the thread that waits is where it should be */

static void cannot(const char *what)
{
	perror(what);
	exit(77);
}

static void call_null(void) { ((void (*)(void))(uintptr_t)sink)(); }

/* NOLINTNEXTLINE(misc-no-recursion): that is what it is for. */
static int __attribute__((noinline)) descend(int n)
{
	volatile unsigned char frame[4096];

	frame[0] = (unsigned char)n;
	return n < 0 ? 0 : descend(n + 1) + frame[0];
}

static void overflow(void) { sink = descend(1); }

static void *overflow_here(void *unused)
{
	overflow();
	return unused;
}

static void overflow_thread(void)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, overflow_here, NULL))
		pthread_join(t, NULL);
}

static void *abort_later(void *unused)
{
	char c;

	(void)unused;
	if (read(ready[0], &c, 1) == 1)
		abort();
	return NULL;
}

/*
 * A large frame of which nothing is touched, when the thread is in a call.  By
 * hand: whatever a function is called for touches the stack below.
 */
static void __attribute__((noinline)) write_far_below(void)
{
	volatile char far[3 * MIB];

	__asm__ volatile("" : : "r"(far));
#if defined(__x86_64__)
	long call = SYS_write;

	/* 34: pause() */
	__asm__ volatile("syscall\n\tmov $34, %%eax\n\tsyscall" : "+a"(call) : "D"((long)ready[1]), "S"("x"), "d"(1L)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_write, x0 __asm__("x0") = ready[1], x2 __asm__("x2") = 1;
	/* 73: ppoll(), of nothing and without an end */
	register const char *x1 __asm__("x1") = "x";

	__asm__ volatile("svc 0\n\tmov x0, 0\n\tmov x1, 0\n\tmov x2, 0\n\tmov x3, 0\n\tmov x8, 73\n\tsvc 0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x8) : : "x3", "memory");
#else
	cannot("a large frame: this machine");
#endif
}

static void large_frame(void)
{
	pthread_t t;

	if (!pipe(ready) && !pthread_create(&t, NULL, abort_later, NULL))
		write_far_below();
}

static int uring(unsigned flags, struct io_uring_params *p)
{
	int fd;

	*p = (struct io_uring_params){ .flags = flags, .sq_thread_idle = 100000 };
	fd = (int)syscall(__NR_io_uring_setup, 8, p);
	if (fd < 0)
		cannot("io_uring_setup");
	return fd;
}

static void sqpoll(void)
{
	struct io_uring_params p;

	uring(IORING_SETUP_SQPOLL, &p);
	abort();
}

static void unmap(unsigned long type)
{
	unsigned long addr = getauxval(type), start, end;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= addr && addr < end)
			break;
	if (munmap((void *)start, end - start))
		cannot("munmap");
	/* Not abort(): that may need what is gone. */
	syscall(SYS_kill, getpid(), SIGABRT);
}

static void no_vdso(void)
{
	if (!getauxval(AT_SYSINFO_EHDR))
		cannot("vdso");
	unmap(AT_SYSINFO_EHDR);
}

static void no_headers(void) { unmap(AT_PHDR); }

static void *wait_here(void *unused)
{
	if (write(ready[1], "x", 1) == 1)
		for (;;)
			pause();
	return unused;
}

static void unsaved_stack(void)
{
	char *stack = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), c;
	pthread_attr_t attr;
	pthread_t t;

	if (stack == MAP_FAILED || madvise(stack, MIB, MADV_DONTDUMP) || pipe(ready))
		cannot("stack");
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, MIB);
	if (!pthread_create(&t, &attr, wait_here, NULL) && read(ready[0], &c, 1) == 1)
		abort();
}

static void filter_0(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		cannot("coredump_filter");
	abort();
}

static void guard_pages(void)
{
	char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p + 65536, 65536, MADV_GUARD_INSTALL))
		cannot("guard pages");
	p[65536] = 1;
}

static void short_file(void)
{
	int fd = (int)syscall(SYS_memfd_create, "mine", 0);
	unsigned char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED || ftruncate(fd, 65536))
		cannot("memfd");
	sink = p[65536 * 2];
}

static void hugetlb(void)
{
	char *p = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (p == MAP_FAILED)
		cannot("hugetlb");
	p[0] = 1;
	abort();
}

static void in_vfork(void)
{
	/* Between vfork() and the crash nothing else happens. */
	if (!vfork())	/* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
		call_null();	/* NOLINT(clang-analyzer-unix.Vfork) */
	wait(NULL);
	exit(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} odd[] = {
	{ "null", call_null }, { "overflow", overflow }, { "overflow-thread", overflow_thread },
	{ "large-frame", large_frame }, { "sqpoll", sqpoll }, { "no-vdso", no_vdso }, { "no-headers", no_headers },
	{ "unsaved-stack", unsaved_stack }, { "filter-0", filter_0 }, { "guard-pages", guard_pages },
	{ "short-file", short_file }, { "hugetlb", hugetlb }, { "vfork", in_vfork },
};

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "list";

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		if (!strcmp(what, "list"))
			puts(odd[i].name);
		else if (!strcmp(what, odd[i].name))
			odd[i].run();
	return 0;
}
