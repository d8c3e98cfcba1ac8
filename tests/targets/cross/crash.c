/*
 * crash - dies as its argument says, to be run by an emulator.  The backtrace is known by the functions' names:
 * each case is main, dies_CASE and the functions that it calls.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN __attribute__((noinline, noclone))

static volatile int sink;
static int *volatile nowhere;
static void (*volatile no_function)(int);
static char *volatile no_text;

/* Every function does something after its call: no call is the last one, which would need no frame. */
OWN void leaf_crash(void)
{
	*nowhere = 1;
	sink++;
}

OWN int middle(int n)
{
	char buf[64];

	memset(buf, n, sizeof(buf));
	leaf_crash();
	return buf[n & 63];
}

OWN int outer(int n)
{
	int r = middle(n + 1);

	return r + sink;
}

OWN int dies_plain(int n)
{
	return outer(n) + 1;
}

/* ---- signals: the interrupted function has called nothing */

static void handler(int sig)
{
	outer(sig);
	sink++;
}

static void handler_info(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	outer(sig);
	sink++;
}

OWN void faulty(void)
{
	*nowhere = 2;
	sink++;
}

static void handle(int flags)
{
	struct sigaction sa = { 0 };

	if (flags & SA_SIGINFO)
		sa.sa_sigaction = handler_info;
	else
		sa.sa_handler = handler;
	sa.sa_flags = flags;
	sigaction(SIGSEGV, &sa, NULL);
	/* Some raise this for an access to address 0. */
	sigaction(SIGBUS, &sa, NULL);
}

OWN int dies_signal(int n)
{
	handle(0);
	faulty();
	return n + sink;
}

OWN int dies_siginfo(int n)
{
	handle(SA_SIGINFO);
	faulty();
	return n + sink;
}

OWN int dies_altstack(int n)
{
	static char space[1 << 16] __attribute__((aligned(64)));
	stack_t ss = { .ss_sp = space, .ss_size = sizeof(space) };

	sigaltstack(&ss, NULL);
	handle(SA_SIGINFO | SA_ONSTACK);
	faulty();
	return n + sink;
}

/* ---- frames of any size, and wild calls */

OWN int sized(int n)
{
	char buf[n * 16];

	memset(buf, n, sizeof(buf));
	outer(buf[n]);
	return buf[n];
}

/* Larger than what an instruction of most machines can add. */
OWN int large(int n)
{
	char buf[100000];

	memset(buf, n, sizeof(buf));
	outer(buf[n]);
	return buf[n];
}

OWN int dies_large(int n)
{
	return large(n) + sink;
}

OWN int dies_sized(int n)
{
	return sized(n + 40) + sink;
}

OWN int calls_null(int n)
{
	no_function(n);
	return sink;
}

OWN int dies_null(int n)
{
	return calls_null(n) + 1;
}

OWN int recurses(int n)
{
	char buf[4096];

	memset(buf, n, sizeof(buf));
	return n < 1000000 ? recurses(n + 1) + buf[sink] : n;
}

OWN int dies_overflow(int n)
{
	return recurses(n) + sink;
}

__attribute__((noreturn)) OWN void never_returns(int n)
{
	for (;;)
		outer(n);
}

/* The call is its last instruction: the return address is another function's. */
OWN int dies_noreturn(int n)
{
	sink = n;
	never_returns(n);
}

/* ---- in the library */

OWN int dies_abort(int n)
{
	if (n < 1000)
		abort();
	return sink;
}

OWN int dies_strlen(int n)
{
	return (int)strlen(no_text) + n;
}

/* ---- threads */

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

OWN void *in_thread(void *arg)
{
	outer(1);
	sink++;
	return arg;
}

OWN int dies_thread(int n)
{
	pthread_t a, b;

	pthread_create(&a, NULL, waits, NULL);
	pthread_create(&b, NULL, in_thread, NULL);
	pthread_join(b, NULL);
	return n + sink;
}

static const struct {
	const char *name;
	int (*dies)(int n);
} cases[] = {
	{ "plain", dies_plain },	{ "signal", dies_signal },	{ "siginfo", dies_siginfo },
	{ "altstack", dies_altstack },	{ "sized", dies_sized },	{ "null", dies_null },
	{ "overflow", dies_overflow },	{ "noreturn", dies_noreturn },	{ "abort", dies_abort },
	{ "strlen", dies_strlen },	{ "thread", dies_thread },	{ "large", dies_large },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(cases[i].name, argv[1]))
			return cases[i].dies(argc) + sink;
	return 2;
}
