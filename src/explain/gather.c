#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/* The crash as the kernel left it: signal, registers, and what a handler interrupted. */

enum { SI_KERNEL_CODE = 0x80 };	/* include/uapi/asm-generic/siginfo.h: SI_KERNEL */

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

/* ---- names */

struct name_buf {
	char *out;
	size_t size;
};

static int keep_name(const struct symbol *s, void *arg, struct err *e)
{
	struct name_buf *b = arg;

	(void)e;
	put_fmt(b->out, b->size, "%s", s->function ? s->function : "");
	return 0;
}

const char *crash_function(struct crash *c, size_t i, char *out, size_t size)
{
	struct name_buf b = { out, size };
	struct err e;

	*out = 0;
	if (i < c->v->stack.n && unwind_symbols(c->u, &c->v->stack.frames[i], 0, keep_name, &b, &e))
		*out = 0;
	return out;
}

/* ---- the signal */

/*
 * Signals that the kernel sends for an instruction: include/uapi/asm-generic/siginfo.h, where a code above 0 is the
 * kernel's.  A TRAP is one, too; SIGSYS is for a call.
 */
static bool is_fault(const struct crash *c)
{
	static const char *const faults[] = { "SEGV", "BUS", "ILL", "FPE", "TRAP", "SYS", "EMT" };

	for (size_t i = 0; c->has_si && c->si.code > 0 && i < ARRAY_SIZE(faults); i++)
		if (!strcmp(c->signal, faults[i]))
			return true;
	return false;
}

static void set_signal(struct crash *c, s32 signo)
{
	const char *name = core_signal_name(c->core, signo);

	c->signo = signo;
	c->signal = name ? name : "";
	c->is_fault = is_fault(c);
	c->is_kernel_code = c->has_si && c->si.code == SI_KERNEL_CODE;
	/* arch/x86/kernel/traps.c: exc_general_protection() sends no address; it is 0 then. */
	c->has_addr = c->is_fault && c->si.has_addr && !c->is_kernel_code;
	c->addr = c->has_addr ? core_untag(c->core, c->si.addr) : 0;
}

/* The bytes of the SIGINFO that core_crash_siginfo() has chosen. */
static void find_raw(struct crash *c)
{
	const struct core_note *n = core_thread_note(c->core, c->thread, "CORE", NT_SIGINFO);

	if (!n)
		n = core_note_find(c->core, 0, "CORE", NT_SIGINFO);
	if (n)
		memcpy(c->si_raw, n->note.desc.p, min(n->note.desc.len, sizeof(c->si_raw)));
}

/* ---- what a handler interrupted */

/* The row of a signal's frame whose code is at @pc; or the only one there is, where the code cannot be read. */
static const struct signal_frame *frame_row(struct crash *c, u64 pc)
{
	const struct arch *a = c->core->arch;
	u8 code[sizeof(((struct signal_frame *)0)->code)];
	bool readable = false;

	for (size_t i = 0; a && i < a->frame.n_signals; i++) {
		const struct signal_frame *f = &a->frame.signals[i];
		bool has = f->code_len && space_read(c->u, pc, code, f->code_len);

		if (has && !memcmp(code, f->code, f->code_len))
			return f;
		readable |= has;
	}
	return a && !readable && a->frame.n_signals == 1 ? &a->frame.signals[0] : NULL;
}

/* siginfo_t at @at, if it is of a fault; the kernel clears what it does not set. */
static bool read_siginfo(struct crash *c, u64 at, struct crash *out)
{
	struct bytes b = { .p = out->si_raw, .len = sizeof(out->si_raw) };

	if (!space_read(c->u, at, out->si_raw, sizeof(out->si_raw)) || core_siginfo_get(c->core, b, &out->si, NULL) ||
	    out->si.error || out->si.generic_code > 32 + SI_KERNEL_CODE)
		return false;
	out->has_si = true;
	set_signal(out, out->si.signo);
	return out->is_fault;
}

/*
 * For a handler without SA_SIGINFO x86-64's kernel writes no siginfo, but always cause and address: Linux 6.12,
 * arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_64, with err, trapno, oldmask and cr2 after 19 longs;
 * arch/x86/include/asm/trapnr.h.
 */
static bool read_trap(struct crash *c, u64 context, struct crash *out)
{
	enum { ERR = 19 * 8, TRAPNO = 20 * 8, CR2 = 22 * 8, DE = 0, UD = 6, GP = 13, PF = 14 };
	u64 trapno, cr2, err;

	if (c->core->ehdr.e_machine != EM_X86_64 || c->core->fmt.class != ELFCLASS64 ||
	    !space_uint(c->u, context + TRAPNO, 8, &trapno) || !space_uint(c->u, context + CR2, 8, &cr2) ||
	    !space_uint(c->u, context + ERR, 8, &err) || (trapno != PF && trapno != GP && trapno != UD) || err >> 32)
		return false;
	/* Bit 0 of a page fault's error: the page was there, so it was a matter of permission. */
	out->si = (struct core_siginfo){ .addr = trapno == PF ? cr2 : 0, .has_addr = trapno != GP, .form = SIGINFO_FAULT };
	out->si.signo = trapno == UD ? 4 : 11;
	out->si.code = trapno == PF ? 1 + (s32)(err & 1) : trapno == UD ? 2 : SI_KERNEL_CODE;
	out->si.generic_code = out->si.code;
	out->has_si = true;
	set_signal(out, out->si.signo);
	return true;
}

/* What the signal's frame at @sp interrupted, if that was a fault. */
static bool read_frame(struct crash *c, const struct signal_frame *row, u64 pc, u64 sp, struct crash *out)
{
	u64 its_sp;

	*out = *c;
	if (!(row->signo >= 0 && strstr(row->name, "rt_") && read_siginfo(c, sp + (u64)row->signo, out)) &&
	    !read_trap(c, sp + row->context, out))
		return false;
	out->regs = (struct cpu_regs){ .pc = pc };
	regs_set(c->u, &out->regs, c->core->arch->sp, sp);
	if (!step_signal(c->u, &out->regs))
		return false;
	out->has_regs = true;
	out->pc = out->regs.pc;
	out->sp = regs_get(c->u, &out->regs, c->core->arch->sp, &its_sp) ? its_sp : 0;
	return true;
}

/*
 * Where the stack pointer of the frame is not known, or only by the chain of frame pointers, which passes over what the
 * kernel has put there: the first place above the thread's that looks like such a frame.
 */
static bool search_frame(struct crash *c, const struct signal_frame *row, u64 pc, struct crash *out)
{
	enum { BYTES = 64 << 10, STEP = 8 };
	u64 at = c->sp & ~(u64)(STEP - 1), signo;

	if (!at || row->signo < 0)
		return false;
	for (u64 end = range_end(at, BYTES); at < end && space_uint(c->u, at + (u64)row->signo, 4, &signo); at += STEP)
		if (signo && signo < 32 && read_frame(c, row, pc, at, out) && space_is_code(c->u, out->pc) && out->sp > at)
			return true;
	return false;
}

static bool find_frame(struct crash *c, const struct frame *f, struct crash *out)
{
	const struct signal_frame *row = frame_row(c, f->pc);

	return row && ((f->sp && read_frame(c, row, f->pc, f->sp, out)) || search_frame(c, row, f->pc, out));
}

/*
 * A signal that was sent, after a fault: a handler has reported it and ended the process.  The outermost such
 * frame is the first fault.
 */
static void find_caught(struct crash *c)
{
	struct verdict *v = c->v;
	struct crash found;

	for (size_t i = v->stack.n; !c->is_fault && i-- > 0;)
		if (v->stack.frames[i].signal && i + 1 < v->stack.n && find_frame(c, &v->stack.frames[i], &found)) {
			show_frame(c, i, "a handler of SIG%s ran for the fault, then SIG%s ended the process", found.signal,
				   *c->signal ? c->signal : "?");
			*c = found;
			v->caught = true;
			v->frame = i + 1;
			return;
		}
}

/* ---- */

static void find_registers(struct crash *c)
{
	u64 sp;

	c->has_regs = regs_of_thread(c->u, c->thread, &c->regs);
	c->pc = c->has_regs ? c->regs.pc : 0;
	c->sp = c->has_regs && c->core->arch && regs_get(c->u, &c->regs, c->core->arch->sp, &sp) ? sp : 0;
}

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
	set_signal(c, signo);
	find_registers(c);
	*r = unwind_thread(c->u, c->thread, &c->v->stack, e);
	if (*r)
		return false;
	find_caught(c);
	crash_function(c, c->v->frame, c->function, sizeof(c->function));
	show_signal(c);
	return true;
}
