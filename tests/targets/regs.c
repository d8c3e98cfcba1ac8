/*
 * regs - a thread waits in a system call with numbers in all registers that a system call keeps, floating-point and vector
 * registers among them, while the first one computes.  SIGUSR2 ends the call: "registers kept", or which is not.
 * "vectors WHAT" says at the beginning which registers there are.
 */
#include "target.h"

#include <poll.h>
#include <pthread.h>

#if defined(__x86_64__)
enum { BYTES = 16 * 32 };
static int wide;

static const char *vectors(void)
{
	wide = __builtin_cpu_supports("avx");
	return wide ? "x87 ymm" : "x87 xmm";
}

/* poll(NULL, 0, -1) with @in in the registers, which are @out afterwards. */
static long poll_with(const uint8_t *in, uint8_t *out, const double *pi, double *top)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 8;
	register const uint8_t *r12 __asm__("r12") = in;
	register uint8_t *r13 __asm__("r13") = out;
	long ret = SYS_ppoll;

	__asm__ volatile("fldl %0" : : "m"(*pi));
#define EACH(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define GET(n) "vmovdqu " #n "*32(%%r12), %%ymm" #n "\n"
#define PUT(n) "vmovdqu %%ymm" #n ", " #n "*32(%%r13)\n"
#define GETX(n) "movdqu " #n "*32(%%r12), %%xmm" #n "\n"
#define PUTX(n) "movdqu %%xmm" #n ", " #n "*32(%%r13)\n"
	if (wide)
		__asm__ volatile(EACH(GET) "syscall\n" EACH(PUT)
				 : "+a"(ret) : "D"(NULL), "S"(0L), "d"(NULL), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
				 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
				   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	else
		__asm__ volatile(EACH(GETX) "syscall\n" EACH(PUTX)
				 : "+a"(ret) : "D"(NULL), "S"(0L), "d"(NULL), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
				 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
				   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	__asm__ volatile("fstpl %0" : "=m"(*top));
	return ret;
}

static int is_same(const uint8_t *in, const uint8_t *out, int n)
{
	return !memcmp(in + n * 32, out + n * 32, wide ? 32 : 16);
}
enum { REGISTERS = 16 };
#elif defined(__aarch64__)
enum { BYTES = 32 * 16, REGISTERS = 32 };

/* SVE's longer parts are not kept by a system call (Documentation/arch/arm64/sve.rst). */
static const char *vectors(void)
{
	return "v0-v31";
}

static long poll_with(const uint8_t *in, uint8_t *out, const double *pi, double *top)
{
	register long x0 __asm__("x0") = 0;
	register long x1 __asm__("x1") = 0;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 8;
	register long x8 __asm__("x8") = SYS_ppoll;
	register const uint8_t *x19 __asm__("x19") = in;
	register uint8_t *x20 __asm__("x20") = out;
	register uint64_t x7 __asm__("x7") = 0x7777777777777777u;
	register uint64_t x21 __asm__("x21") = 0x2121212121212121u;

#define EACH(op) op(0, 1) op(2, 3) op(4, 5) op(6, 7) op(8, 9) op(10, 11) op(12, 13) op(14, 15) \
		 op(16, 17) op(18, 19) op(20, 21) op(22, 23) op(24, 25) op(26, 27) op(28, 29) op(30, 31)
#define GET(a, b) "ldp q" #a ", q" #b ", [x19, #16 * " #a "]\n"
#define PUT(a, b) "stp q" #a ", q" #b ", [x20, #16 * " #a "]\n"
	__asm__ volatile(EACH(GET) "svc #0\n" EACH(PUT)
			 : "+r"(x0), "+r"(x7), "+r"(x21)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8), "r"(x19), "r"(x20)
			 : "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
			   "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
			   "v28", "v29", "v30", "v31");
	*top = x7 == 0x7777777777777777u && x21 == 0x2121212121212121u ? *pi : 0;
	return x0;
}

static int is_same(const uint8_t *in, const uint8_t *out, int n)
{
	return !memcmp(in + n * 16, out + n * 16, 16);
}
#else
enum { BYTES = 8, REGISTERS = 0 };
static const char *vectors(void)
{
	return "none";
}
static long poll_with(const uint8_t *in, uint8_t *out, const double *pi, double *top)
{
	(void)in, (void)out, *top = *pi;
	return poll(NULL, 0, -1) < 0 ? -errno : 0;
}
static int is_same(const uint8_t *in, const uint8_t *out, int n)
{
	return in + n == out;
}
#endif

static void on_signal(int sig)
{
	(void)sig;
}

static void *waiter(void *arg)
{
	static uint8_t in[BYTES], out[BYTES];
	double pi = 3.14159265358979, top = 0;
	int n = 0;
	long r;

	target_fill(in, sizeof(in), 7);
	r = poll_with(in, out, &pi, &top);
	while (n < REGISTERS && is_same(in, out, n))
		n++;
	if (r != -EINTR || memcmp(&top, &pi, sizeof(pi)) || n < REGISTERS)
		printf("result %ld, vector register %d, %f\n", r, n, top);
	else
		puts("registers kept");
	fflush(stdout);
	return arg;
}

int main(void)
{
	sigset_t set;
	pthread_t t;

	target_begin();
	signal(SIGUSR2, on_signal);
	printf("vectors %s\n", vectors());
	must(pthread_create(&t, NULL, waiter, NULL) == 0, "pthread_create");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	target_wait_asleep();
	target_ready();
	for (volatile unsigned n = 0;; n++)
		;
}
