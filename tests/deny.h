/* deny.h - makes a system call fail in this process and its children, as some kernel or disk would. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#define DENY_CONDITIONS 4

/* On one word of an argument: (word & mask) != 0 is @any.  Both machines are little-endian. */
struct deny_if {
	unsigned arg;
	unsigned word;	/* 0: the low one, 1: the high one */
	uint32_t mask;
	unsigned any;
};

/* System call @nr fails with @error where all @n conditions hold.  0, or -1 and errno. */
static inline int deny(unsigned nr, int error, const struct deny_if *when, size_t n)
{
	struct sock_filter code[4 + 2 * DENY_CONDITIONS];
	size_t at = 0, allow = 2 + 2 * n + 1;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	code[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0,
						(uint8_t)(allow - at - 1));
	at++;
	for (size_t i = 0; i < n; i++) {
		uint8_t out;

		code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			(uint32_t)(offsetof(struct seccomp_data, args) + 8 * when[i].arg + 4 * when[i].word));
		out = (uint8_t)(allow - at - 1);
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, when[i].mask,
			(uint8_t)(when[i].any ? 0 : out), (uint8_t)(when[i].any ? out : 0));
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
		     &(struct sock_fprog){ .len = (unsigned short)at, .filter = code });
}
