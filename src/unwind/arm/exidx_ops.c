#include "base/util.h"
#include "unwind/arm/exidx.h"

/* "Frame unwinding instructions", EHABI, 10.3: bytes that undo what a function did to the stack. */

struct vm {
	struct unwind *u;
	const u8 *ops;
	size_t n, at;
	struct cpu_regs r;
	u64 vsp;	/* the virtual stack pointer */
	unsigned popped;
};

enum op_result { OP_NEXT, OP_FINISH, OP_REFUSE };

/* The next byte; 0 after the last, which every caller has checked. */
static u8 next(struct vm *vm)
{
	return vm->at < vm->n ? vm->ops[vm->at++] : 0;
}

static enum op_result move(struct vm *vm, u64 by)
{
	vm->vsp = (u32)(vm->vsp + by);
	return OP_NEXT;
}

/* Registers of @mask from the stack, the lowest first; a popped r13 is the stack pointer from then on. */
static enum op_result pop(struct vm *vm, unsigned mask)
{
	u64 at = vm->vsp, v;

	for (unsigned i = 0; i < 16; i++) {
		if (!(mask >> i & 1))
			continue;
		if (!space_word(vm->u, at, &v))
			return OP_REFUSE;
		vm->r.v[i] = v;
		vm->r.have[i] = true;
		at = (u32)(at + 4);
	}
	vm->popped |= mask;
	vm->vsp = mask >> ARM_SP & 1 ? vm->r.v[ARM_SP] : at;
	return OP_NEXT;
}

/* ---- one function for each form */

static enum op_result op_add(struct vm *vm, u8 op)
{
	return move(vm, ((op & 0x3fu) << 2) + 4);
}

static enum op_result op_sub(struct vm *vm, u8 op)
{
	return move(vm, -(u64)(((op & 0x3fu) << 2) + 4));
}

/* 1000iiii iiiiiiii: r4 to r15; none of them is "refuse to unwind". */
static enum op_result op_pop_mask(struct vm *vm, u8 op)
{
	unsigned mask = (op & 0xfu) << 8 | next(vm);

	return mask ? pop(vm, mask << ARM_R4) : OP_REFUSE;
}

static enum op_result op_set(struct vm *vm, u8 op)
{
	unsigned reg = op & 0xf;

	/* The forms of 13 and 15 are prefixes without a meaning yet. */
	if (reg == ARM_SP || reg == ARM_PC || !vm->r.have[reg])
		return OP_REFUSE;
	vm->vsp = vm->r.v[reg];
	return OP_NEXT;
}

static enum op_result op_pop_range(struct vm *vm, u8 op)
{
	unsigned mask = ((2u << (op & 7)) - 1) << ARM_R4;

	return pop(vm, op & 8 ? mask | 1u << ARM_LR : mask);
}

static enum op_result op_finish(struct vm *vm, u8 op)
{
	(void)vm;
	(void)op;
	return OP_FINISH;
}

static enum op_result op_pop_low(struct vm *vm, u8 op)
{
	u8 mask = next(vm);

	(void)op;
	return mask && mask <= 0xf ? pop(vm, mask) : OP_REFUSE;
}

static enum op_result op_add_long(struct vm *vm, u8 op)
{
	u64 v = 0;
	u8 b = 0x80;

	(void)op;
	for (unsigned shift = 0; b & 0x80; shift += 7) {
		if (vm->at == vm->n || shift > 28)
			return OP_REFUSE;
		b = next(vm);
		v |= (u64)(b & 0x7f) << shift;
	}
	return move(vm, 0x204 + (v << 2));
}

/* Registers of floating point are not kept: the stack pointer only moves. */
static enum op_result op_fstmx(struct vm *vm, u8 op)
{
	(void)op;
	return move(vm, ((next(vm) & 0xfu) + 1) * 8 + 4);
}

static enum op_result op_fstmx_d8(struct vm *vm, u8 op)
{
	return move(vm, ((op & 7u) + 1) * 8 + 4);
}

/* The code that authenticates the return address (Armv8.1-M): of four bytes. */
static enum op_result op_pop_auth(struct vm *vm, u8 op)
{
	(void)op;
	return move(vm, 4);
}

/* 0xb5: the stack pointer as it is now goes into that code, which is not looked at. */
static enum op_result op_nothing(struct vm *vm, u8 op)
{
	(void)vm;
	(void)op;
	return OP_NEXT;
}

static enum op_result op_pop_doubles(struct vm *vm, u8 op)
{
	(void)op;
	return move(vm, ((next(vm) & 0xfu) + 1) * 8);
}

static enum op_result op_pop_doubles_8(struct vm *vm, u8 op)
{
	return move(vm, ((op & 7u) + 1) * 8);
}

/* iWMMXt's control registers, of four bytes each. */
static enum op_result op_pop_wcgr(struct vm *vm, u8 op)
{
	u8 mask = next(vm);

	(void)op;
	return mask && mask <= 0xf ? move(vm, 4 * (u64)__builtin_popcount(mask)) : OP_REFUSE;
}

static enum op_result op_spare(struct vm *vm, u8 op)
{
	(void)vm;
	(void)op;
	return OP_REFUSE;
}

/* The first that fits; EHABI, 10.3, table 4, in its order but for those that are a part of a wider one. */
static const struct {
	u8 mask, value;
	u8 len;
	enum op_result (*run)(struct vm *vm, u8 op);
} forms[] = {
	{ 0xc0, 0x00, 1, op_add },	    { 0xc0, 0x40, 1, op_sub },		{ 0xf0, 0x80, 2, op_pop_mask },
	{ 0xf0, 0x90, 1, op_set },	    { 0xf0, 0xa0, 1, op_pop_range },	{ 0xff, 0xb0, 1, op_finish },
	{ 0xff, 0xb1, 2, op_pop_low },	    { 0xff, 0xb2, 2, op_add_long },	{ 0xff, 0xb3, 2, op_fstmx },
	{ 0xff, 0xb4, 1, op_pop_auth },	    { 0xff, 0xb5, 1, op_nothing },	{ 0xf8, 0xb8, 1, op_fstmx_d8 },
	{ 0xff, 0xc6, 2, op_pop_doubles },  { 0xff, 0xc7, 2, op_pop_wcgr },	{ 0xf8, 0xc0, 1, op_pop_doubles_8 },
	{ 0xfe, 0xc8, 2, op_pop_doubles },  { 0xf8, 0xd0, 1, op_pop_doubles_8 }, { 0, 0, 1, op_spare },
};

static enum op_result run_one(struct vm *vm)
{
	size_t left = vm->n - vm->at, i = 0;
	u8 op = next(vm);

	while ((op & forms[i].mask) != forms[i].value)
		i++;
	return left < forms[i].len ? OP_REFUSE : forms[i].run(vm, op);
}

/* The registers as the caller has them: what calls preserve, and what was saved besides. */
static void restore(const struct vm *vm, struct cpu_regs *r)
{
	/* r4 to r11: AAPCS32, 6.1.1.  What is popped into r14 is where to go on; the caller's own is lost. */
	unsigned kept = 0xff0u | (vm->popped & (vm->popped >> ARM_PC & 1 ? 0x7fffu : 0x1fffu));

	for (unsigned i = 0; i < ARM_PC; i++) {
		r->have[i] = (kept >> i & 1) && vm->r.have[i];
		r->v[i] = vm->r.v[i];
	}
	r->v[ARM_SP] = vm->vsp;
	r->have[ARM_SP] = true;
}

/* Behind the last byte all are "finish": EHABI, 10.3, remark on padding. */
bool exidx_run(struct unwind *u, const u8 *ops, size_t n, struct cpu_regs *r)
{
	struct vm vm = { .u = u, .ops = ops, .n = n, .r = *r, .vsp = r->v[ARM_SP] };
	enum op_result res = OP_NEXT;
	unsigned ret;

	if (!r->have[ARM_SP])
		return false;
	while (res == OP_NEXT && vm.at < n)
		res = run_one(&vm);
	ret = vm.popped >> ARM_PC & 1 ? ARM_PC : ARM_LR;
	if (res == OP_REFUSE || !vm.r.have[ret])
		return false;
	*r = (struct cpu_regs){ 0 };
	regs_return(u, r, vm.r.v[ret]);
	restore(&vm, r);
	return true;
}
