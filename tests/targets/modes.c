/*
 * modes: a 64-bit process of x86 with one thread that runs 32-bit code, as Wine has them; the
 * thread's r12 is 0x1212121234343434 and its xmm7 all 0x77.  It waits in epoll_wait for ever, and
 * so does, in 64-bit code, a second one by a 32-bit call.  SIGUSR1: "broken COUNT", of EINTR.
 * Nothing elsewhere.
 */
#include "target.h"

#if defined(__x86_64__)
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>

/* Below 4 GiB, for both word sizes. */
struct low {
	uint8_t code[64];
	uint32_t broken;
	uint8_t event[64];
	uint8_t stack[1024] __attribute__((aligned(16)));
};

/*
 * For the other word size: mov epoll, %ebx; mov event, %ecx; mov $1, %edx; mov $-1, %esi;
 * mov $256, %eax; int $0x80; cmp $-4, %eax; jne to the second; incl broken; jmp to the second.
 */
static const uint8_t code[] = {
	0xbb, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xba, 1, 0, 0, 0, 0xbe, 0xff, 0xff, 0xff, 0xff,
	0xb8, 0, 1, 0, 0, 0xcd, 0x80, 0x83, 0xf8, 0xfc, 0x75, 0xe5, 0xff, 0x05, 0, 0, 0, 0, 0xeb, 0xdd,
};
enum { AT_EPOLL = 1, AT_EVENT = 6, AT_BROKEN = 34 };

static struct low *low;
static uint32_t epoll;
static volatile pid_t tids[2];

static void put(size_t at, const void *value)
{
	uint32_t v = (uint32_t)(uintptr_t)value;

	memcpy(low->code + at, &v, sizeof(v));
}

static void *go_over(void *unused)
{
	uint8_t seven[16];

	(void)unused;
	memset(seven, 0x77, sizeof(seven));
	tids[0] = (pid_t)syscall(SYS_gettid);
	/* 0x23 is the code segment of 32-bit programs: __USER32_CS. */
	__asm__ volatile("mov $0x1212121234343434, %%r12\n\tmovups (%1), %%xmm7\n\tmov %2, %%rsp\n\t"
			 "push $0x23\n\tpush %0\n\tlretq"
			 : : "r"(low->code), "r"(seven), "r"(low->stack + sizeof(low->stack)) : "r12", "memory");
	__builtin_unreachable();
}

static void *call_over(void *unused)
{
	tids[1] = (pid_t)syscall(SYS_gettid);
	for (;;) {
		long r = 256;

		__asm__ volatile("int $0x80" : "+a"(r) : "b"((long)epoll), "c"(low->event), "d"(1L), "S"(-1L)
				 : "r8", "r9", "r10", "r11", "memory");
		if ((int)r == -EINTR)
			__atomic_add_fetch(&low->broken, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

int main(void)
{
	pthread_t thread;

	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	target_begin();
	target_block_usr1();
	must(low != MAP_FAILED, "mmap");
	epoll = (uint32_t)epoll_create1(EPOLL_CLOEXEC);
	memcpy(low->code, code, sizeof(code));
	put(AT_EPOLL, (void *)(uintptr_t)epoll);
	put(AT_EVENT, low->event);
	put(AT_BROKEN, &low->broken);
	must(pthread_create(&thread, NULL, go_over, NULL) == 0, "pthread_create");
	must(pthread_create(&thread, NULL, call_over, NULL) == 0, "pthread_create");
	while (!tids[0] || !tids[1])
		sched_yield();
	target_wait_asleep();
	target_ready();
	for (;;) {
		target_wait();
		printf("broken %u\n", low->broken);
	}
}
#else
int main(void)
{
	return 0;
}
#endif
