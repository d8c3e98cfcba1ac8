#include "base/util.h"
#include "unwind/code/code_armop.h"

/* 32-bit Arm, the ARM instruction set.  Arm Architecture Reference Manual, Armv7-A, chapter A5. */

static void branch(struct arm *d)
{
	arm_jump_to(d, CODE_JUMP, d->pc + ((u32)code_sbits(d->w, 23, 0) << 2));
}

static void call(struct arm *d)
{
	arm_jump_to(d, CODE_CALL, d->pc + ((u32)code_sbits(d->w, 23, 0) << 2));
}

static void call_reg(struct arm *d)
{
	d->in->flow = CODE_CALL;
}

static void jump_reg(struct arm *d)
{
	arm_jump_reg(d, code_bits(d->w, 3, 0));
}

/* mov lr, pc: a jump after this one is a call, as Armv4 has none to what a register holds. */
static void link_call(struct arm *d)
{
	arm_clobber(d, ARM_LR_REG);
	d->c->upper = (struct code_upper){ .next = d->in->addr + 4, .value = d->pc, .reg = ARM_LR_REG };
}

static void multiple(struct arm *d)
{
	s32 n = 4 * __builtin_popcount(d->w & 0xffff);
	bool up = code_bits(d->w, 23, 23), before = code_bits(d->w, 24, 24), back = code_bits(d->w, 21, 21);
	struct arm_place at = { .load = code_bits(d->w, 20, 20), .rn = (u8)code_bits(d->w, 19, 16) };

	at.imm = up ? (before ? 4 : 0) : (before ? -n : 4 - n);
	at.wb = back ? (up ? n : -n) : 0;
	arm_list(d, &at, d->w & 0xffff);
}

/* [rn, #imm], [rn, #imm]! and [rn], #imm. */
static struct arm_place place(const struct arm *d, u32 imm)
{
	bool before = code_bits(d->w, 24, 24);
	s32 off = code_bits(d->w, 23, 23) ? (s32)imm : -(s32)imm;

	return (struct arm_place){
		.load = code_bits(d->w, 20, 20), .rn = (u8)code_bits(d->w, 19, 16), .imm = before ? off : 0,
		.wb = !before || code_bits(d->w, 21, 21) ? off : 0,
	};
}

/* By a register: where to is not known, nor what a base is that is moved. */
static void by_register(struct arm *d)
{
	u32 rn = code_bits(d->w, 19, 16), rt = code_bits(d->w, 15, 12);
	bool load = code_bits(d->w, 20, 20);

	if (load && rt == ARM_PC_REG && rn == ARM_PC_REG)
		arm_table(d, CODE_ADDRESSES, d->pc);
	else if (load && rt == ARM_PC_REG)
		arm_jump(d);
	else if (load)
		arm_clobber(d, rt);
	if (!code_bits(d->w, 24, 24) || code_bits(d->w, 21, 21))
		arm_clobber(d, rn);
}

static void load_store(struct arm *d)
{
	const struct arm_place at = place(d, code_bits(d->w, 11, 0));

	if (code_bits(d->w, 25, 25))
		by_register(d);
	else
		arm_one(d, &at, code_bits(d->w, 15, 12), code_bits(d->w, 22, 22) ? 1 : 4);
}

/* Products, long ones in two registers; swaps and exclusives. */
static void multiply(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 21);

	d->in->sets_cond = code_bits(d->w, 20, 20);
	if (!code_bits(d->w, 24, 24))
		arm_clobber(d, code_bits(d->w, 19, 16));
	else if (code_bits(d->w, 22, 20) == 3)
		arm_clobber(d, code_bits(d->w, 15, 12) | 1);
	/* Not MUL, MLA and MLS, which have a source there. */
	if (op > 1 && op != 3)
		arm_clobber(d, code_bits(d->w, 15, 12));
}

/* Halfwords and signed bytes; doublewords, whose registers are an even one and the next. */
static void extra(struct arm *d)
{
	u32 op = code_bits(d->w, 6, 5), rt = code_bits(d->w, 15, 12);
	struct arm_place at = place(d, code_bits(d->w, 11, 8) << 4 | code_bits(d->w, 3, 0));
	bool pair = op >= 2 && !at.load;

	if (!code_bits(d->w, 22, 22)) {
		/* By a register. */
		if (pair && op == 2)
			d->in->clobbers |= 3ULL << (rt & 14);
		else if (at.load)
			arm_clobber(d, rt);
		if (!code_bits(d->w, 24, 24) || code_bits(d->w, 21, 21))
			arm_clobber(d, at.rn);
		return;
	}
	at.load |= op == 2;
	if (pair)
		arm_pair(d, &at, rt & 14, rt | 1);
	else
		arm_one(d, &at, rt, op == 2 ? 1 : 2);
}

/* A5.4.4: the signed products have their result elsewhere than the others. */
static void media(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 20);

	if ((op & 0x18) != 0x10)
		arm_clobber(d, code_bits(d->w, 15, 12));
	if ((op & 0x18) == 0x10 || op == 0x18)
		arm_clobber(d, code_bits(d->w, 19, 16));
	if (op == 0x14 || op == 0x15)
		arm_clobber(d, code_bits(d->w, 15, 12));
}

static void movw(struct arm *d)
{
	arm_number(d, code_bits(d->w, 15, 12), code_bits(d->w, 19, 16) << 12 | code_bits(d->w, 11, 0));
}

static void system_call(struct arm *d)
{
	arm_clobber(d, 0);
}

/* ---- data processing: A5.2 */

enum { OP_SUB = 2, OP_ADD = 4, OP_TST = 8, OP_CMN = 11, OP_MOV = 13, OP_BIC = 14 };

static u32 rotated(u32 w)
{
	u32 v = w & 0xff, by = 2 * code_bits(w, 11, 8);

	return by ? v >> by | v << (32 - by) : v;
}

static void by_immediate(struct arm *d, u32 op, u32 rd, u32 rn)
{
	u32 imm = rotated(d->w);

	if (op == OP_MOV)
		arm_number(d, rd, imm);
	else if (op == OP_ADD || op == OP_SUB)
		arm_set(d, rd, rn, (s32)(op == OP_SUB ? -imm : imm));
	else if (op == OP_BIC)
		arm_clear(d, rd, rn, imm);
	else
		arm_clobber(d, rd);
}

/* Not shifted. */
static void by_whole(struct arm *d, u32 op, u32 rd, u32 rn)
{
	u32 rm = code_bits(d->w, 3, 0);

	if (op == OP_ADD || op == OP_SUB)
		arm_sum(d, rd, rn, rm, op == OP_SUB);
	else if (op == OP_MOV)
		arm_set(d, rd, rm, 0);
	else
		arm_clobber(d, rd);
}

/* To what was calculated. */
static void jump_to_sum(struct arm *d, u32 op)
{
	bool by_imm = code_bits(d->w, 25, 25);

	if (op == OP_MOV && !by_imm && !code_bits(d->w, 11, 4))
		arm_jump_reg(d, code_bits(d->w, 3, 0));
	else if (op == OP_ADD && !by_imm && code_bits(d->w, 19, 16) == ARM_PC_REG)
		arm_table(d, CODE_JUMPS, d->pc);
	else
		arm_jump(d);
}

/* Comparisons; without flags these are movt, mrs, msr, clz, products of halfwords and others. */
static void compare(struct arm *d, u32 rd)
{
	if (code_bits(d->w, 20, 20))
		return;
	d->in->sets_cond = true;
	arm_clobber(d, rd);
	if ((d->w & 0x02000090) == 0x80)
		arm_clobber(d, code_bits(d->w, 19, 16));
}

static void data(struct arm *d)
{
	u32 op = code_bits(d->w, 24, 21), rd = code_bits(d->w, 15, 12), rn = code_bits(d->w, 19, 16);

	d->in->is_nop = d->w == 0xe1a00000 || d->w == 0xe320f000;
	d->in->sets_cond = code_bits(d->w, 20, 20);
	if (op >= OP_TST && op <= OP_CMN)
		compare(d, rd);
	else if (rd == ARM_PC_REG)
		jump_to_sum(d, op);
	else if (code_bits(d->w, 25, 25))
		by_immediate(d, op, rd, rn);
	else if (!code_bits(d->w, 11, 4))
		by_whole(d, op, rd, rn);
	else
		arm_clobber(d, rd);
}

static const struct arm_form forms[] = {
	{ 0xffffffff, 0xe1a0e00f, link_call },
	{ 0x0ffffff0, 0x012fff10, jump_reg },	/* bx */
	{ 0x0ffffff0, 0x012fff20, jump_reg },	/* bxj */
	{ 0x0ffffff0, 0x012fff30, call_reg },	/* blx */
	{ 0x0ff000f0, 0x01200070, arm_stop },	/* bkpt */
	{ 0x0ff000f0, 0x07f000f0, arm_stop },	/* udf */
	{ 0x0f000000, 0x0a000000, branch },
	{ 0x0f000000, 0x0b000000, call },
	{ 0x0f000000, 0x0f000000, system_call },
	{ 0x0e000000, 0x08000000, multiple },
	{ 0x0e000010, 0x06000010, media },
	{ 0x0c000000, 0x04000000, load_store },
	{ 0x0e0000f0, 0x00000090, multiply },
	{ 0x0e000090, 0x00000090, extra },
	{ 0x0ff00000, 0x03000000, movw },
	{ 0x0c000000, 0x00000000, data },
	{ 0, 0, arm_coprocessor },
};

/* blx with an immediate is all that goes anywhere: to Thumb code. */
static void call_other(struct arm *d)
{
	call(d);
	d->in->target += (u64)code_bits(d->w, 24, 24) << 1;
	d->in->is_other_mode = true;
}

/* Of no condition. */
static const struct arm_form unconditional[] = {
	{ 0xfe000000, 0xfa000000, call_other },
	{ 0xff100000, 0xf4000000, arm_elements },
	{ 0xff100000, 0xf4100000, arm_nothing },	/* pli */
	{ 0xfe000000, 0xfc000000, arm_coprocessor },
	{ 0xff000000, 0xfe000000, arm_coprocessor },
	{ 0, 0, arm_nothing },
};

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	struct arm d = { .in = in, .c = c, .was = c->upper, .pc = (u32)in->addr + 8 };

	c->upper = (struct code_upper){ 0 };
	if (len < 4)
		return false;
	d.w = arm_fetch(c, p, 4);
	in->len = 4;
	arm_cond(&d, d.w >> 28);
	arm_decode(&d, d.w >> 28 == 15 ? unconditional : forms);
	return true;
}

/*
 * AAPCS32, 6.1.1: r4 to r11; 6.2.1.1: the stack pointer is a multiple of 4, of 8 between functions, but not in older
 * programs.  What is 8 before a return address is the first part of a call in two, link_call()'s.
 */
const struct code_machine code_arm = {
	.machine = EM_ARM, .word = 4, .reg = 4, .step = 4, .longest = 4, .sp = ARM_SP_REG, .ra = ARM_LR_REG, .sp_align = 4,
	.saved = 0xff0, .call_len = { 8, 4 }, .has_pools = true, .decode = decode,
};
