#include "unwindbuild.h"

#include "unwind/code/insn.h"

/*
 * Steps by reading code, on functions that are built byte by byte: FN is called
 * right before RET; at its first instruction the stack pointer is ENTRY.
 */
enum {
	FN = CB_TEXT + 0x400, RET = CB_TEXT + 0x204,
	ENTRY = CB_STACK + 0x800, OLD_BX = 0xb0b0, OLD_FP = CB_STACK + 0xa00,
};
enum { RBX = 3, RBP = 6, RSP = 7 };

/* By direction: what calls FN is known, or not: then only the returns tell. */
enum how { BY_CALL, BY_RETURNS };

static void begin_code(struct fixture *f, const void *code, size_t len, enum how how)
{
	u8 call[5] = { 0xe8 };

	begin(f, EM_X86_64, CB_LE64);
	uint_put(f->o.core.fmt, call + 1, 4, (u32)(FN - RET));
	poke(f, FN, code, len);
	if (how == BY_CALL)
		poke(f, RET - 5, call, sizeof(call));
	else
		poke(f, RET - 2, "\xff\xd0", 2);
	poke_word(f, ENTRY, RET);
	poke_word(f, ENTRY - 8, OLD_FP);
	poke_word(f, ENTRY - 16, OLD_BX);
}

/*
 * A function with all that moves a stack pointer: push, a frame pointer, a saved
 * register, alignment, an array, an early return, a loop, and a call that does not
 * return at its end, behind which another begins.
 */
static const u8 frame[] = {
	0x55,				/* 00 push %rbp */
	0x48, 0x89, 0xe5,		/* 01 mov %rsp,%rbp */
	0x53,				/* 04 push %rbx */
	0x48, 0x83, 0xe4, 0xe0,		/* 05 and $-32,%rsp */
	0x48, 0x83, 0xec, 0x40,		/* 09 sub $64,%rsp */
	0x85, 0xff,			/* 0d test %edi,%edi */
	0x74, 0x0a,			/* 0f je 1b */
	0xff, 0xcf,			/* 11 dec %edi */
	0x75, 0xfc,			/* 13 jne 11 */
	0x31, 0xdb,			/* 15 xor %ebx,%ebx */
	0x85, 0xf6,			/* 17 test %esi,%esi */
	0x75, 0x07,			/* 19 jne 22 */
	0x48, 0x8d, 0x65, 0xf8,		/* 1b lea -8(%rbp),%rsp */
	0x5b,				/* 1f pop %rbx */
	0x5d,				/* 20 pop %rbp */
	0xc3,				/* 21 ret */
	0xe8, 0xd9, 0x00, 0x00, 0x00,	/* 22 call FN + 100 */
	0x48, 0x83, 0xec, 0x08,		/* 27 the next function: sub $8,%rsp */
	0x48, 0x83, 0xc4, 0x08,		/* 2b add $8,%rsp */
	0xc3,				/* 2f ret */
};

/* The registers at an instruction, as the processor would have them. */
static const struct {
	u8 at;
	u64 sp;
	bool own_fp;	/* rbp is the function's */
	bool own_bx;
	bool only_by_call;	/* from there no path leads to a return */
} places[] = {
	{ .at = 0x00, .sp = ENTRY },
	{ .at = 0x01, .sp = ENTRY - 8 },
	{ .at = 0x04, .sp = ENTRY - 8, .own_fp = true },
	{ .at = 0x05, .sp = ENTRY - 16, .own_fp = true },
	{ .at = 0x09, .sp = (ENTRY - 16) & ~31, .own_fp = true },
	{ .at = 0x0d, .sp = ((ENTRY - 16) & ~31) - 64, .own_fp = true },
	{ .at = 0x13, .sp = ((ENTRY - 16) & ~31) - 64, .own_fp = true },
	{ .at = 0x17, .sp = ((ENTRY - 16) & ~31) - 64, .own_fp = true, .own_bx = true },
	{ .at = 0x1b, .sp = ((ENTRY - 16) & ~31) - 64, .own_fp = true, .own_bx = true },
	{ .at = 0x1f, .sp = ENTRY - 16, .own_fp = true, .own_bx = true },
	{ .at = 0x20, .sp = ENTRY - 8, .own_fp = true },
	{ .at = 0x21, .sp = ENTRY },
	{ .at = 0x22, .sp = ((ENTRY - 16) & ~31) - 64, .own_fp = true, .own_bx = true, .only_by_call = true },
};

static void go_to(struct fixture *f, size_t i)
{
	f->r = (struct cpu_regs){ .pc = FN + places[i].at, .exact = true };
	set(f, RSP, places[i].sp);
	set(f, RBP, places[i].own_fp ? ENTRY - 8 : OLD_FP);
	set(f, RBX, places[i].own_bx ? 0x1234 : OLD_BX);
}

static void expect_caller(struct fixture *f, size_t i)
{
	if (!step_code(f->u, &f->r))
		fail_msg("at %#x: nothing", places[i].at);
	if (f->r.pc != RET || f->r.v[RSP] != ENTRY + 8 || f->r.v[RBP] != OLD_FP || f->r.v[RBX] != OLD_BX)
		fail_msg("at %#x: pc %#lx sp %#lx bp %#lx bx %#lx", places[i].at, (long)f->r.pc, (long)f->r.v[RSP],
			 (long)f->r.v[RBP], (long)f->r.v[RBX]);
	assert_true(f->r.have[RBP] && f->r.have[RBX] && !f->r.have[0] && !f->r.exact);
}

static void code_leads_to_the_caller(void **state)
{
	struct fixture f;

	(void)state;
	for (enum how how = BY_CALL; how <= BY_RETURNS; how++) {
		begin_code(&f, frame, sizeof(frame), how);
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			go_to(&f, i);
			if (how == BY_CALL || !places[i].only_by_call)
				expect_caller(&f, i);
		}
		end(&f);
	}
}

/* Both directions say the same of each place, one by one. */
static void code_agrees_with_itself(void **state)
{
	struct code_row row, rows[CODE_ROWS_MAX];
	struct fixture f;
	size_t n;

	(void)state;
	begin_code(&f, frame, sizeof(frame), BY_CALL);
	go_to(&f, 0);
	assert_true(step_code(f.u, &f.r));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i].only_by_call)
			continue;
		assert_int_equal(code_row_from(f.u, FN, FN, FN + 0x27, FN + places[i].at, true, &row, &n), CODE_ENDS);
		assert_int_equal(n, 1);
		assert_int_equal(row.cfa.kind, CODE_VALUE);
		code_rows_to(f.u, FN + places[i].at, true, FN, FN + 0x27, rows, &n);
		assert_int_equal(n, 1);
		assert_int_equal(rows[0].cfa.kind, CODE_VALUE);
		/* By the same register, they are the same. */
		if (row.cfa.base == rows[0].cfa.base)
			assert_int_equal(row.cfa.add, rows[0].cfa.add);
	}
	/* The end of the function is not run into. */
	code_rows_to(f.u, FN + 0x22, true, FN, FN + 0x27, rows, &n);
	assert_int_equal(n, 0);
	end(&f);
}

/* Two ways to one place, with different stacks: nobody knows. */
static void code_refuses_two_stacks(void **state)
{
	static const u8 code[] = {
		0x85, 0xff,	/* 00 test %edi,%edi */
		0x74, 0x01,	/* 02 je 05 */
		0x50,		/* 04 push %rax */
		0x90,		/* 05 nop */
		0xeb, 0xfd,	/* 06 jmp 05 */
	};
	struct fixture f;

	(void)state;
	begin_code(&f, code, sizeof(code), BY_CALL);
	f.r = (struct cpu_regs){ .pc = FN + 5, .exact = true };
	set(&f, RSP, ENTRY);
	assert_false(step_code(f.u, &f.r));
	end(&f);
}

/* The bytes before a return address, the last ones a call or not; a call with a prefix is one without it. */
static void calls_of_x86(void **state)
{
	static const struct { u8 before[CALL_BYTES]; u32 lens; } cases[] = {
		{ { 0x90, 0x90, 0xe8, 1, 2, 3, 4 }, 1 << 5 },			/* call rel32 */
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, 1 << 2 },	/* *%rax */
		{ { 0x90, 0x90, 0x90, 0x90, 0x41, 0xff, 0xd4 }, 1 << 2 },	/* *%r12 */
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0x10 }, 1 << 2 },	/* *(%rax) */
		{ { 0x90, 0x90, 0x90, 0x90, 0xff, 0x14, 0xc3 }, 1 << 3 },	/* *(%rbx,%rax,8) */
		{ { 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 0x18 }, 1 << 3 },	/* *24(%rax) */
		{ { 0x90, 0x90, 0x90, 0xff, 0x54, 0x24, 0x08 }, 1 << 4 },	/* *8(%rsp) */
		{ { 0x90, 0xff, 0x15, 1, 2, 3, 4 }, 1 << 6 },			/* *(%rip) */
		{ { 0x90, 0xff, 0x90, 1, 2, 3, 4 }, 1 << 6 },			/* *disp32(%rax) */
		{ { 0xff, 0x14, 0xc5, 1, 2, 3, 4 }, 1 << 7 },			/* *disp32(,%rax,8) */
		{ { 0xff, 0x94, 0x24, 1, 2, 3, 4 }, 1 << 7 },			/* *disp32(%rsp) */
		{ { 0x90, 0x90, 0xe8, 1, 2, 0xff, 0xd0 }, 1 << 5 | 1 << 2 },	/* either */
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, 0 },		/* jmp *%rax */
		{ { 0x90, 0x90, 0xe9, 1, 2, 3, 4 }, 0 },			/* jmp rel32 */
		{ { 0x90, 0x90, 0x90, 0xe8, 1, 2, 3 }, 0 },			/* in the middle of it */
		{ { 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0, 0x90 }, 0 },
		{ { 0x90, 0x90, 0xff, 0x15, 1, 2, 3 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (x86_calls(cases[i].before) != cases[i].lens)
			fail_msg("case %zu: %#x", i, x86_calls(cases[i].before));
}

/* What was saved there is not any more: the caller's register is where it has been restored to. */
static void code_forgets_what_is_overwritten(void **state)
{
	static const u8 code[] = {
		0x53,			/* 00 push %rbx */
		0x31, 0xdb,		/* 01 xor %ebx,%ebx */
		0x48, 0x8b, 0x1c, 0x24,	/* 03 mov (%rsp),%rbx */
		0x48, 0x89, 0x3c, 0x24,	/* 07 mov %rdi,(%rsp) */
		0x90,			/* 0b nop */
		0xeb, 0xfd,		/* 0c jmp 0b */
	};
	struct fixture f;

	(void)state;
	begin_code(&f, code, sizeof(code), BY_CALL);
	f.r = (struct cpu_regs){ .pc = FN + 0xb, .exact = true };
	set(&f, RSP, ENTRY - 8);
	set(&f, RBX, OLD_BX);
	assert_true(step_code(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	assert_true(f.r.have[RBX]);
	assert_int_equal(f.r.v[RBX], OLD_BX);
	end(&f);
}

/* The call before the return address leads here with another stack: that is not the caller. */
static void code_refuses_what_its_call_denies(void **state)
{
	static const u8 code[] = {
		0x48, 0x83, 0xec, 0x20,	/* 00 sub $32,%rsp */
		0xeb, 0x01,		/* 04 jmp 07 */
		0x53,			/* 06 another function: push %rbx */
		0x90,			/* 07 nop */
		0x5b,			/* 08 pop %rbx */
		0xc3,			/* 09 ret */
	};
	struct fixture f;

	(void)state;
	begin_code(&f, code, sizeof(code), BY_CALL);
	f.r = (struct cpu_regs){ .pc = FN + 7, .exact = true };
	set(&f, RSP, ENTRY - 8);
	assert_false(step_code(f.u, &f.r));
	end(&f);
}

/* ---- arm64 */

static const u32 frame_a64[] = {
	0xd503233f,	/* 00 paciasp */
	0xa9bd7bfd,	/* 04 stp x29, x30, [sp, #-48]! */
	0x910003fd,	/* 08 mov x29, sp */
	0xf9000bf3,	/* 0c str x19, [sp, #16] */
	0xd10083ff,	/* 10 sub sp, sp, #32 */
	0x34000040,	/* 14 cbz w0, 1c */
	0xd63f0020,	/* 18 blr x1 */
	0x910003bf,	/* 1c mov sp, x29 */
	0xf9400bf3,	/* 20 ldr x19, [sp, #16] */
	0xa8c37bfd,	/* 24 ldp x29, x30, [sp], #48 */
	0xd50323bf,	/* 28 autiasp */
	0xd65f03c0,	/* 2c ret */
};

static const struct {
	u8 at;
	u16 depth;	/* bytes of stack in use */
	bool own_lr;	/* after a call */
	bool own_fp, own_x19;
} places_a64[] = {
	{ .at = 0x00 }, { .at = 0x04 }, { .at = 0x08, .depth = 48 },
	{ .at = 0x0c, .depth = 48, .own_fp = true }, { .at = 0x10, .depth = 48, .own_fp = true },
	{ .at = 0x14, .depth = 80, .own_fp = true },
	{ .at = 0x1c, .depth = 80, .own_lr = true, .own_fp = true, .own_x19 = true },
	{ .at = 0x20, .depth = 48, .own_lr = true, .own_fp = true, .own_x19 = true },
	{ .at = 0x24, .depth = 48, .own_lr = true, .own_fp = true },
	{ .at = 0x28 }, { .at = 0x2c },
};

enum { X19 = 19, X29 = 29, X30 = 30, A64_SP = 31 };

static void poke_a64(struct fixture *f, u64 addr, const u32 *words, size_t n)
{
	u8 raw[4];

	for (size_t i = 0; i < n; i++) {
		uint_put(f->o.core.fmt, raw, 4, words[i]);
		poke(f, addr + 4 * i, raw, 4);
	}
}

static void code_of_arm64(void **state)
{
	const u32 call = 0x94000000 | (FN - (RET - 4)) / 4;
	struct fixture f;

	(void)state;
	begin(&f, EM_AARCH64, CB_LE64);
	poke_a64(&f, FN, frame_a64, ARRAY_SIZE(frame_a64));
	poke_a64(&f, RET - 4, &call, 1);
	poke_word(&f, ENTRY - 48, OLD_FP);
	poke_word(&f, ENTRY - 40, RET);
	poke_word(&f, ENTRY - 32, OLD_BX);
	for (size_t i = 0; i < ARRAY_SIZE(places_a64); i++) {
		f.r = (struct cpu_regs){ .pc = FN + places_a64[i].at, .exact = true };
		set(&f, A64_SP, ENTRY - places_a64[i].depth);
		set(&f, X30, places_a64[i].own_lr ? 0 : RET);
		set(&f, X29, places_a64[i].own_fp ? ENTRY - 48 : OLD_FP);
		set(&f, X19, places_a64[i].own_x19 ? 1 : OLD_BX);
		if (!step_code(f.u, &f.r))
			fail_msg("at %#x: nothing", places_a64[i].at);
		assert_int_equal(f.r.pc, RET);
		assert_int_equal(f.r.v[A64_SP], ENTRY);
		assert_int_equal(f.r.v[X29], OLD_FP);
		assert_int_equal(f.r.v[X19], OLD_BX);
	}
	end(&f);
}

/* A pair is loaded by one of its own registers: the other one is to be had all the same. */
static void code_of_arm64_loads_its_base(void **state)
{
	static const u32 call = 0xd63f0020;	/* blr x1: only the return tells */
	static const u32 code[] = {
		0xd503201f,	/* 00 nop */
		0x910043bf,	/* 04 add sp, x29, #16 */
		0xa9407bbd,	/* 08 ldp x29, x30, [x29] */
		0xd65f03c0,	/* 0c ret */
	};
	struct fixture f;

	(void)state;
	begin(&f, EM_AARCH64, CB_LE64);
	poke_a64(&f, FN, code, ARRAY_SIZE(code));
	poke_a64(&f, RET - 4, &call, 1);
	poke_word(&f, ENTRY - 16, OLD_FP);
	poke_word(&f, ENTRY - 8, RET);
	f.r = (struct cpu_regs){ .pc = FN, .exact = true };
	set(&f, A64_SP, ENTRY - 64);
	set(&f, X29, ENTRY - 16);
	assert_true(step_code(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	assert_int_equal(f.r.v[A64_SP], ENTRY);
	assert_int_equal(f.r.v[X29], OLD_FP);
	end(&f);
}

/* ---- hostile code */

static const struct {
	const char *what;
	u8 code[8];
	u8 len;
	u16 at;		/* from FN; the saved code ends at 0xc00 */
} bad[] = {
	{ "jumps to itself", { 0xeb, 0xfe }, 2, 0 },
	{ "jumps into itself", { 0xeb, 0xff, 0xc0, 0xeb, 0xfb }, 5, 0 },
	{ "jumps to no code", { 0xe9, 0xff, 0xff, 0xff, 0x7f }, 5, 0 },
	{ "jumps before address 0", { 0xe9, 0x00, 0x00, 0x00, 0x80 }, 5, 0 },
	{ "jumps to nobody knows where", { 0xff, 0xe0 }, 2, 0 },
	{ "jumps by a word that is not there", { 0xff, 0x25, 0xff, 0xff, 0xff, 0x7f }, 6, 0 },
	{ "pushes for ever", { 0x50, 0xeb, 0xfd }, 3, 0 },
	{ "pops for ever", { 0x58, 0xeb, 0xfd }, 3, 0 },
	{ "moves the stack far away", { 0x48, 0x81, 0xc4, 0xff, 0xff, 0xff, 0x7f, 0xc3 }, 8, 0 },
	{ "is no instruction", { 0x06, 0x06 }, 2, 0 },
	{ "stops", { 0x0f, 0x0b, 0xc3 }, 3, 0 },
	{ "is cut off", { 0x48, 0x83 }, 2, 0xbfe },
	{ "returns by a register that is not known", { 0x48, 0x89, 0xc4, 0xc3 }, 4, 0 },
	{ "returns into the stack", { 0x54, 0xc3 }, 2, 0 },
};

static void code_bears_anything(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(&f, EM_X86_64, CB_LE64);
		poke(&f, FN + bad[i].at, bad[i].code, bad[i].len);
		for (int exact = 0; exact < 2; exact++) {
			f.r = (struct cpu_regs){ .pc = FN + bad[i].at, .exact = exact };
			set(&f, RSP, ENTRY);
			if (step_code(f.u, &f.r))
				fail_msg("%s: %#lx", bad[i].what, (long)f.r.pc);
		}
		end(&f);
	}
}

/* All code that fits, of one instruction each: bounded, whatever it is. */
static void code_bears_any_byte(void **state)
{
	static u8 code[0xc00];
	struct fixture f;

	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		memset(code, (int)b, sizeof(code));
		begin(&f, EM_X86_64, CB_LE64);
		poke(&f, FN, code, sizeof(code));
		f.r = (struct cpu_regs){ .pc = FN, .exact = true };
		set(&f, RSP, ENTRY);
		assert_false(step_code(f.u, &f.r));
		end(&f);
	}
}

/* Of a machine that is not known here nothing is said. */
static void code_is_for_known_machines(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EM_S390, (struct elffmt){ ELFCLASS64, ELFDATA2MSB });
	f.r = (struct cpu_regs){ .pc = FN, .exact = true };
	assert_false(step_code(f.u, &f.r));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_leads_to_the_caller), cmocka_unit_test(code_agrees_with_itself),
		cmocka_unit_test(code_refuses_two_stacks), cmocka_unit_test(calls_of_x86), cmocka_unit_test(code_of_arm64),
		cmocka_unit_test(code_forgets_what_is_overwritten), cmocka_unit_test(code_refuses_what_its_call_denies),
		cmocka_unit_test(code_of_arm64_loads_its_base),
		cmocka_unit_test(code_bears_anything),
		cmocka_unit_test(code_bears_any_byte), cmocka_unit_test(code_is_for_known_machines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
