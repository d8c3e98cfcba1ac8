#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/rows.h"

/* Signals that somebody has sent. */

enum { SI_TIMER_CODE = -2 };

/*
 * The kernel sends SIGXFSZ as if the process had, by kill(2) (Linux 6.12, fs/read_write.c and mm/filemap.c:
 * send_sig(SIGXFSZ, current, 0)); SIGXCPU as itself.
 */
static bool is_from_kernel(const struct crash *c)
{
	struct core_procinfo ps;

	core_procinfo(c->core, &ps);
	return c->si.code > 0 || (crash_is(c, "XFSZ") && !c->si.code && ps.has_pid && (s32)crash_si_uint(c, 0, 4) == ps.pid);
}

bool row_limit(struct crash *c)
{
	if (c->is_fault || !c->has_si || (!crash_is(c, "XCPU") && !crash_is(c, "XFSZ")) || !is_from_kernel(c))
		return false;
	say(c, "a limit was reached: %s", crash_is(c, "XCPU") ? "processor time (RLIMIT_CPU, ulimit -t)" : "the size of a file (RLIMIT_FSIZE, ulimit -f)");
	if (c->si.code > 0)
		say_sure(c, SURE_CERTAIN, "the kernel sends SIG%s only for that", c->signal);
	else
		say_sure(c, SURE_LIKELY, "the kernel sends SIG%s for that; a kill(2) of the process itself would look the same", c->signal);
	show_thread(c, "the kernel sent SIG%s", c->signal);
	return true;
}

/* Somebody's process: si_pid, si_uid. */
static bool has_sender(const struct crash *c)
{
	return c->has_si && (c->si.form == SIGINFO_SENT || c->si.form == SIGINFO_QUEUED) && c->si.code <= 0;
}

/* A thread that took a debugger's stop did not end the process. */
static bool ends_process(const struct crash *c)
{
	static const char *const harmless[] = { "STOP", "TSTP", "TTIN", "TTOU", "CHLD", "CONT", "WINCH", "URG" };

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (crash_is(c, harmless[i]))
			return false;
	return *c->signal;
}

bool row_raised(struct crash *c)
{
	char name[128];

	if (!crash_is_from_itself(c) || !ends_process(c))
		return false;
	abort_caller(c, name, sizeof(name));
	say(c, "the process has sent SIG%s to itself%s%s", c->signal, *name ? ", in " : "", name);
	say_sure(c, SURE_CERTAIN, "the sender in the signal's siginfo is the process");
	show_thread(c, "SIG%s, code %d, from process %d", c->signal, c->si.code, (s32)crash_si_uint(c, 0, 4));
	return true;
}

/*
 * systemd ends a service by SIGABRT when it has not said in time that it is alive, so that there is a core
 * (systemd.service(5): WatchdogSec=, WatchdogSignal=; systemd.kill(5)).
 */
static bool is_from_init(const struct crash *c, s32 pid, u32 uid)
{
	enum { ABRT = 6 };

	return pid == 1 && !uid && c->signo == ABRT;
}

bool row_killed(struct crash *c)
{
	s32 pid = (s32)crash_si_uint(c, 0, 4);
	u32 uid = (u32)crash_si_uint(c, 4, 4);

	if (c->is_fault || !ends_process(c) || crash_is(c, "TRAP"))
		return false;
	if (has_sender(c) && pid > 0) {
		say(c, "process %d of user %u has sent SIG%s: it was ended from outside%s", pid, uid, c->signal,
		    is_from_init(c, pid, uid) ? ", as systemd ends a service that has missed its watchdog's time" : "");
		say_sure(c, SURE_CERTAIN, "the sender in the signal's siginfo is another process");
		if (is_from_init(c, pid, uid))
			try_next(c, "look in the journal for \"watchdog timeout\" or \"timed out\", and what its threads were doing: tagcore stack");
	} else if (has_sender(c)) {
		say(c, "SIG%s was sent by a process that is not seen from here (another PID namespace), user %u", c->signal, uid);
		say_sure(c, SURE_LIKELY, "the signal's siginfo has no sender, and a code of kill(2)");
	} else if (c->has_si && c->is_kernel_code) {
		say(c, "the kernel has sent SIG%s: %s", c->signal, crash_is(c, "QUIT") || crash_is(c, "INT") ? "a key of the terminal, or its end" :
		    "not for what the thread did");
		say_sure(c, SURE_LIKELY, "the signal's code is SI_KERNEL");
	} else {
		return false;
	}
	show_thread(c, "SIG%s, code %d, from process %d, user %u", c->signal, c->si.code, pid, uid);
	return true;
}

/* timer_create(2), whose SIGEV_SIGNAL may be any signal. */
bool row_timer(struct crash *c)
{
	if (c->is_fault || !c->has_si || c->si.code != SI_TIMER_CODE || !ends_process(c))
		return false;
	say(c, "a timer that has expired has sent SIG%s, and nothing handled it", c->signal);
	say_sure(c, SURE_CERTAIN, "the signal's code is SI_TIMER");
	show_thread(c, "SIG%s, code %d, of timer %d", c->signal, c->si.code, (s32)crash_si_uint(c, 0, 4));
	return true;
}
