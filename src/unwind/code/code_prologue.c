#include "base/util.h"
#include "unwind/code/insn.h"

/*
 * Where a function without a symbol begins: back from pc, on machines whose
 * instructions are of one length and whose compilers save the return address right
 * after the one instruction that makes the frame.
 */
enum { BACK_MAX = 4096, PROLOGUE_MAX = 64 };

static bool decode_at(struct unwind *u, u64 addr, struct code_insn *in)
{
	return u->code->budget && u->code->budget-- && space_is_code(u, addr) && code_insn_at(u, addr, in);
}

static bool makes_frame(const struct code_machine *m, const struct code_insn *in)
{
	const struct code_op *op = &in->ops[0];

	return in->flow == CODE_NEXT && in->n_ops == 1 && op->what == CODE_SET && op->dst == m->sp && op->src == m->sp &&
	       op->imm < 0;
}

u64 code_prologue(struct unwind *u, u64 pc)
{
	const struct code_machine *m = u->code->m;
	struct code_insn in;
	u64 at = pc;
	size_t n = 0;

	do {
		at -= m->step;
		if (n++ >= BACK_MAX || !decode_at(u, at, &in))
			return 0;
	} while (!code_saves_ra(m, &in));
	/* Between the two no path ends: what is before a call that does not return is another function. */
	for (n = 0; n < PROLOGUE_MAX && decode_at(u, at -= m->step, &in); n++) {
		if (makes_frame(m, &in))
			return at;
		if (in.flow != CODE_NEXT && in.flow != CODE_BRANCH)
			return 0;
	}
	return 0;
}
