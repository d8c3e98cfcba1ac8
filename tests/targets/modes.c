/*
 * modes: a 64-bit process of x86 with one thread that runs 32-bit code, as Wine has them; the
 * thread's r12 is 0x1212121234343434 and its xmm7 all 0x77.  Nothing elsewhere.
 */
#include "target.h"

#if defined(__x86_64__)
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

/* for (;;) pause(), for the other word size: mov $29, %eax; int $0x80; jmp. */
static const uint8_t code[] = { 0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7 };

static volatile pid_t tid;

static void *go_over(void *at)
{
	uint8_t seven[16];

	memset(seven, 0x77, sizeof(seven));
	tid = (pid_t)syscall(SYS_gettid);
	/* 0x23 is the code segment of 32-bit programs: __USER32_CS. */
	__asm__ volatile("mov $0x1212121234343434, %%r12\n\tmovups (%1), %%xmm7\n\tlea 4096(%0), %%rsp\n\t"
			 "push $0x23\n\tpush %0\n\tlretq" : : "r"(at), "r"(seven) : "r12", "memory");
	__builtin_unreachable();
}

int main(void)
{
	uint8_t *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pthread_t thread;

	target_begin();
	must(at != MAP_FAILED, "mmap");
	memcpy(at, code, sizeof(code));
	must(pthread_create(&thread, NULL, go_over, at) == 0, "pthread_create");
	while (!tid)
		sched_yield();
	target_settle();
	target_ready();
	for (;;)
		pause();
}
#else
int main(void)
{
	return 0;
}
#endif
