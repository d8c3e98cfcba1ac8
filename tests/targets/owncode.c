/*
 * owncode compute | stale | sequence | dispatch - one thread that makes no system call, and what it has under way that
 * would notice one made for it.
 *
 * compute: numbers, with all results checked.  stale: the same, after a restartable sequence that it has left.  sequence: never
 * leaves one but by its abort.  dispatch: a system call of another's would be a SIGSYS, as for Wine.
 * SIGUSR1: "faults COUNT rounds COUNT", but in a sequence.
 */
#include "target.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/rseq.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
enum { WORDS = 4096 };

extern const char sequence_cs[] __attribute__((visibility("hidden")));
static volatile sig_atomic_t asked, faults;
static volatile char selector;	/* SYSCALL_DISPATCH_FILTER_ALLOW 0, _BLOCK 1 */
static char blocked;

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* include/uapi/linux/rseq.h: the signature is before the abort's address. */
noinline static void stay_in_sequence(struct rseq *r, int enter)
{
	if (!enter)
		return;
#if defined(__x86_64__)
	__asm__ volatile("	jmp 3f\n"
			 "	.byte 0x0f, 0xb9, 0x3d\n	.long 0x53053053\n"
			 "3:	mov %1, 8(%0)\n"
			 "1:	pause\n	jmp 1b\n"
			 "2:\n"
#elif defined(__aarch64__)
	__asm__ volatile("	b 3f\n"
			 "	.inst 0xd428bc00\n"
			 "3:	str %1, [%0, #8]\n"
			 "1:	nop\n	b 1b\n"
			 "2:\n"
#endif
			 "	.pushsection .data.rel.ro\n	.balign 32\nsequence_cs:\n	.long 0, 0\n"
			 "	.quad 1b, 2b - 1b, 3b\n	.popsection\n"
			 : : "r"(r), "r"(sequence_cs) : "memory");
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
	must((strcmp(mode, "sequence") && !stale) || __rseq_size, "rseq");
	if (!strcmp(mode, "dispatch")) {
		blocked = !prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector);
		if (!blocked)
			printf("no user dispatch\n");
	}
	target_ready();
	stay_in_sequence(area(), !strcmp(mode, "sequence"));
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
