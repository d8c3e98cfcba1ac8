/*
 * crash HOW: ends in just that way, for tests of explain.  Prints "truth WORD..." of what only it knows, then dies.
 * 77: this machine or kernel has no such way.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "target.h"
#include "ways.h"

#define APART noinline __attribute__((noclone))
enum { PAGE = 4096 };
struct order { int id; char name[60]; struct order *next; };
static volatile int sink;
static volatile uintptr_t hidden;	/* what the compiler must not know */

static void *secret(uintptr_t v)
{
	hidden = v;
	return (void *)hidden;
}

static void *map(size_t n, int prot)
{
	void *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* ---- memory */

APART static void null_read(void) { sink = *(volatile int *)secret(0); }
APART static void null_offset(void) { ((volatile struct order *)secret(0))->next = NULL; }
APART static void index_of(long *a, long i) { a[i] = 1; }
static void null_index(void) { index_of(secret(0), (long)(uintptr_t)secret(1000)); }
struct far_order { char room[80 << 20]; int id; };
APART static int far_id(volatile struct far_order *o) { return o->id; }
static void null_far(void) { sink = far_id(secret(0)); }
APART static void null_before(void) { volatile char *p = secret(0); p -= 8; *p = 1; }
APART static void small_number(void) { *(volatile int *)secret(0x4321) = 1; }
APART static void wild(void) { *(volatile int *)secret(0x7fff00000000 >> 4) = 1; }
APART static void jump_null(void) { ((void (*)(void))secret(0))(); sink = 1; }
APART static void jump_unmapped(void) { ((void (*)(void))secret(0x123456780))(); sink = 1; }
APART static void jump_data(void) { ((void (*)(void))secret((uintptr_t)map(PAGE, PROT_READ | PROT_WRITE)))(); sink = 1; }
APART static void write_literal(void) { *(volatile char *)secret((uintptr_t)"a literal") = 'A'; }

APART static void write_protected(void)
{
	char *p = map(PAGE, PROT_READ | PROT_WRITE);

	*p = 1;
	mprotect(p, PAGE, PROT_READ);
	*(volatile char *)secret((uintptr_t)p + 16) = 1;
}

APART static void past_mapping(void)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);

	munmap(p + 2 * PAGE, 2 * PAGE);
	for (volatile char *at = p + PAGE; ; at++)
		*at = 1;
}

APART static void guard(void)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);

	mprotect(p + 2 * PAGE, 2 * PAGE, PROT_NONE);
	*(volatile char *)secret((uintptr_t)p + 2 * PAGE + 5) = 1;
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
APART static void guard_within(void)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);

	if (madvise(p + PAGE, PAGE, MADV_GUARD_INSTALL))
		exit(NO_WAY);
	*(volatile char *)secret((uintptr_t)p + PAGE + 5) = 1;
}

APART static void past_file(void)
{
	char name[] = "crash.XXXXXX";
	int fd = mkstemp(name);
	char *p;

	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		exit(NO_WAY);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ftruncate(fd, PAGE))
		exit(NO_WAY);
	printf("truth %s\n", name);
	fflush(stdout);
	*(volatile char *)secret((uintptr_t)p + PAGE + 3) = 1;
}

/* What free(3) leaves at a block's start is taken for a pointer. */
APART static void freed_pointer(void)
{
	struct order **p = secret((uintptr_t)malloc(40));

	free(p);
	p = secret((uintptr_t)p);
	sink = (*p)->id;
}

/* ---- memory that is not to be had */

static void limit_memory(void)
{
	struct rlimit l = { .rlim_cur = 512 << 20, .rlim_max = RLIM_INFINITY };

	setrlimit(RLIMIT_AS, &l);
}
APART static void malloc_failed(size_t n) { int *volatile p; int *q = malloc(n); q[10] = 1; p = q; sink = *p; }
static void no_malloc(void) { limit_memory(); malloc_failed((uintptr_t)secret(1ul << 30)); }
APART static void calloc_failed(size_t n) { char *p = calloc(1, n); memset(p, 1, n); sink = p[n / 2]; }
static void no_calloc(void) { limit_memory(); calloc_failed((uintptr_t)secret(1ul << 30)); }
APART static void mmap_failed(size_t n)
{
	volatile char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0x10] = 1;
}
static void no_mmap(void) { limit_memory(); mmap_failed((uintptr_t)secret(1ul << 30)); }
/* What looks alike: the result of another function, after malloc(3). */
APART static void *none(void *p) { sink += p != NULL; return NULL; }
static void null_of_another(void) { char *volatile p = malloc(10); volatile char *q = none(p); *q = 1; }
APART static void minus_one(void) { *(volatile char *)secret((uintptr_t)-1) = 1; }

/* ---- stacks */

APART static int recurse(int n)
{
	volatile char room[200];

	room[n % 200] = (char)n;
	return sink == n ? 0 : recurse(n + 1) + room[n % 100];
}

static int odd(int n);
APART static int even(int n) { volatile char room[100]; room[n % 100] = 1; return sink == n ? 0 : odd(n + 1) + room[0]; }
APART static int odd(int n) { volatile char room[100]; room[n % 100] = 1; return sink == n ? 0 : even(n + 1) + room[0]; }

/* What it calls uses up the last of it. */
APART static int print_all(int n)
{
	volatile char room[200];

	snprintf((char *)room, sizeof(room), "%d %s", n, "and so on");
	return sink == n ? 0 : print_all(n + 1) + room[0];
}

static void stack_callee(void) { sink = print_all(1); }
static void stack_main(void) { sink = recurse(1); }
static void stack_mutual(void) { sink = even(1); }

APART static void large_array(void)
{
	volatile char room[512 << 10];

	room[0] = 1;
	sink = room[sink & 255];
}

APART static void stack_alloca(void)
{
	size_t n = (uintptr_t)secret(64 << 20);
	volatile char *p = __builtin_alloca(n);

	p[n / 2] = 1;
	sink = p[n / 2];
}

static void *thread_overflow(void *arg) { sink = recurse(1); return arg; }
static void *thread_large(void *arg) { large_array(); return arg; }
static void *thread_index(void *arg)
{
	volatile char local[16];

	/* Its own guard, by an index: the stack has much room left. */
	*(volatile char *)secret((uintptr_t)local - (uintptr_t)arg) = 1;
	return arg;
}

static void in_thread(void *(*fn)(void *), size_t stack, void *arg)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, stack);
	if (pthread_create(&t, &a, fn, arg))
		exit(NO_WAY);
	pthread_join(t, NULL);
}

static void stack_thread(void) { in_thread(thread_overflow, 128 << 10, NULL); }
static void stack_large(void) { in_thread(thread_large, 256 << 10, NULL); }
static void stack_index(void) { in_thread(thread_index, 128 << 10, (void *)(127ul << 10)); }

/* As deep as an overflow, but it is a null pointer. */
APART static int deep(int n)
{
	volatile char room[200];

	room[n % 200] = 1;
	if (n > 1000)
		null_read();
	return sink == n ? 0 : deep(n + 1) + room[0];
}
static void deep_null(void) { sink = deep(1); }

/* ---- instructions */

#ifdef __x86_64__
APART static void noncanonical(void) { *(volatile long *)secret(0xdead000000001230) = 1; }
APART static void text_pointer(void) { char s[9] = "ABCDEFGH"; uintptr_t v; memcpy(&v, s, 8); sink = *(volatile int *)secret(v); }
APART static void jump_noncanonical(void) { ((void (*)(void))secret(0xdead000000001230))(); sink = 1; }
APART static void return_noncanonical(void) { __asm__ volatile("movabs $0x4141414141414141, %%rax; push %%rax; ret" ::: "rax", "memory"); }
APART static void return_unmapped(void) { __asm__ volatile("push $1; push $0x12345678; ret" ::: "memory"); }
APART static void return_null(void) { __asm__ volatile("push $1; push $0; ret" ::: "memory"); }
APART static void null_string(void) { sink = (int)strlen(secret(0)); }
APART static void unaligned_check(void) { __asm__ volatile("pushf; orl $0x40000, (%%rsp); popf; movl 1(%%rsp), %%eax" ::: "rax", "memory"); }
APART static void divide_memory(void) { volatile int zero = 0; __asm__ volatile("mov $7, %%eax; cltd; idivl %0" :: "m"(zero) : "rax", "rdx"); }
APART static void divide_byte(void) { __asm__ volatile("mov $7, %%eax; xor %%ecx, %%ecx; idivb %%cl" ::: "rax", "rcx"); }
APART static void misaligned(void) { __asm__ volatile("movaps (%0), %%xmm0" :: "r"((uintptr_t)map(PAGE, PROT_READ | PROT_WRITE) + 4) : "xmm0"); }
APART static void privileged(void) { __asm__ volatile("hlt"); }
APART static void bad_stack(void) { __asm__ volatile("mov %0, %%rsp; push %%rax" :: "r"(secret(0x123456780000))); }
APART static int divide_by(int a, int b) { return a / b; }
static void divide_zero(void) { sink = divide_by(5, (int)(uintptr_t)secret(0)); }
static void divide_overflow(void) { sink = divide_by((int)0x80000000, (int)(uintptr_t)secret((uintptr_t)-1)); }
APART static void float_zero(void)
{
	unsigned csr = 0x1f80 & ~0x200u;
	volatile double zero = 0;

	__asm__ volatile("ldmxcsr %0" :: "m"(csr));
	zero = 1 / zero;
}
APART static void illegal(void) { __asm__ volatile(".byte 0x06"); }
APART static void breakpoint(void) { __asm__ volatile("int3"); }
#else
static void not_here(void) { exit(NO_WAY); }
#ifdef __aarch64__
APART static void illegal(void) { __asm__ volatile(".inst 0x02000000"); }
APART static void breakpoint(void) { __asm__ volatile("brk #0xf000"); }
#else
#define illegal not_here
#define breakpoint not_here
#endif
#define noncanonical not_here
#define text_pointer not_here
#define jump_noncanonical not_here
#define return_noncanonical not_here
#define misaligned not_here
#define divide_byte not_here
#define divide_memory not_here
#define unaligned_check not_here
#define null_string not_here
#define return_null not_here
#define return_unmapped not_here
#define privileged not_here
#define bad_stack not_here
#define divide_zero not_here
#define divide_overflow not_here
#define float_zero not_here
#endif
APART static void trap(void) { __builtin_trap(); }

APART static void refused_call(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { .len = 4, .filter = f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p))
		exit(NO_WAY);
	sink = (int)syscall(SYS_getppid);
}

/* ---- abort */

extern void __stack_chk_fail(void);
extern void *__memcpy_chk(void *, const void *, size_t, size_t);

APART static void assertion(void) { assert(sink == 12345); }
APART static void smash(void) { __stack_chk_fail(); }
APART static void fortify(void)
{
	void *(*volatile copy)(void *, const void *, size_t, size_t) = __memcpy_chk;
	char room[8];

	copy(room, "0123456789abcdef", 16, 8);
	sink = room[0];
}
APART static void free_invalid(void) { char *p = malloc(100); free(secret((uintptr_t)p + 24)); }
APART static void free_twice(void)
{
	char *p[9];

	/* More than a thread's cache takes, so that the last is where double frees are looked for. */
	for (int i = 0; i < 9; i++)
		p[i] = malloc(40);
	for (int i = 0; i < 9; i++)
		free(p[i]);
	free(secret((uintptr_t)p[8]));
}
APART static void heap_overwritten(void)
{
	char *volatile a = malloc(2000), *volatile b = malloc(2000), *volatile c = malloc(2000);

	memset(secret((uintptr_t)a), 'A', 2000 + 24);
	free(b);
	free(c);
	sink = malloc(3000) != NULL;
}
APART static void plain_abort(void) { abort(); }
/* Of a C library that keeps no text: what it is called with is only in the code. */
APART static void __assert_rtn(const char *function, const char *file, int line, const char *expr)
{
	sink = (int)(strlen(function) + strlen(file) + strlen(expr)) + line;
	abort();
}
APART static void other_assertion(void)
{
	if (sink != 12345)
		__assert_rtn(__func__, "shop.c", 1234, "n_orders > 0");
	sink = 1;
}

/* ---- signals */

static void sent_segv(void) { kill(getpid(), SIGSEGV); pause(); }
static void sent_quit(void) { raise(SIGQUIT); }
static void sent_timer(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGSEGV };
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	timer_t t;

	if (timer_create(CLOCK_MONOTONIC, &e, &t) || timer_settime(t, 0, &soon, NULL))
		exit(NO_WAY);
	for (;;)
		pause();
}
static void wait_for_kill(void) { target_begin(); target_ready(); for (;;) pause(); }
static void too_large(void)
{
	/* A core is a file, too, and smaller than this. */
	struct rlimit l = { .rlim_cur = 64 << 20, .rlim_max = RLIM_INFINITY };
	char name[] = "crash.XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	setrlimit(RLIMIT_FSIZE, &l);
	lseek(fd, 64 << 20, SEEK_SET);
	for (;;)
		if (write(fd, name, sizeof(name)) < 0)
			exit(NO_WAY);
}

static sigjmp_buf back;
static void reporter(int s, siginfo_t *si, void *u) { (void)s; (void)si; (void)u; abort(); }
static void plain_reporter(int s) { signal(s, SIG_DFL); raise(SIGABRT); }
static void jumper(int s) { (void)s; siglongjmp(back, 1); }
static void aborter(int s) { (void)s; abort(); }

static void handle(int sig, void *fn, int flags)
{
	struct sigaction sa = { .sa_handler = (void (*)(int))fn, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static void caught(void) { handle(SIGSEGV, reporter, SA_SIGINFO); null_offset(); }
static void caught_plain(void) { handle(SIGSEGV, plain_reporter, 0); null_offset(); }
static void caught_stack(void)
{
	stack_t st = { .ss_sp = map(64 << 10, PROT_READ | PROT_WRITE), .ss_size = 64 << 10 };

	sigaltstack(&st, NULL);
	handle(SIGSEGV, reporter, SA_SIGINFO | SA_ONSTACK);
	stack_main();
}
/* The kernel cannot make the handler's frame: it forces a SIGSEGV without address. */
static void caught_no_stack(void) { handle(SIGSEGV, reporter, SA_SIGINFO); stack_main(); }
static void survived(void)
{
	handle(SIGSEGV, jumper, SA_NODEFER);
	if (!sigsetjmp(back, 1))
		null_offset();
	plain_abort();
}
/* The kernel still has the cause of the fault that was survived when it makes the frame of another signal. */
static void after_fault(void)
{
	handle(SIGSEGV, jumper, SA_NODEFER);
	if (!sigsetjmp(back, 1))
		null_offset();
	handle(SIGUSR1, aborter, 0);
	raise(SIGUSR1);
}
static void after_fault_siginfo(void)
{
	handle(SIGSEGV, jumper, SA_NODEFER);
	if (!sigsetjmp(back, 1))
		null_offset();
	handle(SIGUSR1, reporter, SA_SIGINFO);
	raise(SIGUSR1);
}
static void in_handler(void) { handle(SIGUSR1, aborter, 0); raise(SIGUSR1); }

static const struct way ways[] = {
	WAY(null_read), WAY(null_offset), WAY(null_index), WAY(null_before), WAY(small_number), WAY(wild), WAY(jump_null),
	WAY(jump_unmapped), WAY(jump_data), WAY(write_literal), WAY(write_protected), WAY(past_mapping), WAY(guard),
	WAY(guard_within), WAY(past_file), WAY(stack_main), WAY(stack_mutual), WAY(stack_callee), WAY(stack_thread), WAY(stack_large),
	WAY(stack_index), WAY(deep_null), { "noncanonical", noncanonical }, { "text_pointer", text_pointer },
	{ "jump_noncanonical", jump_noncanonical }, { "return_noncanonical", return_noncanonical }, { "misaligned", misaligned },
	{ "privileged", privileged }, { "bad_stack", bad_stack }, { "divide_zero", divide_zero },
	{ "divide_overflow", divide_overflow }, { "float_zero", float_zero }, { "illegal", illegal },
	{ "breakpoint", breakpoint }, WAY(trap), WAY(refused_call), WAY(assertion), WAY(smash), WAY(fortify), WAY(free_invalid),
	WAY(free_twice), WAY(heap_overwritten), WAY(plain_abort), WAY(sent_segv), WAY(sent_quit), WAY(wait_for_kill), WAY(too_large),
	WAY(no_malloc), WAY(no_calloc), WAY(no_mmap), WAY(null_of_another), WAY(minus_one),
	WAY(null_far), WAY(freed_pointer), WAY(stack_alloca), WAY(sent_timer), { "return_unmapped", return_unmapped },
	{ "return_null", return_null }, { "null_string", null_string }, { "unaligned_check", unaligned_check },
	{ "divide_memory", divide_memory }, { "divide_byte", divide_byte },
	WAY(caught), WAY(caught_plain), WAY(caught_stack), WAY(caught_no_stack), WAY(survived), WAY(in_handler),
	WAY(after_fault), WAY(after_fault_siginfo), WAY(other_assertion),
};

int main(int argc, char **argv)
{
	return run_way(ways, sizeof(ways) / sizeof(ways[0]), argc, argv);
}
