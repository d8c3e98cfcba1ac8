#include <dwarf.h>

#include "base/util.h"
#include "unwind/frame/frame.h"

/*
 * DWARF 5, section 2.5, as far as call frame information uses it: no calls, no
 * pieces, no types.  libdw parses expressions; what they yield is for us to find.
 */
enum { STACK_MAX = 64, STEPS_MAX = 4096 };

struct machine {
	struct unwind *u;
	const struct cpu_regs *r;
	u64 cfa;
	u64 v[STACK_MAX];
	size_t n;
	bool failed;
};

static void push(struct machine *m, u64 value)
{
	if (m->n == STACK_MAX) {
		m->failed = true;
		return;
	}
	m->v[m->n++] = u64_of_word(m->u, value);
}

static u64 pop(struct machine *m)
{
	if (!m->n) {
		m->failed = true;
		return 0;
	}
	return m->v[--m->n];
}

static void push_reg(struct machine *m, u64 reg, u64 offset)
{
	u64 v;

	if (reg < CPU_REGS_MAX && m->r->have[reg])
		push(m, m->r->v[reg] + offset);
	else if (regs_vectors(m->u, m->r, reg, &v))
		push(m, v + offset);
	else
		m->failed = true;
}

/* Literals and registers; false: the operation is of another kind. */
static bool op_value(struct machine *m, const Dwarf_Op *op)
{
	u8 a = op->atom;

	if (a >= DW_OP_lit0 && a <= DW_OP_lit31)
		push(m, a - DW_OP_lit0);
	else if (a >= DW_OP_breg0 && a <= DW_OP_breg31)
		push_reg(m, a - DW_OP_breg0, op->number);
	else if (a == DW_OP_bregx)
		push_reg(m, op->number, op->number2);
	else if (a == DW_OP_call_frame_cfa)
		push(m, m->cfa);
	else if (a == DW_OP_addr || (a >= DW_OP_const1u && a <= DW_OP_consts))
		push(m, op->number);
	else
		return false;
	return true;
}

static bool op_stack(struct machine *m, const Dwarf_Op *op)
{
	u64 depth = op->atom == DW_OP_pick ? op->number : op->atom == DW_OP_over ? 1 : 0;
	u64 top, next, third;

	switch (op->atom) {
	case DW_OP_dup:
	case DW_OP_over:
	case DW_OP_pick:
		if (depth >= m->n)
			m->failed = true;
		else
			push(m, m->v[m->n - 1 - depth]);
		return true;
	case DW_OP_drop:
		pop(m);
		return true;
	case DW_OP_swap:
	case DW_OP_rot:
		top = pop(m);
		next = pop(m);
		third = op->atom == DW_OP_rot ? pop(m) : 0;
		push(m, top);
		if (op->atom == DW_OP_rot)
			push(m, third);
		push(m, next);
		return true;
	}
	return false;
}

/* What takes one value. */
static bool op_unary(struct machine *m, const Dwarf_Op *op)
{
	unsigned size = op->atom == DW_OP_deref_size ? (unsigned)op->number : m->u->core->layout.word;
	u64 value, read;

	switch (op->atom) {
	case DW_OP_deref:
	case DW_OP_deref_size:
		if (!space_uint(m->u, pop(m), size, &read))
			m->failed = true;
		else
			push(m, read);
		return true;
	case DW_OP_neg:
		push(m, -pop(m));
		return true;
	case DW_OP_not:
		push(m, ~pop(m));
		return true;
	case DW_OP_abs:
		value = pop(m);
		push(m, (u64)s64_of_word(m->u, value) >> 63 ? -value : value);
		return true;
	case DW_OP_plus_uconst:
		push(m, pop(m) + op->number);
		return true;
	}
	return false;
}

static u64 divide(struct machine *m, s64 a, s64 b)
{
	if (!b) {
		m->failed = true;
		return 0;
	}
	/* The one quotient that does not fit. */
	return b == -1 ? -(u64)a : (u64)(a / b);
}

static u64 modulo(struct machine *m, u64 a, u64 b)
{
	if (!b)
		m->failed = true;
	return b ? a % b : 0;
}

static bool op_binary(struct machine *m, const Dwarf_Op *op)
{
	u64 b, a;
	s64 sb, sa;

	if (op->atom < DW_OP_abs || op->atom > DW_OP_ne || op->atom == DW_OP_bra || op->atom == DW_OP_abs)
		return false;
	b = pop(m);
	a = pop(m);
	sb = s64_of_word(m->u, b);
	sa = s64_of_word(m->u, a);
	switch (op->atom) {
	case DW_OP_and:   push(m, a & b); break;
	case DW_OP_div:   push(m, divide(m, sa, sb)); break;
	case DW_OP_minus: push(m, a - b); break;
	case DW_OP_mod:   push(m, modulo(m, a, b)); break;
	case DW_OP_mul:   push(m, a * b); break;
	case DW_OP_or:    push(m, a | b); break;
	case DW_OP_plus:  push(m, a + b); break;
	case DW_OP_shl:   push(m, b < 64 ? a << b : 0); break;
	case DW_OP_shr:   push(m, b < 64 ? a >> b : 0); break;
	case DW_OP_shra:  push(m, (u64)(sa >> min(b, (u64)63))); break;
	case DW_OP_xor:   push(m, a ^ b); break;
	case DW_OP_eq:    push(m, sa == sb); break;
	case DW_OP_ge:    push(m, sa >= sb); break;
	case DW_OP_gt:    push(m, sa > sb); break;
	case DW_OP_le:    push(m, sa <= sb); break;
	case DW_OP_lt:    push(m, sa < sb); break;
	case DW_OP_ne:    push(m, sa != sb); break;
	default:	  m->failed = true;
	}
	return true;
}

/* The operation that the jump @op leads to: offsets are in bytes of the expression. */
static size_t jump(struct machine *m, const Dwarf_Op *ops, size_t n, size_t at)
{
	u64 to = ops[at].offset + 3 + ops[at].number;

	for (size_t i = 0; i < n; i++)
		if (ops[i].offset == to)
			return i;
	/* Before the first one, it has wrapped. */
	if (to > ops[n - 1].offset && to <= INT64_MAX)
		return n;
	m->failed = true;
	return n;
}

/* The operation after the one at @at. */
static size_t step(struct machine *m, const Dwarf_Op *ops, size_t n, size_t at)
{
	const Dwarf_Op *op = &ops[at];

	if (op->atom == DW_OP_skip || (op->atom == DW_OP_bra && pop(m)))
		return jump(m, ops, n, at);
	if (op->atom != DW_OP_bra && op->atom != DW_OP_nop && !op_value(m, op) && !op_stack(m, op) && !op_unary(m, op) &&
	    !op_binary(m, op))
		m->failed = true;
	return at + 1;
}

bool expr_eval(struct unwind *u, const struct cpu_regs *r, u64 cfa, const Dwarf_Op *ops, size_t n, u64 *out)
{
	struct machine m = { .u = u, .r = r, .cfa = cfa };
	unsigned steps = 0;

	for (size_t at = 0; at < n && !m.failed;) {
		at = step(&m, ops, n, at);
		if (++steps > STEPS_MAX)
			return false;
	}
	*out = pop(&m);
	return !m.failed;
}
