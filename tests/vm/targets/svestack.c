/*
 * svestack [VL [signal]]: frames that are measured in vectors, of VL bytes
 * (default 32): functions that keep vectors of their callers, and have some of
 * their own on the stack.  "signal": a signal meets the innermost of them.
 * Prints "ready PID" from case_wait().
 */
#pragma GCC target("+sve")
#ifdef BARE	/* svestack-bare.c: without frame records, too */
#pragma GCC optimize("O2", "omit-frame-pointer")
#endif
#include "mte.h"

#include <arm_sve.h>
#include <sys/time.h>

#ifndef PR_SVE_SET_VL
#define PR_SVE_SET_VL 50
#endif
#ifndef HWCAP_SVE
#define HWCAP_SVE (1ul << 22)
#endif

static float data[512];
static volatile int stop, sink, spins;

static noinline void case_wait(void)
{
	target_ready();
	while (!stop)
		pause();
}

static noinline void case_handler(int sig)
{
	sink += sig;
	case_wait();
	sink -= sig;
}

/* More vectors than there are registers that calls keep: some are on the stack, in each caller. */
static noinline svfloat32_t case_inner(svfloat32_t a, svfloat32_t b)
{
	svbool_t all = svptrue_b32();
	svfloat32_t c = svmul_x(all, a, b), d = svadd_x(all, a, c);

	if (!spins)
		case_wait();
	while (spins)
		d = svadd_x(all, d, c);
	return svadd_x(all, svmul_x(all, c, d), svadd_x(all, a, b));
}

static noinline svfloat32_t case_middle(svfloat32_t a, svfloat32_t b, int n)
{
	svbool_t all = svptrue_b32(), some = svwhilelt_b32(0, n);
	svfloat32_t c = case_inner(svadd_x(all, a, b), b);

	sink++;
	return svadd_m(some, c, svmul_x(all, a, b));
}

static noinline int case_outer(int n)
{
	svbool_t all = svptrue_b32();
	svfloat32_t a = svld1(all, data), b = svld1(all, data + 64);
	svfloat32_t r = case_middle(a, b, n), s = case_middle(svadd_x(all, a, r), b, n);

	return (int)svaddv(all, svadd_x(all, svmul_x(all, r, s), svadd_x(all, a, b))) + n;
}

int main(int argc, char **argv)
{
	target_begin();
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE)) {
		puts("skip no SVE here");
		return 77;
	}
	must(prctl(PR_SVE_SET_VL, argc > 1 ? atoi(argv[1]) : 32, 0, 0, 0) >= 0, "PR_SVE_SET_VL");
	spins = argc > 2;
	if (spins) {
		struct itimerval soon = { .it_value = { .tv_usec = 50000 } };

		must(signal(SIGVTALRM, case_handler) != SIG_ERR, "signal");
		must(!setitimer(ITIMER_VIRTUAL, &soon, NULL), "setitimer");
	}
	return case_outer(argc) + sink == 0;
}
