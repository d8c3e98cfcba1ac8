/* signal.c - signals by the numbers of the core's own system and machine. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

/* Linux on machines that number signals in their own ways: arch/.../include/uapi/asm/signal.h. */
static const char *const mips[] = {
	"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM", "TERM",
	"USR1", "USR2", "CHLD", "PWR", "WINCH", "URG", "IO", "STOP", "TSTP", "CONT", "TTIN", "TTOU", "VTALRM",
	"PROF", "XCPU", "XFSZ",
};
static const char *const alpha_sparc[] = {
	"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM", "TERM",
	"URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
	"PWR", "USR1", "USR2",
};
static const char *const parisc[] = {
	"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "STKFLT", "FPE", "KILL", "BUS", "SEGV", "XCPU", "PIPE", "ALRM", "TERM",
	"USR1", "USR2", "CHLD", "PWR", "VTALRM", "PROF", "IO", "WINCH", "STOP", "TSTP", "CONT", "TTIN", "TTOU",
	"URG", "XFSZ", "SYS",
};
static const struct {
	u16 machine;
	const char *const *names;
	size_t n;
} signal_numbers[] = {
	{ EM_MIPS, mips, ARRAY_SIZE(mips) },
	{ EM_ALPHA, alpha_sparc, ARRAY_SIZE(alpha_sparc) },
	{ EM_SPARC, alpha_sparc, ARRAY_SIZE(alpha_sparc) },
	{ EM_SPARCV9, alpha_sparc, ARRAY_SIZE(alpha_sparc) },
	{ EM_PARISC, parisc, ARRAY_SIZE(parisc) },
};

static const char *name_in(const char *const *names, size_t n, int signo)
{
	return signo >= 1 && (size_t)signo <= n ? names[signo - 1] : NULL;
}

static const char *linux_name(const struct core *c, int signo)
{
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(signal_numbers); i++)
		if (signal_numbers[i].machine == c->ehdr.e_machine)
			return name_in(signal_numbers[i].names, signal_numbers[i].n, signo);
	name = sigabbrev_np(signo);
	/* Linux' name is SIGIO; glibc has the one of POSIX. */
	return name && !strcmp(name, "POLL") ? "IO" : name;
}

const char *core_signal_name(const struct core *c, int signo)
{
	return c->os ? name_in(c->os->signals, c->os->n_signals, signo) : linux_name(c, signo);
}

const char *core_signal_text(const struct core *c, int signo, char out[CORE_SIGNAL_MAX])
{
	const char *name = core_signal_name(c, signo);

	if (!name)
		return NULL;
	snprintf(out, CORE_SIGNAL_MAX, "SIG%s", name);
	return out;
}

/* arch/mips/include/uapi/asm/siginfo.h numbers three of them as IRIX did. */
static s32 generic_code(const struct core *c, s32 code)
{
	static const s32 of_mips[] = { -4, -2, -3 };	/* SI_ASYNCIO, SI_TIMER, SI_MESGQ for -2, -3, -4 */

	return c->ehdr.e_machine == EM_MIPS && code <= -2 && code >= -4 ? of_mips[-2 - code] : code;
}

/* siginfo_layout(), SIL_FAULT_TRAPNO: ILL_ILLTRP of sparc; of alpha every floating-point fault, and TRAP_UNK. */
static const struct {
	u16 machine;
	const char *signal;
	s32 first, last;
} with_trap[] = {
	{ EM_SPARC, "ILL", 4, 4 }, { EM_SPARCV9, "ILL", 4, 4 }, { EM_ALPHA, "FPE", 1, 15 }, { EM_ALPHA, "TRAP", 5, 5 },
};

static bool has_trap(const struct core *c, const char *signal, s32 code)
{
	for (size_t i = 0; signal && i < ARRAY_SIZE(with_trap); i++)
		if (with_trap[i].machine == c->ehdr.e_machine && !strcmp(with_trap[i].signal, signal) &&
		    code >= with_trap[i].first && code <= with_trap[i].last)
			return true;
	return false;
}

static enum siginfo_form form_of(const struct core *c, const struct core_siginfo *s)
{
	const char *name = core_signal_name(c, s->signo);

	/* The fault is found too late for its address to be known. */
	if (c->ehdr.e_machine == EM_AARCH64 && s->signo == SIGSEGV && s->code == SEGV_MTEAERR)
		return SIGINFO_PLAIN;
	return has_trap(c, name, s->code) ? SIGINFO_TRAP : siginfo_form(name, s->generic_code);
}

static bool form_has_addr(enum siginfo_form form)
{
	return form == SIGINFO_FAULT || form == SIGINFO_MEMORY || form == SIGINFO_BOUNDS ||
	       form == SIGINFO_PKEY || form == SIGINFO_PERF || form == SIGINFO_TRAP;
}

int core_siginfo_get(const struct core *c, struct bytes desc, struct core_siginfo *out, struct err *e)
{
	bool swapped = c->ehdr.e_machine == EM_MIPS;
	struct core_siginfo s = { 0 };
	u64 signo, code, error;
	int r = bytes_uint(desc, c->fmt, 0, 4, &signo, e);

	/* arch/mips/include/uapi/asm/siginfo.h: __ARCH_HAS_SWAPPED_SIGINFO. */
	if (!r)
		r = bytes_uint(desc, c->fmt, swapped ? 4 : 8, 4, &code, e);
	if (!r)
		r = bytes_uint(desc, c->fmt, swapped ? 8 : 4, 4, &error, e);
	/* The union is aligned as a pointer is: Linux, include/uapi/asm-generic/siginfo.h. */
	if (!r)
		r = bytes_uint(desc, c->fmt, c->layout.word == 4 ? 12 : 16, c->layout.word, &s.addr, e);
	if (r)
		return err_wrap(e, "SIGINFO");
	s.signo = (s32)signo;
	s.code = (s32)code;
	s.error = (s32)error;
	s.generic_code = generic_code(c, s.code);
	s.form = form_of(c, &s);
	s.has_addr = form_has_addr(s.form);
	*out = s;
	return 0;
}
