#include "base/util.h"
#include "unwind/code/code_armop.h"

/* 32-bit Arm, the Thumb instruction set.  Arm Architecture Reference Manual, Armv7-A, chapter A6. */

/* ---- of one halfword */

static void push(struct arm *d)
{
	u32 mask = (d->w & 0xff) | code_bits(d->w, 8, 8) << ARM_LR_REG;
	s32 n = 4 * __builtin_popcount(mask);

	arm_list(d, &(struct arm_place){ .rn = ARM_SP_REG, .imm = -n, .wb = -n }, mask);
}

static void pop(struct arm *d)
{
	u32 mask = (d->w & 0xff) | code_bits(d->w, 8, 8) << ARM_PC_REG;

	arm_list(d, &(struct arm_place){ .load = true, .rn = ARM_SP_REG, .wb = 4 * __builtin_popcount(mask) }, mask);
}

static void multiple(struct arm *d)
{
	u32 mask = d->w & 0xff;

	arm_list(d, &(struct arm_place){ .load = code_bits(d->w, 11, 11), .rn = (u8)code_bits(d->w, 10, 8),
					 .wb = 4 * __builtin_popcount(mask) }, mask);
}

static void move_sp(struct arm *d)
{
	s32 imm = (s32)code_bits(d->w, 6, 0) << 2;

	arm_set(d, ARM_SP_REG, ARM_SP_REG, code_bits(d->w, 7, 7) ? -imm : imm);
}

static void add_sp(struct arm *d)
{
	arm_set(d, code_bits(d->w, 10, 8), ARM_SP_REG, (s32)code_bits(d->w, 7, 0) << 2);
}

static u32 high(const struct arm *d)
{
	return code_bits(d->w, 2, 0) | code_bits(d->w, 7, 7) << 3;
}

static void add_high(struct arm *d)
{
	u32 rd = high(d);

	if (rd == ARM_PC_REG)
		arm_jump(d);
	else
		arm_sum(d, rd, rd, code_bits(d->w, 6, 3), false);
}

static void mov_high(struct arm *d)
{
	u32 rd = high(d), rm = code_bits(d->w, 6, 3);

	d->in->is_nop = d->w == 0x46c0;
	if (rd == ARM_PC_REG)
		arm_jump_reg(d, rm);
	else
		arm_set(d, rd, rm, 0);
}

static void compare(struct arm *d)
{
	d->in->sets_cond = true;
}

static void jump_reg(struct arm *d)
{
	if (code_bits(d->w, 7, 7))
		d->in->flow = CODE_CALL;
	else
		arm_jump_reg(d, code_bits(d->w, 6, 3));
}

static void branch_cond(struct arm *d)
{
	u32 cond = code_bits(d->w, 11, 8);

	if (cond == 15) {
		arm_clobber(d, 0);	/* svc */
		return;
	}
	if (cond == 14) {
		arm_stop(d);
		return;
	}
	arm_cond(d, cond);
	arm_jump_to(d, CODE_JUMP, d->pc + ((u32)code_sbits(d->w, 7, 0) << 1));
}

static void branch(struct arm *d)
{
	arm_jump_to(d, CODE_JUMP, d->pc + ((u32)code_sbits(d->w, 10, 0) << 1));
}

static void branch_zero(struct arm *d)
{
	arm_jump_to(d, CODE_BRANCH, d->pc + (code_bits(d->w, 9, 9) << 6 | code_bits(d->w, 7, 3) << 1));
}

/* The conditions of up to four that follow: ITSTATE, A2.5.2. */
static void it(struct arm *d)
{
	d->in->is_nop = d->w == 0xbf00;
	if (d->w & 0xf)
		d->c->upper = (struct code_upper){ .next = d->in->addr + 2, .conds = (u8)d->w };
}

static void word_sp(struct arm *d)
{
	arm_one(d, &(struct arm_place){ .load = code_bits(d->w, 11, 11), .rn = ARM_SP_REG,
					.imm = (s32)code_bits(d->w, 7, 0) << 2 }, code_bits(d->w, 10, 8), 4);
}

/* Of 4, 1 and 2 bytes. */
static void scaled(struct arm *d)
{
	u32 op = code_bits(d->w, 15, 12), size = op == 6 ? 4 : op == 7 ? 1 : 2;

	arm_one(d, &(struct arm_place){ .load = code_bits(d->w, 11, 11), .rn = (u8)code_bits(d->w, 5, 3),
					.imm = (s32)(code_bits(d->w, 10, 6) * size) }, code_bits(d->w, 2, 0), size);
}

static void literal(struct arm *d)
{
	arm_one(d, &(struct arm_place){ .load = true, .rn = ARM_PC_REG, .imm = (s32)code_bits(d->w, 7, 0) << 2 },
		code_bits(d->w, 10, 8), 4);
}

static void mov_8(struct arm *d)
{
	arm_number(d, code_bits(d->w, 10, 8), d->w & 0xff);
}

static void add_8(struct arm *d)
{
	u32 rd = code_bits(d->w, 10, 8);
	s32 imm = (s32)(d->w & 0xff);

	arm_set(d, rd, rd, code_bits(d->w, 11, 11) ? -imm : imm);
}

static void add_3(struct arm *d)
{
	s32 imm = (s32)code_bits(d->w, 8, 6);

	arm_set(d, code_bits(d->w, 2, 0), code_bits(d->w, 5, 3), code_bits(d->w, 9, 9) ? -imm : imm);
}

static void adr(struct arm *d)
{
	arm_clobber(d, code_bits(d->w, 10, 8));
}

static void low(struct arm *d)
{
	arm_clobber(d, code_bits(d->w, 2, 0));
}

/* ---- of two */

static void wide_multiple(struct arm *d)
{
	s32 n = 4 * __builtin_popcount(d->w & 0xffff);
	bool down = code_bits(d->w, 24, 24), back = code_bits(d->w, 21, 21);

	arm_list(d, &(struct arm_place){ .load = code_bits(d->w, 20, 20), .rn = (u8)code_bits(d->w, 19, 16),
					 .imm = down ? -n : 0, .wb = !back ? 0 : down ? -n : n }, d->w & 0xffff);
}

/* What is encoded between the doublewords: a result, or what was read. */
static void exclusive(struct arm *d)
{
	if (code_bits(d->w, 20, 20)) {
		arm_clobber(d, code_bits(d->w, 15, 12));
		arm_clobber(d, code_bits(d->w, 11, 8));
	} else {
		arm_clobber(d, code_bits(d->w, 23, 23) ? code_bits(d->w, 3, 0) : code_bits(d->w, 11, 8));
	}
}

/* Of any two registers. */
static void wide_double(struct arm *d)
{
	s32 off = (s32)(d->w & 0xff) << 2;
	bool before = code_bits(d->w, 24, 24), back = code_bits(d->w, 21, 21);

	off = code_bits(d->w, 23, 23) ? off : -off;
	if (before || back)
		arm_pair(d, &(struct arm_place){ .load = code_bits(d->w, 20, 20), .rn = (u8)code_bits(d->w, 19, 16),
						 .imm = before ? off : 0, .wb = back ? off : 0 },
			 code_bits(d->w, 15, 12), code_bits(d->w, 11, 8));
	else
		exclusive(d);
}

static void table_branch(struct arm *d)
{
	if (code_bits(d->w, 19, 16) == ARM_PC_REG)
		arm_table(d, code_bits(d->w, 4, 4) ? CODE_OFFSETS2 : CODE_OFFSETS1, d->pc);
	else
		arm_jump(d);
}

enum { OP_BIC = 1, OP_MOV = 2, OP_ADD = 8, OP_SUB = 13 };

/* A result in register 15: a comparison, of which only flags are kept. */
static void data_reg(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 21), rn = code_bits(d->w, 19, 16), rd = code_bits(d->w, 11, 8);
	u32 rm = code_bits(d->w, 3, 0);
	bool whole = !(d->w & 0x70f0);

	d->in->sets_cond = code_bits(d->w, 20, 20);
	if (rd == ARM_PC_REG)
		return;
	if (whole && op == OP_MOV && rn == ARM_PC_REG)
		arm_set(d, rd, rm, 0);
	else if (whole && (op == OP_ADD || op == OP_SUB))
		arm_sum(d, rd, rn, rm, op == OP_SUB);
	else
		arm_clobber(d, rd);
}

static u32 imm12(u32 w)
{
	return code_bits(w, 26, 26) << 11 | code_bits(w, 14, 12) << 8 | (w & 0xff);
}

/* ThumbExpandImm(), A6.3.2. */
static u32 expanded(u32 w)
{
	u32 imm = imm12(w), low8 = imm & 0xff, by = imm >> 7;

	if (imm >> 10) {
		low8 = 0x80 | (imm & 0x7f);
		return low8 >> by | low8 << (32 - by);
	}
	switch (imm >> 8) {
	case 0:
		return low8;
	case 1:
		return low8 << 16 | low8;
	case 2:
		return low8 << 24 | low8 << 8;
	default:
		return low8 * 0x01010101U;
	}
}

static void data_imm(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 21), rn = code_bits(d->w, 19, 16), rd = code_bits(d->w, 11, 8), imm = expanded(d->w);

	d->in->sets_cond = code_bits(d->w, 20, 20);
	if (rd == ARM_PC_REG)
		return;
	if (op == OP_MOV && rn == ARM_PC_REG)
		arm_number(d, rd, imm);
	else if (op == OP_ADD || op == OP_SUB)
		arm_set(d, rd, rn, (s32)(op == OP_SUB ? -imm : imm));
	else if (op == OP_BIC)
		arm_clear(d, rd, rn, imm);
	else
		arm_clobber(d, rd);
}

enum { PLAIN_ADD = 0, PLAIN_MOV = 4, PLAIN_SUB = 10, PLAIN_BFI = 22 };

/* BFC clears bits; from the lowest on it rounds down. */
static void bit_field(struct arm *d, u32 rd)
{
	u32 lsb = code_bits(d->w, 14, 12) << 2 | code_bits(d->w, 7, 6), msb = code_bits(d->w, 4, 0);

	if (code_bits(d->w, 19, 16) == ARM_PC_REG && !lsb && msb < 31)
		arm_clear(d, rd, rd, (2U << msb) - 1);
	else
		arm_clobber(d, rd);
}

static void plain_imm(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 20), rn = code_bits(d->w, 19, 16), rd = code_bits(d->w, 11, 8), imm = imm12(d->w);

	if (op == PLAIN_MOV)
		arm_number(d, rd, rn << 12 | imm);
	else if (op == PLAIN_ADD || op == PLAIN_SUB)
		arm_set(d, rd, rn, (s32)(op == PLAIN_SUB ? -imm : imm));
	else if (op == PLAIN_BFI)
		bit_field(d, rd);
	else
		arm_clobber(d, rd);
}

/* Branches of 25 bits with sign (A8.8.18, T4; bl), and of 21 (T3). */
static u32 far_offset(u32 w)
{
	u32 s = code_bits(w, 26, 26), i1 = !(code_bits(w, 13, 13) ^ s), i2 = !(code_bits(w, 11, 11) ^ s);
	u32 v = s << 24 | i1 << 23 | i2 << 22 | code_bits(w, 25, 16) << 12 | code_bits(w, 10, 0) << 1;

	return (u32)code_sbits(v, 24, 0);
}

static u32 near_offset(u32 w)
{
	u32 v = code_bits(w, 26, 26) << 20 | code_bits(w, 11, 11) << 19 | code_bits(w, 13, 13) << 18 |
		code_bits(w, 21, 16) << 12 | code_bits(w, 10, 0) << 1;

	return (u32)code_sbits(v, 20, 0);
}

static void call(struct arm *d)
{
	arm_jump_to(d, CODE_CALL, d->pc + far_offset(d->w));
}

/* To ARM code, which begins at words. */
static void call_other(struct arm *d)
{
	arm_jump_to(d, CODE_CALL, (d->pc & ~3U) + far_offset(d->w));
	d->in->is_other_mode = true;
}

static void far_branch(struct arm *d)
{
	arm_jump_to(d, CODE_JUMP, d->pc + far_offset(d->w));
}

static void near_branch(struct arm *d)
{
	arm_cond(d, code_bits(d->w, 25, 22));
	arm_jump_to(d, CODE_JUMP, d->pc + near_offset(d->w));
}

static void system_reg(struct arm *d)
{
	d->in->sets_cond = true;
	arm_clobber(d, code_bits(d->w, 11, 8));
}

/* Of no word: where a load would be to register 15, it is for the cache only. */
static unsigned access_size(u32 w)
{
	return 1U << code_bits(w, 22, 21);
}

static void access_imm(struct arm *d, s32 imm, s32 wb)
{
	const struct arm_place at = { .load = code_bits(d->w, 20, 20), .rn = (u8)code_bits(d->w, 19, 16), .imm = imm, .wb = wb };

	arm_one(d, &at, code_bits(d->w, 15, 12), access_size(d->w));
}

static void access_12(struct arm *d)
{
	access_imm(d, (s32)(d->w & 0xfff), 0);
}

static void access_literal(struct arm *d)
{
	s32 off = (s32)(d->w & 0xfff);

	access_imm(d, code_bits(d->w, 23, 23) ? off : -off, 0);
}

static void access_8(struct arm *d)
{
	s32 off = code_bits(d->w, 9, 9) ? (s32)(d->w & 0xff) : -(s32)(d->w & 0xff);

	access_imm(d, code_bits(d->w, 10, 10) ? off : 0, code_bits(d->w, 8, 8) ? off : 0);
}

/* By a register: no saved one comes from there. */
static void access_reg(struct arm *d)
{
	u32 rt = code_bits(d->w, 15, 12);

	if (!code_bits(d->w, 20, 20))
		return;
	if (rt == ARM_PC_REG && access_size(d->w) == 4)
		arm_jump(d);
	else
		arm_clobber(d, rt);
}

/* Shifts, extensions, products and quotients; long ones are in two registers. */
static void data_other(struct arm *d)
{
	d->in->sets_cond = code_bits(d->w, 20, 20);
	arm_clobber(d, code_bits(d->w, 11, 8));
	if ((d->w & 0xff800000) == 0xfb800000)
		arm_clobber(d, code_bits(d->w, 15, 12));
}

static const struct arm_form narrow[] = {
	{ 0xfe00, 0xb400, push },	{ 0xfe00, 0xbc00, pop },	{ 0xff00, 0xb000, move_sp },
	{ 0xf800, 0xa800, add_sp },	{ 0xf800, 0xa000, adr },	{ 0xff00, 0x4400, add_high },
	{ 0xff00, 0x4500, compare },	{ 0xff00, 0x4600, mov_high },	{ 0xff00, 0x4700, jump_reg },
	{ 0xf000, 0xd000, branch_cond }, { 0xf800, 0xe000, branch },	{ 0xf500, 0xb100, branch_zero },
	{ 0xff00, 0xbf00, it },		{ 0xff00, 0xbe00, arm_stop },	{ 0xf000, 0x9000, word_sp },
	{ 0xe000, 0x6000, scaled },	{ 0xf000, 0x8000, scaled },	{ 0xf800, 0x4800, literal },
	{ 0xf800, 0x2000, mov_8 },	{ 0xf800, 0x2800, compare },	{ 0xf000, 0x3000, add_8 },
	{ 0xfc00, 0x1c00, add_3 },	{ 0xf000, 0xc000, multiple },
	/* tst, cmp, cmn; stores by a register.  What is left writes a low register. */
	{ 0xffc0, 0x4200, compare },	{ 0xff80, 0x4280, compare },
	{ 0xfc00, 0x5000, arm_nothing }, { 0xfe00, 0x5400, arm_nothing },
	{ 0, 0, low },
};

static const struct arm_form wide[] = {
	{ 0xfe400000, 0xe8000000, wide_multiple },
	{ 0xfff0ffe0, 0xe8d0f000, table_branch },
	{ 0xfe400000, 0xe8400000, wide_double },
	{ 0xfe000000, 0xea000000, data_reg },
	{ 0xfa008000, 0xf0000000, data_imm },
	{ 0xfa008000, 0xf2000000, plain_imm },
	{ 0xf800d000, 0xf000d000, call },
	{ 0xf800d000, 0xf000c000, call_other },
	{ 0xf800d000, 0xf0009000, far_branch },
	{ 0xfff0f000, 0xf7f0a000, arm_stop },	/* udf */
	{ 0xffe0d000, 0xf3e08000, system_reg },	/* mrs */
	{ 0xfb80d000, 0xf3808000, arm_nothing },	/* msr, hints, barriers */
	{ 0xf800d000, 0xf0008000, near_branch },
	{ 0xff100000, 0xf9000000, arm_elements },
	{ 0xfe1f0000, 0xf81f0000, access_literal },
	{ 0xfe800000, 0xf8800000, access_12 },
	{ 0xfe000800, 0xf8000800, access_8 },
	{ 0xfe000000, 0xf8000000, access_reg },
	{ 0xfe000000, 0xfa000000, data_other },
	{ 0, 0, arm_coprocessor },
};

/* The condition that an IT before this instruction gives it, and what is left for the next. */
static u8 take_cond(struct arm *d)
{
	u8 conds = d->was.next == d->in->addr ? d->was.conds : 0;

	if (!conds)
		return 0;
	arm_cond(d, conds >> 4);
	return conds & 7 ? (u8)((conds & 0xe0) | (conds << 1 & 0x1f)) : 0;
}

/* A halfword that begins an instruction of two. */
static bool is_wide(u32 first)
{
	return first >> 11 >= 0x1d;
}

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	struct arm d = { .in = in, .c = c, .was = c->upper, .pc = (u32)in->addr + 4 };
	u8 conds;

	c->upper = (struct code_upper){ 0 };
	if (len < 2)
		return false;
	d.w = arm_fetch(c, p, 2);
	in->len = is_wide(d.w) ? 4 : 2;
	if (len < in->len)
		return false;
	if (in->len == 4)
		d.w = d.w << 16 | arm_fetch(c, p + 2, 2);
	conds = take_cond(&d);
	arm_decode(&d, in->len == 4 ? wide : narrow);
	if (conds)
		c->upper = (struct code_upper){ .next = in->addr + in->len, .conds = conds };
	return true;
}

/* struct cpu_regs, mode: CPSR.T. */
enum { THUMB = 1 << 5 };
const struct code_machine code_thumb = {
	.machine = EM_ARM, .mode = THUMB, .word = 4, .reg = 4, .step = 2, .longest = 4, .sp = ARM_SP_REG, .ra = ARM_LR_REG,
	.sp_align = 4, .saved = 0xff0, .call_len = { 4, 2 }, .has_pools = true, .decode = decode,
};
