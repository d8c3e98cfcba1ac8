/* code_armop.h - an instruction of 32-bit Arm, being read, and what it does. */
#pragma once

#include "unwind/code/insn.h"

enum { ARM_SP_REG = 13, ARM_LR_REG = 14, ARM_PC_REG = 15, ARM_ALWAYS = 14 };

struct arm {
	u32 w;			/* a wide one of Thumb has its first halfword in the upper half */
	u32 pc;			/* as the instruction reads it */
	struct code_insn *in;
	struct code_reader *c;
	struct code_upper was;	/* what the instruction before has left */
};

/* The first form that fits decides. */
struct arm_form {
	u32 mask, value;
	void (*decode)(struct arm *d);
};
void arm_decode(struct arm *d, const struct arm_form *forms);

/* @size bytes of an instruction: it is big-endian in a big-endian program that is not of BE8.  AAELF32, 5.3.1. */
u32 arm_fetch(const struct code_reader *c, const u8 *p, unsigned size);
/* Depends on the condition @cond, as instructions have it. */
void arm_cond(struct arm *d, u32 cond);

/* Registers by number.  What is calculated from the pc is an address, and those do not matter here. */
void arm_clobber(struct arm *d, u32 rd);
/* @rd = @rn + @imm. */
void arm_set(struct arm *d, u32 rd, u32 rn, s32 imm);
void arm_number(struct arm *d, u32 rd, u32 v);
/* @rd = @rn + @rm, or minus. */
void arm_sum(struct arm *d, u32 rd, u32 rn, u32 rm, bool minus);
/* @rd = @rn without the bits of @mask: rounded down if those are the lowest. */
void arm_clear(struct arm *d, u32 rd, u32 rn, u32 mask);

/* Where: at @rn + @imm, and then @rn += @wb. */
struct arm_place {
	bool load;
	u8 rn;
	s32 imm, wb;
};
/* All of @mask, the lowest first; the two, in that order; one of @size bytes. */
void arm_list(struct arm *d, const struct arm_place *at, u32 mask);
void arm_pair(struct arm *d, const struct arm_place *at, u32 rt, u32 rt2);
void arm_one(struct arm *d, const struct arm_place *at, u32 rt, unsigned size);

void arm_stop(struct arm *d);
void arm_jump_to(struct arm *d, enum code_flow flow, u32 to);
/* To what a register has. */
void arm_jump_reg(struct arm *d, u32 rm);
/* To what is not known. */
void arm_jump(struct arm *d);
void arm_table(struct arm *d, enum code_table table, u32 at);

/* Nothing that matters. */
void arm_nothing(struct arm *d);
/* Floating point, vectors and other coprocessors, which both instruction sets have in the same form. */
void arm_coprocessor(struct arm *d);
/* Loads and stores of vectors' elements. */
void arm_elements(struct arm *d);
