/*
 * stacks.c - programs whose backtraces are hard: stacks CASE.
 *
 * Each case goes through functions named case_*, the innermost of which waits; a
 * test compares these names, in order, between unwinders.
 */
#include "target.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <ucontext.h>

/* Return addresses are signed, where the machine can. */
#ifdef __aarch64__
#pragma GCC target("branch-protection=standard")
#endif

static volatile int sink;
static char other_stack[64 << 10] __attribute__((aligned(16)));

static noinline void case_wait(void)
{
	target_ready();
	for (;;)
		target_wait();
}

/* ---- a function without any table, which keeps a frame pointer */

void case_no_table(void (*fn)(void));
#if defined(__x86_64__)
__asm__(".text\n.globl case_no_table\n.type case_no_table,@function\ncase_no_table:\n"
	"push %rbp\nmov %rsp,%rbp\nsub $32,%rsp\ncall *%rdi\nleave\nret\n.size case_no_table,.-case_no_table\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl case_no_table\n.type case_no_table,%function\ncase_no_table:\n"
	"stp x29,x30,[sp,#-32]!\nmov x29,sp\nblr x0\nldp x29,x30,[sp],#32\nret\n.size case_no_table,.-case_no_table\n");
#else
void case_no_table(void (*fn)(void))
{
	fn();
	sink++;
}
#endif

static noinline void case_above_no_table(void)
{
	case_no_table(case_wait);
	sink++;
}

/* ---- signals */

static void case_handler(int sig)
{
	sink = sig;
	case_wait();
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = case_handler, .sa_flags = flags };
	stack_t st = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };

	must(!sigaltstack(&st, NULL), "sigaltstack");
	must(!sigaction(sig, &sa, NULL), "sigaction");
}

static noinline void case_interrupted(void)
{
	raise(SIGUSR2);
	sink++;
}

static noinline void case_signal(void)
{
	catch(SIGUSR2, 0);
	case_interrupted();
	sink++;
}

static noinline void case_signal_stack(void)
{
	catch(SIGUSR2, SA_ONSTACK);
	case_interrupted();
	sink++;
}

/* Deeper and deeper, until the guard page: the handler runs elsewhere, and sp is outside of the stack. */
static noinline int case_recurse(int n)
{
	volatile char room[512];

	room[0] = (char)n;
	if (sink >= 0)
		sink = case_recurse(n + 1) + room[0];
	return sink;
}

static void *case_overflow_thread(void *arg)
{
	catch(SIGSEGV, SA_ONSTACK);
	sink = case_recurse(0);
	return arg;
}

static void case_overflow(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	/* PTHREAD_STACK_MIN of glibc on aarch64; with less there it would be the 8 MiB of a default. */
	must(!pthread_attr_setstacksize(&attr, 128 << 10), "pthread_attr_setstacksize");
	must(!pthread_create(&t, &attr, case_overflow_thread, NULL), "pthread_create");
	pthread_join(t, NULL);
}

/* ---- wild calls, and calls that never return */

static void (*volatile nowhere)(void);

static noinline void case_call_null(void)
{
	nowhere();
	sink++;
}

static noinline void case_null(void)
{
	catch(SIGSEGV, 0);
	case_call_null();
	sink++;
}

/* The call is the last instruction: the return address is in the next function. */
static noinline __attribute__((noreturn)) void case_never_returns(void)
{
	case_wait();
	_exit(1);
}

static noinline void case_noreturn(void)
{
	sink++;
	case_never_returns();
}

/* ---- no frame at all, and the kernel's own code */

static noinline void case_leaf(void)
{
	target_ready();
	/* One jump to itself, so that it is found at the same place each time. */
	for (;;)
		__asm__ volatile("");
}

static noinline void case_above_leaf(void)
{
	case_leaf();
	sink++;
}

static uint64_t interrupted_pc(const ucontext_t *c)
{
#if defined(__x86_64__)
	return (uint64_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return c->uc_mcontext.pc;
#else
	return getauxval(AT_SYSINFO_EHDR) + (c == NULL);
#endif
}

/* Waits when it has met the program in the vdso. */
static void case_tick(int sig, siginfo_t *si, void *context)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR), pc = interrupted_pc(context);

	(void)si;
	if (pc >= vdso && pc < vdso + 8192)
		case_wait();
	sink = sig;
}

static noinline void case_vdso(void)
{
	struct sigaction sa = { .sa_sigaction = case_tick, .sa_flags = SA_SIGINFO };
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	struct timespec ts;

	must(!sigaction(SIGPROF, &sa, NULL) && !setitimer(ITIMER_PROF, &every, NULL), "timer");
	for (;;)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

/* ---- names */

static inline __attribute__((always_inline)) void case_inlined(void)
{
	sink++;
	case_wait();
	sink++;
}

static noinline void case_inline(void)
{
	sink++;
	case_inlined();
	sink++;
}

/* As the compilers of C++ and Rust (old and new) name functions. */
void case_cxx(void) __asm__("_ZN3app5Queue4pushEi");
void case_rust(void) __asm__("_RNvC6_123foo3bar");
void case_old_rust(void) __asm__("_ZN3app4main17h0123456789abcdefE");

noinline void case_old_rust(void)
{
	case_wait();
	sink++;
}

noinline void case_rust(void)
{
	case_old_rust();
	sink++;
}

noinline void case_cxx(void)
{
	case_rust();
	sink++;
}

static noinline void case_deep_down(int n)
{
	if (n)
		case_deep_down(n - 1);
	else
		case_wait();
	sink++;
}

static void case_deep(void)
{
	/* More than the 256 at which eu-stack stops by itself. */
	case_deep_down(300);
	sink++;
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "plain", case_wait }, { "no-table", case_above_no_table }, { "signal", case_signal },
	{ "signal-stack", case_signal_stack }, { "overflow", case_overflow }, { "null", case_null },
	{ "noreturn", case_noreturn }, { "leaf", case_above_leaf }, { "vdso", case_vdso }, { "inline", case_inline }, { "names", case_cxx }, { "deep", case_deep },
};

int main(int argc, char **argv)
{
	target_begin();
	target_block_usr1();
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			sink++;
		}
	return 2;
}
