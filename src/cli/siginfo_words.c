#include "cli/siginfo_words.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "os/os.h"

/*
 * Linux 7.3, include/uapi/asm-generic/siginfo.h, but for the codes of ia64.  A code above 0 means what its
 * signal makes it mean; SI_* mean the same for all.
 */
static const struct word {
	const char *signal;	/* without SIG; NULL: any */
	s32 code;
	const char *name;
	const char *words;
} words[] = {
	{ NULL, 0, "SI_USER", "sent by kill(2)" },
	{ NULL, 0x80, "SI_KERNEL", "sent by the kernel" },
	{ NULL, -1, "SI_QUEUE", "sent by sigqueue(3)" },
	{ NULL, -2, "SI_TIMER", "a timer expired" },
	{ NULL, -3, "SI_MESGQ", "a message came on an empty queue" },
	{ NULL, -4, "SI_ASYNCIO", "asynchronous I/O ended" },
	{ NULL, -5, "SI_SIGIO", "queued SIGIO" },
	{ NULL, -6, "SI_TKILL", "sent by tkill(2) or tgkill(2), as raise(3) and abort(3) do" },
	{ NULL, -7, "SI_DETHREAD", "another thread called execve(2)" },
	{ NULL, 32767, "SI_NOINFO", "nothing is known of it" },	/* arch/sparc/include/uapi/asm/siginfo.h */
	{ NULL, -60, "SI_ASYNCNL", "asynchronous name lookup ended" },
	{ "SEGV", 1, "SEGV_MAPERR", "address not mapped" },
	{ "SEGV", 2, "SEGV_ACCERR", "no permission for the mapped address" },
	{ "SEGV", 3, "SEGV_BNDERR", "address out of its bounds" },
	{ "SEGV", 4, "SEGV_PKUERR", "refused by the protection key" },
	{ "SEGV", 5, "SEGV_ACCADI", "ADI is not enabled for the address" },
	{ "SEGV", 6, "SEGV_ADIDERR", "disrupting ADI mismatch" },
	{ "SEGV", 7, "SEGV_ADIPERR", "precise ADI mismatch" },
	{ "SEGV", 8, "SEGV_MTEAERR", "asynchronous memory tag fault, the address is not known" },
	{ "SEGV", 9, "SEGV_MTESERR", "memory tag fault" },
	{ "SEGV", 10, "SEGV_CPERR", "control protection fault: a return or jump was not where it belongs" },
	{ "BUS", 1, "BUS_ADRALN", "address not aligned" },
	{ "BUS", 2, "BUS_ADRERR", "no such physical address, as past the end of a mapped file" },
	{ "BUS", 3, "BUS_OBJERR", "hardware error of the object" },
	{ "BUS", 4, "BUS_MCEERR_AR", "memory error in what was accessed" },
	{ "BUS", 5, "BUS_MCEERR_AO", "memory error found, not accessed yet" },
	{ "ILL", 1, "ILL_ILLOPC", "illegal opcode" },
	{ "ILL", 2, "ILL_ILLOPN", "illegal operand" },
	{ "ILL", 3, "ILL_ILLADR", "illegal addressing mode" },
	{ "ILL", 4, "ILL_ILLTRP", "illegal trap" },
	{ "ILL", 5, "ILL_PRVOPC", "privileged opcode" },
	{ "ILL", 6, "ILL_PRVREG", "privileged register" },
	{ "ILL", 7, "ILL_COPROC", "coprocessor error" },
	{ "ILL", 8, "ILL_BADSTK", "internal stack error" },
	{ "ILL", 9, "ILL_BADIADDR", "unimplemented instruction address" },
	{ "FPE", 1, "FPE_INTDIV", "integer division by zero" },
	{ "FPE", 2, "FPE_INTOVF", "integer overflow" },
	{ "FPE", 3, "FPE_FLTDIV", "floating-point division by zero" },
	{ "FPE", 4, "FPE_FLTOVF", "floating-point overflow" },
	{ "FPE", 5, "FPE_FLTUND", "floating-point underflow" },
	{ "FPE", 6, "FPE_FLTRES", "inexact floating-point result" },
	{ "FPE", 7, "FPE_FLTINV", "invalid floating-point operation" },
	{ "FPE", 8, "FPE_FLTSUB", "subscript out of range" },
	{ "FPE", 14, "FPE_FLTUNK", "floating-point exception that is not diagnosed" },
	{ "FPE", 15, "FPE_CONDTRAP", "trap on a condition" },
	{ "TRAP", 1, "TRAP_BRKPT", "breakpoint" },
	{ "TRAP", 2, "TRAP_TRACE", "trace trap" },
	{ "TRAP", 3, "TRAP_BRANCH", "branch trap" },
	{ "TRAP", 4, "TRAP_HWBKPT", "hardware breakpoint or watchpoint" },
	{ "TRAP", 5, "TRAP_UNK", "trap that is not diagnosed" },
	{ "TRAP", 6, "TRAP_PERF", "performance event with sigtrap=1" },
	{ "EMT", 1, "EMT_TAGOVF", "tag overflow" },
	{ "CHLD", 1, "CLD_EXITED", "a child exited" },
	{ "CHLD", 2, "CLD_KILLED", "a child was killed" },
	{ "CHLD", 3, "CLD_DUMPED", "a child was killed and dumped core" },
	{ "CHLD", 4, "CLD_TRAPPED", "a traced child has trapped" },
	{ "CHLD", 5, "CLD_STOPPED", "a child has stopped" },
	{ "CHLD", 6, "CLD_CONTINUED", "a stopped child has continued" },
	{ "IO", 1, "POLL_IN", "data can be read" },
	{ "IO", 2, "POLL_OUT", "data can be written" },
	{ "IO", 3, "POLL_MSG", "a message can be read" },
	{ "IO", 4, "POLL_ERR", "I/O error" },
	{ "IO", 5, "POLL_PRI", "urgent data can be read" },
	{ "IO", 6, "POLL_HUP", "the other end hung up" },
	{ "SYS", 1, "SYS_SECCOMP", "a system call was refused by seccomp(2)" },
	{ "SYS", 2, "SYS_USER_DISPATCH", "a system call was caught by syscall user dispatch" },
};

/* The row of another system, or nothing where that gives the code its own meaning, which is not known. */
static const struct word *os_word(const struct core *c, const char *signal, s32 code, struct word *buf)
{
	const struct os_code *o = os_code_find(c->os, signal, code);

	if (!o)
		return NULL;
	*buf = (struct word){ .name = o->name, .words = o->words };
	return buf;
}

static const struct word *linux_word(const char *signal, s32 code)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].code == code && (!words[i].signal || (signal && !strcmp(words[i].signal, signal))))
			return &words[i];
	return NULL;
}

const char *siginfo_words(const struct core *c, const struct core_siginfo *si, char out[SIGINFO_WORDS_MAX])
{
	const char *signal = core_signal_name(c, si->signo);

	const struct word *w;
	struct word buf;

	if (c->os && !os_code_is_common(c->os, signal, si->code))
		w = os_word(c, signal, si->code, &buf);
	else
		w = linux_word(signal, si->generic_code);
	if (!w)
		return NULL;
	snprintf(out, SIGINFO_WORDS_MAX, "%s (%s)", w->words, w->name);
	return out;
}
