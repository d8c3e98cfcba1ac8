/*
 * newregs: registers that only newer processors have, in use: ZA and ZT0 (SME2), FPMR, and a
 * guarded control stack.  Prints "has NAME" for each, and "ready PID", and spins.
 */
#include "mte.h"

#include <sys/wait.h>

/* Linux 7.0, arch/arm64/include/uapi/asm/hwcap.h, include/uapi/linux/prctl.h. */
#define CAP_GCS (1ul << 32)
#define CAP2_SME (1ul << 23)
#define CAP2_SME2 (1ul << 37)
#define CAP2_FPMR (1ul << 48)
#define SET_SHADOW_STACK_STATUS 75
#define SHADOW_STACK_ENABLE 1ul

static unsigned char zt[64] __attribute__((aligned(64)));

static int has(const char *name, unsigned long cap)
{
	if (cap)
		printf("has %s\n", name);
	return cap != 0;
}

/* Not by libc's function, which could not return: its return address is on no such stack. */
static inline __attribute__((always_inline)) long shadow_stack_on(void)
{
	register long x0 __asm__("x0") = SET_SHADOW_STACK_STATUS;
	register long x1 __asm__("x1") = SHADOW_STACK_ENABLE;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	register long x8 __asm__("x8") = SYS_prctl;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8) : "memory");
	return x0;
}

static __attribute__((noreturn)) void spin(int gcs, int sme, int sme2, int fpmr, volatile int *ready)
{
	if (gcs && shadow_stack_on() != 0)
		_exit(1);
	if (fpmr)
		__asm__ volatile("msr S3_3_C4_C4_2, %0" : : "r"(0x25ul));
	if (sme)
		__asm__ volatile(".inst 0xd503457f /* smstart za */");
	if (sme2)
		__asm__ volatile("mov x9, %0\n.inst 0xe11f8120 /* ldr zt0, [x9] */" : : "r"(zt) : "x9", "memory");
	*ready = 1;
	for (;;)
		__asm__ volatile("");
}

int main(void)
{
	volatile int *ready = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long cap = getauxval(AT_HWCAP), cap2 = getauxval(AT_HWCAP2);
	int gcs, sme, sme2, fpmr;
	pid_t pid;

	target_begin();
	must(ready != MAP_FAILED, "mmap");
	for (size_t i = 0; i < sizeof(zt); i++)
		zt[i] = (unsigned char)(i + 1);
	gcs = has("gcs", cap & CAP_GCS);
	sme = has("za", cap2 & CAP2_SME);
	sme2 = has("zt", cap2 & CAP2_SME2);
	fpmr = has("fpmr", cap2 & CAP2_FPMR);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (pid == 0)
		spin(gcs, sme, sme2, fpmr, ready);
	while (!*ready && waitpid(pid, NULL, WNOHANG) == 0)
		target_nap();
	must(*ready, "the child died");
	printf("ready %d\n", (int)pid);
	fflush(stdout);
	waitpid(pid, NULL, 0);
	return 0;
}
