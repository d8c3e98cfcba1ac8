#include "base/util.h"
#include "unwind/code/code_armop.h"

/* 32-bit Arm: what instructions do, of both sets. */

void arm_decode(struct arm *d, const struct arm_form *forms)
{
	while ((d->w & forms->mask) != forms->value)
		forms++;
	forms->decode(d);
}

enum { BE8 = 0x00800000 };
u32 arm_fetch(const struct code_reader *c, const u8 *p, unsigned size)
{
	bool is_big = c->fmt.data == ELFDATA2MSB && c->has_file && !(c->flags & BE8);

	return (u32)uint_get((struct elffmt){ ELFCLASS32, is_big ? ELFDATA2MSB : ELFDATA2LSB }, p, size);
}

void arm_cond(struct arm *d, u32 cond)
{
	d->in->cond = cond >= ARM_ALWAYS ? 0 : (u8)(cond + 1);
}

/* ---- registers */

static void add(struct arm *d, struct code_op op)
{
	if (d->in->n_ops < CODE_OPS_MAX)
		d->in->ops[d->in->n_ops++] = op;
}

void arm_clobber(struct arm *d, u32 rd)
{
	if (rd != ARM_PC_REG)
		d->in->clobbers |= 1ULL << rd;
}

void arm_set(struct arm *d, u32 rd, u32 rn, s32 imm)
{
	if (rn == ARM_PC_REG)
		arm_clobber(d, rd);
	else
		add(d, (struct code_op){ .what = CODE_SET, .dst = (u8)rd, .src = (u8)rn, .imm = imm });
}

void arm_number(struct arm *d, u32 rd, u32 v)
{
	add(d, (struct code_op){ .what = CODE_SET, .dst = (u8)rd, .src = CODE_CONST, .imm = (s32)v });
}

void arm_sum(struct arm *d, u32 rd, u32 rn, u32 rm, bool minus)
{
	if (rn == ARM_PC_REG || rm == ARM_PC_REG)
		arm_clobber(d, rd);
	else
		add(d, (struct code_op){ .what = CODE_ADD, .dst = (u8)rd, .src = (u8)rn, .other = (u8)rm,
					 .imm = minus ? -1 : 1 });
}

void arm_clear(struct arm *d, u32 rd, u32 rn, u32 mask)
{
	if (mask && !(mask & (mask + 1)) && rn != ARM_PC_REG)
		add(d, (struct code_op){ .what = CODE_ALIGN, .dst = (u8)rd, .src = (u8)rn, .imm = -(s64)mask - 1 });
	else
		arm_clobber(d, rd);
}

/* ---- memory */

static void word(struct arm *d, const struct arm_place *at, u8 rt, s32 imm)
{
	if (!at->load)
		add(d, (struct code_op){ .what = CODE_STORE, .dst = at->rn, .src = rt, .size = 4, .imm = imm });
	else if (at->rn == ARM_PC_REG)
		add(d, (struct code_op){ .what = CODE_LITERAL, .dst = rt, .imm = (u32)((d->pc & ~3U) + (u32)imm) });
	else
		add(d, (struct code_op){ .what = CODE_LOAD, .dst = rt, .src = at->rn, .size = 4, .imm = imm });
}

static void write_back(struct arm *d, const struct arm_place *at)
{
	if (at->wb)
		arm_set(d, at->rn, at->rn, at->wb);
}

static bool after_link(const struct arm *d)
{
	return d->was.next == d->in->addr && d->was.reg == ARM_LR_REG;
}

/* What was loaded is gone to.  From the stack it is a return address. */
static void jump_loaded(struct arm *d, const struct arm_place *at, bool many)
{
	d->in->flow = CODE_JUMP;
	d->in->ret = ARM_PC_REG;
	if (after_link(d))
		d->in->flow = CODE_CALL;
	else if (many || at->rn == ARM_SP_REG)
		d->in->flow = CODE_RETURN;
	if (at->rn != ARM_PC_REG || many)
		return;
	d->in->target = (u32)((d->pc & ~3U) + (u32)at->imm);
	d->in->has_target = d->in->is_slot = true;
}

/* A load of its own base is the last. */
static void transfer(struct arm *d, const struct arm_place *at, const u8 *regs, size_t n)
{
	bool own = false;

	for (size_t i = 0; i < n; i++) {
		own |= at->load && regs[i] == at->rn;
		if (!at->load || regs[i] != at->rn)
			word(d, at, regs[i], at->imm + 4 * (s32)i);
	}
	for (size_t i = 0; own && i < n; i++)
		if (regs[i] == at->rn)
			word(d, at, regs[i], at->imm + 4 * (s32)i);
	if (!own)
		write_back(d, at);
	for (size_t i = 0; at->load && i < n; i++)
		if (regs[i] == ARM_PC_REG)
			jump_loaded(d, at, n > 1);
}

void arm_list(struct arm *d, const struct arm_place *at, u32 mask)
{
	u8 regs[16];
	size_t n = 0;

	for (u8 r = 0; r < 16; r++)
		if (mask >> r & 1)
			regs[n++] = r;
	transfer(d, at, regs, n);
}

void arm_pair(struct arm *d, const struct arm_place *at, u32 rt, u32 rt2)
{
	transfer(d, at, (const u8[]){ (u8)rt, (u8)rt2 }, 2);
}

void arm_one(struct arm *d, const struct arm_place *at, u32 rt, unsigned size)
{
	if (size == 4) {
		transfer(d, at, (const u8[]){ (u8)rt }, 1);
		return;
	}
	if (at->load)
		arm_clobber(d, rt);
	else
		add(d, (struct code_op){ .what = CODE_STORE, .dst = at->rn, .src = CODE_NONE, .size = (u8)size,
					 .imm = at->imm });
	write_back(d, at);
}

/* ---- jumps */

void arm_nothing(struct arm *d)
{
	(void)d;
}

void arm_stop(struct arm *d)
{
	d->in->flow = CODE_STOP;
}

void arm_jump_to(struct arm *d, enum code_flow flow, u32 to)
{
	d->in->flow = (u8)flow;
	d->in->target = to;
	d->in->has_target = true;
}

void arm_jump(struct arm *d)
{
	d->in->flow = after_link(d) ? CODE_CALL : CODE_JUMP;
}

void arm_jump_reg(struct arm *d, u32 rm)
{
	arm_jump(d);
	if (d->in->flow == CODE_JUMP && rm == ARM_LR_REG) {
		d->in->flow = CODE_RETURN;
		d->in->ret = ARM_LR_REG;
	}
}

void arm_table(struct arm *d, enum code_table table, u32 at)
{
	d->in->flow = CODE_JUMP;
	d->in->table = (u8)table;
	d->in->target = at;
}

/* ---- coprocessors: Arm Architecture Reference Manual, Armv7-A, A5.6 and A7 */

/* By multiples of 4 bytes, the base perhaps moved: VPUSH, VPOP and their kin. */
static void coprocessor_access(struct arm *d)
{
	s32 n = (s32)code_bits(d->w, 7, 0) * 4, off = code_bits(d->w, 23, 23) ? n : -n;
	bool before = code_bits(d->w, 24, 24), back = code_bits(d->w, 21, 21);
	u32 rn = code_bits(d->w, 19, 16);

	/* One register, or several: from the lowest address on. */
	if (before && !back)
		n = code_bits(d->w, 8, 8) ? 8 : 4;
	if (!code_bits(d->w, 20, 20) && n && n < 256 && rn != ARM_PC_REG)
		add(d, (struct code_op){ .what = CODE_STORE, .dst = (u8)rn, .src = CODE_NONE, .size = (u8)n,
					 .imm = before ? off : 0 });
	if (back)
		arm_set(d, rn, rn, off);
}

/* To general registers. */
static void move_two(struct arm *d)
{
	if (!code_bits(d->w, 20, 20))
		return;
	arm_clobber(d, code_bits(d->w, 15, 12));
	arm_clobber(d, code_bits(d->w, 19, 16));
}

static void move_one(struct arm *d)
{
	d->in->sets_cond = true;
	if (code_bits(d->w, 20, 20))
		arm_clobber(d, code_bits(d->w, 15, 12));
}

void arm_coprocessor(struct arm *d)
{
	static const struct arm_form forms[] = {
		{ 0x0fe00000, 0x0c400000, move_two },
		{ 0x0e000000, 0x0c000000, coprocessor_access },
		{ 0x0f000010, 0x0e000010, move_one },
		{ 0, 0, arm_nothing },
	};

	arm_decode(d, forms);
}

/* A7.7: by 13 the base is moved by what was accessed, by 15 it is not, else by a register. */
void arm_elements(struct arm *d)
{
	if (code_bits(d->w, 3, 0) != 15)
		arm_clobber(d, code_bits(d->w, 19, 16));
}
