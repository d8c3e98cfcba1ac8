#include "unwindbuild.h"

#include "unwind/arm/exidx.h"

/* The tables for exceptions of 32-bit Arm, byte for byte. */
enum { SP0 = CB_STACK + 0x100, TABLE = CB_HEAP + 0x100, EXTAB = CB_HEAP + 0x800 };

static const struct elffmt orders[] = { { ELFCLASS32, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB } };

/* ---- unwinding instructions: EHABI, 10.3, table 4 */

#define NONE { 0 }
static const struct {
	const char *what;
	u8 ops[8];
	u8 n;
	s32 sp;		/* from SP0, or -1: refused */
	u32 pc;		/* 0: lr as it was */
	struct { u8 reg; u32 value; } regs[3];
} ops[] = {
	{ "vsp up", { 0x01 }, 1, 8, 0, { NONE } },
	{ "vsp up by most", { 0x3f }, 1, 0x100, 0, { NONE } },
	{ "vsp up, and down", { 0x03, 0x41 }, 2, 8, 0, { NONE } },
	{ "refuse", { 0x80, 0x00 }, 2, -1, 0, { NONE } },
	{ "pop r4, r11, lr", { 0x84, 0x81 }, 2, 12, 0x1002, { { 4, 0x1000 }, { 11, 0x1001 } } },
	{ "pop pc: lr is not asked", { 0x88, 0x01 }, 2, 8, 0x1000, { { 4, 0x1000 } } },
	{ "pop lr, pc: lr is the caller's", { 0x8c, 0x00 }, 2, 8, 0x1000, { { 14, 0x1000 } } },
	{ "pop sp", { 0x82, 0x01 }, 2, 0x1001 - SP0, 0, { { 4, 0x1000 } } },
	{ "vsp is r7", { 0x97, 0x00 }, 2, 0x77 + 4 - SP0, 0, { NONE } },
	{ "vsp is r13: spare", { 0x9d }, 1, -1, 0, { NONE } },
	{ "vsp is r15: spare", { 0x9f }, 1, -1, 0, { NONE } },
	{ "pop r4", { 0xa0 }, 1, 4, 0, { { 4, 0x1000 }, { 5, 0x55 } } },
	{ "pop r4 to r11", { 0xa7 }, 1, 32, 0, { { 4, 0x1000 }, { 11, 0x1007 } } },
	{ "pop r4 to r6, lr", { 0xaa }, 1, 16, 0x1003 & ~1, { { 6, 0x1002 }, { 7, 0x77 } } },
	{ "finish: the rest is nothing", { 0x00, 0xb0, 0x00 }, 3, 4, 0, { NONE } },
	{ "pop r0 and r3", { 0xb1, 0x09 }, 2, 8, 0, { { 0, 0x1000 }, { 3, 0x1001 } } },
	{ "pop none of r0 to r3: spare", { 0xb1, 0x00 }, 2, -1, 0, { NONE } },
	{ "pop r4 by the form of r0 to r3: spare", { 0xb1, 0x10 }, 2, -1, 0, { NONE } },
	{ "vsp far up", { 0xb2, 0x02 }, 2, 0x204 + 8, 0, { NONE } },
	{ "vsp far up, of two bytes", { 0xb2, 0x81, 0x01 }, 3, 0x204 + (129 << 2), 0, { NONE } },
	{ "pop d8, d9 by FSTMFDX", { 0xb3, 0x81 }, 2, 20, 0, { NONE } },
	{ "pop the authentication of lr", { 0xb4 }, 1, 4, 0, { NONE } },
	{ "its modifier", { 0xb5 }, 1, 0, 0, { NONE } },
	{ "spare: once FPA", { 0xb6 }, 1, -1, 0, { NONE } },
	{ "pop d8 to d10 by FSTMFDX", { 0xba }, 1, 28, 0, { NONE } },
	{ "pop wR10, wR11", { 0xc1 }, 1, 16, 0, { NONE } },
	{ "pop wR3 to wR5", { 0xc6, 0x32 }, 2, 24, 0, { NONE } },
	{ "pop wCGR0, wCGR2", { 0xc7, 0x05 }, 2, 8, 0, { NONE } },
	{ "pop no wCGR: spare", { 0xc7, 0x00 }, 2, -1, 0, { NONE } },
	{ "pop d16 to d18", { 0xc8, 0x02 }, 2, 24, 0, { NONE } },
	{ "pop d0", { 0xc9, 0x00 }, 2, 8, 0, { NONE } },
	{ "spare", { 0xca }, 1, -1, 0, { NONE } },
	{ "pop d8 to d15", { 0xd7 }, 1, 64, 0, { NONE } },
	{ "spare at the end", { 0xff }, 1, -1, 0, { NONE } },
	{ "nothing: finish", { 0 }, 0, 0, 0, { NONE } },
	{ "cut in a mask", { 0x84 }, 1, -1, 0, { NONE } },
	{ "cut in a number", { 0xb2, 0x80 }, 2, -1, 0, { NONE } },
	{ "a number without end", { 0xb2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 }, 8, -1, 0, { NONE } },
	{ "pop where no memory is", { 0xb2, 0xff, 0xff, 0x03, 0xa0 }, 5, -1, 0, { NONE } },
};

static void ops_do_what_they_say(void **state)
{
	(void)state;
	for (size_t o = 0; o < ARRAY_SIZE(orders); o++)
		for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
			struct cpu_regs r;
			struct fixture f;

			begin(&f, EM_ARM, orders[o]);
			r = begin_arm_stack(&f, SP0);
			if (exidx_run(f.u, ops[i].ops, ops[i].n, &r) != (ops[i].sp != -1))
				fail_msg("%s: refused or not", ops[i].what);
			if (ops[i].sp != -1 && (u32)r.v[ARM_SP] != (u32)(SP0 + ops[i].sp))
				fail_msg("%s: sp %#llx", ops[i].what, (unsigned long long)r.v[ARM_SP]);
			if (ops[i].sp != -1 && r.pc != (ops[i].pc ? ops[i].pc : 14 * 0x11))
				fail_msg("%s: pc %#llx", ops[i].what, (unsigned long long)r.pc);
			for (size_t k = 0; k < 3 && ops[i].regs[k].value; k++)
				if (!r.have[ops[i].regs[k].reg] || r.v[ops[i].regs[k].reg] != ops[i].regs[k].value)
					fail_msg("%s: r%u", ops[i].what, ops[i].regs[k].reg);
			end(&f);
		}
}

/* What a call does not preserve is not known in the caller. */
static void ops_keep_what_calls_keep(void **state)
{
	static const u8 pop_r4_lr[] = { 0xa8 };
	struct fixture f;
	struct cpu_regs r;

	(void)state;
	begin(&f, EM_ARM, orders[0]);
	r = begin_arm_stack(&f, SP0);
	assert_true(exidx_run(f.u, pop_r4_lr, 1, &r));
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(r.have[i], (i >= 4 && i <= 11) || i == ARM_SP);
	assert_int_equal(r.mode, 0x20);
	assert_int_equal(r.pc, 0x1000);
	/* Without a return address there is no caller. */
	assert_false(exidx_run(f.u, NULL, 0, &r));
	end(&f);
}

/* ---- the table */

static u32 prel31(u64 at, u64 to)
{
	return (u32)(to - at) & 0x7fffffff;
}

static void put_entry(struct fixture *f, unsigned i, u64 start, u32 what)
{
	poke_word(f, TABLE + 8 * i, prel31(TABLE + 8 * i, start));
	poke_word(f, TABLE + 8 * i + 4, what);
}

static void put_table(struct fixture *f)
{
	put_entry(f, 0, CB_TEXT, 1);
	put_entry(f, 1, CB_TEXT + 0x101, 0x80aa01b0);	/* the start's mark of Thumb code is not minded */
	put_entry(f, 2, CB_TEXT + 0x200, prel31(TABLE + 20, EXTAB));
	put_entry(f, 3, CB_TEXT + 0x300, prel31(TABLE + 28, EXTAB + 0x40));
	put_entry(f, 4, CB_TEXT + 0x400, 0x81aa01b0);	/* no words can follow here */
	put_entry(f, 5, CB_TEXT + 0x500, prel31(TABLE + 44, 0x10000));
	put_entry(f, 6, CB_TEXT + 0x600, 0x83aa01b0);	/* no such way */
	poke_word(f, EXTAB, 0x81010203);
	poke_word(f, EXTAB + 4, 0x04050607);
	poke_word(f, EXTAB + 0x40, prel31(EXTAB + 0x40, CB_TEXT));
	poke_word(f, EXTAB + 0x44, 0x01112233);
	poke_word(f, EXTAB + 0x48, 0x44556677);
}

static const struct {
	u32 at;
	bool found;
	u32 start;
	u8 n;
	u8 ops[8];
} entries[] = {
	{ 0x000, true, 0x000, 0, { 0 } },
	{ 0x0ff, true, 0x000, 0, { 0 } },
	{ 0x100, true, 0x100, 3, { 0xaa, 0x01, 0xb0 } },
	{ 0x1fe, true, 0x100, 3, { 0xaa, 0x01, 0xb0 } },
	{ 0x200, true, 0x200, 6, { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 } },
	{ 0x300, true, 0x300, 7, { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 } },
	{ 0x400, false, 0, 0, { 0 } },
	{ 0x500, false, 0, 0, { 0 } },
	{ 0x600, false, 0, 0, { 0 } },
};

static void entries_are_found(void **state)
{
	(void)state;
	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		struct fixture f;
		struct exidx x;

		begin(&f, EM_ARM, orders[o]);
		put_table(&f);
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			if (exidx_search(f.u, TABLE, 7, CB_TEXT + entries[i].at, &x) != entries[i].found)
				fail_msg("%#x: found or not", entries[i].at);
			if (!entries[i].found)
				continue;
			assert_int_equal(x.start, CB_TEXT + entries[i].start);
			assert_int_equal(x.cantunwind, entries[i].start == 0);
			assert_int_equal(x.n_ops, entries[i].n);
			assert_memory_equal(x.ops, entries[i].ops, entries[i].n);
		}
		assert_false(exidx_search(f.u, TABLE, 7, CB_TEXT - 1, &x));
		assert_false(exidx_search(f.u, TABLE, 0, CB_TEXT, &x));
		end(&f);
	}
}

/* Unsorted, longer than memory, in no memory: an end, and no entry that does not cover the address. */
static void hostile_tables_end(void **state)
{
	struct fixture f;
	struct exidx x;

	(void)state;
	begin(&f, EM_ARM, orders[0]);
	put_table(&f);
	put_entry(&f, 3, CB_TEXT + 0x150, 0x80b0b0b0);
	for (u32 at = 0; at < 0x800; at += 2)
		if (exidx_search(f.u, TABLE, 7, CB_TEXT + at, &x))
			assert_true(x.start <= CB_TEXT + at && CB_TEXT + at < x.end);
	assert_false(exidx_search(f.u, TABLE, 0xffffffff / 8, CB_TEXT, &x));
	assert_false(exidx_search(f.u, 0x10000, 7, CB_TEXT, &x));
	/* A description of as many words as can be, of which the last are in no memory. */
	put_table(&f);
	put_entry(&f, 2, CB_TEXT + 0x200, prel31(TABLE + 20, CB_HEAP + 2 * CB_PAGE - 8));
	poke_word(&f, CB_HEAP + 2 * CB_PAGE - 8, 0x82ff0203);
	assert_false(exidx_search(f.u, TABLE, 7, CB_TEXT + 0x200, &x));
	/* And all of them there. */
	put_entry(&f, 2, CB_TEXT + 0x200, prel31(TABLE + 20, EXTAB));
	poke_word(&f, EXTAB, 0x82ff0203);
	assert_true(exidx_search(f.u, TABLE, 7, CB_TEXT + 0x200, &x));
	assert_int_equal(x.n_ops, 2 + 255 * 4);
	end(&f);
}

/* ---- signals: arch/arm/kernel/sigreturn_codes.S, and glibc */

static void handlers_return(void **state)
{
	static const struct { u8 code[8]; u8 len; u32 context; } forms[] = {
		{ { 0x77, 0x70, 0xa0, 0xe3, 0x77, 0x00, 0x90, 0xef }, 8, 20 },
		{ { 0x77, 0x27, 0x00, 0xdf }, 4, 20 },
		{ { 0xad, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef }, 8, 148 },
		{ { 0x4f, 0xf0, 0xad, 0x07, 0x00, 0xdf }, 6, 148 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct cpu_regs r;

		begin(&f, EM_ARM, orders[0]);
		r = begin_arm_stack(&f, SP0);
		poke(&f, CB_TEXT + 0x300, forms[i].code, forms[i].len);
		r.pc = CB_TEXT + 0x300;
		assert_true(step_is_signal(f.u, r.pc, 0));
		poke_word(&f, SP0 + forms[i].context + 12 + 4 * 16, 0x20);
		assert_true(step_signal(f.u, &r));
		assert_true(r.exact);
		assert_int_equal(r.mode, 0x20);
		for (u32 k = 0; k < 15; k++)
			assert_int_equal(r.v[k], 0x1000 + (forms[i].context + 12) / 4 + k);
		assert_int_equal(r.pc, 0x1000 + (forms[i].context + 12) / 4 + 15);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ops_do_what_they_say), cmocka_unit_test(ops_keep_what_calls_keep),
		cmocka_unit_test(entries_are_found),	cmocka_unit_test(hostile_tables_end),
		cmocka_unit_test(handlers_return),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
