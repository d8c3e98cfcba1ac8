#include "base/util.h"
#include "unwind/code/code_rv.h"

/*
 * RISC-V of 64 and of 32 bits.  The RISC-V Instruction Set Manual, Volume I,
 * 20191213, chapters 2 and 5, and chapter 24 for the opcodes: instructions of 32 bits,
 * and of 16, code_rvc.c's, where the two low bits are not both set; always
 * little-endian.  For those that matter neither to the stack nor to the flow it is
 * enough to know which general register they write: too many is safe.
 */

/* ---- immediates: 2.3 */

static const struct rv_form
	form_i = { 12, { { 31, 20, 0 } } },
	form_s = { 12, { { 31, 25, 5 }, { 11, 7, 0 } } },
	form_b = { 13, { { 31, 31, 12 }, { 30, 25, 5 }, { 11, 8, 1 }, { 7, 7, 11 } } },
	form_j = { 21, { { 31, 31, 20 }, { 30, 21, 1 }, { 20, 20, 11 }, { 19, 12, 12 } } };

/* ---- 32 bits: by opcode */

static void op_imm(struct riscv *d, u32 rd, u32 rs)
{
	s64 imm = rv_imm(d, &form_i);

	switch (code_bits(d->w, 14, 12)) {
	case 0:
		rv_set(d, rd, rs, imm);
		d->in->is_nop = !rd && !rs;
		break;
	case 1:
		rv_shift_left(d, rd, rs, code_bits(d->w, 31, 26) ? 0 : code_bits(d->w, 25, 20));
		break;
	case 7:
		/* AND with ones above some bit. */
		if (rd == RV_SP && imm < 0 && !(-imm & (-imm - 1)))
			rv_op(d, (struct code_op){ .what = CODE_ALIGN, .dst = RV_SP, .src = (u8)rs, .imm = imm });
		else
			rv_clobber(d, rd);
		break;
	default:
		rv_clobber(d, rd);
	}
}

/* ADD, SUB, and the sums of Zba (The RISC-V Bit-Manipulation ISA-extensions, sh1add to sh3add). */
static void op(struct riscv *d, u32 rd, u32 rs)
{
	u32 funct7 = code_bits(d->w, 31, 25), funct3 = code_bits(d->w, 14, 12), rs2 = code_bits(d->w, 24, 20);

	if (!funct3 && (!funct7 || funct7 == 0x20))
		rv_sum(d, rd, rs, rs2, funct7 ? -1 : 1);
	else if (funct7 == 0x10 && funct3 && !(funct3 & 1))
		rv_sum(d, rd, rs2, rs, 1LL << funct3 / 2);
	else
		rv_clobber(d, rd);
}

/* Those of vectors, too, which have other widths. */
static void store_fp(struct riscv *d, u32 base)
{
	u32 width = code_bits(d->w, 14, 12);

	if (width >= 1 && width <= 4)
		rv_store(d, CODE_NONE, base, rv_imm(d, &form_s), 1u << width);
}

/* LR writes no memory; AMOCAS may write a pair of registers. */
static void amo(struct riscv *d, u32 rd, u32 base)
{
	u32 funct5 = code_bits(d->w, 31, 27);

	if (funct5 != 2)
		rv_store(d, CODE_NONE, base, 0, 1u << code_bits(d->w, 14, 12));
	rv_clobber(d, rd);
	if (funct5 == 5 && rd < 31)
		rv_clobber(d, rd + 1);
}

/* Comparisons, conversions to integers, FMV.X and FCLASS: table 24.2. */
static void op_fp(struct riscv *d, u32 rd)
{
	u32 funct5 = code_bits(d->w, 31, 27);

	if (funct5 == 0x14 || funct5 == 0x18 || funct5 == 0x1c)
		rv_clobber(d, rd);
}

/* RISC-V "V" Vector Extension 1.0, chapter 19: vset{i}vl{i}; vmv.x.s, vcpop.m, vfirst.m. */
static void op_v(struct riscv *d, u32 rd)
{
	u32 funct3 = code_bits(d->w, 14, 12);

	if (funct3 == 7 || (funct3 == 2 && code_bits(d->w, 31, 26) == 0x10))
		rv_clobber(d, rd);
}

/* A system call changes a0.  WFI and the WRS of Zawrs go on; "unimp" writes a CSR that cannot be. */
static void op_system(struct riscv *d, u32 rd)
{
	u32 funct12 = code_bits(d->w, 31, 20);

	if (code_bits(d->w, 14, 12)) {
		rv_clobber(d, rd);
		if (d->w == 0xc0001073)
			d->in->flow = CODE_STOP;
	} else if (!funct12) {
		rv_clobber(d, RV_A0);
	} else if (funct12 != 0x105 && funct12 != 0x00d && funct12 != 0x01d) {
		d->in->flow = CODE_STOP;
	}
}

static void whole(struct riscv *d)
{
	u32 rd = code_bits(d->w, 11, 7), rs = code_bits(d->w, 19, 15), rs2 = code_bits(d->w, 24, 20);
	u32 width = code_bits(d->w, 14, 12);
	u64 high = (u64)(s64)(s32)(d->w & 0xfffff000), here = d->in->addr;

	/* Table 24.1, by bits 6 to 2. */
	switch (code_bits(d->w, 6, 2)) {
	case 0x00:	/* LOAD */
		rv_load(d, rd, rs, rv_imm(d, &form_i), 1u << (width & 3));
		break;
	case 0x01:	/* LOAD-FP */
	case 0x03:	/* MISC-MEM */
	case 0x10: case 0x11: case 0x12: case 0x13:	/* MADD and its kin */
		break;
	case 0x04:
		op_imm(d, rd, rs);
		break;
	case 0x05:	/* AUIPC */
		rv_set(d, rd, 0, (s64)(here + high));
		rv_upper(d, rd, here + high, false);
		break;
	case 0x06:	/* OP-IMM-32 */
		if (!width)
			rv_add_word(d, rd, rs, rv_imm(d, &form_i));
		else
			rv_clobber(d, rd);
		break;
	case 0x08:	/* STORE */
		rv_store(d, rv_source(rs2), rs, rv_imm(d, &form_s), 1u << (width & 3));
		break;
	case 0x09:
		store_fp(d, rs);
		break;
	case 0x0b:
		amo(d, rd, rs);
		break;
	case 0x0c:
		op(d, rd, rs);
		break;
	case 0x0d:	/* LUI */
		rv_set(d, rd, 0, (s64)high);
		rv_upper(d, rd, high, false);
		break;
	case 0x0e:	/* OP-32 */
	case 0x1d:	/* vector cryptography has its own registers there, other drafts these */
		rv_clobber(d, rd);
		break;
	case 0x14:
		op_fp(d, rd);
		break;
	case 0x15:
		op_v(d, rd);
		break;
	case 0x18:	/* BRANCH */
		rv_jump_to(d, CODE_BRANCH, here + (u64)rv_imm(d, &form_b));
		break;
	case 0x19:	/* JALR */
		rv_jump_reg(d, rd, rs, rv_imm(d, &form_i));
		break;
	case 0x1b:	/* JAL */
		rv_jump_to(d, rv_link(d, rd), here + (u64)rv_imm(d, &form_j));
		break;
	case 0x1c:
		op_system(d, rd);
		break;
	default:
		/* Vendors' own may write any register that they name: loads that move their base, or of two. */
		rv_clobber(d, rd);
		rv_clobber(d, rs);
		rv_clobber(d, rs2);
	}
}

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	static void (*const quadrants[])(struct riscv *) = { rv_quadrant0, rv_quadrant1, rv_quadrant2, whole };
	struct riscv d = { .in = in, .c = c, .is64 = c->m->word == 8, .was = c->upper };

	c->upper = (struct code_upper){ 0 };
	if (len < 2)
		return false;
	in->len = (p[0] & 3) == 3 ? 4 : 2;
	/* 1.5: longer ones have all of the five low bits set; none is defined yet. */
	if (len < in->len || (p[0] & 0x1f) == 0x1f)
		return false;
	d.w = p[0] | (u32)p[1] << 8;
	if (in->len == 4)
		d.w |= (u32)p[2] << 16 | (u32)p[3] << 24;
	quadrants[p[0] & 3](&d);
	return true;
}

/*
 * RISC-V ABIs Specification, "Integer Register Convention": s0 to s11; "Integer
 * Calling Convention": the stack pointer is a multiple of 16.  What is 8 before a
 * return address is the AUIPC of a call that is farther than JAL reaches.
 */
#define RISCV(w) { \
	.machine = EM_RISCV, .word = (w), .reg = (w), .step = 2, .longest = 4, .sp = RV_SP, .ra = RV_RA, .sp_align = 16, \
	.saved = 3ULL << 8 | 0x3ffULL << 18, .call_len = { 8, 4, 2 }, .decode = decode, \
}
const struct code_machine code_riscv64 = RISCV(8), code_riscv32 = RISCV(4);
