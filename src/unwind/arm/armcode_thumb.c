#include "base/util.h"
#include "unwind/arm/armcode.h"

/* The Thumb instruction set. */

enum { SP = 13, LR = 14, PC = 15 };

static void add(struct insn *i, unsigned rd, unsigned rn, s32 imm)
{
	*i = (struct insn){ .kind = CODE_ADD, .rd = (u8)rd, .rn = (u8)rn, .imm = imm };
}

static void set(struct insn *i, enum code_kind kind, unsigned rd, u32 imm)
{
	*i = (struct insn){ .kind = kind, .rd = (u8)rd, .imm = (s32)imm };
}

/* ---- of one halfword: @w is that */

static void t_push(u32 at, u32 w, struct insn *i)
{
	unsigned mask = (w & 0xff) | bits(w, 8, 1) << LR;
	s32 n = 4 * __builtin_popcount(mask);

	(void)at;
	insn_list(i, false, SP, mask, -n, -n);
}

static void t_pop(u32 at, u32 w, struct insn *i)
{
	unsigned mask = (w & 0xff) | bits(w, 8, 1) << PC;

	(void)at;
	insn_list(i, true, SP, mask, 0, 4 * __builtin_popcount(mask));
}

static void t_multiple(u32 at, u32 w, struct insn *i)
{
	(void)at;
	insn_list(i, bits(w, 11, 1), bits(w, 8, 3), w & 0xff, 0, 4 * __builtin_popcount(w & 0xff));
}

static void t_move_sp(u32 at, u32 w, struct insn *i)
{
	s32 imm = (s32)bits(w, 0, 7) << 2;

	(void)at;
	add(i, SP, SP, bits(w, 7, 1) ? -imm : imm);
}

static void t_add_sp(u32 at, u32 w, struct insn *i)
{
	(void)at;
	add(i, bits(w, 8, 3), SP, (s32)bits(w, 0, 8) << 2);
}

static void t_add_high(u32 at, u32 w, struct insn *i)
{
	unsigned rd = bits(w, 0, 3) | bits(w, 7, 1) << 3, rm = bits(w, 3, 4);

	(void)at;
	if (rd == PC)
		i->kind = CODE_END;
	else
		*i = (struct insn){ .kind = rm == PC ? CODE_CLOBBER : CODE_ADD_REG, .rd = (u8)rd, .rn = (u8)rd, .rm = (u8)rm };
}

static void t_mov_high(u32 at, u32 w, struct insn *i)
{
	unsigned rd = bits(w, 0, 3) | bits(w, 7, 1) << 3, rm = bits(w, 3, 4);

	(void)at;
	add(i, rd, rm, 0);
	if (rd == PC)
		i->kind = CODE_END;
	else if (rm == PC)
		i->kind = CODE_CLOBBER;
}

static void t_cmp_high(u32 at, u32 w, struct insn *i)
{
	(void)at;
	(void)w;
	i->kind = CODE_OTHER;
}

static void t_bx(u32 at, u32 w, struct insn *i)
{
	(void)at;
	i->kind = bits(w, 7, 1) ? CODE_CALL : CODE_END;
}

static void t_branch_cond(u32 at, u32 w, struct insn *i)
{
	unsigned cond = bits(w, 8, 4);

	i->kind = cond == 14 ? CODE_END : cond == 15 ? CODE_OTHER : CODE_BRANCH;
	i->target = at + 4 + ((u32)insn_signed(w, 8) << 1);
}

static void t_branch(u32 at, u32 w, struct insn *i)
{
	i->kind = CODE_JUMP;
	i->target = at + 4 + ((u32)insn_signed(w, 11) << 1);
}

static void t_branch_zero(u32 at, u32 w, struct insn *i)
{
	i->kind = CODE_BRANCH;
	i->target = at + 4 + (bits(w, 9, 1) << 6 | bits(w, 3, 5) << 1);
}

static void t_it(u32 at, u32 w, struct insn *i)
{
	(void)at;
	i->kind = w & 0xf ? CODE_IT : CODE_OTHER;
	i->imm = w & 0xf ? 4 - __builtin_ctz(w & 0xf) : 0;
}

static void t_word_sp(u32 at, u32 w, struct insn *i)
{
	(void)at;
	insn_word(i, bits(w, 11, 1), SP, bits(w, 8, 3), (s32)bits(w, 0, 8) << 2, 0);
}

static void t_word(u32 at, u32 w, struct insn *i)
{
	(void)at;
	insn_word(i, bits(w, 11, 1), bits(w, 3, 3), bits(w, 0, 3), (s32)bits(w, 6, 5) << 2, 0);
}

static void t_literal(u32 at, u32 w, struct insn *i)
{
	(void)at;
	insn_word(i, true, PC, bits(w, 8, 3), (s32)bits(w, 0, 8) << 2, 0);
}

static void t_mov(u32 at, u32 w, struct insn *i)
{
	(void)at;
	set(i, CODE_CONST, bits(w, 8, 3), w & 0xff);
}

static void t_add_8(u32 at, u32 w, struct insn *i)
{
	(void)at;
	add(i, bits(w, 8, 3), bits(w, 8, 3), bits(w, 11, 1) ? -(s32)(w & 0xff) : (s32)(w & 0xff));
}

static void t_add_3(u32 at, u32 w, struct insn *i)
{
	(void)at;
	add(i, bits(w, 0, 3), bits(w, 3, 3), bits(w, 9, 1) ? -(s32)bits(w, 6, 3) : (s32)bits(w, 6, 3));
}

static void t_low(u32 at, u32 w, struct insn *i)
{
	(void)at;
	set(i, CODE_CLOBBER, bits(w, 0, 3), 0);
}

static void t_adr(u32 at, u32 w, struct insn *i)
{
	(void)at;
	set(i, CODE_CLOBBER, bits(w, 8, 3), 0);
}

static void t_end(u32 at, u32 w, struct insn *i)
{
	(void)at;
	(void)w;
	i->kind = CODE_END;
}

/* ---- of two: @w is both, the first in the upper half */

static void w_multiple(u32 at, u32 w, struct insn *i)
{
	s32 n = 4 * __builtin_popcount(w & 0xffff);
	bool down = bits(w, 24, 1);

	(void)at;
	insn_list(i, bits(w, 20, 1), bits(w, 16, 4), w & 0xffff, down ? -n : 0, !bits(w, 21, 1) ? 0 : down ? -n : n);
}

/* Doublewords, of any two registers; what is encoded between them: exclusives and table branches. */
static void w_double(u32 at, u32 w, struct insn *i)
{
	s32 off = (s32)(w & 0xff) << 2;
	bool before = bits(w, 24, 1), back = bits(w, 21, 1), load = bits(w, 20, 1);

	off = bits(w, 23, 1) ? off : -off;
	if ((w & 0xffffffe0) == 0xe8dff000) {
		i->kind = CODE_TABLE;
		i->imm = w & 0x10 ? 2 : 1;
		i->target = at + 4;
	} else if ((w & 0xfff0ffe0) == 0xe8d0f000) {
		i->kind = CODE_END;
	} else if (before || back) {
		insn_list(i, load, bits(w, 16, 4), 0, before ? off : 0, back ? off : 0);
		i->regs[0] = (u8)bits(w, 12, 4);
		i->regs[1] = (u8)bits(w, 8, 4);
		i->n_regs = 2;
	}
}

enum { OP_MOV = 2, OP_ADD = 8, OP_SUB = 13 };

/* rd 15: a comparison, of which only flags are kept. */
static void w_data_reg(u32 at, u32 w, struct insn *i)
{
	unsigned op = bits(w, 21, 4), rn = bits(w, 16, 4), rd = bits(w, 8, 4), rm = bits(w, 0, 4);

	(void)at;
	if (rd == PC)
		return;
	set(i, CODE_CLOBBER, rd, 0);
	if (w & 0x70f0)
		return;
	if (op == OP_MOV && rn == PC)
		add(i, rd, rm, 0);
	else if (op == OP_ADD || op == OP_SUB)
		*i = (struct insn){ .kind = CODE_ADD_REG, .rd = (u8)rd, .rn = (u8)rn, .rm = (u8)rm, .imm = op == OP_SUB ? -1 : 0 };
}

/* ThumbExpandImm(), A6.3.2. */
static u32 expanded(u32 w)
{
	u32 imm = bits(w, 26, 1) << 11 | bits(w, 12, 3) << 8 | (w & 0xff), low = imm & 0xff, by = imm >> 7;

	if (imm >> 10) {
		low = 0x80 | (imm & 0x7f);
		return low >> by | low << (32 - by);
	}
	switch (imm >> 8) {
	case 0:
		return low;
	case 1:
		return low << 16 | low;
	case 2:
		return low << 24 | low << 8;
	default:
		return low * 0x01010101u;
	}
}

static void w_data_imm(u32 at, u32 w, struct insn *i)
{
	unsigned op = bits(w, 21, 4), rn = bits(w, 16, 4), rd = bits(w, 8, 4);
	u32 imm = expanded(w);

	(void)at;
	if (rd == PC)
		return;
	set(i, CODE_CLOBBER, rd, 0);
	if (op == OP_MOV && rn == PC)
		set(i, CODE_CONST, rd, imm);
	else if (op == OP_ADD || op == OP_SUB)
		add(i, rd, rn, (s32)(op == OP_SUB ? -imm : imm));
}

static void w_plain_imm(u32 at, u32 w, struct insn *i)
{
	unsigned op = bits(w, 20, 5), rn = bits(w, 16, 4), rd = bits(w, 8, 4);
	u32 imm = bits(w, 26, 1) << 11 | bits(w, 12, 3) << 8 | (w & 0xff);

	(void)at;
	set(i, CODE_CLOBBER, rd, 0);
	if (op == 4)
		set(i, CODE_CONST, rd, rn << 12 | imm);
	else if (rn != PC && (op == 0 || op == 10))
		add(i, rd, rn, (s32)(op ? -imm : imm));
}

/* Branches of 25 bits with sign (A8.8.18, T4; bl), and of 21 (T3). */
static u32 far_target(u32 at, u32 w)
{
	u32 s = bits(w, 26, 1), i1 = !(bits(w, 13, 1) ^ s), i2 = !(bits(w, 11, 1) ^ s);

	return at + 4 + (u32)insn_signed(s << 24 | i1 << 23 | i2 << 22 | bits(w, 16, 10) << 12 | bits(w, 0, 11) << 1, 25);
}

static u32 near_target(u32 at, u32 w)
{
	u32 v = bits(w, 26, 1) << 20 | bits(w, 11, 1) << 19 | bits(w, 13, 1) << 18 | bits(w, 16, 6) << 12;

	return at + 4 + (u32)insn_signed(v | bits(w, 0, 11) << 1, 21);
}

static void w_branch(u32 at, u32 w, struct insn *i)
{
	if (w & 0x4000) {
		i->kind = CODE_CALL;
	} else if (w & 0x1000) {
		i->kind = CODE_JUMP;
		i->target = far_target(at, w);
	} else if (bits(w, 23, 3) != 7) {
		i->kind = CODE_BRANCH;
		i->target = near_target(at, w);
	} else if ((w & 0xfff0f000) == 0xf7f0a000) {
		i->kind = CODE_END;
	}
}

static void w_load_store(u32 at, u32 w, struct insn *i)
{
	unsigned rn = bits(w, 16, 4), rt = bits(w, 12, 4);
	bool load = bits(w, 20, 1), word = bits(w, 21, 2) == 2, back;
	s32 off = (s32)(w & 0xfff);

	(void)at;
	if (rn == PC) {
		insn_word(i, true, PC, rt, bits(w, 23, 1) ? off : -off, 0);
	} else if (bits(w, 23, 1)) {
		insn_word(i, load, rn, rt, off, 0);
	} else if (w & 0x800) {
		off = bits(w, 9, 1) ? (s32)(w & 0xff) : -(s32)(w & 0xff);
		back = bits(w, 8, 1);
		insn_word(i, load, rn, rt, bits(w, 10, 1) ? off : 0, back ? off : 0);
	} else {
		/* By a register: no saved one comes from there. */
		set(i, !load ? CODE_OTHER : rt == PC && word ? CODE_END : CODE_CLOBBER, rt, 0);
		return;
	}
	if (!word)
		set(i, load && rt != PC ? CODE_CLOBBER : CODE_OTHER, rt, 0);
}

static void w_other(u32 at, u32 w, struct insn *i)
{
	(void)at;
	insn_vfp(i, w);
}

struct form {
	u32 mask, value;
	void (*decode)(u32 at, u32 w, struct insn *i);
};

/* The first that fits. */
static const struct form narrow[] = {
	{ 0xfe00, 0xb400, t_push },	{ 0xfe00, 0xbc00, t_pop },	{ 0xff00, 0xb000, t_move_sp },
	{ 0xf800, 0xa800, t_add_sp },	{ 0xf800, 0xa000, t_adr },	{ 0xff00, 0x4400, t_add_high },
	{ 0xff00, 0x4500, t_cmp_high }, { 0xff00, 0x4600, t_mov_high }, { 0xff00, 0x4700, t_bx },
	{ 0xf000, 0xd000, t_branch_cond }, { 0xf800, 0xe000, t_branch }, { 0xf500, 0xb100, t_branch_zero },
	{ 0xff00, 0xbf00, t_it },	{ 0xff00, 0xbe00, t_end },	{ 0xf000, 0x9000, t_word_sp },
	{ 0xf000, 0x6000, t_word },	{ 0xf800, 0x4800, t_literal },	{ 0xf800, 0x2000, t_mov },
	{ 0xf800, 0x2800, t_cmp_high },	{ 0xf000, 0x3000, t_add_8 },	{ 0xfc00, 0x1c00, t_add_3 },
	{ 0xf000, 0xc000, t_multiple },
	/* Stores that are of no word or by a register; what is left writes a low register. */
	{ 0xfa00, 0x5000, t_cmp_high },	{ 0xfe00, 0x5400, t_cmp_high }, { 0xf800, 0x7000, t_cmp_high },
	{ 0xf800, 0x8000, t_cmp_high },
	{ 0, 0, t_low },
};

static const struct form wide[] = {
	{ 0xfe400000, 0xe8000000, w_multiple },
	{ 0xfe400000, 0xe8400000, w_double },
	{ 0xfe000000, 0xea000000, w_data_reg },
	{ 0xfa008000, 0xf0000000, w_data_imm },
	{ 0xfa008000, 0xf2000000, w_plain_imm },
	{ 0xf8008000, 0xf0008000, w_branch },
	{ 0xfe000000, 0xf8000000, w_load_store },
	{ 0, 0, w_other },
};

struct insn thumb_insn(u32 at, u32 w)
{
	bool two = thumb_is_wide(w >> 16);
	const struct form *f = two ? wide : narrow;
	struct insn i = { 0 };
	u32 op = two ? w : w >> 16;

	while ((op & f->mask) != f->value)
		f++;
	f->decode(at, op, &i);
	i.len = two ? 4 : 2;
	return i;
}
