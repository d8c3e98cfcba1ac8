/*
 * wide: a 32-bit process of x86 that runs 64-bit code, which the kernel lets it do.  It stays
 * there, in pause(2), with 0x3456789a in ebx, 0x11111111 above.  A second thread stays as it was.
 */
#include "bare.h"

static uint8_t stack[16384] __attribute__((aligned(16)));
static int tid;

static void stay(void *arg)
{
	(void)arg;
	for (;;)
		SYS3(NR_pause, 0, 0, 0);
}

int bare_main(int argc, char **argv)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			      CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	(void)argc;
	(void)argv;
	bare_begin();
	bare_must(bare_clone(flags, stack + sizeof(stack), stay, NULL, NULL, &tid), "clone");
	bare_say("ready ", bare_number(SYS3(NR_getpid, 0, 0, 0)).text, "", "");
	/* 0x33 is the code segment of 64-bit programs: __USER_CS; pause is 34 there. */
	__asm__ volatile("ljmp $0x33, $1f\n\t.code64\n1:\n\tmovabs $0x111111113456789a, %%rbx\n2:\n\t"
			 "mov $34, %%eax\n\tsyscall\n\tjmp 2b\n\t.code32" : : : "ebx", "memory");
	__builtin_unreachable();
}
