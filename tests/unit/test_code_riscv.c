#include "unwindbuild.h"

#include "unwind/code/insn.h"

/* Steps by reading code of RISC-V, on functions that are built instruction by instruction. */
enum {
	FN = CB_TEXT + 0x400, RET = CB_TEXT + 0x204,
	ENTRY = CB_STACK + 0x800, OLD_S1 = 0xb0b0, OLD_S0 = CB_STACK + 0xa00,
};
enum { RA = 1, SP = 2, S0 = 8, S1 = 9, A0 = 10 };

/* ---- a function: a large frame with a frame pointer, and a call */

static const u16 frame64[] = {
	0x7179,		/* 00 addi sp,sp,-48 */
	0xf406,		/* 02 sd ra,40(sp) */
	0xf022,		/* 04 sd s0,32(sp) */
	0xec26,		/* 06 sd s1,24(sp) */
	0x1800,		/* 08 addi s0,sp,48 */
	0x72f9,		/* 0a lui t0,0xffffe */
	0x22c1,		/* 0c addiw t0,t0,16 */
	0x9116,		/* 0e add sp,sp,t0 */
	0xc119,		/* 10 beqz a0,16 */
	0x9582,		/* 12 jalr a1 */
	0x84aa,		/* 14 mv s1,a0 */
	0x0113, 0xfd04,	/* 16 addi sp,s0,-48 */
	0x70a2,		/* 1a ld ra,40(sp) */
	0x7402,		/* 1c ld s0,32(sp) */
	0x64e2,		/* 1e ld s1,24(sp) */
	0x6145,		/* 20 addi sp,sp,48 */
	0x8082,		/* 22 ret */
};
static const u16 frame32[] = {
	0x7179,		/* 00 addi sp,sp,-48 */
	0xd606,		/* 02 sw ra,44(sp) */
	0xd422,		/* 04 sw s0,40(sp) */
	0xd226,		/* 06 sw s1,36(sp) */
	0x1800,		/* 08 addi s0,sp,48 */
	0x72f9,		/* 0a lui t0,0xffffe */
	0x02c1,		/* 0c addi t0,t0,16 */
	0x9116,		/* 0e add sp,sp,t0 */
	0xc119,		/* 10 beqz a0,16 */
	0x9582,		/* 12 jalr a1 */
	0x84aa,		/* 14 mv s1,a0 */
	0x0113, 0xfd04,	/* 16 addi sp,s0,-48 */
	0x50b2,		/* 1a lw ra,44(sp) */
	0x5422,		/* 1c lw s0,40(sp) */
	0x5492,		/* 1e lw s1,36(sp) */
	0x6145,		/* 20 addi sp,sp,48 */
	0x8082,		/* 22 ret */
};

static const struct {
	u8 at;
	u16 depth;	/* bytes of stack in use */
	bool own_ra;	/* after a call */
	bool own_s0, own_s1;
} places[] = {
	{ .at = 0x00 }, { .at = 0x02, .depth = 48 }, { .at = 0x06, .depth = 48 }, { .at = 0x08, .depth = 48 },
	{ .at = 0x0a, .depth = 48, .own_s0 = true }, { .at = 0x0e, .depth = 48, .own_s0 = true },
	{ .at = 0x10, .depth = 48 + 8176, .own_s0 = true }, { .at = 0x12, .depth = 48 + 8176, .own_s0 = true },
	{ .at = 0x14, .depth = 48 + 8176, .own_ra = true, .own_s0 = true },
	{ .at = 0x16, .depth = 48 + 8176, .own_ra = true, .own_s0 = true, .own_s1 = true },
	{ .at = 0x1a, .depth = 48, .own_ra = true, .own_s0 = true, .own_s1 = true },
	{ .at = 0x1c, .depth = 48, .own_s0 = true, .own_s1 = true }, { .at = 0x1e, .depth = 48, .own_s1 = true },
	{ .at = 0x20, .depth = 48 }, { .at = 0x22 },
};

/* What is before the return address: by it is known what was called, or not. */
enum how { BY_CALL, BY_FAR_CALL, BY_RETURNS };
static const u32 calls[][2] = {
	[BY_CALL] = { 0x00000013, 0x200000ef },		/* nop; jal ra,FN */
	[BY_FAR_CALL] = { 0x00000097, 0x204080e7 },	/* auipc ra,0; jalr ra,516(ra) */
	[BY_RETURNS] = { 0x00000013, 0x000780e7 },	/* nop; jalr a5 */
};

static void poke_code(struct fixture *f, const u16 *code, size_t n)
{
	u8 raw[2];

	for (size_t i = 0; i < n; i++) {
		uint_put(f->o.core.fmt, raw, 2, code[i]);
		poke(f, FN + 2 * i, raw, 2);
	}
}

static void poke_call(struct fixture *f, const u32 call[2])
{
	u8 raw[8];

	uint_put(f->o.core.fmt, raw, 4, call[0]);
	uint_put(f->o.core.fmt, raw + 4, 4, call[1]);
	poke(f, RET - 8, raw, 8);
}

static void begin_code(struct fixture *f, u8 word, const u16 *code, size_t n, enum how how)
{
	begin(f, EM_RISCV, word == 8 ? CB_LE64 : CB_LE32);
	poke_code(f, code, n);
	poke_call(f, calls[how]);
	poke_word(f, ENTRY - word, RET);
	poke_word(f, ENTRY - 2 * word, OLD_S0);
	poke_word(f, ENTRY - 3 * word, OLD_S1);
}

static void go_to(struct fixture *f, size_t i)
{
	f->r = (struct cpu_regs){ .pc = FN + places[i].at, .exact = true };
	set(f, SP, ENTRY - places[i].depth);
	set(f, RA, places[i].own_ra ? FN + 0x14 : RET);
	set(f, S0, places[i].own_s0 ? ENTRY : OLD_S0);
	set(f, S1, places[i].own_s1 ? 1 : OLD_S1);
}

static void expect_caller(struct fixture *f, size_t i)
{
	if (!step_code(f->u, &f->r))
		fail_msg("at %#x: nothing", places[i].at);
	if (f->r.pc != RET || f->r.v[SP] != ENTRY || f->r.v[S0] != OLD_S0 || f->r.v[S1] != OLD_S1)
		fail_msg("at %#x: pc %#lx sp %#lx s0 %#lx s1 %#lx", places[i].at, (long)f->r.pc, (long)f->r.v[SP],
			 (long)f->r.v[S0], (long)f->r.v[S1]);
	assert_true(f->r.have[S0] && f->r.have[S1] && !f->r.have[A0] && !f->r.exact);
}

/* From the start on, the stack pointer is known itself. */
static void expect_row(struct fixture *f, size_t i, size_t len)
{
	struct code_row row;
	size_t n;

	assert_int_equal(code_row_from(f->u, FN, FN, FN + len, FN + places[i].at, true, &row, &n), CODE_ENDS);
	assert_int_equal(n, 1);
	assert_int_equal(row.cfa.base, SP);
	assert_int_equal(row.cfa.add, places[i].depth);
}

static void all_places(u8 word, const u16 *code, size_t n)
{
	struct fixture f;

	for (enum how how = BY_CALL; how <= BY_RETURNS; how++) {
		begin_code(&f, word, code, n, how);
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			go_to(&f, i);
			expect_caller(&f, i);
			expect_row(&f, i, 2 * n);
		}
		end(&f);
	}
}

static void code_of_64_bits(void **state)
{
	(void)state;
	all_places(8, frame64, ARRAY_SIZE(frame64));
}

static void code_of_32_bits(void **state)
{
	(void)state;
	all_places(4, frame32, ARRAY_SIZE(frame32));
}

/* A call that leads to elsewhere is not the one that led here. */
static void the_call_must_lead_here(void **state)
{
	static const u32 elsewhere[][2] = {
		{ 0x00000013, 0x222000ef },	/* nop; jal ra,FN + 0x22 */
		{ 0x00000097, 0x226080e7 },	/* auipc ra,0; jalr ra,550(ra) */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		begin_code(&f, 8, frame64, ARRAY_SIZE(frame64), BY_CALL);
		poke_call(&f, elsewhere[i]);
		go_to(&f, 7);
		assert_false(step_code(f.u, &f.r));
		end(&f);
	}
}

/* ---- -msave-restore */

static const u16 millicode[] = {
	0x02ef, 0x0080,	/* 00 jal t0,08 */
	0x842a,		/* 04 mv s0,a0 */
	0xa029,		/* 06 j 10 */
	0x1141,		/* 08 __riscv_save_0: addi sp,sp,-16 */
	0xe022,		/* 0a sd s0,0(sp) */
	0xe406,		/* 0c sd ra,8(sp) */
	0x8282,		/* 0e jr t0 */
	0x6402,		/* 10 __riscv_restore_0: ld s0,0(sp) */
	0x60a2,		/* 12 ld ra,8(sp) */
	0x0141,		/* 14 addi sp,sp,16 */
	0x8082,		/* 16 ret */
};

/* What is called by t0 moves the stack pointer: from the start nothing is known, but the returns tell. */
static void code_that_calls_millicode(void **state)
{
	struct code_row row;
	struct fixture f;
	size_t n;

	(void)state;
	begin_code(&f, 8, millicode, ARRAY_SIZE(millicode), BY_CALL);
	for (u64 at = 4; at < 8; at += 2) {
		f.r = (struct cpu_regs){ .pc = FN + at, .exact = true };
		set(&f, SP, ENTRY - 16);
		set(&f, S0, at > 4 ? 1 : OLD_S0);
		set(&f, RA, RET);
		assert_true(step_code(f.u, &f.r));
		assert_int_equal(f.r.pc, RET);
		assert_int_equal(f.r.v[SP], ENTRY);
		assert_int_equal(f.r.v[S0], OLD_S0);
		code_row_from(f.u, FN, FN, FN + 8, FN + at, true, &row, &n);
		assert_int_equal(n, 0);
	}
	end(&f);
}

/* ---- paths that are not seen */

/* A switch: one of its branches calls, and comes where only one that calls nothing is seen to come. */
static const u16 switched[] = {
	0x1141,		/* 00 addi sp,sp,-16 */
	0xe406,		/* 02 sd ra,8(sp) */
	0xe022,		/* 04 sd s0,0(sp) */
	0xc119,		/* 06 beqz a0,0c */
	0x8782,		/* 08 jr a5 */
	0x9582,		/* 0a jalr a1 */
	0x60a2,		/* 0c ld ra,8(sp) */
	0x6402,		/* 0e ld s0,0(sp) */
	0x0141,		/* 10 addi sp,sp,16 */
	0x8082,		/* 12 ret */
};

static void a_saved_register_is_where_it_was_saved(void **state)
{
	struct code_row row;
	struct fixture f;
	size_t n;

	(void)state;
	begin_code(&f, 8, switched, ARRAY_SIZE(switched), BY_CALL);
	f.r = (struct cpu_regs){ .pc = FN + 0xc, .exact = true };
	set(&f, SP, ENTRY - 16);
	set(&f, S0, 1);
	set(&f, RA, FN + 0xc);
	assert_true(step_code(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	code_row_from(f.u, FN, FN, FN + 0x14, FN + 0xc, true, &row, &n);
	assert_int_equal(n, 1);
	assert_true(row.ra.kind == CODE_MEM && row.ra.base == CODE_CFA && row.ra.off == -8);
	assert_true(row.r[S0].kind == CODE_MEM && row.r[S0].base == CODE_CFA && row.r[S0].off == -16);
	/* What is below the stack pointer may be anything. */
	code_row_from(f.u, FN, FN, FN + 0x14, FN + 0x12, true, &row, &n);
	assert_true(n == 1 && row.ra.kind == CODE_VALUE && row.ra.base == RA);
	end(&f);
}

/* ---- hostile code */

/* All code that fits, of two bytes that repeat: bounded, whatever it is. */
static void code_bears_any_byte(void **state)
{
	static u8 code[0xc00];
	struct fixture f;

	(void)state;
	for (unsigned b = 0; b < 0x10000; b += 0x101 * 3 + 1) {
		for (size_t i = 0; i < sizeof(code); i++)
			code[i] = (u8)(i % 2 ? b >> 8 : b);
		begin(&f, EM_RISCV, b % 2 ? CB_LE64 : CB_LE32);
		poke(&f, FN, code, sizeof(code));
		f.r = (struct cpu_regs){ .pc = FN, .exact = true };
		set(&f, SP, ENTRY);
		step_code(f.u, &f.r);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_of_64_bits), cmocka_unit_test(code_of_32_bits),
		cmocka_unit_test(the_call_must_lead_here), cmocka_unit_test(code_that_calls_millicode),
		cmocka_unit_test(a_saved_register_is_where_it_was_saved), cmocka_unit_test(code_bears_any_byte),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
