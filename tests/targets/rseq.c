/*
 * rseq [N] - N threads (default 3) count in restartable sequences, each round in the counter of the processor that it runs on, and
 * one more waits.  SIGUSR1: "sums ROUNDS", if the counters' sum is that of the rounds, else "sums differ".
 */
#include "target.h"

#include <pthread.h>

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#include <linux/rseq.h>
#include <sys/rseq.h>

enum { CPUS = 4096, STOP_AFTER = 64 };

static uint64_t counters[CPUS][8];
static uint64_t rounds[64];
static int stopping, stopped;

static struct rseq *area(void)
{
	return (struct rseq *)(void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/*
 * counters[cpu][0]++ as load, add, and a store that is the last instruction of the sequence: 1, or 0 if it was broken off.
 * rseq(2); the word before the abort handler is the signature that was registered.
 */
static int count_once(struct rseq *rs)
{
	uint32_t cpu = *(volatile uint32_t *)&rs->cpu_id_start;
	uint64_t *c = counters[cpu % CPUS];

#ifdef __x86_64__
	__asm__ goto(
		".pushsection __rseq_cs, \"aw\"\n"
		".balign 32\n"
		"3: .long 0, 0\n.quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"leaq 3b(%%rip), %%rax\n"
		"movq %%rax, %[cs]\n"
		"1: cmpl %[cpu], %[id]\n"
		"jnz %l[broken]\n"
		"movq (%[c]), %%rax\n"
		".rept 200\n nop\n .endr\n"
		"addq $1, %%rax\n"
		"movq %%rax, (%[c])\n"
		"2:\n"
		".pushsection .text.rseq_abort, \"ax\"\n"
		".byte 0x0f, 0xb9, 0x3d\n.long %c[sig]\n"
		"4: jmp %l[broken]\n"
		".popsection\n"
		: : [cs] "m"(rs->rseq_cs), [id] "m"(rs->cpu_id), [cpu] "r"(cpu), [c] "r"(c), [sig] "i"(RSEQ_SIG)
		: "memory", "cc", "rax" : broken);
#else
	__asm__ goto(
		".pushsection __rseq_cs, \"aw\"\n"
		".balign 32\n"
		"3: .long 0, 0\n.quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"adrp x9, 3b\n"
		"add x9, x9, :lo12:3b\n"
		"str x9, %[cs]\n"
		"1: ldr w9, %[id]\n"
		"cmp w9, %w[cpu]\n"
		"b.ne %l[broken]\n"
		"ldr x9, [%[c]]\n"
		".rept 200\n nop\n .endr\n"
		"add x9, x9, #1\n"
		"str x9, [%[c]]\n"
		"2: b 5f\n"
		".inst %c[sig]\n"
		"4: b %l[broken]\n"
		"5:\n"
		: : [cs] "Qo"(rs->rseq_cs), [id] "Qo"(rs->cpu_id), [cpu] "r"(cpu), [c] "r"(c), [sig] "i"(RSEQ_SIG)
		: "memory", "cc", "x9" : broken);
#endif
	return 1;
broken:
	return 0;
}

static void *counter(void *arg)
{
	uint64_t *mine = arg;
	struct rseq *rs = area();

	for (;;) {
		if (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
			__atomic_add_fetch(&stopped, 1, __ATOMIC_SEQ_CST);
			while (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
				target_nap();
			__atomic_sub_fetch(&stopped, 1, __ATOMIC_SEQ_CST);
		}
		for (int i = 0; i < STOP_AFTER; i++)
			*mine += (uint64_t)count_once(rs);
	}
	return NULL;
}

static void report(int n)
{
	uint64_t sum = 0, all = 0;

	__atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) < n)
		target_nap();
	for (int i = 0; i < CPUS; i++)
		sum += counters[i][0];
	for (int i = 0; i < n; i++)
		all += rounds[i];
	if (sum == all)
		printf("sums %llu\n", (unsigned long long)sum);
	else
		printf("sums differ: %llu in %llu rounds\n", (unsigned long long)sum, (unsigned long long)all);
	fflush(stdout);
	__atomic_store_n(&stopping, 0, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE))
		target_nap();
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 3;
	pthread_t t;

	target_begin();
	target_block_usr1();
	if (!__rseq_size) {
		puts("no rseq");
		return 77;
	}
	for (int i = 0; i < n; i++)
		must(pthread_create(&t, NULL, counter, &rounds[i]) == 0, "pthread_create");
	target_ready();
	for (;;) {
		target_wait();
		report(n);
	}
}
#else
int main(void)
{
	puts("no rseq");
	return 77;
}
#endif
