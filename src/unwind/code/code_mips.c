#include "base/uapi.h"
#include "unwind/code/code_mips_jump.h"

/*
 * MIPS, as MIPS Architecture For Programmers, volume II-A, has it: MD00086 (MIPS32)
 * and MD00087 (MIPS64), revisions 5 and, where that is another encoding, 6.
 * Instructions of 32 bits in the byte order of data.  A jump, a branch or a call
 * and the instruction in its delay slot are one of 64 bits here.  For all that do
 * not move the stack pointer or save a register it is enough to know which general
 * register it writes: too many is safe.
 */
enum { V0 = 2, A3 = 7 };
/* Registers that a system call does not keep: Linux 6.12, arch/mips/include/asm/unistd.h and glibc's sysdep.h. */
#define SYSCALL_CLOBBERS (1ULL << 1 | 1ULL << V0 | 1ULL << 3 | 1ULL << A3 | 0xff00 | 1ULL << 24 | 1ULL << 25)

/* Register 0 is zero, whatever is written to it. */
static u8 from(u8 n)
{
	return n ? n : CODE_CONST;
}

static u8 to(u8 n)
{
	return n ? n : CODE_NONE;
}

static void add(struct mips *d, struct code_op op)
{
	if (d->in->n_ops < CODE_OPS_MAX)
		d->in->ops[d->in->n_ops++] = op;
}

static void set(struct mips *d, u8 dst, u8 src, s64 imm)
{
	add(d, (struct code_op){ .what = CODE_SET, .dst = to(dst), .src = src, .imm = imm });
}

static void writes_rs(struct mips *d)
{
	mips_clobber(d, d->rs);
}

static void writes_rt(struct mips *d)
{
	mips_clobber(d, d->rt);
}

static void writes_nothing(struct mips *d)
{
	(void)d;
}

static void stops(struct mips *d)
{
	d->in->flow = CODE_STOP;
}

/* ---- numbers */

/* ADDIU of a 64-bit address would cut it off. */
static void add_imm(struct mips *d)
{
	if (d->m->word == 4 || !d->rs)
		set(d, d->rt, from(d->rs), mips_imm(d));
	else
		mips_clobber(d, d->rt);
}

static void add_imm64(struct mips *d)
{
	if (d->m->reg == 8)
		set(d, d->rt, from(d->rs), mips_imm(d));
	else
		stops(d);
}

static void or_imm(struct mips *d)
{
	add(d, (struct code_op){ .what = CODE_OR, .dst = to(d->rt), .src = from(d->rs), .imm = code_bits(d->w, 15, 0) });
}

/* LUI; release 6 has AUI, which adds. */
static void load_upper(struct mips *d)
{
	if (!d->rs)
		set(d, d->rt, CODE_CONST, (s64)((u64)mips_imm(d) << 16));
	else
		mips_clobber(d, d->rt);
}

static void add_reg(struct mips *d, s64 sign)
{
	add(d, (struct code_op){ .what = CODE_ADD, .dst = to(d->rd), .src = from(d->rs), .other = from(d->rt),
				 .imm = sign });
}

/* AND of the stack pointer aligns it. */
static void and_reg(struct mips *d)
{
	if (d->rd == MIPS_SP && (d->rs == MIPS_SP || d->rt == MIPS_SP))
		add(d, (struct code_op){ .what = CODE_ALIGN, .dst = MIPS_SP, .src = MIPS_SP });
	else
		mips_clobber(d, d->rd);
}

/* OR with zero is the one MOVE. */
static void or_reg(struct mips *d)
{
	if (!d->rt || !d->rs)
		set(d, d->rd, from(d->rs ? d->rs : d->rt), 0);
	else
		mips_clobber(d, d->rd);
}

/* ---- by the field at the end */

static void special(struct mips *d)
{
	switch (code_bits(d->w, 5, 0)) {
	case 0x08:
		mips_jump_reg(d, 0);
		break;
	case 0x09:
		mips_jump_reg(d, d->rd);
		break;
	case 0x0c:
		d->in->clobbers |= SYSCALL_CLOBBERS;
		break;
	/* BREAK, SDBBP. */
	case 0x0d: case 0x0e:
		stops(d);
		break;
	/* ADD, ADDU, SUB, SUBU of 32 bits, and of 64. */
	case 0x20: case 0x21: case 0x22: case 0x23:
		if (d->m->word == 8 && d->rs && d->rt) {
			mips_clobber(d, d->rd);
			break;
		}
		/* fallthrough */
	case 0x2c: case 0x2d: case 0x2e: case 0x2f:
		add_reg(d, code_bits(d->w, 1, 1) ? -1 : 1);
		break;
	case 0x24:
		and_reg(d);
		break;
	case 0x25:
		or_reg(d);
		break;
	/* Traps; TEQ of equal registers is how compilers end a path. */
	case 0x30: case 0x31: case 0x32: case 0x33: case 0x34: case 0x36:
		if (code_bits(d->w, 5, 0) == 0x34 && d->rs == d->rt)
			stops(d);
		break;
	default:
		mips_clobber(d, d->rd);
	}
	d->in->is_nop = !d->w;
}

/* Multiplications, CLZ, and what makers added: the result's field varies. */
static void special2(struct mips *d)
{
	mips_clobber(d, d->rd);
	/* MUL, CLZ, CLO, DCLZ, DCLO. */
	if ((d->w & 0x3f) != 2 && (d->w & 0x3a) != 0x20)
		mips_clobber(d, d->rt);
}

/* EXT, INS and their kin, RDHWR: rt; SEB, WSBH, LWX: rd; of DSP's and of accesses to memory, either. */
static void special3(struct mips *d)
{
	u32 funct = code_bits(d->w, 5, 0);
	bool is_rt = funct < 8 || funct == 0x3b, is_rd = funct == 0x20 || funct == 0x24 || funct == 0x0a;

	if (!is_rd)
		mips_clobber(d, d->rt);
	if (!is_rt)
		mips_clobber(d, d->rd);
}

/* Coprocessors: MFC and CFC are the first; BC, and branches by vectors, have a slot. */
static void coprocessor(struct mips *d)
{
	bool is_fpu = code_bits(d->w, 31, 26) == 0x11;

	if (d->rs < 4)
		mips_clobber(d, d->rt);
	else if (d->rs == 8)
		mips_branch_flag(d);
	else if (d->rs == 9 || d->rs == 13 || (is_fpu && (d->rs == 11 || d->rs == 15 || d->rs >= 24)))
		mips_branch(d);
}

/* RDPGPR writes rd, DI and EI rt. */
static void system_control(struct mips *d)
{
	mips_clobber(d, d->rt);
	mips_clobber(d, d->rd);
}

/* MSA: COPY writes a general register, in the field before the last; ST stores a vector. */
static void vectors(struct mips *d)
{
	u32 minor = code_bits(d->w, 5, 0);

	if (minor >= 0x24 && minor <= 0x27)
		add(d, (struct code_op){ .what = CODE_STORE, .dst = from(d->rd), .src = CODE_NONE, .size = 16,
					 .imm = code_sbits(d->w, 25, 16) * (1 << (minor & 3)) });
	else if (minor < 0x20 || minor > 0x27)
		mips_clobber(d, (u8)code_bits(d->w, 10, 6));
}

/* ---- loads and stores */

static void load(struct mips *d)
{
	add(d, (struct code_op){ .what = CODE_LOAD, .dst = to(d->rt), .src = from(d->rs), .size = d->size,
				 .imm = mips_imm(d) });
}

static void store_of(struct mips *d, u8 src, s64 at)
{
	add(d, (struct code_op){ .what = CODE_STORE, .dst = from(d->rs), .src = src, .size = d->size, .imm = at });
}

static void store(struct mips *d)
{
	store_of(d, from(d->rt), mips_imm(d));
}

/* Not a general register, or a part of one. */
static void store_other(struct mips *d)
{
	store_of(d, CODE_NONE, mips_imm(d));
}

/* SWL, SWR and their kin: a part of the word that the address is in. */
static void store_part(struct mips *d)
{
	store_of(d, CODE_NONE, mips_imm(d) & -(s64)d->size);
}

/* SC, SCD tell by rt if they did. */
static void store_if(struct mips *d)
{
	store_of(d, CODE_NONE, mips_imm(d));
	mips_clobber(d, d->rt);
}

/* ---- the tables: appendix A, by bits 31 to 26; what has no row is not read */

struct opcode {
	void (*decode)(struct mips *d);
	u8 size;	/* of an access, bytes */
};
#define OP(decode_) { .decode = (decode_) }
#define ACCESS(decode_, size_) { .decode = (decode_), .size = (size_) }
static const struct opcode opcodes[64] = {
	[0x00] = OP(special), OP(mips_regimm), OP(mips_jump_region), OP(mips_jump_region),
	[0x04] = OP(mips_branch_equal), OP(mips_branch), OP(mips_branch), OP(mips_branch),
	[0x08] = OP(add_imm), OP(add_imm), OP(writes_rt), OP(writes_rt), OP(writes_rt), OP(or_imm), OP(writes_rt),
	[0x0f] = OP(load_upper), OP(system_control), OP(coprocessor), OP(coprocessor), OP(writes_nothing),
	[0x14] = OP(mips_branch_likely), OP(mips_branch_likely), OP(mips_branch_likely), OP(mips_branch_likely),
	[0x18] = OP(add_imm64), OP(add_imm64), OP(writes_rt), OP(writes_rt),
	[0x1c] = OP(special2), OP(mips_jump_exchange), OP(vectors), OP(special3),
	[0x20] = OP(writes_rt), OP(writes_rt), OP(writes_rt), ACCESS(load, 4),
	[0x24] = OP(writes_rt), OP(writes_rt), OP(writes_rt), OP(writes_rt),
	[0x28] = ACCESS(store_other, 1), ACCESS(store_other, 2), ACCESS(store_part, 4), ACCESS(store, 4),
	[0x2c] = ACCESS(store_part, 8), ACCESS(store_part, 8), ACCESS(store_part, 4), OP(writes_nothing),
	[0x30] = ACCESS(load, 4), OP(writes_nothing), [0x33] = OP(writes_nothing),
	[0x34] = ACCESS(load, 8), OP(writes_nothing), [0x37] = ACCESS(load, 8),
	[0x38] = ACCESS(store_if, 4), ACCESS(store_other, 4),
	[0x3c] = ACCESS(store_if, 8), ACCESS(store_other, 8), [0x3f] = ACCESS(store, 8),
};
/* Release 6, where it differs. */
static const struct opcode opcodes_r6[64] = {
	[0x06] = OP(mips_compact_16), OP(mips_compact_16), OP(mips_compact_16),
	[0x16] = OP(mips_compact_branch), OP(mips_compact_branch), OP(mips_compact_16), [0x1d] = OP(writes_rt),
	[0x32] = OP(mips_compact_jump), [0x36] = OP(mips_compact_21),
	[0x3a] = OP(mips_compact_jump), OP(writes_rs), [0x3e] = OP(mips_compact_21),
};

static bool is_r6(const struct code_reader *c)
{
	return (c->flags & EF_MIPS_ARCH) == EF_MIPS_ARCH_32R6 || (c->flags & EF_MIPS_ARCH) == EF_MIPS_ARCH_64R6;
}

/* One instruction of 32 bits. */
static bool decode_one(const struct code_reader *c, const u8 *p, struct code_insn *in, enum mips_slot *slot)
{
	u32 w = (u32)uint_get(c->fmt, p, 4);
	struct mips d = {
		.m = c->m, .w = w, .rs = (u8)code_bits(w, 25, 21), .rt = (u8)code_bits(w, 20, 16),
		.rd = (u8)code_bits(w, 15, 11), .in = in,
	};
	const struct opcode *op = &opcodes_r6[w >> 26];

	if (!is_r6(c) || !op->decode)
		op = &opcodes[w >> 26];
	if (!op->decode)
		return false;
	d.size = op->size;
	op->decode(&d);
	in->len = 4;
	*slot = d.slot;
	return true;
}

/* What the slot does is perhaps not done. */
static void weaken(struct code_insn *slot)
{
	for (u8 i = 0; i < slot->n_ops; i++) {
		struct code_op *op = &slot->ops[i];

		if (op->what == CODE_STORE)
			op->src = CODE_NONE;
		else if (op->dst < CODE_REGS)
			slot->clobbers |= 1ULL << op->dst;
	}
}

static bool writes_ra(const struct code_insn *in)
{
	for (u8 i = 0; i < in->n_ops; i++)
		if (in->ops[i].what != CODE_STORE && in->ops[i].dst == MIPS_RA)
			return true;
	return in->clobbers >> MIPS_RA & 1;
}

/*
 * The slot's instruction comes before the jump, but after what the jump does to
 * the link register, and it does not change the condition or target of the jump.
 */
static bool add_slot(const struct code_reader *c, const u8 *p, enum mips_slot kind, struct code_insn *in)
{
	struct code_insn slot = { .addr = in->addr + 4 };
	enum mips_slot none;

	if (!decode_one(c, p, &slot, &none) || slot.flow != CODE_NEXT || none != SLOT_NONE)
		return false;
	if (in->flow == CODE_RETURN && writes_ra(&slot))
		return false;
	if (kind == SLOT_LIKELY)
		weaken(&slot);
	for (u8 i = 0; i < slot.n_ops; i++) {
		struct code_op *op = &in->ops[in->n_ops++];

		*op = slot.ops[i];
		if (op->src == MIPS_RA && (in->flow == CODE_CALL || in->clobbers >> MIPS_RA & 1))
			op->src = CODE_NONE;
	}
	in->clobbers |= slot.clobbers;
	in->len = 8;
	return true;
}

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	enum mips_slot slot;

	/* An odd address is one of MIPS16 or microMIPS. */
	if (len < 4 || in->addr % 4 || !decode_one(c, p, in, &slot))
		return false;
	return slot == SLOT_NONE || (len >= 8 && add_slot(c, p + 4, slot, in));
}

/*
 * System V ABI MIPS supplement, figure 3-18, and chapter 3, "The stack frame": s0
 * to s7, sp, s8; position-independent code of o32 changes gp.  MIPSpro N32 ABI
 * Handbook, table 2-1: gp, too.  Its frames are of 16 bytes, but those that QEMU makes
 * for signals of 8.
 */
#define MIPS(word_, reg_, saved_) { \
	.machine = EM_MIPS, .word = (word_), .reg = (reg_), .step = 4, .longest = 8, .slot = 4, \
	.other_code = EF_MIPS_ARCH_ASE_M16 | EF_MIPS_MICROMIPS, .sp = MIPS_SP, .ra = MIPS_RA, .sp_align = 8, \
	.saved = (saved_), .call_len = { 8, 4 }, .has_prologues = true, .decode = decode, \
}
const struct code_machine code_mips_o32 = MIPS(4, 4, 0x40ff0000);
const struct code_machine code_mips_n32 = MIPS(4, 8, 0x50ff0000);
const struct code_machine code_mips_n64 = MIPS(8, 8, 0x50ff0000);
