#include "base/util.h"
#include "unwind/arm/armcode.h"

/* The ARM instruction set; what both sets share. */

enum { SP = 13, PC = 15, ALWAYS = 14 };

void insn_list(struct insn *i, bool load, unsigned rn, unsigned mask, s32 imm, s32 wb)
{
	i->kind = load ? CODE_LOAD : CODE_STORE;
	i->rn = (u8)rn;
	i->imm = imm;
	i->wb = wb;
	for (u8 r = 0; r < 16; r++)
		if (mask >> r & 1)
			i->regs[i->n_regs++] = r;
	if (load && mask >> PC & 1)
		i->kind = CODE_END;
}

void insn_word(struct insn *i, bool load, unsigned rn, unsigned rt, s32 imm, s32 wb)
{
	insn_list(i, load, rn, 1u << rt, imm, wb);
}

bool insn_vfp(struct insn *i, u32 w)
{
	bool push = (w & 0x0fbf0e00) == 0x0d2d0a00, pop = (w & 0x0fbf0e00) == 0x0cbd0a00;

	if (!push && !pop)
		return false;
	i->kind = CODE_ADD;
	i->rd = i->rn = SP;
	i->imm = (s32)(w & 0xff) * (push ? -4 : 4);
	return true;
}

/* ---- forms; cond is looked at by arm_insn() */

static void a_other(u32 at, u32 w, struct insn *i)
{
	(void)at;
	if (!insn_vfp(i, w))
		i->kind = CODE_OTHER;
}

static void a_end(u32 at, u32 w, struct insn *i)
{
	(void)at;
	(void)w;
	i->kind = CODE_END;
}

static void a_call(u32 at, u32 w, struct insn *i)
{
	(void)at;
	(void)w;
	i->kind = CODE_CALL;
}

static void a_link(u32 at, u32 w, struct insn *i)
{
	(void)at;
	(void)w;
	i->kind = CODE_LINK;
}

static void a_branch(u32 at, u32 w, struct insn *i)
{
	i->kind = i->cond ? CODE_BRANCH : CODE_JUMP;
	i->target = at + 8 + ((u32)insn_signed(w, 24) << 2);
}

static void a_multiple(u32 at, u32 w, struct insn *i)
{
	s32 n = 4 * __builtin_popcount(w & 0xffff);
	bool up = bits(w, 23, 1), before = bits(w, 24, 1);
	s32 first = up ? (before ? 4 : 0) : (before ? -n : 4 - n);

	(void)at;
	insn_list(i, bits(w, 20, 1), bits(w, 16, 4), w & 0xffff, first, bits(w, 21, 1) ? (up ? n : -n) : 0);
}

/* Places: [rn, #imm], [rn, #imm]! and [rn], #imm. */
static void index_by(u32 w, s32 off, s32 *imm, s32 *wb)
{
	bool before = bits(w, 24, 1);

	off = bits(w, 23, 1) ? off : -off;
	*imm = before ? off : 0;
	*wb = !before || bits(w, 21, 1) ? off : 0;
}

static void a_load_store(u32 at, u32 w, struct insn *i)
{
	unsigned rn = bits(w, 16, 4), rt = bits(w, 12, 4);
	bool load = bits(w, 20, 1), reg = bits(w, 25, 1);
	s32 imm, wb;

	if (load && reg && rt == PC && rn == PC) {
		i->kind = CODE_TABLE;
		i->imm = 4;
		i->target = at + 8;
		return;
	}
	index_by(w, (s32)bits(w, 0, 12), &imm, &wb);
	if (!reg && !bits(w, 22, 1)) {
		insn_word(i, load, rn, rt, imm, wb);
		return;
	}
	i->kind = !load ? CODE_OTHER : rt == PC ? CODE_END : CODE_CLOBBER;
	i->rd = (u8)rt;
	/* By a register, and written back: only the stack pointer's loss counts. */
	if (wb && rn == SP) {
		i->kind = CODE_CLOBBER;
		i->rd = SP;
	}
}

/* Halfwords and signed bytes; doublewords, whose registers are an even one and the next. */
static void a_extra(u32 at, u32 w, struct insn *i)
{
	unsigned op = bits(w, 5, 2), rt = bits(w, 12, 4);
	s32 imm, wb;

	(void)at;
	index_by(w, (s32)(bits(w, 8, 4) << 4 | bits(w, 0, 4)), &imm, &wb);
	i->rd = (u8)rt;
	if (op >= 2 && !bits(w, 20, 1) && bits(w, 22, 1))
		insn_list(i, op == 2, bits(w, 16, 4), 3u << (rt & 14), imm, wb);
	else if (op && bits(w, 20, 1))
		i->kind = CODE_CLOBBER;
}

static void a_movw(u32 at, u32 w, struct insn *i)
{
	(void)at;
	i->kind = CODE_CONST;
	i->rd = (u8)bits(w, 12, 4);
	i->imm = (s32)(bits(w, 16, 4) << 12 | bits(w, 0, 12));
}

static u32 rotated(u32 w)
{
	u32 v = w & 0xff, by = 2 * bits(w, 8, 4);

	return by ? v >> by | v << (32 - by) : v;
}

enum { OP_SUB = 2, OP_ADD = 4, OP_TST = 8, OP_CMN = 11, OP_MOV = 13 };

static void by_immediate(u32 w, unsigned op, struct insn *i)
{
	i->imm = (s32)rotated(w);
	if (op == OP_MOV)
		i->kind = CODE_CONST;
	else if (op == OP_ADD || op == OP_SUB)
		i->kind = CODE_ADD;
	if (op == OP_SUB)
		i->imm = (s32)-(u32)i->imm;
}

/* Not shifted: bits 11 to 4 are 0. */
static void by_register(u32 w, unsigned op, struct insn *i)
{
	i->rm = (u8)bits(w, 0, 4);
	i->imm = op == OP_SUB ? -1 : 0;
	if (op == OP_ADD || op == OP_SUB) {
		i->kind = CODE_ADD_REG;
	} else if (op == OP_MOV) {
		i->kind = CODE_ADD;
		i->rn = i->rm;
	}
}

static void a_data(u32 at, u32 w, struct insn *i)
{
	unsigned op = bits(w, 21, 4);
	bool imm = bits(w, 25, 1);

	i->rd = (u8)bits(w, 12, 4);
	/* Comparisons; without flags these are movt, mrs, msr and others. */
	if (op >= OP_TST && op <= OP_CMN) {
		i->kind = bits(w, 20, 1) || i->rd == PC ? CODE_OTHER : CODE_CLOBBER;
		return;
	}
	i->kind = CODE_CLOBBER;
	i->rn = (u8)bits(w, 16, 4);
	if (imm)
		by_immediate(w, op, i);
	else if (!bits(w, 4, 8))
		by_register(w, op, i);
	if (i->rd != PC) {
		/* pc-relative addresses do not affect the result. */
		if (i->kind != CODE_CLOBBER && i->kind != CODE_CONST && (i->rn == PC || i->rm == PC))
			i->kind = CODE_CLOBBER;
		return;
	}
	i->kind = op == OP_ADD && i->rn == PC && !imm ? CODE_BRANCHES : CODE_END;
	i->target = at + 8;
}

static const struct {
	u32 mask, value;
	void (*decode)(u32 at, u32 w, struct insn *i);
} forms[] = {
	{ 0xffffffff, 0xe1a0e00f, a_link },	/* mov lr, pc */
	{ 0x0ffffff0, 0x012fff10, a_end },	/* bx */
	{ 0x0ffffff0, 0x012fff20, a_end },	/* bxj */
	{ 0x0ffffff0, 0x012fff30, a_call },	/* blx */
	{ 0x0ff000f0, 0x01200070, a_end },	/* bkpt */
	{ 0x0ff000f0, 0x07f000f0, a_end },	/* udf */
	{ 0x0f000000, 0x0a000000, a_branch },
	{ 0x0f000000, 0x0b000000, a_call },
	{ 0x0e000000, 0x08000000, a_multiple },
	{ 0x0e000010, 0x06000010, a_other },	/* media */
	{ 0x0c000000, 0x04000000, a_load_store },
	{ 0x0e000090, 0x00000090, a_extra },
	{ 0x0ff00000, 0x03000000, a_movw },
	{ 0x0c000000, 0x00000000, a_data },
	{ 0, 0, a_other },
};

struct insn arm_insn(u32 at, u32 w)
{
	struct insn i = { .len = 4, .cond = w >> 28 != ALWAYS };
	size_t n = 0;

	if (w >> 28 == 15) {
		/* blx with an immediate is all that goes anywhere. */
		i.cond = false;
		i.kind = bits(w, 25, 3) == 5 ? CODE_CALL : CODE_OTHER;
		return i;
	}
	while ((w & forms[n].mask) != forms[n].value)
		n++;
	forms[n].decode(at, w, &i);
	return i;
}
