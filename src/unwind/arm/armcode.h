/* armcode.h - what an instruction of 32-bit Arm does to the stack, and where it goes. */
#pragma once

#include "base/types.h"

/*
 * Encodings: Arm Architecture Reference Manual, Armv7-A, chapters A5 (ARM) and A6
 * (Thumb).
 */
enum code_kind {
	CODE_OTHER,	/* nothing of interest */
	CODE_ADD,	/* rd = rn + imm */
	CODE_ADD_REG,	/* rd = rn + rm, or rn - rm where imm is -1 */
	CODE_CONST,	/* rd = imm */
	CODE_CLOBBER,	/* rd = anything */
	CODE_LINK,	/* lr = where a jump after this one would return to: a call of Armv4 */
	CODE_STORE,	/* regs go to rn + imm and on, then rn += wb */
	CODE_LOAD,	/* regs come from rn + imm and on, then rn += wb */
	CODE_JUMP,	/* to target */
	CODE_BRANCH,	/* to target, perhaps */
	CODE_TABLE,	/* to a place in a table at target, of entries of imm bytes: 1 and 2 as TBB and TBH, 4 addresses */
	CODE_BRANCHES,	/* to one of the jumps that begin at target */
	CODE_CALL,
	CODE_END,	/* it does not go on here: a return, or a jump to an unknown target */
	CODE_IT,	/* the next imm instructions are conditional */
};

struct insn {
	enum code_kind kind;
	bool cond;	/* it may be passed over */
	u8 len;
	u8 rd, rn, rm;
	u8 regs[16];
	u8 n_regs;
	s32 imm;
	s32 wb;
	u32 target;
};

/* The instruction @w at @at.  In Thumb code the first halfword is the upper one; len is 4 if there is a second. */
struct insn arm_insn(u32 at, u32 w);
struct insn thumb_insn(u32 at, u32 w);
/* A halfword that begins an instruction of two. */
static inline bool thumb_is_wide(u32 first)
{
	return first >> 11 >= 0x1d;
}

/* For the decoders: loads or stores of the registers in @mask, the lowest first; of one. */
void insn_list(struct insn *i, bool load, unsigned rn, unsigned mask, s32 imm, s32 wb);
void insn_word(struct insn *i, bool load, unsigned rn, unsigned rt, s32 imm, s32 wb);
/* @n bits of an instruction, from bit @lo up; the low @n of a number with their sign. */
static inline u32 bits(u32 w, unsigned lo, unsigned n)
{
	return w >> lo & ((1u << n) - 1);
}
static inline s32 insn_signed(u32 v, unsigned n)
{
	return (s32)(v << (32 - n)) >> (32 - n);
}
/* The forms of VPUSH and VPOP, in both sets alike: true, and the stack pointer's way. */
bool insn_vfp(struct insn *i, u32 w);
