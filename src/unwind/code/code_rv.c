#include "base/util.h"
#include "unwind/code/code_rv.h"

/* What instructions do, for both lengths.  x0 is 0, and to write it does nothing. */

s64 rv_imm(const struct riscv *d, const struct rv_form *f)
{
	u32 v = 0;

	for (size_t i = 0; i < ARRAY_SIZE(f->part) && f->part[i].hi; i++)
		v |= code_bits(d->w, f->part[i].hi, f->part[i].lo) << f->part[i].to;
	return f->sign && v >> (f->sign - 1) ? (s64)v - (1LL << f->sign) : (s64)v;
}

void rv_op(struct riscv *d, struct code_op op)
{
	if (d->in->n_ops < CODE_OPS_MAX)
		d->in->ops[d->in->n_ops++] = op;
}

u8 rv_source(u32 n)
{
	return n ? (u8)n : CODE_CONST;
}

static u8 target(u32 n)
{
	return n ? (u8)n : CODE_NONE;
}

void rv_clobber(struct riscv *d, u32 n)
{
	d->in->clobbers |= (1ULL << n) & ~1ULL;
}

void rv_set(struct riscv *d, u32 rd, u32 rs, s64 imm)
{
	rv_op(d, (struct code_op){ .what = CODE_SET, .dst = target(rd), .src = rv_source(rs), .imm = imm });
}

void rv_sum(struct riscv *d, u32 rd, u32 a, u32 b, s64 imm)
{
	rv_op(d, (struct code_op){ .what = CODE_ADD, .dst = target(rd), .src = rv_source(a), .other = rv_source(b),
				 .imm = imm });
}

void rv_upper(struct riscv *d, u32 rd, u64 value, bool is_slot)
{
	d->c->upper = (struct code_upper){ .next = d->in->addr + d->in->len, .value = value, .reg = (u8)rd,
					   .is_slot = is_slot };
}

static bool is_made(const struct riscv *d, u32 rs)
{
	return rs && d->was.reg == rs && d->was.next == d->in->addr;
}

void rv_load(struct riscv *d, u32 rd, u32 base, s64 imm, unsigned size)
{
	rv_op(d, (struct code_op){ .what = CODE_LOAD, .dst = target(rd), .src = rv_source(base), .size = (u8)size,
				 .imm = imm });
	if (is_made(d, base) && !d->was.is_slot && size == d->c->m->word)
		rv_upper(d, rd, d->was.value + (u64)imm, true);
}

void rv_store(struct riscv *d, u8 src, u32 base, s64 imm, unsigned size)
{
	rv_op(d, (struct code_op){ .what = CODE_STORE, .dst = rv_source(base), .src = src, .size = (u8)size,
				 .imm = imm });
}

/* A sum of 32 bits: of a constant only, hence twice subtracted from 0. */
void rv_add_word(struct riscv *d, u32 rd, u32 rs, s64 imm)
{
	rv_sum(d, rd, 0, rs, -1);
	rv_sum(d, rd, 0, rd, -1);
	rv_set(d, rd, rd, imm);
}

/* What is larger than a frame can be is no matter. */
void rv_shift_left(struct riscv *d, u32 rd, u32 rs, u32 by)
{
	if (by && by < 31)
		rv_sum(d, rd, 0, rs, 1LL << by);
	else
		rv_clobber(d, rd);
}

void rv_jump_to(struct riscv *d, enum code_flow flow, u64 to)
{
	d->in->flow = (u8)flow;
	d->in->target = d->is64 ? to : (u32)to;
	d->in->has_target = true;
}

/*
 * That depends on @rd: x1 and x5 are link registers (2.5, "Unconditional Jumps").
 * x5 is the alternate one: what is called by it has no calling convention, as the
 * __riscv_save_N of -msave-restore, which move the stack pointer.  Others are those
 * of PLT entries, for which they are scratch.
 */
enum code_flow rv_link(struct riscv *d, u32 rd)
{
	rv_clobber(d, rd);
	if (rd == RV_T0)
		d->in->clobbers = UINT32_MAX & ~1U;
	return rd == RV_RA || rd == RV_T0 ? CODE_CALL : CODE_JUMP;
}

void rv_jump_reg(struct riscv *d, u32 rd, u32 rs, s64 imm)
{
	enum code_flow flow = rv_link(d, rd);

	d->in->flow = (u8)flow;
	if (is_made(d, rs) && (!d->was.is_slot || !imm)) {
		rv_jump_to(d, flow, d->was.value + (u64)imm);
		d->in->is_slot = d->was.is_slot;
	} else if (!rd && !imm && (rs == RV_RA || rs == RV_T0)) {
		d->in->flow = CODE_RETURN;
		d->in->ret = (u8)rs;
	}
}
