#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "explain/rows.h"

/* Instructions that the processor or the kernel has refused. */

/* Codes of include/uapi/asm-generic/siginfo.h. */
enum { FPE_INTDIV_CODE = 1, FPE_INTOVF_CODE, FPE_FLTDIV_CODE, FPE_LAST_CODE = 15, SYS_SECCOMP_CODE = 1 };

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* ---- SIGFPE */

/*
 * Both faults of x86's division, by zero and of a quotient that does not fit, are FPE_INTDIV (Linux 6.12,
 * arch/x86/kernel/traps.c: exc_divide_error()); the divisor tells which.
 */
bool row_divide_zero(struct crash *c)
{
	const struct divisor *d = &c->divisor;
	char in[160];

	if (!crash_is_code(c, "FPE", FPE_INTDIV_CODE) || !d->known || d->value)
		return false;
	say(c, "integer division by zero%s: the divisor in %s is 0", crash_in(c, in), d->name);
	say_sure(c, SURE_CERTAIN, "a divide error whose divisor is 0");
	show_access(c);
	show_insn(c, "the divisor is in %s = 0", d->name);
	return true;
}

bool row_divide_overflow(struct crash *c)
{
	const struct divisor *d = &c->divisor;
	bool is_minus_one;
	char in[160];

	if (!crash_is_code(c, "FPE", FPE_INTDIV_CODE) || !d->known || !d->value)
		return false;
	is_minus_one = starts(c->access.insn, "idiv") && d->value == ~0ull >> (64 - 8 * d->size);
	say(c, "integer division%s whose quotient does not fit: the divisor in %s is %s0x%" PRIx64 "%s", crash_in(c, in), d->name,
	    is_minus_one ? "-1, " : "", d->value, is_minus_one ? ", as of the smallest number by -1" : "");
	say_sure(c, SURE_CERTAIN, "a divide error whose divisor is not 0");
	show_access(c);
	show_insn(c, "the divisor is in %s = 0x%" PRIx64, d->name, d->value);
	return true;
}

bool row_divide(struct crash *c)
{
	char in[160];

	if (!crash_is_code(c, "FPE", FPE_INTDIV_CODE) && !crash_is_code(c, "FPE", FPE_INTOVF_CODE))
		return false;
	say(c, c->si.code == FPE_INTDIV_CODE ? "integer division by zero, or with a quotient that does not fit%s" : "integer overflow%s",
	    crash_in(c, in));
	say_sure(c, c->si.code == FPE_INTDIV_CODE ? SURE_LIKELY : SURE_CERTAIN, "the kernel says %s; the operand was not looked at",
		 c->si.code == FPE_INTDIV_CODE ? "FPE_INTDIV" : "FPE_INTOVF");
	show_access(c);
	access_show_code(c);
	return true;
}

bool row_float(struct crash *c)
{
	static const char *const kinds[] = {
		[3] = "division by zero", [4] = "overflow", [5] = "underflow", [6] = "inexact result", [7] = "invalid operation",
		[8] = "subscript out of range", [14] = "exception that is not diagnosed",
	};
	char in[160];

	if (!c->is_fault || !crash_is(c, "FPE") || c->si.code < FPE_FLTDIV_CODE || (size_t)c->si.code >= ARRAY_SIZE(kinds) ||
	    !kinds[c->si.code])
		return false;
	say(c, "floating-point %s%s", kinds[c->si.code], crash_in(c, in));
	say_sure(c, SURE_CERTAIN, "the kernel says so by the signal's code, %d", c->si.code);
	show_access(c);
	try_next(c, "the program has enabled the exception: look for feenableexcept(3)");
	return true;
}

/* ---- SIGILL */

bool row_illegal(struct crash *c)
{
	char in[160], text[320];
	struct place p;

	if (!c->is_fault || !crash_is(c, "ILL"))
		return false;
	place_at(c, c->pc, &p);
	if (*c->access.insn)
		say(c, "illegal instruction \"%s\"%s: this processor does not have %s%s, or the kernel does not allow it", c->access.insn,
		    crash_in(c, in), *c->access.extension ? "it, of " : "it", c->access.extension);
	else
		say(c, "illegal instruction%s at 0x%" PRIx64 ": the bytes there are no instruction", crash_in(c, in), c->pc);
	say_sure(c, SURE_CERTAIN, "the kernel says so: SIGILL, code %d", c->si.code);
	show_access(c);
	access_show_code(c);
	show_mem(c, c->pc, "%s", place_text(&p, text, sizeof(text)));
	if (*c->access.extension)
		try_next(c, "look whether the program was built for another processor (-march): %s must be among the flags of /proc/cpuinfo",
			 c->access.extension);
	if (!p.is_file)
		also_possible(c, "jump-to-data", "a jump to memory that is no code: %s", p.name);
	return true;
}

/* ---- SIGSYS */

/* The first argument's registers, by machine: syscall(2). */
static const char *const arguments[][4] = {
	{ "rdi", "rsi", "rdx", "r10" }, { "ebx", "ecx", "edx", "esi" }, { "x0", "x1", "x2", "x3" },
};

static void show_arguments(struct crash *c)
{
	for (size_t m = 0; m < ARRAY_SIZE(arguments); m++)
		for (size_t i = 0; i < 4; i++) {
			struct access_reg r;

			if (!crash_reg(c, arguments[m][i], &r))
				break;
			show_insn(c, "argument %zu, %s = 0x%" PRIx64, i + 1, r.name, r.value);
		}
}

bool row_seccomp(struct crash *c)
{
	u32 word = c->core->layout.word, arch;
	char name[64] = "", in[160];
	s32 nr;

	if (!c->is_fault || !crash_is(c, "SYS"))
		return false;
	/* _call_addr, _syscall, _arch. */
	nr = (s32)crash_si_uint(c, word, 4);
	arch = (u32)crash_si_uint(c, word + 4, 4);
	if (!c->opts.call_name || !c->opts.call_name(arch, nr, name, sizeof(name)))
		put_fmt(name, sizeof(name), "number %d", nr);
	say(c, "system call %s%s was refused%s", name, crash_in(c, in),
	    c->si.code == SYS_SECCOMP_CODE ? " by a seccomp filter" : " by syscall user dispatch, which nobody handled");
	say_sure(c, SURE_CERTAIN, "the kernel says so: SIGSYS, code %d, call %d", c->si.code, nr);
	show_insn(c, "the call is %s, number %d", name, nr);
	show_arguments(c);
	try_next(c, "allow the call in the filter (systemd: SystemCallFilter=), or find out who needs it");
	return true;
}
