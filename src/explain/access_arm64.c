#include <string.h>

#include "base/util.h"
#include "explain/access.h"

/* Memory operands of arm64: Arm ARM, C4.1.94 "Loads and Stores". */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Atomic operations read and write; a store that fails alone would be one, too. */
static enum access_type type_of(const char *name)
{
	static const char *const both[] = { "ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin", "swp", "cas" };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		if (begins(name, both[i]))
			return ACCESS_WRITE;
	return begins(name, "ld") ? ACCESS_READ : begins(name, "st") || begins(name, "dc") ? ACCESS_WRITE : ACCESS_UNKNOWN;
}

/* Bytes of the access by the register that is loaded or stored; b and h at the mnemonic's end say otherwise. */
static u32 size_of(const cs_insn *in, const char *reg)
{
	const char *name = in->mnemonic;
	size_t len = strlen(name);
	bool pair = (begins(name, "ldp") || begins(name, "stp") || begins(name, "ldnp") || begins(name, "stnp") ||
		     begins(name, "ldxp") || begins(name, "ldaxp"));
	u32 one;

	if (strstr(name, "ldrsw") || strstr(name, "ldursw"))
		return 4;
	if (len > 3 && !pair && name[len - 1] == 'b')
		return 1;
	if (len > 3 && !pair && name[len - 1] == 'h')
		return 2;
	one = *reg == 'w' || *reg == 's' ? 4 : *reg == 'q' || *reg == 'v' ? 16 : *reg == 'h' ? 2 : *reg == 'b' ? 1 : 8;
	return pair ? 2 * one : one;
}

static const char *data_reg(const struct capstone *cs)
{
	const cs_arm64 *a = &cs->insn->detail->arm64;
	/* The status register of an exclusive store comes first. */
	u8 at = begins(cs->insn->mnemonic, "stx") || begins(cs->insn->mnemonic, "stlx") ? 1 : 0;

	return at < a->op_count && a->operands[at].type == ARM64_OP_REG ? cs->reg_name(cs->handle, a->operands[at].reg) : NULL;
}

/* The address, with the base's tag. */
static u64 address(const struct access *a, const cs_arm64_op *op)
{
	u64 index = a->index.value;

	if (op->ext == ARM64_EXT_SXTW)
		index = (u64)(s64)(s32)index;
	return a->base.value + index * a->scale + (u64)a->disp;
}

/* Where the kernel gives an address, it gives no tag of it but for tag faults (SA_EXPOSE_TAGBITS: sigaction(2)). */
static bool take_address(struct crash *c, u64 addr)
{
	struct access *a = &c->access;

	if (c->is_inferred) {
		a->addr = addr;
		return a->base.known && place_is_refused(c, addr, a->type);
	}
	if (a->has_addr && a->base.known && core_untag(c->core, addr) == c->addr)
		a->addr = addr;
	return true;
}

bool access_arm64(struct crash *c, const struct capstone *cs)
{
	const cs_arm64 *x = &cs->insn->detail->arm64;
	enum access_type type = type_of(cs->insn->mnemonic);
	const char *reg;

	for (u8 i = 0; type && i < x->op_count; i++) {
		const cs_arm64_op *op = &x->operands[i];
		const char *base, *index;

		if (op->type != ARM64_OP_MEM)
			continue;
		base = cs->reg_name(cs->handle, op->mem.base);
		index = op->mem.index == ARM64_REG_INVALID ? NULL : cs->reg_name(cs->handle, op->mem.index);
		if (!base)
			return false;
		c->access.type = type;
		crash_reg(c, base, &c->access.base);
		if (index)
			crash_reg(c, index, &c->access.index);
		c->access.scale = index && op->shift.type == ARM64_SFT_LSL ? 1u << (op->shift.value & 7) : 1;
		c->access.disp = op->mem.disp;
		reg = data_reg(cs);
		c->access.size = reg ? size_of(cs->insn, reg) : 0;
		return take_address(c, address(&c->access, op));
	}
	return false;
}

/*
 * All loads and stores have bit 27 set and bit 25 not, and but for literals the base register in bits 9:5; bit 22
 * is set in what loads, but of tags, of which stores have 1 in bits 31:24 = 0xd9.
 */
bool access_arm64_bits(struct crash *c, u32 insn)
{
	char name[8] = "sp";
	unsigned rn = insn >> 5 & 31;

	if ((insn >> 25 & 5) != 4 || (insn >> 27 & 7) == 3)
		return false;
	if (rn != 31) {
		name[0] = 'x';
		name[1] = (char)(rn < 10 ? '0' + rn : '0' + rn / 10);
		name[2] = (char)(rn < 10 ? 0 : '0' + rn % 10);
		name[3] = 0;
	}
	if (insn >> 24 == 0xd9)
		c->access.type = (insn >> 10 & 3) == 0 && (insn >> 22 & 3) == 1 ? ACCESS_READ : ACCESS_WRITE;
	else
		c->access.type = insn >> 22 & 1 ? ACCESS_READ : ACCESS_WRITE;
	return crash_reg(c, name, &c->access.base);
}
