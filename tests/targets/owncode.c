/*
 * owncode compute | stale | sequence | dispatch - one thread that makes no system call, and what it has under way that
 * would notice one made for it.
 *
 * compute: numbers, with all results checked.  stale: the same, after a restartable sequence that it has left.  sequence: never
 * leaves one but by its abort, until SIGUSR1.  dispatch: a system call of another's would be a SIGSYS, as for Wine.
 * SIGUSR1: "faults COUNT rounds COUNT".
 */
#include "target.h"
#include "sequence.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
enum { WORDS = 4096 };

static volatile sig_atomic_t asked, faults;
static volatile char selector;	/* SYSCALL_DISPATCH_FILTER_ALLOW 0, _BLOCK 1 */
static char blocked;

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void on_usr1(int sig)
{
	(void)sig;
	selector = 0;
	asked = 1;
}

static void on_sys(int sig)
{
	(void)sig;
	selector = 0;
	faults++;
}

static void handle(int sig, void (*fn)(int))
{
	struct sigaction a = { .sa_handler = fn };

	must(sigaction(sig, &a, NULL) == 0, "sigaction");
}

static uint64_t compute(const uint64_t *w, double *real)
{
	uint64_t bits = 1;

	*real = 1.0;
	for (int i = 0; i < WORDS; i++) {
		bits = bits * 6364136223846793005u + w[i];
		*real = *real * 0.5 + (double)(w[i] & 0xffff);
	}
	return bits;
}

int main(int argc, char **argv)
{
	static uint64_t w[WORDS];
	const char *mode = argc > 1 ? argv[1] : "compute";
	int stale = !strcmp(mode, "stale");
	double first_real = 0, real = 0;
	uint64_t first;
	unsigned long rounds = 0;

	target_begin();
	target_fill((char *)w, sizeof(w), 1);
	first = compute(w, &first_real);
	handle(SIGUSR1, on_usr1);
	handle(SIGSYS, on_sys);
	must(!stale || __rseq_size, "rseq");
	if (!strcmp(mode, "dispatch")) {
		blocked = !prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector);
		if (!blocked)
			printf("no user dispatch\n");
	}
	target_ready();
	if (!strcmp(mode, "sequence"))
		sequence_until(&asked);
	for (;; rounds++) {
		selector = blocked;
		if (stale)
			area()->rseq_cs = (uintptr_t)sequence_cs;
		faults += compute(w, &real) != first || real != first_real;
		selector = 0;
		if (!asked)
			continue;
		asked = 0;
		printf("faults %d rounds %lu\n", (int)faults, rounds);
		fflush(stdout);
	}
}
