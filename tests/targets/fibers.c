/*
 * fibers.c - stacks that are made by hand, and return addresses that no call has pushed: fibers CASE.
 *
 * As in stacks.c, the functions of a case are named case_*.  What a case prints as "ready"
 * is printed with its stack as it is to be seen.
 */
#include "target.h"

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

static volatile int sink;
static char fiber_stack[64 << 10] __attribute__((aligned(64)));
static char signal_stack[64 << 10] __attribute__((aligned(64)));

static noinline void case_wait(void)
{
	target_ready();
	for (;;)
		target_wait();
}

/*
 * An interpreter, copied to where there is no file: it calls itself @depth times and then
 * what it was given, each time by a jump with a return address that it makes itself, and
 * returns by a jump, too.  At last comes a compiled function that keeps no frame pointer.
 */
typedef void interpret_fn(void (*fn)(void), int depth);
/* Labels of assembler: hidden, or on arm64 both are read from the one entry that the linker has for their section. */
#define LABEL extern const char __attribute__((visibility("hidden")))
LABEL interpreter[];
LABEL interpreter_end[];
/* The stack pointer is @sp, and @entry is jumped to as if @ret had called it: nothing comes back. */
__attribute__((noreturn)) void enter_fiber(void *sp, void (*entry)(void (*)(void), int), void (*ret)(void), void (*fn)(void));
LABEL fiber_ends[];

#if defined(__x86_64__)
__asm__(".text\n"
	"interpreter:\n"
	"	push	%rbp\n"
	"	mov	%rsp,%rbp\n"
	"	sub	$16,%rsp\n"
	"	lea	1f(%rip),%rax\n"
	"	push	%rax\n"
	"	dec	%esi\n"
	"	jns	interpreter\n"
	"	sub	$8,%rsp\n"
	"	call	*%rdi\n"
	"	add	$8,%rsp\n"
	"	ret\n"
	"1:	leave\n"
	"	pop	%rcx\n"
	"	jmp	*%rcx\n"
	"interpreter_end:\n"
	".type fiber_ends,@function\n"
	"	nop\n"
	"fiber_ends:\n"
	"	mov	%rbx,%rdi\n"
	"	call	_exit\n"
	"	hlt\n"
	".size fiber_ends,.-fiber_ends\n"
	".globl enter_fiber\n"
	"enter_fiber:\n"
	"	mov	%rdi,%rsp\n"
	"	push	%rdx\n"
	"	mov	%rcx,%rdi\n"
	"	mov	%rsi,%rax\n"
	"	mov	$3,%esi\n"
	"	jmp	*%rax\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	"interpreter:\n"
	"	stp	x29,x30,[sp,#-32]!\n"
	"	mov	x29,sp\n"
	"	adr	x30,1f\n"
	"	subs	w1,w1,#1\n"
	"	b.pl	interpreter\n"
	"	str	x30,[sp,#-16]!\n"
	"	blr	x0\n"
	"	ldr	x30,[sp],#16\n"
	"	ret\n"
	"1:	ldp	x29,x30,[sp],#32\n"
	"	br	x30\n"
	"interpreter_end:\n"
	".type fiber_ends,%function\n"
	"	nop\n"
	"fiber_ends:\n"
	"	mov	x0,x19\n"
	"	bl	_exit\n"
	"	udf	#0\n"
	".size fiber_ends,.-fiber_ends\n"
	".globl enter_fiber\n"
	"enter_fiber:\n"
	"	mov	sp,x0\n"
	"	mov	x30,x2\n"
	"	mov	x4,x1\n"
	"	mov	x0,x3\n"
	"	mov	w1,#3\n"
	"	br	x4\n");
#endif

static void (*fiber_fn)(void);

/* As the interpreter is called, but a function of C. */
static noinline void case_fiber(void (*fn)(void), int depth)
{
	fn();
	sink += depth;
}

static interpret_fn *made_interpreter(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	size_t len = (size_t)(interpreter_end - interpreter);
	char *code = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(code != MAP_FAILED, "mmap");
	memcpy(code + 0x4000, interpreter, len);
	__builtin___clear_cache(code + 0x4000, code + 0x4000 + len);
	must(!mprotect(code, 1 << 16, PROT_READ | PROT_EXEC), "mprotect");
	return (interpret_fn *)(uintptr_t)(code + 0x4000);
#else
	return case_fiber;
#endif
}

static noinline void case_interpreted(void)
{
	made_interpreter()(case_wait, 5);
	sink++;
}

static noinline void case_deeply_interpreted(void)
{
	made_interpreter()(case_wait, 300);
	sink++;
}

#if defined(__x86_64__) || defined(__aarch64__)
/* A function that returns, where one was expected that called: nothing says that it is a caller. */
static noinline void case_pretended(void)
{
	sink++;
}

static noinline void enter(void (*entry)(void (*)(void), int), void (*ret)(void))
{
	char *top = fiber_stack + sizeof(fiber_stack) - 256;

	enter_fiber(top, entry, ret, case_wait);
}

static noinline void case_pretend(void)
{
	enter(made_interpreter(), case_pretended);
}

static noinline void case_by_hand(void)
{
	enter(case_fiber, (void (*)(void))(uintptr_t)fiber_ends);
}
#endif

/* ---- makecontext(3) */

static ucontext_t main_context, context;

static noinline void case_coroutine(void)
{
	fiber_fn();
	sink++;
}

static noinline void case_resume(void)
{
	swapcontext(&main_context, &context);
	sink++;
}

static void make_context(void *stack, size_t size, ucontext_t *link)
{
	must(!getcontext(&context), "getcontext");
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = size;
	context.uc_link = link;
	makecontext(&context, case_coroutine, 0);
}

static noinline void case_context(void)
{
	fiber_fn = case_wait;
	make_context(fiber_stack, sizeof(fiber_stack), NULL);
	case_resume();
}

/* On the stack of the one that goes on when it ends. */
static noinline void case_linked_context(void)
{
	char here[32 << 10] __attribute__((aligned(64)));

	fiber_fn = case_wait;
	make_context(here, sizeof(here), &main_context);
	case_resume();
	sink += here[sink & 1];
}

static void case_handler(int sig)
{
	sink = sig;
	case_wait();
}

/* With SA_SIGINFO some machines have another frame. */
static int handler_flags = SA_ONSTACK;

static void take_on_stack(int sig, void (*handler)(int), void *stack, size_t size, int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = handler_flags };
	stack_t st = { .ss_sp = stack, .ss_size = size, .ss_flags = flags };

	must(!sigaltstack(&st, NULL), "sigaltstack");
	must(!sigaction(sig, &sa, NULL), "sigaction");
}

static char *alternate = signal_stack;

static noinline void case_raise(void)
{
	take_on_stack(SIGUSR2, case_handler, alternate, sizeof(signal_stack), 0);
	raise(SIGUSR2);
	sink++;
}

/* A signal leads from its stack to the coroutine's, and that to nowhere. */
static noinline void case_signal_in_context(void)
{
	char here[32 << 10] __attribute__((aligned(64)));

	fiber_fn = case_raise;
	make_context(here, sizeof(here), NULL);
	case_resume();
	sink += here[sink & 1];
}

/* ---- the same, of stacks that no register names: nothing that is mapped is next to them */

enum { STACK_LEN = 64 << 10, GUARD_LEN = 64 << 10 };

static char *mapped_stack(void)
{
	char *p = mmap(NULL, STACK_LEN + 2 * GUARD_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(p != MAP_FAILED && !mprotect(p + GUARD_LEN, STACK_LEN, PROT_READ | PROT_WRITE), "mmap");
	return p + GUARD_LEN;
}

static noinline void on_stack(char *stack, void (*fn)(void))
{
	fiber_fn = fn;
	make_context(stack, STACK_LEN, NULL);
	case_resume();
}

static noinline void case_signal_in_mapped(void)
{
	on_stack(mapped_stack(), case_raise);
}

static noinline void case_siginfo_in_mapped(void)
{
	handler_flags |= SA_SIGINFO;
	case_signal_in_mapped();
}

static noinline void case_signal_in_static(void)
{
	alternate = mapped_stack();
	on_stack(fiber_stack, case_raise);
}

/* Below the alternate stack, in one area with it. */
static noinline void case_signal_in_next(void)
{
	char *p = mmap(NULL, 2 * STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	alternate = p + STACK_LEN;
	on_stack(p, case_raise);
}

static noinline void case_signal_in_heap(void)
{
	char *p = malloc(STACK_LEN);

	must(p != NULL, "malloc");
	on_stack(p, case_raise);
}

static void *case_signal_in_thread(void *arg)
{
	case_signal_in_mapped();
	return arg;
}

static noinline void case_thread(void)
{
	pthread_t t;

	must(!pthread_create(&t, NULL, case_signal_in_thread, NULL), "pthread_create");
	pthread_join(t, NULL);
}

/* The first alternate stack is free while a handler is on it, which takes another: SS_AUTODISARM. */
static void case_outer_handler(int sig)
{
	take_on_stack(SIGUSR2, case_handler, mapped_stack(), STACK_LEN, 0);
	raise(SIGUSR2);
	sink = sig;
}

static noinline void case_raise_first(void)
{
	take_on_stack(SIGPROF, case_outer_handler, mapped_stack(), STACK_LEN, (int)(1u << 31));
	raise(SIGPROF);
	sink++;
}

static noinline void case_signal_in_signal(void)
{
	on_stack(mapped_stack(), case_raise_first);
}

/* Another on the same alternate stack. */
static void case_raising_handler(int sig)
{
	struct sigaction sa = { .sa_handler = case_handler, .sa_flags = SA_ONSTACK };

	must(!sigaction(SIGUSR2, &sa, NULL), "sigaction");
	raise(SIGUSR2);
	sink = sig;
}

static noinline void case_raise_twice(void)
{
	take_on_stack(SIGPROF, case_raising_handler, signal_stack, sizeof(signal_stack), 0);
	raise(SIGPROF);
	sink++;
}

static noinline void case_signals_on_one_stack(void)
{
	on_stack(mapped_stack(), case_raise_twice);
}

/* Deeper and deeper, until sp is in the memory without permissions that is below. */
static noinline int case_recurse(int n)
{
	volatile char room[512];

	room[0] = (char)n;
	if (sink >= 0)
		sink = case_recurse(n + 1) + room[0];
	return sink;
}

static noinline void case_overflow(void)
{
	take_on_stack(SIGSEGV, case_handler, signal_stack, sizeof(signal_stack), 0);
	sink = case_recurse(0);
}

static noinline void case_overflow_in_mapped(void)
{
	on_stack(mapped_stack(), case_overflow);
}

static void (*volatile nowhere)(void);

static noinline void case_call_null(void)
{
	take_on_stack(SIGSEGV, case_handler, signal_stack, sizeof(signal_stack), 0);
	nowhere();
	sink++;
}

static noinline void case_null_in_mapped(void)
{
	on_stack(mapped_stack(), case_call_null);
}

static noinline void case_raise_only(void)
{
	raise(SIGUSR2);
	sink++;
}

/* The alternate stack is a part of the thread's own. */
static noinline void case_alternate_here(void)
{
	char here[STACK_LEN] __attribute__((aligned(64)));

	take_on_stack(SIGUSR2, case_handler, here, sizeof(here), 0);
	on_stack(mapped_stack(), case_raise_only);
	sink += here[sink & 1];
}

#if defined(__x86_64__) || defined(__aarch64__)
static noinline void case_signal_in_by_hand(void)
{
	enter_fiber(mapped_stack() + STACK_LEN - 256, case_fiber, (void (*)(void))(uintptr_t)fiber_ends, case_raise);
}
#endif

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "interpreted", case_interpreted }, { "deeply-interpreted", case_deeply_interpreted },
	{ "context", case_context }, { "linked-context", case_linked_context },
	{ "signal-in-context", case_signal_in_context }, { "signal-in-mapped", case_signal_in_mapped },
	{ "signal-in-static", case_signal_in_static }, { "signal-in-heap", case_signal_in_heap },
	{ "siginfo-in-mapped", case_siginfo_in_mapped }, { "signal-in-next", case_signal_in_next },
	{ "signal-in-thread", case_thread }, { "signal-in-signal", case_signal_in_signal },
	{ "signals-on-one-stack", case_signals_on_one_stack }, { "overflow-in-mapped", case_overflow_in_mapped },
	{ "null-in-mapped", case_null_in_mapped }, { "alternate-here", case_alternate_here },
	{ "signal-on-main", case_raise },
#if defined(__x86_64__) || defined(__aarch64__)
	{ "pretended", case_pretend }, { "by-hand", case_by_hand }, { "signal-in-by-hand", case_signal_in_by_hand },
#endif
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
