/* code_rv.h - an instruction of RISC-V, being read, and what it does. */
#pragma once

#include "unwind/code/insn.h"

enum { RV_RA = 1, RV_SP = 2, RV_T0 = 5, RV_A0 = 10 };

struct riscv {
	u32 w;
	bool is64;
	struct code_insn *in;
	struct code_reader *c;
	struct code_upper was;	/* what the instruction before has made */
};

/* An immediate: runs of bits @hi to @lo, each with where its lowest belongs; of @sign bits, or 0 if unsigned. */
struct rv_form {
	u8 sign;
	struct { u8 hi, lo, to; } part[9];
};
s64 rv_imm(const struct riscv *d, const struct rv_form *f);

/* Registers by number: x0 is 0, and to write it does nothing. */
u8 rv_source(u32 n);
void rv_clobber(struct riscv *d, u32 n);
void rv_op(struct riscv *d, struct code_op op);
/* The next instruction may jump to what is made here. */
void rv_upper(struct riscv *d, u32 rd, u64 value, bool is_slot);
/* @rd = @rs + @imm. */
void rv_set(struct riscv *d, u32 rd, u32 rs, s64 imm);
/* @rd = @a + @b * @imm. */
void rv_sum(struct riscv *d, u32 rd, u32 a, u32 b, s64 imm);
/* The same as rv_set(), of 32 bits. */
void rv_add_word(struct riscv *d, u32 rd, u32 rs, s64 imm);
void rv_shift_left(struct riscv *d, u32 rd, u32 rs, u32 by);
/* Of @size bytes at @base + @imm; @src may be CODE_NONE. */
void rv_load(struct riscv *d, u32 rd, u32 base, s64 imm, unsigned size);
void rv_store(struct riscv *d, u8 src, u32 base, s64 imm, unsigned size);

/* A jump that leaves in @rd where it comes from: is it a call? */
enum code_flow rv_link(struct riscv *d, u32 rd);
void rv_jump_to(struct riscv *d, enum code_flow flow, u64 to);
/* To @rs + @imm. */
void rv_jump_reg(struct riscv *d, u32 rd, u32 rs, s64 imm);

/* code_rvc.c, by the two low bits. */
void rv_quadrant0(struct riscv *d);
void rv_quadrant1(struct riscv *d);
void rv_quadrant2(struct riscv *d);
