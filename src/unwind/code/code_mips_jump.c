#include "unwind/code/code_mips_jump.h"

/* Jumps, branches and calls of MIPS: MD00086 and MD00087, as in code_mips.c. */

static void jump_to(struct mips *d, enum code_flow flow, enum mips_slot slot, s64 words)
{
	d->in->flow = (u8)flow;
	d->in->target = d->in->addr + 4 + (u64)(4 * words);
	if (d->m->word == 4)
		d->in->target = (u32)d->in->target;
	d->in->has_target = true;
	d->slot = slot;
}

void mips_branch(struct mips *d)
{
	jump_to(d, CODE_BRANCH, SLOT_ALWAYS, mips_imm(d));
}

void mips_branch_likely(struct mips *d)
{
	jump_to(d, CODE_BRANCH, SLOT_LIKELY, mips_imm(d));
}

void mips_branch_flag(struct mips *d)
{
	jump_to(d, CODE_BRANCH, code_bits(d->w, 17, 17) ? SLOT_LIKELY : SLOT_ALWAYS, mips_imm(d));
}

/* B is BEQ of equal registers. */
void mips_branch_equal(struct mips *d)
{
	jump_to(d, d->rs == d->rt ? CODE_JUMP : CODE_BRANCH, SLOT_ALWAYS, mips_imm(d));
}

/* J and JAL: within the 256 MiB of their slot. */
void mips_jump_region(struct mips *d)
{
	jump_to(d, code_bits(d->w, 26, 26) ? CODE_CALL : CODE_JUMP, SLOT_ALWAYS, 0);
	d->in->target = (d->in->target & ~0xfffffffULL) | (u64)code_bits(d->w, 25, 0) << 2;
}

/* To code of the other encoding, which is not read here. */
void mips_jump_exchange(struct mips *d)
{
	d->in->flow = CODE_CALL;
	d->slot = SLOT_ALWAYS;
}

/* JR, JALR; the link register is the one to return by. */
void mips_jump_reg(struct mips *d, u8 link)
{
	d->in->flow = link ? CODE_CALL : d->rs == MIPS_RA ? CODE_RETURN : CODE_JUMP;
	d->in->ret = d->rs;
	mips_clobber(d, link);
	d->slot = SLOT_ALWAYS;
}

/*
 * BGEZAL and its kin.  One that calls the address after its slot may do so to know
 * where it is, or because that is the function.  NAL calls nothing: zero is not
 * less than zero.
 */
static void branch_and_link(struct mips *d)
{
	bool is_likely = code_bits(d->w, 17, 17), is_never = !d->rs && !code_bits(d->w, 16, 16);

	jump_to(d, is_never ? CODE_NEXT : CODE_CALL, is_likely ? SLOT_LIKELY : SLOT_ALWAYS, mips_imm(d));
	d->in->has_target = !is_never;
	mips_clobber(d, MIPS_RA);
}

/* REGIMM: by the field that is rt elsewhere. */
void mips_regimm(struct mips *d)
{
	if (d->rt <= 3)
		jump_to(d, CODE_BRANCH, d->rt & 2 ? SLOT_LIKELY : SLOT_ALWAYS, mips_imm(d));
	else if (d->rt >= 0x10 && d->rt <= 0x13)
		branch_and_link(d);
	/* BPOSGE32, BPOSGE64. */
	else if (d->rt == 0x1c || d->rt == 0x1d)
		mips_branch(d);
	/* DAHI, DATI; the rest are traps and SYNCI. */
	else if (d->rt == 0x06 || d->rt == 0x1e)
		mips_clobber(d, d->rs);
}

/* ---- release 6: branches without a slot */

/* What was BLEZ, BGTZ, ADDI and DADDI: where the registers are in some order, a call. */
void mips_compact_16(struct mips *d)
{
	u32 op = code_bits(d->w, 31, 26);
	bool is_call = op < 8 ? !d->rs || d->rs == d->rt : !d->rs && d->rt;

	if (op < 8 && !d->rt)
		mips_branch(d);
	else
		jump_to(d, is_call ? CODE_CALL : CODE_BRANCH, SLOT_NONE, mips_imm(d));
}

/* BLEZC, BGTZC and so on. */
void mips_compact_branch(struct mips *d)
{
	jump_to(d, CODE_BRANCH, SLOT_NONE, mips_imm(d));
}

/* BC, BALC. */
void mips_compact_jump(struct mips *d)
{
	jump_to(d, code_bits(d->w, 29, 29) ? CODE_CALL : CODE_JUMP, SLOT_NONE, code_sbits(d->w, 25, 0));
}

/* BEQZC, BNEZC; JIC, JIALC, which add to the register rt. */
void mips_compact_21(struct mips *d)
{
	bool is_call = code_bits(d->w, 29, 29);

	if (d->rs) {
		jump_to(d, CODE_BRANCH, SLOT_NONE, code_sbits(d->w, 20, 0));
		return;
	}
	d->in->flow = is_call ? CODE_CALL : d->rt == MIPS_RA && !mips_imm(d) ? CODE_RETURN : CODE_JUMP;
	d->in->ret = MIPS_RA;
}
