#include "unwindbuild.h"

#include <dwarf.h>

/* Expressions of call frame information. */
static const struct {
	const char *what;
	Dwarf_Op ops[5];
	size_t n;
	bool fails;
	u64 want;	/* in a word of 4 bytes its lower half */
} exprs[] = {
#define LIT(n) { .atom = DW_OP_lit0 + (n) }
#define S(n) { .atom = DW_OP_consts, .number = (Dwarf_Word)(n) }
#define OP(op) { .atom = (op) }
#define TWO(a, op, b, result) { #op, { S(a), S(b), OP(op) }, 3, false, (u64)(result) }
	TWO(12, DW_OP_and, 10, 8), TWO(12, DW_OP_or, 10, 14), TWO(12, DW_OP_xor, 10, 6),
	TWO(12, DW_OP_plus, 10, 22), TWO(10, DW_OP_minus, 12, -2), TWO(-3, DW_OP_mul, 5, -15),
	TWO(-12, DW_OP_div, 5, -2), TWO(12, DW_OP_mod, 5, 2), TWO(3, DW_OP_shl, 4, 48), TWO(48, DW_OP_shr, 4, 3),
	TWO(1, DW_OP_shl, 64, 0), TWO(-1, DW_OP_shr, 64, 0), TWO(-16, DW_OP_shra, 2, -4), TWO(-1, DW_OP_shra, 99, -1),
	TWO(-1, DW_OP_eq, -1, 1), TWO(-1, DW_OP_ne, -1, 0), TWO(-1, DW_OP_lt, 1, 1), TWO(-1, DW_OP_gt, 1, 0),
	TWO(2, DW_OP_le, 2, 1), TWO(1, DW_OP_ge, 2, 0), TWO(INT64_MIN, DW_OP_div, -1, INT64_MIN),
	{ "neg", { LIT(5), OP(DW_OP_neg) }, 2, false, (u64)-5 },
	{ "not", { LIT(5), OP(DW_OP_not) }, 2, false, ~5ULL },
	{ "abs", { S(-5), OP(DW_OP_abs) }, 2, false, 5 },
	{ "plus_uconst", { LIT(5), { .atom = DW_OP_plus_uconst, .number = 7 } }, 2, false, 12 },
	{ "dup", { LIT(5), OP(DW_OP_dup), OP(DW_OP_mul) }, 3, false, 25 },
	{ "drop", { LIT(5), LIT(6), OP(DW_OP_drop) }, 3, false, 5 },
	{ "over", { LIT(5), LIT(6), OP(DW_OP_over) }, 3, false, 5 },
	{ "pick", { LIT(5), LIT(6), LIT(7), { .atom = DW_OP_pick, .number = 2 } }, 4, false, 5 },
	{ "swap", { LIT(5), LIT(7), OP(DW_OP_swap), OP(DW_OP_minus) }, 4, false, 2 },
	{ "rot: the second is on top", { LIT(1), LIT(2), LIT(3), OP(DW_OP_rot) }, 4, false, 2 },
	{ "rot: the first is the third", { LIT(1), LIT(2), LIT(3), OP(DW_OP_rot), OP(DW_OP_minus) }, 5, false, (u64)-1 },
	{ "cfa", { OP(DW_OP_call_frame_cfa) }, 1, false, 0x7777 },
	{ "breg", { { .atom = DW_OP_breg0 + 3, .number = (Dwarf_Word)-8 } }, 1, false, 0x92 },
	{ "bregx", { { .atom = DW_OP_bregx, .number = 3, .number2 = 8 } }, 1, false, 0xa2 },
	{ "nop", { LIT(1), OP(DW_OP_nop) }, 2, false, 1 },
	{ "skip", { LIT(1), { .atom = DW_OP_skip, .offset = 1, .number = 1 }, { .atom = DW_OP_lit2, .offset = 4 },
		    { .atom = DW_OP_nop, .offset = 5 } }, 4, false, 1 },
	{ "bra not taken", { LIT(4), { .atom = DW_OP_lit0, .offset = 1 }, { .atom = DW_OP_bra, .offset = 2, .number = 1 },
			     { .atom = DW_OP_lit9, .offset = 5 } }, 4, false, 9 },
	{ "bra taken, to the end", { LIT(4), { .atom = DW_OP_lit1, .offset = 1 },
				     { .atom = DW_OP_bra, .offset = 2, .number = 1 },
				     { .atom = DW_OP_lit9, .offset = 5 } }, 4, false, 4 },
	{ "division by 0", { LIT(1), LIT(0), OP(DW_OP_div) }, 3, true, 0 },
	{ "modulo 0", { LIT(1), LIT(0), OP(DW_OP_mod) }, 3, true, 0 },
	{ "nothing", { LIT(0) }, 0, true, 0 },
	{ "underflow", { LIT(1), OP(DW_OP_plus) }, 2, true, 0 },
	{ "pick too deep", { LIT(1), { .atom = DW_OP_pick, .number = 1 } }, 2, true, 0 },
	{ "unknown register", { { .atom = DW_OP_breg0 + 4 } }, 1, true, 0 },
	{ "no such register", { { .atom = DW_OP_bregx, .number = 1ULL << 40 } }, 1, true, 0 },
	{ "not an operation of unwinding", { LIT(1), OP(DW_OP_call2) }, 2, true, 0 },
	{ "unmapped memory", { LIT(16), OP(DW_OP_deref) }, 2, true, 0 },
	{ "a size of 3", { { .atom = DW_OP_addr, .number = CB_HEAP }, { .atom = DW_OP_deref_size, .number = 3 } }, 2, true, 0 },
	{ "a jump into an operation", { LIT(1), { .atom = DW_OP_skip, .offset = 1, .number = (Dwarf_Word)-2 },
					{ .atom = DW_OP_nop, .offset = 4 } }, 3, true, 0 },
	{ "a jump before the first", { LIT(1), { .atom = DW_OP_skip, .offset = 1, .number = (Dwarf_Word)-5 } }, 2, true, 0 },
	{ "a jump to itself", { LIT(1), { .atom = DW_OP_skip, .offset = 1, .number = (Dwarf_Word)-3 } }, 2, true, 0 },
	{ "pushing for ever", { LIT(1), { .atom = DW_OP_skip, .offset = 1, .number = (Dwarf_Word)-4 } }, 2, true, 0 },
};

static void expr_all(u16 machine, struct elffmt fmt)
{
	struct fixture f;

	begin(&f, machine, fmt);
	f.r.v[3] = 0x9a;
	f.r.have[3] = true;
	for (size_t i = 0; i < ARRAY_SIZE(exprs); i++) {
		u64 got = 0, want = u64_of_word(f.u, exprs[i].want);
		bool ok = expr_eval(f.u, &f.r, 0x7777, exprs[i].ops, exprs[i].n, &got);

		if (ok == exprs[i].fails || (ok && got != want))
			fail_msg("%s: %d, %#llx instead of %#llx", exprs[i].what, ok, (unsigned long long)got,
				 (unsigned long long)want);
	}
	end(&f);
}

static void expr_in_words_of_8(void **state)
{
	(void)state;
	expr_all(EM_X86_64, CB_LE64);
}

static void expr_in_words_of_4(void **state)
{
	(void)state;
	expr_all(EM_386, CB_LE32);
}

static void expr_reads_memory(void **state)
{
	Dwarf_Op ops[] = { { .atom = DW_OP_addr, .number = CB_HEAP }, { .atom = DW_OP_deref } };
	struct fixture f;
	u64 got;

	(void)state;
	begin(&f, EM_X86_64, CB_LE64);
	poke_word(&f, CB_HEAP, 0x1122334455667788);
	assert_true(expr_eval(f.u, &f.r, 0, ops, 2, &got));
	assert_int_equal(got, 0x1122334455667788);
	ops[1] = (Dwarf_Op){ .atom = DW_OP_deref_size, .number = 2 };
	assert_true(expr_eval(f.u, &f.r, 0, ops, 2, &got));
	assert_int_equal(got, 0x7788);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expr_in_words_of_8),
		cmocka_unit_test(expr_in_words_of_4),
		cmocka_unit_test(expr_reads_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
