#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/* What the kernel says of the signal. */

static unsigned union_at(const struct crash *c)
{
	return c->core->layout.word == 4 ? 12 : 16;
}

u64 crash_si_uint(const struct crash *c, u64 at, unsigned size)
{
	at += union_at(c);
	return at + size <= sizeof(c->si_raw) ? uint_get(c->core->fmt, c->si_raw + at, size) : 0;
}

bool crash_is(const struct crash *c, const char *signal)
{
	return !strcmp(c->signal, signal);
}

bool crash_is_code(const struct crash *c, const char *signal, s32 code)
{
	return c->is_fault && c->has_si && c->si.code == code && crash_is(c, signal);
}

bool crash_is_of_faults(const struct crash *c)
{
	static const char *const faults[] = { "SEGV", "BUS", "ILL", "FPE", "TRAP", "SYS", "EMT" };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(c->signal, faults[i]))
			return true;
	return false;
}

bool crash_is_from_itself(const struct crash *c)
{
	struct core_procinfo ps;

	core_procinfo(c->core, &ps);
	return c->has_si && (c->si.form == SIGINFO_SENT || c->si.form == SIGINFO_QUEUED) && c->si.code <= 0 && ps.has_pid &&
	       (s32)crash_si_uint(c, 0, 4) == ps.pid;
}

/* BUS_ADRALN, for which x86's kernel gives no address: Linux 6.12, arch/x86/kernel/traps.c: exc_alignment_check(). */
static bool is_alignment_check(const struct crash *c)
{
	enum { ADRALN = 1 };

	return crash_is_code(c, "BUS", ADRALN) && !c->si.addr &&
	       (c->core->ehdr.e_machine == EM_X86_64 || c->core->ehdr.e_machine == EM_386);
}

void crash_set_signal(struct crash *c, s32 signo)
{
	const char *name = core_signal_name(c->core, signo);

	c->signo = signo;
	c->signal = name ? name : "";
	/* include/uapi/asm-generic/siginfo.h: a code above 0 is the kernel's. */
	c->is_fault = c->has_si && c->si.code > 0 && crash_is_of_faults(c);
	c->is_kernel_code = c->has_si && c->si.code == SI_KERNEL_CODE;
	c->is_alignment = is_alignment_check(c);
	/* arch/x86/kernel/traps.c: exc_general_protection() sends no address; it is 0 then. */
	c->has_addr = c->is_fault && c->si.has_addr && !c->is_kernel_code && !c->is_alignment;
	c->addr = c->has_addr ? core_untag(c->core, c->si.addr) : 0;
}
