#include <string.h>

#include "base/util.h"
#include "explain/crash.h"

/* What the frame that the kernel made for a handler says of the fault that it was for. */

/* siginfo_t at @at, if it is of a fault; the kernel clears what it does not set. */
static bool read_siginfo(struct crash *c, u64 at, struct crash *out)
{
	struct bytes b = { .p = out->si_raw, .len = sizeof(out->si_raw) };

	if (!space_read(c->u, at, out->si_raw, sizeof(out->si_raw)) || core_siginfo_get(c->core, b, &out->si, NULL) ||
	    out->si.error || out->si.generic_code > 32 + SI_KERNEL_CODE)
		return false;
	out->has_si = true;
	crash_set_signal(out, out->si.signo);
	return out->is_fault;
}

/*
 * For a handler without SA_SIGINFO x86's kernel writes no siginfo, but always cause and address: Linux 6.12,
 * arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_64, with err, trapno, oldmask and cr2 after 19 longs, and
 * sigcontext_32; arch/x86/include/asm/trapnr.h.
 */
static const struct trap_words {
	u16 machine;
	u8 class;
	unsigned err, trapno, cr2;	/* in bytes from the context */
} trap_words[] = {
	{ EM_X86_64, ELFCLASS64, 19 * 8, 20 * 8, 22 * 8 },
	{ EM_386, ELFCLASS32, 13 * 4, 12 * 4, 21 * 4 },
};

static const struct trap_words *trap_words_of(const struct core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(trap_words); i++)
		if (trap_words[i].machine == core->ehdr.e_machine && trap_words[i].class == core->fmt.class)
			return &trap_words[i];
	return NULL;
}

static bool read_trap_x86(struct crash *c, const struct trap_words *w, u64 context, struct crash *out)
{
	enum { UD = 6, GP = 13, PF = 14 };
	u64 trapno, cr2, err;

	if (!space_word(c->u, context + w->trapno, &trapno) || !space_word(c->u, context + w->cr2, &cr2) ||
	    !space_word(c->u, context + w->err, &err) || (trapno != PF && trapno != GP && trapno != UD) || err >> 32)
		return false;
	/* Bit 0 of a page fault's error: the page was there, so it was a matter of permission. */
	out->si = (struct core_siginfo){ .addr = trapno == PF ? cr2 : 0, .has_addr = trapno != GP, .form = SIGINFO_FAULT };
	out->si.signo = trapno == UD ? 4 : 11;
	out->si.code = trapno == PF ? 1 + (s32)(err & 1) : trapno == UD ? 2 : SI_KERNEL_CODE;
	out->si.generic_code = out->si.code;
	out->has_si = true;
	crash_set_signal(out, out->si.signo);
	return true;
}

/*
 * arm64's frame has a siginfo, filled for SA_SIGINFO only, then the ucontext; in its sigcontext, at 304, are the
 * address and, in a record, the syndrome of each fault (Linux 6.12, arch/arm64/include/uapi/asm/sigcontext.h: struct esr_context;
 * arch/arm64/kernel/signal.c).  Codes of faults: Arm ARM, D24.2.40, ISS encoding for an exception from a Data Abort.
 */
enum { FAR_AT = 304, RECORDS_AT = 592, RECORDS = 4096, ESR_RECORD = 0x45535201 };

static bool find_esr(struct crash *c, u64 sp, u64 *esr)
{
	u64 magic, size;

	for (u64 at = sp + RECORDS_AT, end = at + RECORDS; at < end; at += size) {
		if (!space_uint(c->u, at, 4, &magic) || !space_uint(c->u, at + 4, 4, &size) || !magic || size < 16 || size % 16)
			return false;
		if (magic == ESR_RECORD)
			return space_uint(c->u, at + 8, 8, esr);
	}
	return false;
}

/* si_signo and si_code for the fault's status; false for none of memory. */
static bool signal_of(u64 esr, s32 *signo, s32 *code)
{
	enum { INSN_ABORT = 0x20, DATA_ABORT = 0x24, TAG_CHECK = 0x11, ALIGNMENT = 0x21, MAPERR = 1, ACCERR = 2, MTESERR = 9, ADRALN = 1 };
	u64 class = esr >> 26 & 0x3f, status = esr & 0x3f;

	*signo = status == ALIGNMENT ? 7 : 11;
	*code = status == TAG_CHECK ? MTESERR : status == ALIGNMENT ? ADRALN : status >> 2 == 1 ? MAPERR :
		status >> 2 == 2 || status >> 2 == 3 ? ACCERR : 0;
	return (class == DATA_ABORT || class == INSN_ABORT) && *code;
}

static bool read_trap_arm64(struct crash *c, u64 sp, struct crash *out)
{
	u64 addr;
	s32 signo, code;

	if (!find_esr(c, sp, &out->esr) || !signal_of(out->esr, &signo, &code) || !space_uint(c->u, sp + FAR_AT, 8, &addr))
		return false;
	out->si = (struct core_siginfo){ .signo = signo, .code = code, .generic_code = code, .addr = addr, .has_addr = true,
					 .form = SIGINFO_FAULT };
	out->has_si = true;
	crash_set_signal(out, signo);
	return true;
}

static bool read_trap(struct crash *c, const struct signal_frame *row, u64 sp, struct crash *out)
{
	const struct trap_words *x86 = trap_words_of(c->core);

	if (x86)
		return read_trap_x86(c, x86, sp + row->context, out);
	return c->core->ehdr.e_machine == EM_AARCH64 && read_trap_arm64(c, sp, out);
}

/*
 * The siginfo of the frame is of a signal that somebody has sent: SI_USER and below, with who it was, a value, and nothing else.
 * For a handler without SA_SIGINFO x86's kernel writes none, and what is there may be anything.
 */
static bool is_sent(struct crash *c, u64 at)
{
	enum { SIGNALS = 64, CODE_LEAST = -6 /* SI_TKILL */, SIZE = 128, PID_MAX = 1 << 22 };
	unsigned who = c->core->layout.word == 8 ? 16 : 12;
	u8 rest[SIZE];
	u64 signo, error, code, pid;

	if (!space_uint(c->u, at, 4, &signo) || !space_uint(c->u, at + 4, 4, &error) || !space_uint(c->u, at + 8, 4, &code) ||
	    !space_uint(c->u, at + who, 4, &pid) || !space_read(c->u, at, rest, sizeof(rest)))
		return false;
	for (unsigned i = who + 16; i < sizeof(rest); i++)
		if (rest[i])
			return false;
	return signo && signo <= SIGNALS && !error && (s32)code <= 0 && (s32)code >= CODE_LEAST && pid <= PID_MAX;
}

bool crash_is_after_call(const struct crash *c, u64 pc)
{
	static const struct { u16 machine; u8 len, code[4]; } calls[] = {
		{ EM_X86_64, 2, { 0x0f, 0x05 } }, { EM_X86_64, 2, { 0xcd, 0x80 } }, { EM_386, 2, { 0xcd, 0x80 } },
		{ EM_386, 2, { 0x0f, 0x34 } }, { EM_AARCH64, 4, { 0x01, 0, 0, 0xd4 } },
	};
	u8 code[4];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (c->core->ehdr.e_machine == calls[i].machine && space_read(c->u, pc - calls[i].len, code, calls[i].len) &&
		    !memcmp(code, calls[i].code, calls[i].len))
			return true;
	return false;
}

/*
 * Of an instruction that cannot be done the address is its own, on the machines whose kernels write no siginfo for a handler
 * without SA_SIGINFO: what is there then may look like one.
 */
static bool is_of_insn_at(const struct crash *c, u64 pc)
{
	u16 machine = c->core->ehdr.e_machine;

	if (machine != EM_X86_64 && machine != EM_386 && machine != EM_AARCH64)
		return true;
	return (!crash_is(c, "ILL") && !crash_is(c, "FPE")) || !c->si.has_addr || c->si.addr == pc;
}

bool crash_read_frame(struct crash *c, const struct signal_frame *row, u64 sp, struct crash *out)
{
	bool has_siginfo = row->signo >= 0 && strstr(row->name, "rt_"), is_by_siginfo;
	struct cpu_regs regs = { .exact = true };
	u64 its_sp;

	if (!step_restore(c->u, row, sp, &regs))
		return false;
	*out = *c;
	is_by_siginfo = has_siginfo && read_siginfo(c, sp + (u64)row->signo, out) && is_of_insn_at(out, regs.pc);
	/* The cause that those kernels write is that of the thread's last fault, however long ago. */
	if (!is_by_siginfo) {
		*out = *c;
		if ((has_siginfo && is_sent(c, sp + (u64)row->signo)) || !read_trap(c, row, sp, out) || crash_is_after_call(c, regs.pc))
			return false;
	}
	out->regs = regs;
	out->has_esr = c->core->ehdr.e_machine == EM_AARCH64 && find_esr(c, sp, &out->esr);
	out->has_regs = true;
	out->pc = out->regs.pc;
	out->sp = regs_get(c->u, &out->regs, c->core->arch->sp, &its_sp) ? its_sp : 0;
	return true;
}
