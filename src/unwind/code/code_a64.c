#include "unwind/code/insn.h"

/*
 * arm64.  Arm ARM (DDI 0487), C4.1: instructions of 32 bits, always little-endian,
 * and few of them move a stack pointer or save a register.  For the others it is
 * enough to know which general register they write: too many is safe.
 */
enum { X0 = 0, LR = 30, SP = 31, ZR = CODE_NONE };

struct a64 {
	u32 w;
	struct code_insn *in;
};

static u32 insn_of(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

/* Register 31 is the stack pointer or zero, as the instruction has it. */
static u8 reg_or_zero(u32 n)
{
	return n == 31 ? ZR : (u8)n;
}

static void add(struct a64 *d, struct code_op op)
{
	if (d->in->n_ops < CODE_OPS_MAX)
		d->in->ops[d->in->n_ops++] = op;
}

static void set(struct a64 *d, u8 dst, u8 src, s64 imm)
{
	add(d, (struct code_op){ .what = CODE_SET, .dst = dst, .src = src, .imm = imm });
}

static void clobber(struct a64 *d, u8 n)
{
	if (n != ZR)
		d->in->clobbers |= 1ULL << n;
}

/* ---- data processing */

/* ADD, SUB (immediate): C6.2. */
static void add_imm(struct a64 *d)
{
	s64 imm = (s64)code_bits(d->w, 21, 10) << (code_bits(d->w, 22, 22) ? 12 : 0);
	bool flags = code_bits(d->w, 29, 29);
	u8 rd = (u8)code_bits(d->w, 4, 0), dst = flags ? reg_or_zero(rd) : rd;

	if (code_bits(d->w, 31, 31))
		set(d, dst, (u8)code_bits(d->w, 9, 5), code_bits(d->w, 30, 30) ? -imm : imm);
	else
		clobber(d, dst);
}

/* AND with ones above some bit: that aligns.  The mask is imms + 1 ones, rotated right by immr: DecodeBitMasks(). */
static void logical_imm(struct a64 *d)
{
	u32 immr = code_bits(d->w, 21, 16), imms = code_bits(d->w, 15, 10), opc = code_bits(d->w, 30, 29);
	u8 rd = (u8)code_bits(d->w, 4, 0), rn = (u8)code_bits(d->w, 9, 5);

	if (code_bits(d->w, 31, 31) && code_bits(d->w, 22, 22) && opc == 0 && rn != 31 && imms < 63 &&
	    immr == imms + 1 && imms > 31)
		add(d, (struct code_op){ .what = CODE_ALIGN, .dst = rd, .src = rn, .imm = -(1LL << (63 - imms)) });
	else
		clobber(d, opc == 3 ? reg_or_zero(rd) : rd);
}

/* MOVZ and MOVN; MOVK changes a part of what is there. */
static void move_wide(struct a64 *d)
{
	u64 v = (u64)code_bits(d->w, 20, 5) << 16 * code_bits(d->w, 22, 21);
	u8 rd = reg_or_zero(code_bits(d->w, 4, 0));

	if (code_bits(d->w, 30, 29) == 2)
		set(d, rd, CODE_CONST, (s64)v);
	else if (code_bits(d->w, 31, 29) == 4)
		set(d, rd, CODE_CONST, (s64)~v);
	else
		clobber(d, rd);
}

static void data_imm(struct a64 *d)
{
	switch (code_bits(d->w, 25, 23)) {
	case 2:
		add_imm(d);
		break;
	case 4:
		logical_imm(d);
		break;
	case 5:
		move_wide(d);
		break;
	case 3:
		/* ADDG, SUBG: register 31 is the stack pointer. */
		clobber(d, (u8)code_bits(d->w, 4, 0));
		break;
	default:
		clobber(d, reg_or_zero(code_bits(d->w, 4, 0)));
	}
}

static void data_reg(struct a64 *d)
{
	u8 rd = (u8)code_bits(d->w, 4, 0), rn = (u8)code_bits(d->w, 9, 5), rm = reg_or_zero(code_bits(d->w, 20, 16));
	s64 sign = code_bits(d->w, 30, 30) ? -1 : 1;

	/* MOV (register) is ORR with zero. */
	if ((d->w & 0xffe0ffe0) == 0xaa0003e0)
		set(d, reg_or_zero(rd), rm == ZR ? CODE_CONST : rm, 0);
	/* ADD, SUB (extended register), UXTX #0: the one that can have the stack pointer. */
	else if ((d->w & 0xbfe0fc00) == 0x8b206000)
		add(d, (struct code_op){ .what = CODE_ADD, .dst = rd, .src = rn, .other = rm, .imm = sign });
	else if ((d->w & 0xbf20fc00) == 0x8b000000 && rn != 31)
		add(d, (struct code_op){ .what = CODE_ADD, .dst = reg_or_zero(rd), .src = rn, .other = rm, .imm = sign });
	/* The rest of the extended ones. */
	else if ((d->w & 0x3f200000) == 0x0b200000)
		clobber(d, rd);
	/* PACIA and its kin sign and check x30 and leave its address as it is. */
	else if ((d->w & 0xffff0000) != 0xdac10000 || rd != LR)
		clobber(d, reg_or_zero(rd));
}

/* Conversions to integers and moves to general registers; the others have vector registers only. */
static void data_simd(struct a64 *d)
{
	u32 opcode = code_bits(d->w, 18, 16);
	/* Not SCVTF, UCVTF, and FMOV to a vector register. */
	bool to_int = ((d->w & 0x7f20fc00) == 0x1e200000 || (d->w & 0x7f200000) == 0x1e000000) && opcode != 2 &&
		      opcode != 3 && opcode != 7;
	bool to_general = (d->w & 0x9fe0d400) == 0x0e001400;

	if (to_int || to_general)
		clobber(d, reg_or_zero(code_bits(d->w, 4, 0)));
}

/* ---- loads and stores */

struct access {
	u8 base;
	s64 imm;
	u8 size;	/* bytes of one register */
	bool is_load, is_vector;
	bool writes_back, before;	/* the base, and before the access */
};

static void one(struct a64 *d, const struct access *a, u8 rt, s64 at)
{
	if (!a->is_load)
		add(d, (struct code_op){ .what = CODE_STORE, .dst = a->base, .src = a->is_vector ? CODE_NONE : rt,
					 .size = a->size, .imm = at });
	else if (!a->is_vector && rt != ZR)
		add(d, (struct code_op){ .what = CODE_LOAD, .dst = rt, .src = a->base, .size = a->size, .imm = at });
}

static void transfer(struct a64 *d, const struct access *a, u8 rt, u8 rt2, bool pair)
{
	s64 at = a->writes_back && !a->before ? 0 : a->imm;
	/* A load of its own base is loaded last. */
	bool swapped = pair && a->is_load && !a->is_vector && rt == a->base;

	if (!swapped)
		one(d, a, rt, at);
	if (pair)
		one(d, a, rt2, at + a->size);
	if (swapped)
		one(d, a, rt, at);
	if (a->writes_back)
		set(d, a->base, a->base, a->imm);
}

/* LDP, STP and their kin. */
static void pair(struct a64 *d)
{
	u32 opc = code_bits(d->w, 31, 30), mode = code_bits(d->w, 24, 23);
	struct access a = {
		.base = (u8)code_bits(d->w, 9, 5), .is_load = code_bits(d->w, 22, 22), .is_vector = code_bits(d->w, 26, 26),
		.writes_back = mode & 1, .before = mode == 3,
	};

	a.size = (u8)(a.is_vector ? 4 << opc : opc & 2 ? 8 : 4);
	/* STGP stores 16 bytes and counts in them; LDPSW loads 4. */
	a.imm = code_sbits(d->w, 21, 15) * (!a.is_vector && opc == 1 && !a.is_load ? 16 : a.size);
	if (!a.is_vector && opc == 1 && !a.is_load)
		a.size = 8;
	transfer(d, &a, reg_or_zero(code_bits(d->w, 4, 0)), reg_or_zero(code_bits(d->w, 14, 10)), true);
}

/* LDR, STR (immediate) and their kin, of all sizes. */
static void single(struct a64 *d)
{
	u32 size = code_bits(d->w, 31, 30), opc = code_bits(d->w, 23, 22), mode = code_bits(d->w, 11, 10);
	bool is_scaled = code_bits(d->w, 24, 24);
	struct access a = { .base = (u8)code_bits(d->w, 9, 5), .is_vector = code_bits(d->w, 26, 26) };

	/* PRFM. */
	if (!a.is_vector && size == 3 && opc == 2)
		return;
	a.is_load = a.is_vector ? opc & 1 : opc != 0;
	a.size = (u8)(a.is_vector && opc & 2 ? 16 : 1 << size);
	a.imm = is_scaled ? (s64)code_bits(d->w, 21, 10) * a.size : code_sbits(d->w, 20, 12);
	a.writes_back = !is_scaled && mode & 1;
	a.before = mode == 3;
	transfer(d, &a, reg_or_zero(code_bits(d->w, 4, 0)), ZR, false);
}

/* STG and its kin: tags of memory, with a base that they may move. */
static void tags(struct a64 *d)
{
	u8 base = (u8)code_bits(d->w, 9, 5);

	if (code_bits(d->w, 11, 10) & 1)
		set(d, base, base, 16 * code_sbits(d->w, 20, 12));
	else
		clobber(d, reg_or_zero(code_bits(d->w, 4, 0)));
}

/* By an index, atomically, of vectors: where to is not known, or it does not matter. */
static void other_access(struct a64 *d)
{
	bool is_vectors = (d->w & 0xbe000000) == 0x0c000000, by_index = (d->w & 0x3b200c00) == 0x38200800;
	bool literal = (d->w & 0x3b000000) == 0x18000000;

	if (is_vectors) {
		if (code_bits(d->w, 23, 23))
			clobber(d, (u8)code_bits(d->w, 9, 5));
		return;
	}
	if ((by_index || literal) && (code_bits(d->w, 26, 26) || (by_index && !code_bits(d->w, 23, 22))))
		return;
	clobber(d, reg_or_zero(code_bits(d->w, 4, 0)));
	if (by_index || literal)
		return;
	/* Results, and what they count with. */
	clobber(d, reg_or_zero(code_bits(d->w, 14, 10)));
	clobber(d, reg_or_zero(code_bits(d->w, 20, 16)));
	if ((d->w & 0x3b200400) == 0x38200400 || (d->w & 0x3b200c00) == 0x19000400)
		clobber(d, (u8)code_bits(d->w, 9, 5));
}

static void load_store(struct a64 *d)
{
	if (code_bits(d->w, 29, 27) == 5)
		pair(d);
	else if (code_bits(d->w, 29, 27) == 7 && (code_bits(d->w, 24, 24) || !code_bits(d->w, 21, 21)) &&
		 !code_bits(d->w, 25, 25))
		single(d);
	else if ((d->w & 0xff200000) == 0xd9200000)
		tags(d);
	else
		other_access(d);
}

/* ---- branches */

static void jump_to(struct a64 *d, enum code_flow flow, s64 words)
{
	d->in->flow = (u8)flow;
	d->in->target = d->in->addr + (u64)(4 * words);
	d->in->has_target = true;
}

/* BR, BLR, RET, and those that check a signature. */
static void branch_reg(struct a64 *d)
{
	static const u8 flows[4] = { CODE_JUMP, CODE_CALL, CODE_RETURN, CODE_STOP };

	d->in->flow = code_bits(d->w, 23, 23) ? CODE_STOP : flows[code_bits(d->w, 22, 21)];
	d->in->ret = code_bits(d->w, 11, 11) ? LR : (u8)code_bits(d->w, 9, 5);
	if (d->in->flow == CODE_RETURN && d->in->ret == 31)
		d->in->flow = CODE_STOP;
}

static void branch(struct a64 *d)
{
	if (code_bits(d->w, 30, 26) == 5)
		jump_to(d, code_bits(d->w, 31, 31) ? CODE_CALL : CODE_JUMP, code_sbits(d->w, 25, 0));
	else if (code_bits(d->w, 31, 24) == 0x54 || code_bits(d->w, 30, 25) == 0x1a)
		jump_to(d, CODE_BRANCH, code_sbits(d->w, 23, 5));
	else if (code_bits(d->w, 30, 25) == 0x1b)
		jump_to(d, CODE_BRANCH, code_sbits(d->w, 18, 5));
	else if (code_bits(d->w, 31, 25) == 0x6b)
		branch_reg(d);
	else if (code_bits(d->w, 31, 24) == 0xd4 && (d->w & 0xffe0001f) != 0xd4000001)
		d->in->flow = CODE_STOP;
	else if (code_bits(d->w, 31, 24) == 0xd4)
		clobber(d, X0);
	/* MRS, SYSL; the others write no general register. */
	else if (code_bits(d->w, 31, 22) == 0x354 && code_bits(d->w, 21, 21))
		clobber(d, reg_or_zero(code_bits(d->w, 4, 0)));
	d->in->is_nop = d->w == 0xd503201f;
}

/* SVE and SME: vectors are numbered as registers are; ADDVL and ADDPL move the stack pointer by an unknown amount. */
static void scalable(struct a64 *d)
{
	u8 rd = (u8)code_bits(d->w, 4, 0);

	if ((d->w & 0xffa0f000) == 0x04205000)
		clobber(d, rd);
	else
		clobber(d, reg_or_zero(rd));
}

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	struct a64 d = { .in = in };

	(void)c;
	if (len < 4)
		return false;
	d.w = insn_of(p);
	in->len = 4;
	/* C4.1, by bits 28 to 25. */
	switch (code_bits(d.w, 28, 25)) {
	case 0x8: case 0x9:
		data_imm(&d);
		break;
	case 0xa: case 0xb:
		branch(&d);
		break;
	case 0x4: case 0x6: case 0xc: case 0xe:
		load_store(&d);
		break;
	case 0x5: case 0xd:
		data_reg(&d);
		break;
	case 0x7: case 0xf:
		data_simd(&d);
		break;
	case 0x0: case 0x2:
		/* UDF, or SME. */
		if (!(d.w >> 16))
			in->flow = CODE_STOP;
		else
			scalable(&d);
		break;
	default:
		return false;
	}
	return true;
}

/* adrp x16, PAGE; ldr x17, [x16, OFFSET], after "bti c" where there is one: ABI for the Arm 64-bit Architecture, PLT entries. */
static bool plt_slot(const u8 code[PLT_BYTES], u64 addr, u64 *slot)
{
	unsigned skip = insn_of(code) == 0xd503245f ? 4 : 0;
	u32 adrp = insn_of(code + skip), ldr = insn_of(code + skip + 4);
	u64 pages = (u64)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);

	if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
		return false;
	/* 21 bits, signed. */
	pages -= pages >> 20 << 21;
	*slot = ((addr + skip) & ~0xfffULL) + (pages << 12) + (ldr >> 10 & 0xfff) * 8;
	return true;
}

/* AAPCS64, 6.1.1: x19 to x29; 6.4.5.1: the stack pointer is a multiple of 16. */
const struct code_machine code_aarch64 = {
	.machine = EM_AARCH64, .word = 8, .reg = 8, .step = 4, .longest = 4, .sp = SP, .ra = LR, .sp_align = 16,
	.saved = 0x7ffULL << 19, .call_len = { 4 }, .decode = decode, .plt_slot = plt_slot,
};
