#include "cli/siginfo_words.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/view.h"

/*
 * Linux 6.12, include/uapi/asm-generic/siginfo.h.  A code above 0 means what its
 * signal makes it mean; SI_* mean the same for all.
 */
static const struct word {
	const char *signal;	/* NULL: any */
	s32 code;
	const char *name;
	const char *words;
	enum siginfo_form form;
} words[] = {
	{ NULL, 0, "SI_USER", "sent by kill(2)", SIGINFO_SENT },
	{ NULL, 0x80, "SI_KERNEL", "sent by the kernel", SIGINFO_PLAIN },
	{ NULL, -1, "SI_QUEUE", "sent by sigqueue(3)", SIGINFO_QUEUED },
	{ NULL, -2, "SI_TIMER", "a timer expired", SIGINFO_TIMER },
	{ NULL, -3, "SI_MESGQ", "a message came on an empty queue", SIGINFO_QUEUED },
	{ NULL, -4, "SI_ASYNCIO", "asynchronous I/O ended", SIGINFO_QUEUED },
	{ NULL, -5, "SI_SIGIO", "queued SIGIO", SIGINFO_PLAIN },
	{ NULL, -6, "SI_TKILL", "sent by tkill(2) or tgkill(2), as raise(3) and abort(3) do", SIGINFO_SENT },
	{ NULL, -7, "SI_DETHREAD", "another thread called execve(2)", SIGINFO_PLAIN },
	{ NULL, -60, "SI_ASYNCNL", "asynchronous name lookup ended", SIGINFO_QUEUED },
	{ "SIGSEGV", 1, "SEGV_MAPERR", "address not mapped", SIGINFO_FAULT },
	{ "SIGSEGV", 2, "SEGV_ACCERR", "no permission for the mapped address", SIGINFO_FAULT },
	{ "SIGSEGV", 3, "SEGV_BNDERR", "address out of its bounds", SIGINFO_BOUNDS },
	{ "SIGSEGV", 4, "SEGV_PKUERR", "refused by the protection key", SIGINFO_PKEY },
	{ "SIGSEGV", 5, "SEGV_ACCADI", "ADI is not enabled for the address", SIGINFO_FAULT },
	{ "SIGSEGV", 6, "SEGV_ADIDERR", "disrupting ADI mismatch", SIGINFO_FAULT },
	{ "SIGSEGV", 7, "SEGV_ADIPERR", "precise ADI mismatch", SIGINFO_FAULT },
	{ "SIGSEGV", 8, "SEGV_MTEAERR", "asynchronous memory tag fault, the address is not known", SIGINFO_PLAIN },
	{ "SIGSEGV", 9, "SEGV_MTESERR", "memory tag fault", SIGINFO_FAULT },
	{ "SIGSEGV", 10, "SEGV_CPERR", "control protection fault: a return or jump was not where it belongs",
	  SIGINFO_FAULT },
	{ "SIGBUS", 1, "BUS_ADRALN", "address not aligned", SIGINFO_FAULT },
	{ "SIGBUS", 2, "BUS_ADRERR", "no such physical address, as past the end of a mapped file", SIGINFO_FAULT },
	{ "SIGBUS", 3, "BUS_OBJERR", "hardware error of the object", SIGINFO_FAULT },
	{ "SIGBUS", 4, "BUS_MCEERR_AR", "memory error in what was accessed", SIGINFO_MEMORY },
	{ "SIGBUS", 5, "BUS_MCEERR_AO", "memory error found, not accessed yet", SIGINFO_MEMORY },
	{ "SIGILL", 1, "ILL_ILLOPC", "illegal opcode", SIGINFO_FAULT },
	{ "SIGILL", 2, "ILL_ILLOPN", "illegal operand", SIGINFO_FAULT },
	{ "SIGILL", 3, "ILL_ILLADR", "illegal addressing mode", SIGINFO_FAULT },
	{ "SIGILL", 4, "ILL_ILLTRP", "illegal trap", SIGINFO_FAULT },
	{ "SIGILL", 5, "ILL_PRVOPC", "privileged opcode", SIGINFO_FAULT },
	{ "SIGILL", 6, "ILL_PRVREG", "privileged register", SIGINFO_FAULT },
	{ "SIGILL", 7, "ILL_COPROC", "coprocessor error", SIGINFO_FAULT },
	{ "SIGILL", 8, "ILL_BADSTK", "internal stack error", SIGINFO_FAULT },
	{ "SIGILL", 9, "ILL_BADIADDR", "unimplemented instruction address", SIGINFO_FAULT },
	{ "SIGFPE", 1, "FPE_INTDIV", "integer division by zero", SIGINFO_FAULT },
	{ "SIGFPE", 2, "FPE_INTOVF", "integer overflow", SIGINFO_FAULT },
	{ "SIGFPE", 3, "FPE_FLTDIV", "floating-point division by zero", SIGINFO_FAULT },
	{ "SIGFPE", 4, "FPE_FLTOVF", "floating-point overflow", SIGINFO_FAULT },
	{ "SIGFPE", 5, "FPE_FLTUND", "floating-point underflow", SIGINFO_FAULT },
	{ "SIGFPE", 6, "FPE_FLTRES", "inexact floating-point result", SIGINFO_FAULT },
	{ "SIGFPE", 7, "FPE_FLTINV", "invalid floating-point operation", SIGINFO_FAULT },
	{ "SIGFPE", 8, "FPE_FLTSUB", "subscript out of range", SIGINFO_FAULT },
	{ "SIGFPE", 14, "FPE_FLTUNK", "floating-point exception that is not diagnosed", SIGINFO_FAULT },
	{ "SIGFPE", 15, "FPE_CONDTRAP", "trap on a condition", SIGINFO_FAULT },
	{ "SIGTRAP", 1, "TRAP_BRKPT", "breakpoint", SIGINFO_FAULT },
	{ "SIGTRAP", 2, "TRAP_TRACE", "trace trap", SIGINFO_FAULT },
	{ "SIGTRAP", 3, "TRAP_BRANCH", "branch trap", SIGINFO_FAULT },
	{ "SIGTRAP", 4, "TRAP_HWBKPT", "hardware breakpoint or watchpoint", SIGINFO_FAULT },
	{ "SIGTRAP", 5, "TRAP_UNK", "trap that is not diagnosed", SIGINFO_FAULT },
	{ "SIGTRAP", 6, "TRAP_PERF", "performance event with sigtrap=1", SIGINFO_PERF },
	{ "SIGCHLD", 1, "CLD_EXITED", "a child exited", SIGINFO_CHILD },
	{ "SIGCHLD", 2, "CLD_KILLED", "a child was killed", SIGINFO_CHILD },
	{ "SIGCHLD", 3, "CLD_DUMPED", "a child was killed and dumped core", SIGINFO_CHILD },
	{ "SIGCHLD", 4, "CLD_TRAPPED", "a traced child has trapped", SIGINFO_CHILD },
	{ "SIGCHLD", 5, "CLD_STOPPED", "a child has stopped", SIGINFO_CHILD },
	{ "SIGCHLD", 6, "CLD_CONTINUED", "a stopped child has continued", SIGINFO_CHILD },
	{ "SIGIO", 1, "POLL_IN", "data can be read", SIGINFO_POLL },
	{ "SIGIO", 2, "POLL_OUT", "data can be written", SIGINFO_POLL },
	{ "SIGIO", 3, "POLL_MSG", "a message can be read", SIGINFO_POLL },
	{ "SIGIO", 4, "POLL_ERR", "I/O error", SIGINFO_POLL },
	{ "SIGIO", 5, "POLL_PRI", "urgent data can be read", SIGINFO_POLL },
	{ "SIGIO", 6, "POLL_HUP", "the other end hung up", SIGINFO_POLL },
	{ "SIGSYS", 1, "SYS_SECCOMP", "a system call was refused by seccomp(2)", SIGINFO_CALL },
	{ "SIGSYS", 2, "SYS_USER_DISPATCH", "a system call was caught by syscall user dispatch", SIGINFO_CALL },
};

/* arch/mips/include/uapi/asm/siginfo.h numbers three of them as IRIX did. */
static s32 generic_code(const struct core *c, s32 code)
{
	static const s32 of_mips[] = { -4, -2, -3 };	/* SI_ASYNCIO, SI_TIMER, SI_MESGQ for -2, -3, -4 */

	return c->ehdr.e_machine == EM_MIPS && code <= -2 && code >= -4 ? of_mips[-2 - code] : code;
}

static const struct word *find(const struct core *c, const struct core_siginfo *si)
{
	char buf[VIEW_SIGNAL_MAX];
	const char *name = view_signal(c, si->signo, buf);
	s32 code = generic_code(c, si->code);

	/* sigabbrev_np(3) knows the other name of SIGIO. */
	if (name && !strcmp(name, "SIGPOLL"))
		name = "SIGIO";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].code == code && (!words[i].signal || (name && !strcmp(words[i].signal, name))))
			return &words[i];
	return NULL;
}

enum siginfo_form siginfo_form(const struct core *c, const struct core_siginfo *si)
{
	const struct word *w = find(c, si);

	return w ? w->form : SIGINFO_UNKNOWN;
}

const char *siginfo_words(const struct core *c, const struct core_siginfo *si, char out[SIGINFO_WORDS_MAX])
{
	const struct word *w = find(c, si);

	if (!w)
		return NULL;
	snprintf(out, SIGINFO_WORDS_MAX, "%s (%s)", w->words, w->name);
	return out;
}
