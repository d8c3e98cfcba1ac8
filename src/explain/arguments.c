#include <string.h>

#include "base/util.h"
#include "explain/arguments.h"
#include "unwind/code/capstone.h"

/* Code before a call, from the start of its function: which constants the registers of its arguments have. */

enum { FUNCTION_MAX = 16 << 10, CHUNK = 256 };

/* The registers of arguments by machine: psABI x86-64, 3.2.3; AAPCS64, 6.8. */
static const struct abi {
	u16 machine;
	cs_arch arch;
	cs_mode mode;
	struct { unsigned whole, half; } regs[ARGUMENTS_MAX];
} abis[] = {
	{ EM_X86_64, CS_ARCH_X86, CS_MODE_64, {
		{ X86_REG_RDI, X86_REG_EDI }, { X86_REG_RSI, X86_REG_ESI }, { X86_REG_RDX, X86_REG_EDX }, { X86_REG_RCX, X86_REG_ECX } } },
	{ EM_AARCH64, CS_ARCH_ARM64, CS_MODE_ARM, {
		{ ARM64_REG_X0, ARM64_REG_W0 }, { ARM64_REG_X1, ARM64_REG_W1 }, { ARM64_REG_X2, ARM64_REG_W2 }, { ARM64_REG_X3, ARM64_REG_W3 } } },
};

static const struct abi *abi_of(const struct core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		if (abis[i].machine == core->ehdr.e_machine && core->fmt.class == ELFCLASS64)
			return &abis[i];
	return NULL;
}

static struct argument *argument_of(const struct abi *abi, struct arguments *a, unsigned reg)
{
	for (size_t i = 0; i < ARGUMENTS_MAX; i++)
		if (reg == abi->regs[i].whole || reg == abi->regs[i].half)
			return &a->v[i];
	return NULL;
}

/* The constant that the instruction puts into its first operand. */
static bool constant_x86(const cs_insn *in, struct argument *to, u64 *out)
{
	const cs_x86 *x = &in->detail->x86;
	const cs_x86_op *op = &x->operands[1];

	(void)to;
	if (x->op_count != 2)
		return false;
	if (in->id == X86_INS_LEA && op->mem.base == X86_REG_RIP && op->mem.index == X86_REG_INVALID)
		*out = in->address + in->size + (u64)op->mem.disp;
	else if ((in->id == X86_INS_MOV || in->id == X86_INS_MOVABS) && op->type == X86_OP_IMM)
		*out = x->operands[0].size == 4 ? (u32)op->imm : (u64)op->imm;
	else if (in->id == X86_INS_XOR && op->type == X86_OP_REG && op->reg == x->operands[0].reg)
		*out = 0;
	else
		return false;
	return true;
}

/* adrp and add are two. */
static bool constant_arm64(const cs_insn *in, struct argument *to, u64 *out)
{
	const cs_arm64 *x = &in->detail->arm64;
	const cs_arm64_op *last = &x->operands[x->op_count - 1];

	if (x->op_count < 2 || last->type != ARM64_OP_IMM || last->shift.type)
		return false;
	if (in->id == ARM64_INS_ADD && x->op_count == 3 && to->known && x->operands[1].reg == x->operands[0].reg)
		*out = to->value + (u64)last->imm;
	else if (x->op_count == 2 && (in->id == ARM64_INS_ADRP || in->id == ARM64_INS_ADR || in->id == ARM64_INS_MOV || in->id == ARM64_INS_MOVZ))
		*out = (u64)last->imm;
	else
		return false;
	return true;
}

/* What is after an end of the straight line was jumped to, from where is not known. */
static bool ends_line(const struct capstone *cs, const cs_insn *in)
{
	bool is_jump = cs->insn_group(cs->handle, in, CS_GRP_JUMP) &&
		       (in->id == X86_INS_JMP || !strcmp(in->mnemonic, "b") || !strcmp(in->mnemonic, "br"));

	return is_jump || cs->insn_group(cs->handle, in, CS_GRP_RET) || cs->insn_group(cs->handle, in, CS_GRP_INT) ||
	       cs->insn_group(cs->handle, in, CS_GRP_CALL);
}

static void follow(const struct abi *abi, const struct capstone *cs, struct arguments *a)
{
	const cs_insn *in = cs->insn;
	cs_regs read, written;
	uint8_t n_read, n_written;
	bool is_x86 = abi->arch == CS_ARCH_X86;

	if (ends_line(cs, in) || cs->regs_access(cs->handle, in, read, &n_read, written, &n_written)) {
		*a = (struct arguments){ 0 };
		return;
	}
	for (uint8_t i = 0; i < n_written; i++) {
		struct argument *to = argument_of(abi, a, written[i]);

		if (to)
			to->known = is_x86 ? constant_x86(in, to, &to->value) : constant_arm64(in, to, &to->value);
	}
}

/* All instructions in [at, call), one of which ends there. */
static bool follow_to(struct crash *c, const struct abi *abi, const struct capstone *cs, u64 at, u64 call, struct arguments *out)
{
	u8 buf[CHUNK];

	while (at < call) {
		size_t len = min((size_t)(call - at), sizeof(buf));
		const u8 *code = buf;
		uint64_t next = at;

		if (!space_read(c->u, at, buf, len))
			return false;
		/* The last ones of a piece may go on in the next. */
		while (next < call && (len >= 16 || at + sizeof(buf) >= call) && cs->disasm_iter(cs->handle, &code, &len, &next, cs->insn))
			follow(abi, cs, out);
		if (next == at)
			return false;
		at = next;
	}
	return at == call;
}

static int take_offset(const struct symbol *s, void *arg, struct err *e)
{
	(void)e;
	*(u64 *)arg = s->function ? s->offset : UINT64_MAX;
	return 1;
}

/* The call's instruction begins there: of x86-64 direct and indirect ones. */
static u64 start_of_call(struct crash *c, const struct abi *abi, u64 ret)
{
	u8 code[6];

	if (abi->arch != CS_ARCH_X86)
		return ret - 4;
	if (space_read(c->u, ret - 6, code, 6) && code[0] == 0xff && code[1] == 0x15)
		return ret - 6;
	return space_read(c->u, ret - 5, code, 5) && code[0] == 0xe8 ? ret - 5 : 0;
}

bool arguments_of_call(struct crash *c, size_t frame, struct arguments *out)
{
	const struct abi *abi = abi_of(c->core);
	const struct frame *f = &c->v->stack.frames[frame];
	struct capstone *cs = NULL;
	u64 offset = UINT64_MAX, call;
	struct err e;
	bool found;

	*out = (struct arguments){ 0 };
	if (!abi || frame >= c->v->stack.n || unwind_symbols(c->u, f, 0, take_offset, &offset, &e) < 0 || offset > FUNCTION_MAX ||
	    offset > f->pc)
		return false;
	call = start_of_call(c, abi, f->pc);
	if (call < f->pc - offset || capstone_open(&cs, abi->arch, abi->mode, &e))
		return false;
	found = follow_to(c, abi, cs, f->pc - offset, call, out);
	capstone_close(cs);
	return found;
}

bool argument_text(struct crash *c, const struct argument *a, char *out, size_t size)
{
	*out = 0;
	if (a->known)
		memory_text(c, a->value, out, size);
	return *out;
}
