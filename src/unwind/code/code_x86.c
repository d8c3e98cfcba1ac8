#include "base/util.h"
#include "unwind/code/capstone.h"
#include "unwind/code/insn.h"

/* x86, by capstone: an instruction of no kind known here changes what capstone says it writes. */

enum { RIP = 16, RIP32 = 8 };

struct x86 {
	const struct code_machine *m;
	const struct capstone *capstone;
	const cs_insn *insn;
	const cs_x86 *x;
	struct code_insn *in;
	u8 sp, bp, ip;
};

/* Registers of all widths by DWARF number: psABI x86-64, table 3.36; psABI i386, table 2.14. */
#define R4(r64, r32, r16, r8, n64, n32) \
	{ { X86_REG_ ## r64, X86_REG_ ## r32, X86_REG_ ## r16, X86_REG_ ## r8 }, n64, n32 }
static const struct {
	u16 alias[4];
	u8 n64, n32;
} regs[] = {
	R4(RAX, EAX, AX, AL, 0, 0), R4(RCX, ECX, CX, CL, 2, 1), R4(RDX, EDX, DX, DL, 1, 2), R4(RBX, EBX, BX, BL, 3, 3),
	R4(RSP, ESP, SP, SPL, 7, 4), R4(RBP, EBP, BP, BPL, 6, 5), R4(RSI, ESI, SI, SIL, 4, 6), R4(RDI, EDI, DI, DIL, 5, 7),
	R4(R8, R8D, R8W, R8B, 8, CODE_NONE), R4(R9, R9D, R9W, R9B, 9, CODE_NONE),
	R4(R10, R10D, R10W, R10B, 10, CODE_NONE), R4(R11, R11D, R11W, R11B, 11, CODE_NONE),
	R4(R12, R12D, R12W, R12B, 12, CODE_NONE), R4(R13, R13D, R13W, R13B, 13, CODE_NONE),
	R4(R14, R14D, R14W, R14B, 14, CODE_NONE), R4(R15, R15D, R15W, R15B, 15, CODE_NONE),
	R4(INVALID, INVALID, INVALID, AH, 0, 0), R4(INVALID, INVALID, INVALID, CH, 2, 1),
	R4(INVALID, INVALID, INVALID, DH, 1, 2), R4(INVALID, INVALID, INVALID, BH, 3, 3),
};

/* DWARF's number of @reg, CODE_NONE when it is no general register; *whole: all of it. */
static u8 number(const struct x86 *d, unsigned reg, bool *whole)
{
	for (size_t i = 0; reg && i < ARRAY_SIZE(regs); i++)
		for (size_t j = 0; j < ARRAY_SIZE(regs[i].alias); j++)
			if (regs[i].alias[j] == reg) {
				*whole = j == (d->m->word == 8 ? 0 : 1);
				return d->m->word == 8 ? regs[i].n64 : regs[i].n32;
			}
	*whole = false;
	return CODE_NONE;
}

static void add(struct x86 *d, struct code_op op)
{
	if (d->in->n_ops < CODE_OPS_MAX)
		d->in->ops[d->in->n_ops++] = op;
}

static void set(struct x86 *d, u8 dst, u8 src, s64 imm)
{
	add(d, (struct code_op){ .what = CODE_SET, .dst = dst, .src = src, .imm = imm });
}

/* A whole register as operand @i. */
static bool is_reg(const struct x86 *d, unsigned i, u8 *n)
{
	bool whole;

	if (i >= d->x->op_count || d->x->operands[i].type != X86_OP_REG)
		return false;
	*n = number(d, d->x->operands[i].reg, &whole);
	return *n != CODE_NONE && whole;
}

static bool is_imm(const struct x86 *d, unsigned i, s64 *v)
{
	if (i >= d->x->op_count || d->x->operands[i].type != X86_OP_IMM)
		return false;
	*v = d->m->word == 8 ? d->x->operands[i].imm : (s32)d->x->operands[i].imm;
	return true;
}

static void set_target(struct x86 *d, s64 v)
{
	d->in->target = d->m->word == 8 ? (u64)v : (u32)v;
	d->in->has_target = true;
}

/* Memory as operand @i at a register plus a number: *base and *disp. */
static bool is_mem(const struct x86 *d, unsigned i, u8 *base, s64 *disp)
{
	const cs_x86_op *op = &d->x->operands[i];
	bool whole;

	if (i >= d->x->op_count || op->type != X86_OP_MEM || op->mem.index != X86_REG_INVALID ||
	    op->mem.segment != X86_REG_INVALID)
		return false;
	*disp = op->mem.disp;
	if (op->mem.base == X86_REG_RIP || op->mem.base == X86_REG_INVALID) {
		*base = CODE_CONST;
		*disp += op->mem.base == X86_REG_RIP ? (s64)(d->in->addr + d->in->len) : 0;
		return true;
	}
	*base = number(d, op->mem.base, &whole);
	return *base != CODE_NONE && whole;
}

/* ---- kinds of instructions: false when it is of no kind known here */

static void push_of(struct x86 *d, u8 src, unsigned size)
{
	add(d, (struct code_op){ .what = CODE_STORE, .dst = d->sp, .src = src, .size = (u8)size, .imm = -(s64)size });
	set(d, d->sp, d->sp, -(s64)size);
}

static bool do_push(struct x86 *d)
{
	u8 src = CODE_NONE;

	if (!is_reg(d, 0, &src))
		src = CODE_NONE;
	/* An immediate is as wide as the stack is; a segment register, too. */
	if (d->x->operands[0].type == X86_OP_IMM || (d->x->operands[0].type == X86_OP_REG && src == CODE_NONE &&
						     d->x->operands[0].size != 2))
		push_of(d, CODE_NONE, d->x->prefix[2] == 0x66 ? 2 : d->m->word);
	else
		push_of(d, src, d->x->operands[0].size);
	return true;
}

static bool do_pop(struct x86 *d)
{
	unsigned size = d->x->operands[0].size;
	u8 dst;

	if (!is_reg(d, 0, &dst)) {
		set(d, d->sp, d->sp, size);
		return false;
	}
	add(d, (struct code_op){ .what = CODE_LOAD, .dst = dst, .src = d->sp, .size = (u8)size });
	if (dst != d->sp)
		set(d, d->sp, d->sp, size);
	return true;
}

static bool do_mov(struct x86 *d)
{
	u8 dst, src, base;
	s64 v;

	if (is_reg(d, 0, &dst) && is_reg(d, 1, &src))
		set(d, dst, src, 0);
	else if (is_reg(d, 0, &dst) && is_imm(d, 1, &v))
		set(d, dst, CODE_CONST, v);
	else if (is_reg(d, 0, &dst) && is_mem(d, 1, &base, &v))
		add(d, (struct code_op){ .what = CODE_LOAD, .dst = dst, .src = base, .size = d->m->word, .imm = v });
	else if (is_mem(d, 0, &base, &v) && is_reg(d, 1, &src))
		add(d, (struct code_op){ .what = CODE_STORE, .dst = base, .src = src, .size = d->m->word, .imm = v });
	else
		return false;
	return true;
}

static bool do_lea(struct x86 *d)
{
	u8 dst, base;
	s64 disp;

	if (!is_reg(d, 0, &dst) || !is_mem(d, 1, &base, &disp))
		return false;
	set(d, dst, base, disp);
	return true;
}

static bool do_sum(struct x86 *d, s64 sign)
{
	u8 dst, src;
	s64 v;

	if (!is_reg(d, 0, &dst))
		return false;
	if (is_imm(d, 1, &v))
		set(d, dst, dst, sign * v);
	else if (is_reg(d, 1, &src) && src != dst)
		add(d, (struct code_op){ .what = CODE_ADD, .dst = dst, .src = dst, .other = src, .imm = sign });
	else
		return false;
	return true;
}

static bool do_add(struct x86 *d)
{
	return do_sum(d, 1);
}

static bool do_sub(struct x86 *d)
{
	return do_sum(d, -1);
}

static bool do_inc(struct x86 *d)
{
	u8 dst;

	if (!is_reg(d, 0, &dst))
		return false;
	set(d, dst, dst, d->insn->id == X86_INS_INC ? 1 : -1);
	return true;
}

static bool do_and(struct x86 *d)
{
	u8 dst;
	s64 v;

	if (!is_reg(d, 0, &dst) || !is_imm(d, 1, &v))
		return false;
	/* A power of two, negative. */
	if (v >= -1 || v < INT32_MIN || (-v & (-v - 1)) != 0)
		return false;
	add(d, (struct code_op){ .what = CODE_ALIGN, .dst = dst, .src = dst, .imm = v });
	return true;
}

static bool do_leave(struct x86 *d)
{
	set(d, d->sp, d->bp, 0);
	add(d, (struct code_op){ .what = CODE_LOAD, .dst = d->bp, .src = d->sp, .size = d->m->word });
	set(d, d->sp, d->sp, d->m->word);
	return true;
}

static bool do_ret(struct x86 *d)
{
	add(d, (struct code_op){ .what = CODE_LOAD, .dst = d->ip, .src = d->sp, .size = d->m->word });
	set(d, d->sp, d->sp, d->m->word);
	d->in->flow = CODE_RETURN;
	d->in->ret = d->ip;
	return true;
}

/* The place of a word in memory, set_target()'s; or a call forgets the registers that tell it. */
static void set_slot(struct x86 *d)
{
	u8 base = CODE_NONE;
	s64 v;

	if (is_mem(d, 0, &base, &v) && base == CODE_CONST) {
		set_target(d, v);
		d->in->is_slot = true;
	} else if (base < CODE_REGS && base != d->sp) {
		d->in->is_lost = !(d->m->saved >> base & 1);
	}
}

static bool do_call(struct x86 *d)
{
	s64 v;

	d->in->flow = CODE_CALL;
	if (!is_imm(d, 0, &v)) {
		set_slot(d);
		return true;
	}
	set_target(d, v);
	/* What only asks where it is. */
	if (d->in->target == d->in->addr + d->in->len) {
		d->in->flow = CODE_NEXT;
		push_of(d, CODE_NONE, d->m->word);
	}
	return true;
}

static bool do_jmp(struct x86 *d)
{
	s64 v;

	d->in->flow = CODE_JUMP;
	if (is_imm(d, 0, &v))
		set_target(d, v);
	else
		set_slot(d);
	return true;
}

static bool do_stop(struct x86 *d)
{
	d->in->flow = CODE_STOP;
	return true;
}

static bool do_nop(struct x86 *d)
{
	d->in->is_nop = true;
	return true;
}

static bool do_nothing(struct x86 *d)
{
	(void)d;
	return true;
}

static bool do_flags(struct x86 *d)
{
	bool push = d->insn->id == X86_INS_PUSHF || d->insn->id == X86_INS_PUSHFD || d->insn->id == X86_INS_PUSHFQ;
	unsigned size = d->insn->id == X86_INS_PUSHF || d->insn->id == X86_INS_POPF ? 2 : d->m->word;

	if (push)
		push_of(d, CODE_NONE, size);
	else
		set(d, d->sp, d->sp, size);
	return true;
}

static const struct {
	unsigned id;
	bool (*fn)(struct x86 *d);
} kinds[] = {
	{ X86_INS_PUSH, do_push }, { X86_INS_POP, do_pop }, { X86_INS_MOV, do_mov }, { X86_INS_MOVABS, do_mov },
	{ X86_INS_LEA, do_lea }, { X86_INS_ADD, do_add }, { X86_INS_SUB, do_sub }, { X86_INS_INC, do_inc },
	{ X86_INS_DEC, do_inc }, { X86_INS_AND, do_and }, { X86_INS_LEAVE, do_leave }, { X86_INS_RET, do_ret },
	{ X86_INS_CALL, do_call }, { X86_INS_JMP, do_jmp }, { X86_INS_HLT, do_stop }, { X86_INS_UD2, do_stop },
	{ X86_INS_INT3, do_stop }, { X86_INS_RETF, do_stop }, { X86_INS_RETFQ, do_stop }, { X86_INS_IRET, do_stop },
	{ X86_INS_IRETD, do_stop }, { X86_INS_IRETQ, do_stop }, { X86_INS_LJMP, do_stop }, { X86_INS_LCALL, do_stop },
	{ X86_INS_NOP, do_nop }, { X86_INS_ENDBR64, do_nothing }, { X86_INS_ENDBR32, do_nothing },
	{ X86_INS_PUSHF, do_flags }, { X86_INS_PUSHFD, do_flags }, { X86_INS_PUSHFQ, do_flags },
	{ X86_INS_POPF, do_flags }, { X86_INS_POPFD, do_flags }, { X86_INS_POPFQ, do_flags },
};

/* ---- what is not: its registers and the memory it writes */

static void clobber(struct x86 *d)
{
	cs_regs reads, writes;
	u8 n_reads = 0, n_writes = 0, n;
	bool whole;

	/* Without an answer nothing is known any more. */
	if (d->capstone->regs_access(d->capstone->handle, d->insn, reads, &n_reads, writes, &n_writes)) {
		d->in->clobbers = ~0ULL;
		return;
	}
	for (size_t i = 0; i < n_writes; i++) {
		n = number(d, writes[i], &whole);
		/* A pop to memory has moved the stack pointer already. */
		if (n != CODE_NONE && !(d->insn->id == X86_INS_POP && n == d->sp))
			d->in->clobbers |= 1ULL << n;
	}
	/* Up to 4.0 at least, capstone does not say of all instructions that they write their first operand. */
	if (d->x->op_count && d->x->operands[0].type == X86_OP_REG && d->insn->id != X86_INS_CMP &&
	    d->insn->id != X86_INS_TEST && d->insn->id != X86_INS_BT) {
		n = number(d, d->x->operands[0].reg, &whole);
		if (n != CODE_NONE)
			d->in->clobbers |= 1ULL << n;
	}
}

static void stores(struct x86 *d)
{
	u8 base;
	s64 disp;

	if (d->insn->id == X86_INS_CMP || d->insn->id == X86_INS_TEST || !is_mem(d, 0, &base, &disp))
		return;
	if (d->x->op_count == 1 && !(d->x->operands[0].access & CS_AC_WRITE))
		return;
	add(d, (struct code_op){ .what = CODE_STORE, .dst = base, .src = CODE_NONE, .size = d->x->operands[0].size,
				 .imm = disp });
}

static bool in_group(const struct x86 *d, unsigned group)
{
	return d->capstone->insn_group(d->capstone->handle, d->insn, group);
}

static bool is_branch(const struct x86 *d)
{
	s64 v;

	return (in_group(d, CS_GRP_JUMP) || in_group(d, CS_GRP_BRANCH_RELATIVE)) && is_imm(d, 0, &v);
}

static void fill(struct x86 *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].id == d->insn->id && kinds[i].fn(d))
			return;
	if (is_branch(d)) {
		d->in->flow = CODE_BRANCH;
		set_target(d, d->x->operands[0].imm);
	}
	stores(d);
	clobber(d);
}

static bool open_capstone(struct code_reader *c)
{
	struct err why;

	if (!c->capstone && !c->no_capstone)
		c->no_capstone = capstone_open(&c->capstone, CS_ARCH_X86, c->m->word == 8 ? CS_MODE_64 : CS_MODE_32, &why);
	return c->capstone;
}

static bool decode(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in)
{
	u64 addr = in->addr;
	const cs_insn *insn;

	if (!open_capstone(c))
		return false;
	insn = c->capstone->insn;
	if (!c->capstone->disasm_iter(c->capstone->handle, &p, &len, &addr, c->capstone->insn) || !insn->detail)
		return false;
	in->len = (u8)insn->size;
	fill(&(struct x86){ .m = c->m, .capstone = c->capstone, .insn = insn, .x = &insn->detail->x86, .in = in,
			    .sp = c->m->sp, .bp = c->m->word == 8 ? 6 : 5, .ip = c->m->ra });
	return true;
}

#define X86(machine_, word_, sp_, ra_, saved_) { \
	.machine = (machine_), .word = (word_), .reg = (word_), .step = 1, .longest = 15, .sp = (sp_), .ra = (ra_), \
	.pushed = (word_), .sp_align = (word_), .saved = (saved_), .call_len = { 5, 2, 3, 6, 7, 4 }, \
	.calls = x86_calls, .decode = decode, \
}
/* psABI x86-64, 3.2.1: rbx, rbp, r12 to r15; psABI i386, 2.2.1: ebx, ebp, esi, edi. */
const struct code_machine code_x86_64 = X86(EM_X86_64, 8, 7, RIP, 1 << 3 | 1 << 6 | 0xf000);
const struct code_machine code_i386 = X86(EM_386, 4, 4, RIP32, 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7);
