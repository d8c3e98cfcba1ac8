/*
 * reporters HOW: a fault whose handler reports it, sets the default action, sends the signal again and returns, as those of
 * glog and GWP-ASan do; and what looks alike but is not.  For tests of explain.  77: this machine has no such way.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target.h"
#include "ways.h"

#define APART noinline __attribute__((noclone))
enum { ROOM = 64 << 10 };
struct order { int id; char name[60]; struct order *next; };
static volatile int sink;
static volatile uintptr_t hidden;	/* what the compiler must not know */
static volatile int *volatile page;
static volatile int looks;

static void *secret(uintptr_t v)
{
	hidden = v;
	return (void *)hidden;
}

static void *map(size_t n, int prot)
{
	void *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

APART static void null_offset(void) { ((volatile struct order *)secret(0))->next = NULL; }
APART static void divide_by(int by) { sink = 1000 / by; }
APART static void illegal(void)
{
#ifdef __aarch64__
	__asm__ volatile(".inst 0x00000000");
#else
	__asm__ volatile("ud2");
#endif
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
APART static int recurse(int n) { volatile char room[500]; room[n % 500] = 1; return n + recurse(n + 1) + room[(n + 1) % 500]; }

static void by_default(int s) { signal(s, SIG_DFL); }
static void again(int s, siginfo_t *si, void *u) { (void)si; (void)u; by_default(s); raise(s); }
static void again_plain(int s) { by_default(s); raise(s); }
static void to_process(int s, siginfo_t *si, void *u) { (void)si; (void)u; by_default(s); kill(getpid(), s); for (;;) pause(); }
/* Lets the access succeed, as a collector's barrier does. */
static void permit(int s, siginfo_t *si, void *u) { (void)s; (void)si; (void)u; mprotect((void *)page, 4096, PROT_READ | PROT_WRITE); }

static void handle(int sig, void *fn, int flags)
{
	struct sigaction sa = { .sa_handler = (void (*)(int))fn, .sa_flags = flags };

	must(!sigaction(sig, &sa, NULL), "sigaction");
}

static void alternate_stack(void *room)
{
	stack_t st = { .ss_sp = room, .ss_size = ROOM };

	must(!sigaltstack(&st, NULL), "sigaltstack");
}

static void sent_again(void) { handle(SIGSEGV, again, SA_SIGINFO); null_offset(); }
static void sent_again_plain(void) { handle(SIGSEGV, again_plain, 0); null_offset(); }
static void sent_again_divide(void)
{
#ifdef __aarch64__
	exit(NO_WAY);	/* it does not fault */
#endif
	handle(SIGFPE, again, SA_SIGINFO);
	divide_by((int)(uintptr_t)secret(0));
}
static void sent_again_illegal(void) { handle(SIGILL, again, SA_SIGINFO); illegal(); }
static void on_mapping(void)
{
	alternate_stack(map(ROOM, PROT_READ | PROT_WRITE));
	handle(SIGSEGV, again, SA_SIGINFO | SA_ONSTACK);
	null_offset();
}
static void on_heap(void)
{
	/* Not a mapping of its own. */
	char *more = malloc(3 << 20);

	must(more != NULL, "malloc");
	memset(more, 1, 3 << 20);
	alternate_stack(malloc(ROOM));
	handle(SIGSEGV, again, SA_SIGINFO | SA_ONSTACK);
	null_offset();
}
static void stack_used_up(void)
{
	alternate_stack(map(ROOM, PROT_READ | PROT_WRITE));
	handle(SIGSEGV, again, SA_SIGINFO | SA_ONSTACK);
	sink = recurse(0);
}
/* What the handler was given is gone: only the instruction is left to tell. */
static void forget(int s, siginfo_t *si, void *u)
{
	ucontext_t *uc = u;

	memset(si, 0, sizeof(*si));
#ifdef __aarch64__
	/* struct esr_context */
	uc->uc_mcontext.fault_address = 0;
	for (unsigned char *p = uc->uc_mcontext.__reserved; ((uint32_t *)p)[0]; p += ((uint32_t *)p)[1])
		if (((uint32_t *)p)[0] == 0x45535201)
			((uint64_t *)p)[1] = 0;
#else
	uc->uc_mcontext.gregs[REG_ERR] = uc->uc_mcontext.gregs[REG_TRAPNO] = uc->uc_mcontext.gregs[REG_CR2] = 0;
#endif
	by_default(s);
	raise(s);
}
static void forgotten(void) { handle(SIGSEGV, forget, SA_SIGINFO); null_offset(); }

APART static void give_up(void) { abort(); }
/* As Redis' and MySQL's: nothing is blocked, so the handler does not return. */
static void abort_reported(void) { handle(SIGABRT, again_plain, SA_NODEFER); give_up(); }
static void *give_up_in_thread(void *arg) { (void)arg; give_up(); return NULL; }

static void *faulty(void *arg) { (void)arg; null_offset(); return NULL; }
static void in_thread(int sig, void *handler, void *(*run)(void *))
{
	pthread_t t;

	handle(sig, handler, SA_SIGINFO);
	must(!pthread_create(&t, NULL, run, NULL), "pthread_create");
	pthread_join(t, NULL);
}
static void thread_again(void) { in_thread(SIGSEGV, again, faulty); }
static void thread_to_process(void) { in_thread(SIGSEGV, to_process, faulty); }
static void abort_to_process(void) { in_thread(SIGABRT, to_process, give_up_in_thread); }

/* ---- what is none */

APART static void look(void) { for (;;) { sink = *page; looks++; } }
static void *send_to(void *arg)
{
	while (looks < 1000)
		usleep(1000);
	by_default(SIGSEGV);
	pthread_kill(*(pthread_t *)arg, SIGSEGV);
	return NULL;
}
/* A fault at the very instruction that was handled, long ago. */
static void permitted(void)
{
	static pthread_t self;
	pthread_t t;

	self = pthread_self();
	page = map(4096, PROT_NONE);
	handle(SIGSEGV, permit, SA_SIGINFO);
	must(!pthread_create(&t, NULL, send_to, &self), "pthread_create");
	look();
}
static void while_busy(void)
{
	static pthread_t self;
	pthread_t t;

	self = pthread_self();
	page = map(4096, PROT_READ);
	must(!pthread_create(&t, NULL, send_to, &self), "pthread_create");
	look();
}

static const struct way ways[] = {
	WAY(sent_again), WAY(sent_again_plain), WAY(sent_again_divide), WAY(sent_again_illegal), WAY(on_mapping), WAY(on_heap),
	WAY(stack_used_up), WAY(forgotten), WAY(thread_again), WAY(thread_to_process),
	WAY(abort_reported), WAY(abort_to_process), WAY(permitted), WAY(while_busy),
};

int main(int argc, char **argv)
{
	return run_way(ways, sizeof(ways) / sizeof(ways[0]), argc, argv);
}
