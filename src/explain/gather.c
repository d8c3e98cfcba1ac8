#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/* The crash as the kernel left it: signal, registers, and what a handler interrupted. */

/* The bytes of the SIGINFO that core_crash_siginfo() has chosen. */
static void find_raw(struct crash *c)
{
	const struct core_note *n = core_thread_note(c->core, c->thread, "CORE", NT_SIGINFO);

	if (!n)
		n = core_note_find(c->core, 0, "CORE", NT_SIGINFO);
	if (n)
		memcpy(c->si_raw, n->note.desc.p, min(n->note.desc.len, sizeof(c->si_raw)));
}

/* ---- */

static void show_signal(struct crash *c)
{
	char addr[32] = "";

	if (c->has_addr)
		put_fmt(addr, sizeof(addr), ", address 0x%" PRIx64, c->si.addr);
	if (c->has_si)
		show_insn(c, "SIG%s, code %d%s", *c->signal ? c->signal : "?", c->si.code, addr);
	else
		show_insn(c, "SIG%s, of which the core has no siginfo", *c->signal ? c->signal : "?");
}

static void say_nothing(struct crash *c)
{
	if (core_kind_is_machine(c->core->kind))
		say(c, "this is the core of a machine, not of a process: it has no crash of a thread");
	else if (c->core->os)
		say(c, "this is the core of another system: only crashes of Linux are explained");
	else
		say(c, "no thread has crashed: tagcore stack shows what each was doing");
}

bool crash_gather(struct crash *c, struct err *e, int *r)
{
	bool has_si;
	s32 signo;

	*r = 0;
	c->signal = "";
	c->thread = c->core->crashed;
	signo = core_crash_signal(c->core, &c->si, &has_si);
	if (!c->thread || !signo || c->core->os || core_kind_is_machine(c->core->kind)) {
		say_nothing(c);
		return false;
	}
	c->v->tid = c->thread->tid;
	/* gdb's gcore leaves the SIGINFO of another signal. */
	c->has_si = has_si && c->si.signo == signo;
	find_raw(c);
	crash_set_signal(c, signo);
	crash_find_registers(c);
	*r = unwind_thread(c->u, c->thread, &c->v->stack, e);
	if (*r)
		return false;
	crash_find_caught(c);
	crash_function(c, c->v->frame, c->function, sizeof(c->function));
	show_signal(c);
	return true;
}
