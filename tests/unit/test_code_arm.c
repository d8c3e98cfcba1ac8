#include "unwindbuild.h"

#include "unwind/code/insn.h"

/* Code of 32-bit Arm, instruction for instruction. */
enum { SP0 = CB_STACK + 0x100, FN = CB_TEXT + 0x400, RET = CB_TEXT + 0x204, SP = 13, THUMB = 0x20 };

static struct cpu_regs begin_stack(struct fixture *f, u64 pc, bool thumb)
{
	struct cpu_regs r = begin_arm_stack(f, SP0);

	r.pc = pc;
	r.mode = thumb ? THUMB : 0;
	return r;
}

static const struct {
	const char *what;
	bool thumb;
	u32 code[9];
	u8 n;
	u32 at;		/* in bytes from the start: pc */
	s32 sp;		/* the caller's from SP0, or -1: lost, -2: no caller */
	s32 lr;		/* the word from SP0 that is the return address, or -1: the register */
} walks[] = {
	{ "the first instruction", false, { 0xe92d4010 }, 1, 0, 0, -1 },
	{ "push {r4, lr}", false, { 0xe92d4010, 0xe1a00000 }, 2, 4, 8, 1 },
	{ "and sub sp, #8", false, { 0xe92d4010, 0xe24dd008, 0xe1a00000 }, 3, 8, 16, 3 },
	{ "str lr, [sp, #-4]!", false, { 0xe52de004, 0xe1a00000 }, 2, 4, 4, 0 },
	{ "vpush {d8-d9} below", false, { 0xe92d4010, 0xed2d8b04, 0xe1a00000 }, 3, 8, 24, 5 },
	{ "behind add sp, before pop", false, { 0xe92d4010, 0xe24dd008, 0xe28dd008, 0xe8bd8010 }, 4, 12, 8, 1 },
	{ "behind pop {r4, lr}", false, { 0xe92d4010, 0xe8bd4010, 0xe12fff1e }, 3, 8, 0, -1 },
	{ "behind a return", false, { 0xe92d4010, 0x08bd8010, 0xe1a00000 }, 3, 8, 8, 1 },
	{ "behind popne {r4, lr}; bxne lr", false, { 0xe92d4010, 0x18bd4010, 0x112fff1e, 0xe1a00000 }, 4, 12, 8, 1 },
	{ "a branch around", false, { 0xe3500000, 0x0a000001, 0xe92d4010, 0xe8bd8010, 0xe1a00000 }, 5, 16, 0, -1 },
	{ "nothing leads there", false, { 0xe12fff1e, 0xe1a00000 }, 2, 4, -1, -1 },
	{ "a loop, and nothing leads there", false, { 0xeafffffe, 0xe1a00000 }, 2, 4, -1, -1 },
	{ "lr is overwritten", false, { 0xe3a0e000, 0xe1a00000 }, 2, 4, -2, -1 },
	{ "a call, and lr is not saved", false, { 0xeb000000, 0xe1a00000 }, 2, 4, -2, -1 },
	{ "sp is anything", false, { 0xe92d4010, 0xe04dd003, 0xe1a00000 }, 3, 8, -1, -1 },
	{ "addls pc, pc, r0, lsl 2", false, { 0xe52de004, 0x908ff100, 0xea000001, 0xea000001, 0xe12fff1e, 0xe12fff1e,
	  0xe1a00000 }, 7, 24, 4, 0 },
	{ "push {r3, r7, lr}", true, { 0xb588, 0xbf00 }, 2, 2, 12, 2 },
	{ "push.w {r4, r8, lr}", true, { 0xe92d, 0x4110, 0xbf00 }, 3, 4, 12, 2 },
	{ "strd r4, lr, [sp, #-16]!", true, { 0xe96d, 0x4e04, 0xbf00 }, 3, 4, 16, 1 },
	{ "str.w lr, [sp, #-4]!", true, { 0xf84d, 0xed04, 0xbf00 }, 3, 4, 4, 0 },
	{ "sub.w sp, #4992 and sp, #8", true, { 0xb510, 0xf5ad, 0x5d9c, 0xb082, 0xb002, 0xf50d, 0x5d9c, 0xbf00 },
	  8, 14, 8, 1 },
	{ "cbz", true, { 0xb108, 0xb510, 0xbd10, 0xbf00 }, 4, 6, 0, -1 },
	{ "it eq; popeq {r4, pc}", true, { 0xb510, 0xbf08, 0xbd10, 0xbf00 }, 4, 6, 8, 1 },
	{ "mov lr, pc; bx r3", false, { 0xe52de004, 0xe1a0e00f, 0xe12fff13, 0xe1a00000 }, 4, 12, 4, 0 },
	{ "sub sp, sp, r3 of a literal", false, { 0xe52de004, 0xe59f3004, 0xe04dd003, 0xe1a00000, 0x40 }, 5, 12, 0x44, 16 },
	{ "add sp, sp, r3 of a negative one", false, { 0xe52de004, 0xe59f3004, 0xe08dd003, 0xe1a00000, 0xffffffc0 },
	  5, 12, 0x44, 16 },
	{ "movw r3, #64; sub sp, sp, r3", false, { 0xe52de004, 0xe3003040, 0xe04dd003, 0xe1a00000 }, 4, 12, 0x44, 16 },
	{ "blne, and lr is not saved", false, { 0xe3500000, 0x1b000010, 0xe1a00000 }, 3, 8, 0, -1 },
	{ "behind movne pc, lr", false, { 0xe3500000, 0x11a0f00e, 0xe1a00000 }, 3, 8, 0, -1 },
	{ "popne {r4, lr}, another, bxne lr", false, { 0xe92d4010, 0x18bd4010, 0xe1a02001, 0x112fff1e, 0xe1a00000 },
	  5, 16, 8, 1 },
	{ "popne {r4, lr}; bne away", false, { 0xe92d4010, 0x18bd4010, 0x1a000000, 0xe1a00000, 0xe1a00000 }, 5, 12, 8, 1 },
	{ "the same, there", false, { 0xe92d4010, 0x18bd4010, 0x1a000001, 0xe8bd8010, 0xe1a00000, 0xe1a00000 },
	  6, 20, 0, -1 },
	{ "sp is perhaps anything", false, { 0xe52de004, 0x004dd003, 0xe1a00000 }, 3, 8, -1, -1 },
	{ "ldrls pc, [pc, r0, lsl #2]", false, { 0xe52de004, 0x979ff100, 0xea000001, FN + 20, FN + 24, 0xe12fff1e,
	  0xe1a00000 }, 7, 24, 4, 0 },
	{ "ite eq; popeq {r4, pc}; nopne", true, { 0xb510, 0xbf0c, 0xbd10, 0xbf00, 0xbf00 }, 5, 8, 8, 1 },
	{ "ldr r3; add sp, r3", true, { 0xb500, 0x4b01, 0x449d, 0xbf00, 0xffc0, 0xffff }, 6, 6, 0x44, 16 },
	{ "tbh", true, { 0xb500, 0xe8df, 0xf010, 0x0002, 0x0003, 0x4770, 0xbf00 }, 7, 12, 4, 0 },
	{ "tbb", true, { 0xb500, 0xe8df, 0xf000, 0x0302, 0x4770, 0x4770, 0xbf00 }, 7, 10, 4, 0 },
};

static void put_code(struct fixture *f, size_t i)
{
	unsigned size = walks[i].thumb ? 2 : 4;
	u8 raw[4];

	for (unsigned k = 0; k < walks[i].n; k++) {
		uint_put(CB_LE32, raw, size, walks[i].code[k]);
		poke(f, FN + size * k, raw, size);
	}
}

static void code_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		struct cpu_regs r;
		struct fixture f;
		enum code_step res;

		begin(&f, EM_ARM, CB_LE32);
		r = begin_stack(&f, FN + walks[i].at, walks[i].thumb);
		put_code(&f, i);
		res = step_code_from(f.u, FN, FN + 0x80, &r);
		if (res != (walks[i].sp == -1 ? CODE_LOST : walks[i].sp == -2 ? CODE_NO_CALLER : CODE_FOUND))
			fail_msg("%s: %d", walks[i].what, res);
		if (res == CODE_FOUND && r.v[SP] != (u64)(SP0 + walks[i].sp))
			fail_msg("%s: sp %#llx", walks[i].what, (unsigned long long)r.v[SP]);
		if (res == CODE_FOUND && r.pc != (walks[i].lr < 0 ? 14 * 0x11 : 0x1000u + ((unsigned)walks[i].lr & ~1u)))
			fail_msg("%s: pc %#llx", walks[i].what, (unsigned long long)r.pc);
		end(&f);
	}
}

/* Any bytes are an instruction of two or four, and no walk over them is without end. */
static void any_code_ends(void **state)
{
	struct fixture f;
	u32 x = 1;

	(void)state;
	begin(&f, EM_ARM, CB_LE32);
	for (u32 i = 0; i < 200; i++) {
		struct cpu_regs r = begin_stack(&f, CB_TEXT + 0xfff, i & 2);
		u8 code[CB_PAGE];

		for (size_t k = 0; k < sizeof(code); k++) {
			x = x * 1103515245 + 12345;
			code[k] = (u8)(x >> 16);
		}
		poke(&f, CB_TEXT, code, sizeof(code));
		assert_int_equal(step_code_from(f.u, CB_TEXT, i & 1 ? UINT32_MAX : CB_TEXT + 0xffe, &r), CODE_LOST);
	}
	end(&f);
}

static void calls_are_known(void **state)
{
	static const struct { bool thumb; u32 before[2]; bool is; } calls[] = {
		{ false, { 0, 0xeb000000 }, true },	     { false, { 0, 0xe12fff33 }, true },
		{ false, { 0, 0xfa000000 }, true },	     { false, { 0xe1a0e00f, 0xe12fff13 }, true },
		{ false, { 0xe1a00000, 0xe12fff13 }, false }, { false, { 0xeb000000, 0xe1a00000 }, false },
		{ true, { 0xf000, 0xf800 }, true },	     { true, { 0xf000, 0xe800 }, true },
		{ true, { 0xbf00, 0x4798 }, true },	     { true, { 0xbf00, 0x4718 }, false },
		{ true, { 0xf000, 0xb800 }, false },
	};
	struct fixture f;

	(void)state;
	begin(&f, EM_ARM, CB_LE32);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned size = calls[i].thumb ? 2 : 4;
		u8 raw[4];

		for (unsigned k = 0; k < 2; k++) {
			uint_put(CB_LE32, raw, size, calls[i].before[k]);
			poke(&f, RET - size * (2 - k), raw, size);
		}
		f.r = (struct cpu_regs){ .pc = RET, .mode = calls[i].thumb ? THUMB : 0 };
		if (code_has_call(f.u, &f.r) != calls[i].is)
			fail_msg("call %zu", i);
	}
	end(&f);
}

/* ---- by what calls it, whatever that is of */

static void put(struct fixture *f, u64 addr, u32 v, unsigned size)
{
	u8 raw[4];

	uint_put(CB_LE32, raw, size, v);
	poke(f, addr, raw, size);
}

/* bl and blx, with what they go to. */
static void put_thumb_call(struct fixture *f, u64 at, u64 to, bool other)
{
	u32 off = (u32)(to - ((at + 4) & (other ? ~3ULL : ~0ULL))), s = off >> 31;

	put(f, at, 0xf000 | s << 10 | (off >> 12 & 0x3ff), 2);
	put(f, at + 2, (other ? 0xc000 : 0xd000) | (~(off >> 23 ^ s) & 1) << 13 | (~(off >> 22 ^ s) & 1) << 11 |
	    (off >> 1 & 0x7ff), 2);
}

static void put_arm_call(struct fixture *f, u64 at, u64 to, bool other)
{
	u32 off = (u32)(to - (at + 8));

	put(f, at, (other ? 0xfa000000 | (off >> 1 & 1) << 24 : 0xeb000000) | (off >> 2 & 0xffffff), 4);
}

/* push {r4, lr}; sub sp, #8; add sp, #8; pop {r4, pc} */
static const u32 arm_fn[] = { 0xe92d4010, 0xe24dd008, 0xe28dd008, 0xe8bd8010 };
static const u16 thumb_fn[] = { 0xb510, 0xb082, 0xb002, 0xbd10 };

static const struct { s32 sp; bool saved; } places[] = { { 0, false }, { -8, true }, { -16, true }, { -8, true } };

/* Of each mode, from each mode, by a call whose target is known or not, at each instruction. */
static void step_at(bool thumb, bool from_thumb, bool known, size_t i)
{
	u64 pc = FN + i * (thumb ? 2 : 4), sp = SP0 + 0x20 + (u64)(s64)places[i].sp;
	struct cpu_regs r;
	struct fixture f;

	begin(&f, EM_ARM, CB_LE32);
	r = begin_stack(&f, pc, thumb);
	for (size_t k = 0; k < 4; k++)
		put(&f, FN + k * (thumb ? 2 : 4), thumb ? thumb_fn[k] : arm_fn[k], thumb ? 2 : 4);
	if (!known)
		put(&f, RET - (from_thumb ? 2 : 4), from_thumb ? 0x4798 : 0xe12fff33, from_thumb ? 2 : 4);
	else if (from_thumb)
		put_thumb_call(&f, RET - 4, FN, !thumb);
	else
		put_arm_call(&f, RET - 4, FN, thumb);
	poke_word(&f, SP0 + 0x18, 0x4444);
	poke_word(&f, SP0 + 0x1c, RET | from_thumb);
	r.v[SP] = sp;
	r.v[14] = places[i].saved ? 0 : RET | from_thumb;
	r.v[4] = places[i].saved ? 1 : 0x4444;
	if (!step_code(f.u, &r))
		fail_msg("%d from %d, %zu: nothing", thumb, from_thumb, i);
	assert_false(r.doubt);
	if (r.pc != RET || r.mode != (from_thumb ? THUMB : 0) || r.v[SP] != SP0 + 0x20 || r.v[4] != 0x4444)
		fail_msg("%d from %d, %zu: pc %#llx mode %llx sp %#llx", thumb, from_thumb, i, (unsigned long long)r.pc,
			 (unsigned long long)r.mode, (unsigned long long)r.v[SP]);
	end(&f);
}

static void code_leads_to_the_caller(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 8; how++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++)
			step_at(how & 1, how & 2, how & 4, i);
}

/* A call of another function is not what led here.  If that is of another mode, it may lead here in the end. */
static void code_refuses_other_calls(void **state)
{
	struct cpu_regs r;
	struct fixture f;

	(void)state;
	for (unsigned other = 0; other < 2; other++) {
		begin(&f, EM_ARM, CB_LE32);
		r = begin_stack(&f, FN + 8, false);
		for (size_t k = 0; k < 4; k++)
			put(&f, FN + 4 * k, arm_fn[k], 4);
		put(&f, FN + 0x40, 0xe12fff1e, 4);
		put_arm_call(&f, RET - 4, FN + 0x40, other);
		poke_word(&f, SP0 + 12, RET);
		assert_int_equal(step_code(f.u, &r), other);
		end(&f);
	}
}

/* Where the stack was rounded down, the frame pointer leads on; what was saved after that is by the stack pointer. */
static void code_rounds_the_stack(void **state)
{
	/* push {fp, lr}; fp = ...; bic sp, sp, #63; push {r4}; mov r4, #0 */
	static const u32 arm[] = { 0xe92d4800, 0xe28db004, 0xe3cdd03f, 0xe52d4004, 0xe3a04000, 0xe1a00000 };
	/* the same by mov r3, sp; bfc r3, #0, #6; mov sp, r3 */
	static const u16 thumb[] = { 0xb580, 0xaf00, 0x466b, 0xf36f, 0x0305, 0x469d, 0xb410, 0x2400, 0xbf00 };
	struct fixture f;
	struct cpu_regs r;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&f, EM_ARM, CB_LE32);
		r = begin_stack(&f, FN + (i ? 16 : 20), i);
		for (size_t k = 0; k < (i ? ARRAY_SIZE(thumb) : ARRAY_SIZE(arm)); k++)
			put(&f, FN + k * (i ? 2 : 4), i ? thumb[k] : arm[k], i ? 2 : 4);
		poke_word(&f, SP0, 0x4444);
		poke_word(&f, SP0 + 0x58, 0x7777);
		poke_word(&f, SP0 + 0x5c, RET | i);
		/* r11 is at the return address, r7 at the word before it. */
		r.v[14] = RET | i;
		r.v[11] = SP0 + 0x5c;
		if (i)
			r.v[7] = SP0 + 0x58;
		assert_int_equal(step_code_from(f.u, FN, FN + 0x20, &r), CODE_FOUND);
		assert_int_equal(r.pc, RET);
		assert_int_equal(r.v[SP], SP0 + 0x60);
		assert_int_equal(r.v[i ? 7 : 11], 0x7777);
		assert_true(r.have[4]);
		assert_int_equal(r.v[4], 0x4444);
		end(&f);
	}
}

/* A condition leaves a way out, a loop without one does not. */
static void code_that_never_returns(void **state)
{
	static const struct { bool thumb; u32 code[4]; bool never; } cases[] = {
		{ false, { 0xeafffffe }, true },	/* b . */
		{ false, { 0x0a000000, 0xeafffffd, 0xe12fff1e }, false },
		{ false, { 0x012fff1e, 0xeafffffd }, false },	/* bxeq lr */
		{ false, { 0x08bd8010, 0xeafffffd }, false },	/* popeq {r4, pc} */
		{ false, { 0xe12fff13 }, false },		/* bx r3 */
		{ true, { 0xe7fe }, true },
		{ true, { 0xd000, 0xe7fd, 0x4770 }, false },
		{ true, { 0xbf08, 0x4770, 0xe7fc }, false },	/* it eq; bxeq lr */
		{ true, { 0xbf08, 0xbf00, 0xe7fc }, true },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned size = cases[i].thumb ? 2 : 4;
		struct cpu_regs r = { .pc = FN, .mode = cases[i].thumb ? THUMB : 0 };

		begin(&f, EM_ARM, CB_LE32);
		for (unsigned k = 0; k < 4; k++)
			put(&f, FN + size * k, cases[i].code[k], size);
		if (code_never_returns(f.u, &r) != cases[i].never)
			fail_msg("case %zu", i);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_followed),	    cmocka_unit_test(any_code_ends),
		cmocka_unit_test(calls_are_known),	    cmocka_unit_test(code_leads_to_the_caller),
		cmocka_unit_test(code_refuses_other_calls), cmocka_unit_test(code_rounds_the_stack),
		cmocka_unit_test(code_that_never_returns),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
