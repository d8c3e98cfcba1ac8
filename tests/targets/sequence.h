/* sequence.h - a thread that stays in a restartable sequence, rseq(2): no system call may be made for it there. */
#pragma once

#include <sys/rseq.h>

extern const char sequence_cs[] __attribute__((visibility("hidden")));

/* Until *flag is not 0; once a program.  include/uapi/linux/rseq.h: the signature is before the abort's address. */
noinline static void sequence_until(const volatile int *flag)
{
	struct rseq *r = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);

	must(__rseq_size, "rseq");
#if defined(__x86_64__)
#define SCRATCH "rax"
	__asm__ volatile("	jmp 3f\n"
			 "	.byte 0x0f, 0xb9, 0x3d\n	.long 0x53053053\n"
			 "3:	mov %1, 8(%0)\n"
			 "1:	pause\n	cmpl $0, (%2)\n	je 1b\n"
			 "2:\n"
#elif defined(__aarch64__)
#define SCRATCH "x9"
	__asm__ volatile("	b 3f\n"
			 "	.inst 0xd428bc00\n"
			 "3:	str %1, [%0, #8]\n"
			 "1:	ldr w9, [%2]\n	cbz w9, 1b\n"
			 "2:\n"
#endif
			 "	.pushsection .data.rel.ro, \"aw\"\n	.balign 32\nsequence_cs:\n	.long 0, 0\n"
			 "	.quad 1b, 2b - 1b, 3b\n	.popsection\n"
			 : : "r"(r), "r"(sequence_cs), "r"(flag) : "memory", "cc", SCRATCH);
}
