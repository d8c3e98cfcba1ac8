/* crashed.c - the thread that crashed, wherever it stands, and what is known of its signal. */
#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

static bool get_siginfo(const struct core *c, const struct core_note *n, struct core_siginfo *out)
{
	return n->note.type == NT_SIGINFO && !strcmp(n->note.owner, "CORE") &&
	       !core_siginfo_get(c, n->note.desc, out, NULL);
}

/*
 * A fault, for which the kernel ends a process: si_code > 0 is the kernel's
 * (include/uapi/asm-generic/siginfo.h: SI_FROMUSER()).  SIGTRAP may be a debugger's.
 */
static bool is_crash_reason(const struct core *c, const struct core_siginfo *si)
{
	static const char *const faults[] = { "SEGV", "BUS", "ILL", "FPE", "SYS", "EMT" };
	const char *name = si->code > 0 ? core_signal_name(c, si->signo) : NULL;

	for (size_t i = 0; name && i < ARRAY_SIZE(faults); i++)
		if (!strcmp(name, faults[i]))
			return true;
	return false;
}

/* signal(7): signals that end a process with a core. */
static bool dumps_core(const struct core *c, int signo)
{
	static const char *const with_core[] = {
		"QUIT", "ILL", "TRAP", "ABRT", "FPE", "SEGV", "BUS", "SYS", "XCPU", "XFSZ", "EMT",
	};
	const char *name = core_signal_name(c, signo);

	for (size_t i = 0; name && i < ARRAY_SIZE(with_core); i++)
		if (!strcmp(name, with_core[i]))
			return true;
	return false;
}

/*
 * .NET's createdump and NuttX write pr_cursig for the thread that crashed only,
 * wherever that is.  In a core that tagcore dumped from a live process, a later thread may
 * have any signal that it was about to take.
 */
static bool may_have_crashed(const struct core *c, s32 t)
{
	s32 signo = t < 0 ? 0 : c->threads[t].cursig;

	return signo && (!t || dumps_core(c, signo) || !core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_INFO));
}

/*
 * The kernel writes the signal of the crash into every thread's PRSTATUS
 * (fs/binfmt_elf.c: fill_prstatus()), and its SIGINFO after the first, which
 * took it; gdb's gcore writes each thread's SIGINFO.  So a thread whose SIGINFO
 * is of its own signal comes before those that have the number only.
 */
static s32 by_siginfo(const struct core *c)
{
	struct core_siginfo si;

	for (size_t i = 0; i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];

		if (get_siginfo(c, n, &si) && may_have_crashed(c, n->thread) &&
		    si.signo == c->threads[n->thread].cursig)
			return n->thread;
	}
	return -1;
}

static s32 by_cursig(const struct core *c)
{
	for (size_t i = 0; i < c->n_threads; i++)
		if (may_have_crashed(c, (s32)i))
			return (s32)i;
	return -1;
}

/* Where no PRSTATUS has a signal.  A SIGINFO before all threads is the process's, and so the first one's. */
static s32 by_reason(struct core *c)
{
	struct core_siginfo si;

	for (size_t i = 0; c->n_threads && i < c->n_notes; i++) {
		const struct core_note *n = &c->notes[i];
		s32 t = n->thread < 0 ? 0 : n->thread;

		if (!get_siginfo(c, n, &si) || !is_crash_reason(c, &si))
			continue;
		c->threads[t].cursig = si.signo;
		return t;
	}
	return -1;
}

/* On other systems the notes say which thread took the signal; else it is the first, which wrote the core. */
static s32 by_os(struct core *c)
{
	const struct core_thread *taker = NULL;
	u64 signo, tid;
	s32 t = 0;

	if (!c->os || !c->n_threads || !core_os_signal(c, &signo) || !signo)
		return -1;
	if (core_os_number(c, NULL, OS_SIGNO_TID, &tid))
		taker = core_thread_find(c, (s32)tid);
	if (taker)
		t = (s32)(taker - c->threads);
	c->threads[t].cursig = (s32)signo;
	return t;
}

void core_find_crashed(struct core *c)
{
	s32 t = c->os ? by_os(c) : by_siginfo(c);

	if (t < 0)
		t = by_cursig(c);
	if (t < 0 && !c->os)
		t = by_reason(c);
	c->crashed = t < 0 ? NULL : &c->threads[t];
}

bool core_crash_siginfo(const struct core *c, struct core_siginfo *out)
{
	s32 own = c->crashed ? (s32)(c->crashed - c->threads) : -1;
	bool found = false;

	if (c->os)
		return core_os_siginfo(c, out);
	for (size_t i = 0; i < c->n_notes; i++) {
		struct core_siginfo si;

		if (!get_siginfo(c, &c->notes[i], &si) || !si.signo)
			continue;
		/* A SIGINFO of the thread's own counts always; another one only if it agrees. */
		if (c->notes[i].thread == own || (!found && c->crashed && si.signo == c->crashed->cursig)) {
			*out = si;
			found = true;
		}
		if (c->notes[i].thread == own)
			break;
	}
	return found;
}

int core_crash_signal(const struct core *c, struct core_siginfo *si, bool *has_si)
{
	struct core_procinfo ps;
	int signo;

	core_procinfo(c, &ps);
	*has_si = core_crash_siginfo(c, si);
	/* gdb's gcore leaves the SIGSTOP of its own attach in SIGINFO: PRSTATUS has the last word. */
	signo = c->crashed ? c->crashed->cursig : !c->n_threads && *has_si ? si->signo : 0;
	if (ps.has_signo)
		signo = (int)ps.signo;
	*has_si &= signo != 0;
	return signo;
}
