#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/rows.h"

/* Instructions that are there to stop: compilers place them, or debuggers. */

enum trap { TRAP_NONE, TRAP_BREAKPOINT, TRAP_OWN, TRAP_CHECK };

/*
 * By its bytes, as capstone 4 does not know all.  x86: ud2 is a trap of its own, and so is ud1; ud1 with a displacement from eax
 * has the number of a check, as has arm64's brk 0x55NN (LLVM 14, llvm.ubsantrap; clang/lib/CodeGen/CGExpr.cpp).  For
 * __builtin_trap() gcc places brk 1000 there, clang brk 1; gcc's udf is of older versions.
 */
static enum trap trap_x86(struct crash *c, unsigned *check)
{
	enum { ADDRESS_SIZE = 0x67 };	/* which 64-bit code needs for eax */
	bool is_64 = c->core->ehdr.e_machine == EM_X86_64;
	u8 code[5] = { ADDRESS_SIZE };

	/* After int3 it goes on with the next instruction. */
	if (crash_is(c, "TRAP"))
		return space_read(c->u, c->pc - 1, code, 1) && code[0] == 0xcc ? TRAP_BREAKPOINT : TRAP_NONE;
	if (space_read(c->u, c->pc, code + !is_64, is_64 ? 5 : 4) && code[0] == ADDRESS_SIZE && code[1] == 0x0f && code[2] == 0xb9 &&
	    (code[3] == 0x40 || !code[3])) {
		*check = code[3] ? code[4] : 0;
		return TRAP_CHECK;
	}
	return space_read(c->u, c->pc, code, 2) && code[0] == 0x0f && (code[1] == 0x0b || code[1] == 0xb9 || code[1] == 0xff) ? TRAP_OWN : TRAP_NONE;
}

static enum trap trap_arm64(struct crash *c, unsigned *check)
{
	enum { CLANG = 1, GCC = 1000, CHECKS = 0x55 };
	u64 insn;
	unsigned number;

	if (!space_uint(c->u, c->pc, 4, &insn))
		return TRAP_NONE;
	/* BRK #imm16: Arm ARM, C6.2.40; UDF #imm16, whose upper half is 0: C6.2.393. */
	number = insn >> 5 & 0xffff;
	if ((insn & 0xffe0001f) == 0xd4200000) {
		*check = number & 0xff;
		return number >> 8 == CHECKS ? TRAP_CHECK : number == CLANG || number == GCC ? TRAP_OWN : TRAP_BREAKPOINT;
	}
	return insn >> 16 ? TRAP_NONE : TRAP_OWN;
}

static enum trap trap_of(struct crash *c, unsigned *check)
{
	u16 machine = c->core->ehdr.e_machine;

	*check = 0;
	if (!c->is_fault || (!crash_is(c, "ILL") && !crash_is(c, "TRAP")) || !c->has_regs)
		return TRAP_NONE;
	return machine == EM_AARCH64 ? trap_arm64(c, check) : machine == EM_X86_64 || machine == EM_386 ? trap_x86(c, check) : TRAP_NONE;
}

/* LLVM 14, clang/lib/CodeGen/CodeGenFunction.h: LIST_SANITIZER_CHECKS; later versions add to its end. */
static const char *const checks[] = {
	"an addition overflowed", "control came to where it must not (__builtin_unreachable())",
	"a function was called through a pointer of another type (CFI)",
	"a division by zero, or one whose quotient does not fit", "an object is not of its type (vptr)",
	"a floating-point number does not fit into the type that it is converted to", "a function was called through a pointer of another type",
	"an implicit conversion has changed a value", "a builtin function was called with 0, for which it has no result",
	"a cast to another class", "a bool or an enum has a value that its type does not have",
	"a function has ended without a value to return", "a multiplication overflowed", "a negation overflowed",
	"a null pointer for an argument that may not be null", "a null pointer was returned that may not be null",
	"a null pointer for an argument that may not be null", "a null pointer was returned that may not be null",
	"an index is out of bounds", "pointer arithmetic overflowed, or a null pointer was added to",
	"a shift by a negative number or by too much, or of bits out of the type", "a subtraction overflowed",
	"a pointer is null, not aligned, or to too little memory for its type", "a pointer is not aligned as was promised",
	"an array of variable length has no positive length",
};

bool row_check_trap(struct crash *c)
{
	unsigned check;
	char in[160];

	if (trap_of(c, &check) != TRAP_CHECK)
		return false;
	say(c, "a check for undefined behaviour has failed%s: %s", crash_in(c, in),
	    check < ARRAY_SIZE(checks) ? checks[check] : "one that is not known here");
	say_sure(c, check < ARRAY_SIZE(checks) ? SURE_CERTAIN : SURE_LIKELY,
		 "clang places this instruction for -fsanitize-trap, with the number of the check, %u", check);
	show_access(c);
	access_show_code(c);
	try_next(c, "tagcore stack --source shows the line; without -fsanitize-trap the check prints its operands");
	return true;
}

bool row_trap_insn(struct crash *c)
{
	unsigned check;
	char in[160];

	if (trap_of(c, &check) != TRAP_OWN)
		return false;
	say(c, "the trap instruction %s%s: the program has ended itself, by __builtin_trap() or where it must not come to",
	    *c->access.insn ? c->access.insn : "udf", crash_in(c, in));
	say_sure(c, SURE_LIKELY, "compilers place this instruction for that; memory that was executed by mistake seldom has it");
	show_access(c);
	access_show_code(c);
	return true;
}

bool row_breakpoint(struct crash *c)
{
	unsigned check;
	char in[160];

	/* gdb's cores of live processes have its own SIGTRAP. */
	if (!crash_is(c, "TRAP") || trap_of(c, &check) != TRAP_BREAKPOINT)
		return false;
	say(c, "a breakpoint instruction%s, and no debugger was there to take it", crash_in(c, in));
	say_sure(c, SURE_CERTAIN, "the instruction is there, and the kernel sent SIGTRAP for it");
	show_insn(c, "the breakpoint is %s the program counter", c->core->ehdr.e_machine == EM_AARCH64 ? "at" : "one byte before");
	try_next(c, "look for __builtin_debugtrap(), DebugBreak or an assertion library; or for a breakpoint that a debugger left");
	return true;
}
