/*
 * sve [VL [pause]]: vector registers of VL bytes (default 32), wider than the
 * least.  Byte j of Zn is (n * 16 + j) mod 256; P0 to P15 are all true; X19 is
 * 0x5eed.  Prints "vl BYTES" and "ready PID" when they are loaded.  It spins on
 * one instruction: a system call would lose all but the low 128 bits
 * (Documentation/arch/arm64/sve.rst, section 3).  With "pause" it makes one.
 */
#include "mte.h"

#include <sys/wait.h>

#ifndef PR_SVE_SET_VL
#define PR_SVE_SET_VL 50
#define PR_SVE_VL_LEN_MASK 0xffff
#endif
#ifndef HWCAP_SVE
#define HWCAP_SVE (1ul << 22)
#endif

#define VL_MAX 256	/* bytes: the architecture's largest */

static unsigned char z[32 * VL_MAX];

#define LOAD4(a, b, c, d) \
	"ldr z" #a ", [%0, #" #a ", mul vl]\n" "ldr z" #b ", [%0, #" #b ", mul vl]\n" \
	"ldr z" #c ", [%0, #" #c ", mul vl]\n" "ldr z" #d ", [%0, #" #d ", mul vl]\n"
#define LOAD_ALL \
	LOAD4(0, 1, 2, 3) LOAD4(4, 5, 6, 7) LOAD4(8, 9, 10, 11) LOAD4(12, 13, 14, 15) \
	LOAD4(16, 17, 18, 19) LOAD4(20, 21, 22, 23) LOAD4(24, 25, 26, 27) LOAD4(28, 29, 30, 31) \
	"ptrue p0.b\n" "ptrue p1.b\n" "ptrue p2.b\n" "ptrue p3.b\n" "ptrue p4.b\n" "ptrue p5.b\n" \
	"ptrue p6.b\n" "ptrue p7.b\n" "ptrue p8.b\n" "ptrue p9.b\n" "ptrue p10.b\n" "ptrue p11.b\n" \
	"ptrue p12.b\n" "ptrue p13.b\n" "ptrue p14.b\n" "ptrue p15.b\n"

/* @ready is written when all are loaded; then nothing changes any more, not even the pc. */
static noinline void spin(volatile int *ready)
{
	__asm__ volatile(".arch_extension sve\n"
			 LOAD_ALL
			 "mov x19, #0x5eed\n"
			 "mov w9, #1\n"
			 "str w9, [%1]\n"
			 "0: b 0b\n"
			 : : "r"(z), "r"(ready) : "memory", "x9", "x19");
}

static noinline void in_pause(volatile int *ready)
{
	__asm__ volatile(".arch_extension sve\n" LOAD_ALL : : "r"(z) : "memory");
	*ready = 1;
	for (;;)
		pause();
}

static void child(int vl, int pauses, volatile int *ready)
{
	int got = prctl(PR_SVE_SET_VL, vl, 0, 0, 0);

	must(got >= 0, "PR_SVE_SET_VL");
	vl = got & PR_SVE_VL_LEN_MASK;
	printf("vl %d\n", vl);
	fflush(stdout);
	for (int n = 0; n < 32; n++)
		for (int j = 0; j < vl; j++)
			z[n * vl + j] = (unsigned char)(n * 16 + j);
	if (pauses)
		in_pause(ready);
	spin(ready);
}

/* A child spins, so that the parent can say when it does. */
int main(int argc, char **argv)
{
	volatile int *ready = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	target_begin();
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE)) {
		puts("skip no SVE here");
		return 77;
	}
	must(ready != MAP_FAILED, "mmap");
	pid = fork();
	if (pid == 0) {
		target_begin();
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		child(argc > 1 ? atoi(argv[1]) : 32, argc > 2, ready);
	}
	while (!*ready && waitpid(pid, NULL, WNOHANG) == 0)
		target_nap();
	must(*ready, "child");
	printf("ready %d\n", pid);
	fflush(stdout);
	waitpid(pid, NULL, 0);
	return 0;
}
