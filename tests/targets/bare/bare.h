/*
 * bare.h - 32-bit programs to be dumped, for i386 and arm, made without any library: a machine
 * that has only a 64-bit one compiles them all the same.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* include/uapi/linux/futex.h, sched.h: a compiler for another machine finds no <asm/...>. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
enum {
	CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_THREAD = 0x10000,
	CLONE_SYSVSEM = 0x40000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000,
	CLONE_CHILD_CLEARTID = 0x200000,
};

#if defined(__i386__)
enum {
	NR_exit = 1, NR_read = 3, NR_write = 4, NR_getpid = 20, NR_alarm = 27, NR_pause = 29, NR_kill = 37, NR_pipe = 42,
	NR_clone = 120, NR_nanosleep = 162, NR_poll = 168, NR_prctl = 172, NR_sigprocmask = 175, NR_sigtimedwait = 177,
	NR_tkill = 238, NR_futex = 240, NR_exit_group = 252,
	NR_epoll_ctl = 255, NR_epoll_wait = 256, NR_clock_gettime = 265, NR_epoll_pwait = 319,
	NR_epoll_create1 = 329, NR_socketpair = 360, NR_setsockopt = 366, NR_recvfrom = 371,
};

static inline long sys(long nr, long a, long b, long c, long d, long e)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return r;
}

/* Six arguments in memory: old_mmap(). */
static inline long bare_map(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags)
{
	unsigned long args[] = { addr, len, prot, flags, -1ul, 0 };

	return sys(90, (long)args, 0, 0, 0, 0);
}

/* Starts fn(arg) on @stack; the result as the parent has it. */
static inline long bare_clone(unsigned long flags, void *stack, void (*fn)(void *), void *arg, void *tls, int *tid)
{
	void **top = stack;
	long r;

	*--top = arg;
	*--top = (void *)fn;
	__asm__ volatile("int $0x80\n\ttest %%eax, %%eax\n\tjnz 1f\n\tpop %%eax\n\tcall *%%eax\n1:"
			 : "=a"(r) : "a"(NR_clone), "b"(flags), "c"(top), "d"(tid), "S"(tls), "D"(tid) : "memory");
	return r;
}

/* The stack as exec left it: argc, argv. */
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %esp, %eax\n\tand $-16, %esp\n\tsub $12, %esp\n\t"
	"push %eax\n\tcall bare_start");
#elif defined(__arm__)
enum {
	NR_exit = 1, NR_read = 3, NR_write = 4, NR_getpid = 20, NR_alarm = 27, NR_pause = 29, NR_kill = 37, NR_pipe = 42,
	NR_clone = 120, NR_nanosleep = 162, NR_poll = 168, NR_prctl = 172, NR_sigprocmask = 175, NR_sigtimedwait = 177,
	NR_tkill = 238, NR_futex = 240, NR_exit_group = 248,
	NR_epoll_ctl = 251, NR_epoll_wait = 252, NR_clock_gettime = 263, NR_epoll_pwait = 346,
	NR_epoll_create1 = 357, NR_socketpair = 288, NR_setsockopt = 294, NR_recvfrom = 292,
};

/* The number's register is the frame pointer of Thumb code: it is put there and back by hand. */
static inline long sys(long nr, long a, long b, long c, long d, long e)
{
	register long r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c, r3 __asm__("r3") = d,
		      r4 __asm__("r4") = e;

	__asm__ volatile("mov r8, r7\n\tmov r7, %[nr]\n\tsvc 0\n\tmov r7, r8"
			 : "+r"(r0) : [nr] "r"(nr), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "r8", "memory");
	return r0;
}

static inline long bare_map(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags)
{
	register unsigned long r0 __asm__("r0") = addr, r1 __asm__("r1") = len, r2 __asm__("r2") = prot,
			       r3 __asm__("r3") = flags, r4 __asm__("r4") = -1ul, r5 __asm__("r5") = 0;

	__asm__ volatile("mov r8, r7\n\tmov r7, #192\n\tsvc 0\n\tmov r7, r8"
			 : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5) : "r8", "memory");
	return (long)r0;
}

static inline long bare_clone(unsigned long flags, void *stack, void (*fn)(void *), void *arg, void *tls, int *tid)
{
	register long r0 __asm__("r0") = (long)flags, r1 __asm__("r1"), r2 __asm__("r2") = (long)tid,
		      r3 __asm__("r3") = (long)tls, r4 __asm__("r4") = (long)tid;
	void **top = stack;

	*--top = arg;
	*--top = (void *)fn;
	r1 = (long)top;
	__asm__ volatile("mov r8, r7\n\tmov r7, %[nr]\n\tsvc 0\n\tmov r7, r8\n\tcmp r0, #0\n\tbne 1f\n\t"
			 "pop {r1}\n\tpop {r0}\n\tblx r1\n1:"
			 : "+r"(r0) : [nr] "r"((long)NR_clone), "r"(r1), "r"(r2), "r"(r3), "r"(r4)
			 : "r8", "lr", "cc", "memory");
	return r0;
}

__asm__(".globl _start\n.type _start, %function\n_start:\n\tmov r0, sp\n\tbl bare_start");
#endif

#define SYS5(nr, a, b, c, d, e) sys(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define SYS3(nr, a, b, c) SYS5(nr, a, b, c, 0, 0)

int bare_main(int argc, char **argv);
void bare_start(long *sp);

void bare_start(long *sp)
{
	SYS3(NR_exit_group, bare_main((int)*sp, (char **)(sp + 1)), 0, 0);
	__builtin_unreachable();
}

/* The compiler may call these wherever it likes. */
void *memset(void *p, int c, size_t n);
void *memset(void *p, int c, size_t n)
{
	for (volatile char *to = p; n; n--)
		*to++ = (char)c;
	return p;
}

static inline int bare_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* One line of words, in one write. */
static inline void bare_say(const char *a, const char *b, const char *c, const char *d)
{
	const char *parts[] = { a, b, c, d, "\n" };
	char text[128];
	size_t at = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (const char *p = parts[i]; *p && at < sizeof(text); p++)
			text[at++] = *p;
	SYS3(NR_write, 1, text, at);
}

struct bare_number {
	char text[13];
};

static inline struct bare_number bare_number(long n)
{
	unsigned long u = n < 0 ? 0ul - (unsigned long)n : (unsigned long)n;
	struct bare_number out = { "" };
	char digits[12];
	size_t k = 0, at = 0;

	do
		digits[k++] = (char)('0' + u % 10);
	while (u /= 10);
	if (n < 0)
		out.text[at++] = '-';
	while (k)
		out.text[at++] = digits[--k];
	return out;
}

static inline void bare_must(long r, const char *what)
{
	if (r < 0) {
		bare_say(what, " failed: ", bare_number(r).text, "");
		SYS3(NR_exit_group, 3, 0, 0);
	}
}

/* Ends by itself after two minutes; anybody may trace it (Yama). */
static inline void bare_begin(void)
{
	SYS3(NR_alarm, 120, 0, 0);
	SYS3(NR_prctl, 0x59616d61 /* PR_SET_PTRACER */, -1, 0);
}
