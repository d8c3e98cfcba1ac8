#include <string.h>

#include "base/util.h"
#include "unwind/frame/frame.h"

/*
 * Steps to the caller by the calling convention alone.  What is found so may be
 * wrong; what cannot be right is refused, and the frame says how it was found.
 */

static const struct {
	u16 machine;
	u32 (*calls)(const u8 before[CALL_BYTES]);
} call_checks[] = {
	{ EM_X86_64, x86_calls },
	{ EM_386, x86_calls },
	{ EM_68K, m68k_calls },
};

/* A signal handler was called from nowhere.  Where the code cannot be read, it is enough that the address is in code. */
enum step_return step_return(struct unwind *u, u64 addr)
{
	u8 before[CALL_BYTES];

	if (step_is_signal(u, addr, 0))
		return RETURN_GOOD;
	if (addr <= sizeof(before) || !space_is_code(u, addr - 1))
		return RETURN_NOWHERE;
	for (size_t i = 0; i < ARRAY_SIZE(call_checks); i++)
		if (call_checks[i].machine == u->core->ehdr.e_machine &&
		    space_read(u, addr - sizeof(before), before, sizeof(before)))
			return call_checks[i].calls(before) ? RETURN_GOOD : RETURN_DOUBT;
	return RETURN_UNKNOWN;
}

bool step_is_return(struct unwind *u, u64 addr)
{
	return step_return(u, addr) >= RETURN_UNKNOWN;
}

/* Where a call left its return address, if that can be one; it may have a bit for the instruction set. */
static bool find_link(struct unwind *u, const struct cpu_regs *r, u64 *ret)
{
	const struct arch *a = u->core->arch;
	u64 sp;

	if (!a || !a->frame.lr || !r->exact)
		return false;
	if (a->frame.lr < 0 ? !regs_get(u, r, a->sp, &sp) || !space_word(u, sp, ret) : !regs_get(u, r, a->frame.lr, ret))
		return false;
	*ret += a->frame.ret_offset;
	return step_is_return(u, space_strip(u, *ret));
}

/*
 * The program jumped where no code is (a null function pointer): the call that
 * did it has left the return address, and the caller's frame as it was.
 */
bool step_link(struct unwind *u, struct cpu_regs *r)
{
	const struct arch *a = u->core->arch;
	u64 sp, ret;

	if (space_is_code(u, r->pc) || !find_link(u, r, &ret))
		return false;
	/* Nothing else has changed: all registers are the caller's own. */
	regs_return(u, r, ret);
	r->exact = false;
	if (a->frame.lr < 0 && regs_get(u, r, a->sp, &sp))
		regs_set(u, r, a->sp, sp + u->core->layout.word);
	return true;
}

/*
 * What a call leaves in the link register is gone with the next call, which leaves
 * an address of its own function there.  Another function's is the caller's then,
 * whether saved or not.
 */
static bool is_other_function(struct unwind *u, u64 pc, u64 ret)
{
	struct module *here = module_at(u, pc), *there = module_at(u, ret - 1);
	u64 a, b, end;

	if (!here || !there)
		return false;
	return here != there || (symbol_bounds(u, pc, &a, &end) && symbol_bounds(u, ret - 1, &b, &end) && a != b);
}

/* A leaf function need not save the link register: its caller is in no chain of frames. */
bool step_leaf(struct unwind *u, struct cpu_regs *r)
{
	const struct arch *a = u->core->arch;
	struct cpu_regs chained = *r, caller = *r;
	u64 ret, sp;

	if (!a || a->frame.lr <= 0 || a->frame.lr_is_scratch || !find_link(u, r, &ret))
		return false;
	regs_return(u, &caller, ret);
	caller.exact = false;
	/* For a frame that a signal interrupted, a table may give the pc by that register. */
	if (caller.pc == r->pc || !is_other_function(u, r->pc, caller.pc) || (step_fp(u, &chained) && chained.pc == caller.pc))
		return false;
	/* It may have moved the stack pointer.  With a back chain, that leads on from either place. */
	if (regs_get(u, r, a->sp, &sp) && !a->frame.back_chain) {
		caller.have[regs_dwarf(u, a->sp)] = false;
		caller.floor = sp;
	}
	*r = caller;
	return true;
}

bool step_fp(struct unwind *u, struct cpu_regs *r)
{
	const struct arch *a = u->core->arch;
	s64 word = u->core->layout.word;
	u64 floor = r->floor, fp, at, base, caller_fp, ret;
	enum step_return found;

	if (!a || !a->frame.known || !regs_get(u, r, a->frame.fp, &fp) || (!regs_get(u, r, a->sp, &floor) && !r->floor))
		return false;
	/* Frames are above the stack pointer, at addresses that calls can produce. */
	at = fp + (a->frame.back_chain ? a->sp_bias : 0);
	if (fp < floor || !space_is_one(u, floor, fp) || at % (u64)word || !space_word(u, at + (u64)(a->frame.saved_fp * word), &caller_fp))
		return false;
	base = a->frame.back_chain && !a->frame.ret_in_frame ? caller_fp : at;
	if (!space_word(u, base + (u64)(a->frame.saved_ret * word), &ret))
		return false;
	if (a->frame.ret_in_frame)
		ret ^= u->ret_cookie;
	ret = space_strip(u, ret) + a->frame.ret_offset;
	found = step_return(u, ret);
	/* A chain that goes down, or in a circle, is not a chain of frames. */
	if ((caller_fp >= floor && caller_fp <= fp) || found == RETURN_NOWHERE)
		return false;
	if (a->frame.back_chain && !space_is_one(u, floor, caller_fp))
		return false;
	*r = (struct cpu_regs){ .pc = ret, .floor = fp + 2 * (u64)word, .doubt = found == RETURN_DOUBT };
	/* Where the frame record may be anywhere in a frame, nothing else is known of the caller's. */
	if (!a->frame.record_anywhere)
		regs_set(u, r, a->sp, a->frame.back_chain ? caller_fp : fp + (u64)(a->frame.caller_sp * word));
	/* What called main() keeps something else in that register: the chain ends there. */
	if (caller_fp > fp)
		regs_set(u, r, a->frame.fp, caller_fp);
	return true;
}
