#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/access.h"

/* Memory operands of x86: Intel SDM volume 2, 2.1.5 and 2.2.1. */

struct operand {
	struct access a;
	bool known;	/* the address follows from registers that are known */
};

static bool add_reg(const struct crash *c, const struct capstone *cs, unsigned reg, u64 scale, struct access_reg *out, u64 *sum)
{
	const char *name = reg == X86_REG_INVALID ? NULL : cs->reg_name(cs->handle, reg);

	if (!name || reg == X86_REG_RIZ || reg == X86_REG_EIZ)
		return true;
	crash_reg(c, name, out);
	*sum += out->value * scale;
	return out->known;
}

/* fs and gs have a base; it is zero for the others in 64-bit mode, and for those of Linux in 32-bit mode. */
static bool add_segment(const struct crash *c, unsigned reg, u64 *sum)
{
	struct access_reg r = { 0 };

	if (reg != X86_REG_FS && reg != X86_REG_GS)
		return true;
	crash_reg(c, reg == X86_REG_FS ? "fs_base" : "gs_base", &r);
	*sum += r.value;
	return r.known;
}

/*
 * A move writes to its first operand and reads the others: capstone 5.0 has it otherwise of stores of AVX-512.  What compares
 * and exchanges writes, whatever it finds, which capstone 4.0 does not say: Intel SDM, CMPXCHG.
 */
static enum access_type type_of(const cs_insn *in, const cs_x86_op *op)
{
	const char *name = in->mnemonic + (*in->mnemonic == 'v');

	if (!strncmp(name, "mov", 3))
		return op == in->detail->x86.operands ? ACCESS_WRITE : ACCESS_READ;
	if (in->detail->x86.prefix[0] == X86_PREFIX_LOCK || strstr(name, "xchg"))
		return ACCESS_WRITE;
	return op->access & CS_AC_WRITE ? ACCESS_WRITE : op->access & CS_AC_READ ? ACCESS_READ : ACCESS_UNKNOWN;
}

static void take(const struct crash *c, const struct capstone *cs, const cs_x86_op *op, struct operand *out)
{
	const cs_insn *in = cs->insn;
	const x86_op_mem *m = &op->mem;
	u64 sum = (u64)m->disp;

	*out = (struct operand){ .a = { .size = op->size, .scale = (u32)m->scale, .disp = m->disp }, .known = true };
	if (m->base == X86_REG_RIP || m->base == X86_REG_EIP)
		sum += in->address + in->size;
	else
		out->known &= add_reg(c, cs, m->base, 1, &out->a.base, &sum);
	out->known &= add_reg(c, cs, m->index, (u64)m->scale, &out->a.index, &sum);
	out->known &= add_segment(c, m->segment, &sum);
	out->a.addr = c->core->layout.word == 4 ? (u32)sum : sum;
	out->a.type = type_of(in, op);
}

/* What push, call, pop and ret do with the stack, which is no operand of theirs. */
static bool take_stack(const struct crash *c, const struct capstone *cs, struct operand *out)
{
	unsigned word = c->core->layout.word;
	bool is_write = true;

	switch (cs->insn->id) {
	case X86_INS_PUSH: case X86_INS_CALL: case X86_INS_PUSHFQ: case X86_INS_PUSHFD: case X86_INS_ENTER:
		break;
	case X86_INS_POP: case X86_INS_RET: case X86_INS_POPFQ: case X86_INS_POPFD: case X86_INS_LEAVE:
		is_write = false;
		break;
	default:
		return false;
	}
	*out = (struct operand){ .a = { .type = is_write ? ACCESS_WRITE : ACCESS_READ, .size = word, .scale = 1 } };
	out->known = crash_reg(c, word == 8 ? (cs->insn->id == X86_INS_LEAVE ? "rbp" : "rsp") :
			       (cs->insn->id == X86_INS_LEAVE ? "ebp" : "esp"), &out->a.base);
	out->a.disp = is_write ? -(s64)word : 0;
	out->a.addr = out->a.base.value + (u64)out->a.disp;
	return true;
}

/*
 * The operand whose bytes have the address of the fault.  Of an access that crosses into another page
 * it is the first byte of that page (Linux 6.12, arch/x86/mm/fault.c, by CR2).
 */
static bool has_address(const struct crash *c, const struct operand *o)
{
	return o->known && c->addr - o->a.addr < max(o->a.size, 1u);
}

/* SSE's and AVX's aligned moves, and all SSE instructions with a memory operand of 16 bytes but the unaligned ones. */
static bool must_align(const struct capstone *cs, const cs_x86_op *op)
{
	const char *name = cs->insn->mnemonic;

	if (op->size < 16 || strstr(name, "movu") || strstr(name, "lddqu"))
		return false;
	return *name != 'v' || strstr(name, "mova") || strstr(name, "movnt");
}

/* Without an address: the operand for which a general protection fault is raised. */
static bool is_refused(const struct crash *c, const struct operand *o)
{
	return o->known && (!place_is_canonical(c, o->a.addr) || !place_is_canonical(c, o->a.addr + o->a.size - 1) ||
			    (o->a.must_align && o->a.addr % o->a.size));
}

static bool fits(struct crash *c, const struct operand *o)
{
	if (c->is_alignment)
		return o->known && o->a.size > 1 && o->a.addr % o->a.size;
	if (c->is_inferred)
		return o->known && place_is_refused(c, o->a.addr, o->a.type);
	return c->is_kernel_code ? is_refused(c, o) : has_address(c, o);
}

static bool accept(struct crash *c, const struct operand *o)
{
	struct access before = c->access;

	c->access = o->a;
	memcpy(c->access.insn, before.insn, sizeof(before.insn));
	memcpy(c->access.extension, before.extension, sizeof(before.extension));
	/* Of an inferred one only the operand has the address. */
	if (before.has_addr)
		c->access.addr = before.addr;
	c->access.has_addr = before.has_addr;
	return true;
}

/* A jump, a call or a return whose target is not canonical faults before it is made. */
static bool take_target(struct crash *c, const struct capstone *cs)
{
	const cs_x86 *x = &cs->insn->detail->x86;
	struct access *a = &c->access;
	u64 target;

	if (!c->is_kernel_code || c->is_inferred)
		return false;
	if (cs->insn->id == X86_INS_RET) {
		if (!space_word(c->u, c->sp, &target) || place_is_canonical(c, target))
			return false;
		a->by_ret = true;
		crash_reg(c, "rsp", &a->base);
	} else if ((cs->insn->id == X86_INS_CALL || cs->insn->id == X86_INS_JMP) && x->op_count == 1) {
		struct operand o;

		if (x->operands[0].type == X86_OP_REG) {
			if (!crash_reg(c, cs->reg_name(cs->handle, x->operands[0].reg), &a->base))
				return false;
			target = a->base.value;
		} else if (x->operands[0].type == X86_OP_MEM) {
			take(c, cs, &x->operands[0], &o);
			if (!o.known || !space_word(c->u, o.a.addr, &target))
				return false;
			a->base = o.a.base;
		} else {
			return false;
		}
		if (place_is_canonical(c, target))
			return false;
	} else {
		return false;
	}
	a->type = ACCESS_FETCH;
	a->addr = target;
	return true;
}

/* Parts of registers that have 8 or 16 bits: "cl", "ch", "cx", "sil", "r8b", "r8w". */
static bool part_reg(const struct crash *c, const char *name, struct access_reg *out)
{
	static const char *const old[][4] = {
		{ "eax", "ax", "al", "ah" }, { "ebx", "bx", "bl", "bh" }, { "ecx", "cx", "cl", "ch" }, { "edx", "dx", "dl", "dh" },
		{ "esi", "si", "sil", "" }, { "edi", "di", "dil", "" }, { "ebp", "bp", "bpl", "" }, { "esp", "sp", "spl", "" },
	};
	size_t len = strlen(name);
	char whole[8];

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		for (size_t k = 1; k < 4; k++)
			if (!strcmp(name, old[i][k])) {
				crash_reg(c, old[i][0], out);
				out->value >>= k == 3 ? 8 : 0;
				return out->known;
			}
	if (*name != 'r' || len < 3 || len > 4 || !strchr("bw", name[len - 1]))
		return crash_reg(c, name, out);
	put_fmt(whole, sizeof(whole), "%.*s", (int)len - 1, name);
	return crash_reg(c, whole, out);
}

static void find_divisor(struct crash *c, const struct capstone *cs)
{
	const cs_x86_op *op = &cs->insn->detail->x86.operands[0];
	struct divisor *d = &c->divisor;
	struct access_reg r;
	struct operand o;

	d->size = op->size;
	if (op->type == X86_OP_REG) {
		d->known = part_reg(c, cs->reg_name(cs->handle, op->reg), &r);
		d->value = r.value & (op->size < 8 ? (1ull << 8 * op->size) - 1 : ~0ull);
		put_fmt(d->name, sizeof(d->name), "%s", cs->reg_name(cs->handle, op->reg));
	} else if (op->type == X86_OP_MEM) {
		take(c, cs, op, &o);
		d->known = o.known && op->size && op->size <= 8 && space_uint(c->u, o.a.addr, op->size, &d->value);
		put_fmt(d->name, sizeof(d->name), "memory at 0x%" PRIx64, o.a.addr);
	}
}

bool access_x86(struct crash *c, const struct capstone *cs)
{
	const cs_x86 *x = &cs->insn->detail->x86;
	struct operand o;

	if ((cs->insn->id == X86_INS_DIV || cs->insn->id == X86_INS_IDIV) && x->op_count)
		find_divisor(c, cs);

	for (u8 i = 0; cs->insn->id != X86_INS_LEA && cs->insn->id != X86_INS_NOP && i < x->op_count; i++) {
		if (x->operands[i].type != X86_OP_MEM)
			continue;
		take(c, cs, &x->operands[i], &o);
		o.a.must_align = must_align(cs, &x->operands[i]);
		if (fits(c, &o))
			return accept(c, &o);
	}
	if (take_stack(c, cs, &o) && fits(c, &o))
		return accept(c, &o);
	return take_target(c, cs);
}
