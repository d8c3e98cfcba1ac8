#include "explainbuild.h"

/* Verdicts on cores of which each is made for one: x86-64, but where a test says otherwise. */

static void begin_x86(struct crashed *c, s32 signo, s32 code, u64 addr)
{
	*c = (struct crashed){ 0 };
	cb_good(&c->f.o.cb, EM_X86_64, XB_LE64);
	xb_siginfo(&c->f.o.cb, signo, code, addr);
	/* Else all registers but two are zero, as of a thread of which the rest is not known. */
	xb_reg(&c->f.o.cb, "eflags", 0x10246);
}

enum { SEGV = 11, BUS = 7, MAPERR = 1, ACCERR = 2, KERNEL = 128, TKILL = -6 };
static const u8 mov_rax_8[] = { 0xc7, 0x40, 0x08, 1, 0, 0, 0 };	/* mov dword ptr [rax + 8], 1 */
static const u8 ret[] = { 0xc3 };

static void null_pointer(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, MAPERR, 8);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "null-pointer", SURE_CERTAIN);
	assert_int_equal(c.v.access.type, ACCESS_WRITE);
	assert_int_equal(c.v.access.size, 4);
	assert_string_equal(c.v.access.base.name, "rax");
	xb_end(&c);
}

/* The instruction is not in the core: less sure. */
static void null_pointer_without_code(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, MAPERR, 8);
	xb_reg(&c.f.o.cb, "rip", CB_TEXT + CB_PAGE + 8);
	xb_open(&c);
	xb_expect(&c, "null-pointer", SURE_LIKELY);
	xb_end(&c);
}

/* The kernel gives no address: the instruction does. */
static void no_address(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, KERNEL, 0);
	xb_reg(&c.f.o.cb, "rax", 0x8000000000000000);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "non-canonical-address", SURE_CERTAIN);
	assert_true(c.v.access.has_addr);
	assert_true(c.v.access.addr == 0x8000000000000008);
	xb_end(&c);

	begin_x86(&c, SEGV, KERNEL, 0);
	xb_open(&c);
	xb_code(&c, ret, sizeof(ret));
	poke_word(&c.f, XB_SP, 0x4141414141414141);
	xb_expect(&c, "jump-noncanonical", SURE_CERTAIN);
	xb_end(&c);

	/* As an emulated processor has it: already there. */
	begin_x86(&c, SEGV, KERNEL, 0);
	xb_reg(&c.f.o.cb, "rip", 0x4141414141414141);
	xb_open(&c);
	xb_expect(&c, "jump-noncanonical", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "call or jump to 0x4141414141414141"));
	poke_word(&c.f, XB_SP - 8, 0x4141414141414141);
	verdict_fini(&c.v);
	xb_expect(&c, "jump-noncanonical", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "return to 0x4141414141414141"));
	xb_end(&c);

	/* Nothing explains it. */
	begin_x86(&c, SEGV, KERNEL, 0);
	xb_open(&c);
	xb_code(&c, ret, sizeof(ret));
	poke_word(&c.f, XB_SP, CB_TEXT);
	xb_expect(&c, "general-protection", SURE_POSSIBLE);
	xb_end(&c);
}

/* No siginfo, as of old kernels: what could not have been done is the reason; what could have been done is none. */
static void no_siginfo(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, MAPERR, 0);
	cb_note_drop(&c.f.o.cb, cb_note_at(&c.f.o.cb, NT_SIGINFO, 0));
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "null-pointer", SURE_LIKELY);
	xb_end(&c);

	begin_x86(&c, SEGV, MAPERR, 0);
	cb_note_drop(&c.f.o.cb, cb_note_at(&c.f.o.cb, NT_SIGINFO, 0));
	xb_reg(&c.f.o.cb, "rax", CB_HEAP);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, NULL, SURE_CERTAIN);
	xb_end(&c);
}

static void jumps(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, MAPERR, 0);
	xb_reg(&c.f.o.cb, "rip", 0);
	xb_open(&c);
	xb_expect(&c, "jump-to-null", SURE_CERTAIN);
	assert_int_equal(c.v.access.type, ACCESS_FETCH);
	xb_end(&c);
	begin_x86(&c, SEGV, ACCERR, CB_HEAP + 0x10);
	xb_reg(&c.f.o.cb, "rip", CB_HEAP + 0x10);
	xb_open(&c);
	xb_expect(&c, "jump-to-data", SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, SEGV, MAPERR, 0x12345000);
	xb_reg(&c.f.o.cb, "rip", 0x12345000);
	xb_open(&c);
	xb_expect(&c, "jump-to-unmapped", SURE_CERTAIN);
	xb_end(&c);
}

static void rights(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, ACCERR, CB_TEXT + 0x808);
	xb_reg(&c.f.o.cb, "rax", CB_TEXT + 0x800);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "write-to-read-only", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "/bin/prog"));
	xb_end(&c);
	begin_x86(&c, SEGV, MAPERR, CB_HEAP + 0x808);
	xb_open(&c);
	xb_expect(&c, "guard-within-mapping", SURE_POSSIBLE);
	xb_end(&c);
	begin_x86(&c, SEGV, 4, CB_HEAP + 0x808);
	xb_open(&c);
	xb_expect(&c, "protection-key", SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, SEGV, 10, 0);
	xb_open(&c);
	xb_expect(&c, "control-protection", SURE_CERTAIN);
	xb_end(&c);
}

/* The stack pointer decides between a stack that is used up and an index. */
static void stack_overflow(void **state)
{
	static const u8 push[] = { 0x50 };
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, MAPERR, CB_STACK - 8);
	xb_reg(&c.f.o.cb, "rsp", CB_STACK);
	xb_open(&c);
	xb_code(&c, push, sizeof(push));
	xb_expect(&c, "stack-overflow", SURE_LIKELY);
	assert_string_equal(c.v.object.state, "stack");
	xb_end(&c);
	begin_x86(&c, SEGV, MAPERR, CB_STACK - 8);
	xb_reg(&c.f.o.cb, "rax", CB_STACK - 16);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "unmapped-address", SURE_CERTAIN);
	xb_end(&c);
}

static void bus(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, BUS, 2, CB_TEXT + 0x1008);
	xb_open(&c);
	xb_expect(&c, "past-end-of-file", SURE_LIKELY);
	xb_end(&c);
	begin_x86(&c, BUS, 1, CB_HEAP + 1);
	xb_open(&c);
	xb_expect(&c, "misaligned-access", SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, BUS, 4, CB_HEAP + 1);
	xb_open(&c);
	xb_expect(&c, "broken-memory", SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, BUS, 2, CB_HEAP + 1);
	xb_open(&c);
	xb_expect(&c, "no-memory-for-address", SURE_POSSIBLE);
	xb_end(&c);
}

/* Sent, not a fault: whatever the instruction there would do. */
static void sent(void **state)
{
	struct crashed c;

	(void)state;
	begin_x86(&c, SEGV, 0, 777);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "killed", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "process 777"));
	xb_end(&c);
	/* At an instruction that can be done, and after a call. */
	begin_x86(&c, SEGV, TKILL, CB_TID1);
	xb_reg(&c.f.o.cb, "rax", CB_HEAP);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "raised", SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, SEGV, TKILL, CB_TID1);
	xb_reg(&c.f.o.cb, "rip", XB_PC + 2);
	xb_open(&c);
	poke(&c.f, XB_PC, "\x0f\x05", 2);
	poke(&c.f, XB_PC + 2, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "raised", SURE_CERTAIN);
	xb_end(&c);
	/* A handler may have sent it again, and returned to one that cannot. */
	begin_x86(&c, SEGV, TKILL, CB_TID1);
	xb_open(&c);
	xb_code(&c, mov_rax_8, sizeof(mov_rax_8));
	xb_expect(&c, "null-pointer", SURE_LIKELY);
	xb_end(&c);
	/* systemd's watchdog. */
	begin_x86(&c, 6, 0, 1);
	xb_open(&c);
	xb_expect(&c, "killed", SURE_CERTAIN);
	assert_non_null(strstr(c.v.sentence, "watchdog"));
	xb_end(&c);
	/* A debugger's stop ends no process. */
	begin_x86(&c, 19, 0, 777);
	xb_open(&c);
	xb_expect(&c, NULL, SURE_CERTAIN);
	xb_end(&c);
	begin_x86(&c, 5, 0, 777);
	xb_open(&c);
	xb_expect(&c, NULL, SURE_CERTAIN);
	xb_end(&c);
}

/* The frame of a handler that has returned, and its fault at 0x10: of the first thread's registers, if @same. */
static void put_left_frame(struct crashed *c, const struct signal_frame *row, u64 frame, bool same)
{
	const struct arch *a = c->f.o.core.arch;
	struct elffmt fmt = c->f.o.core.fmt;
	unsigned word = c->f.o.cb.arch.word;
	u8 si[128] = { 0 };

	for (u16 i = 0; i < row->n_saved; i++) {
		const struct saved_regs *run = &row->saved[i];
		u64 at = frame + row->context + run->off;

		if (run->set || (run->size && run->size != word))
			continue;
		if (a->sp >= run->reg && a->sp < run->reg + run->n)
			poke_word(&c->f, at + (u64)(a->sp - run->reg) * word, XB_SP);
		if (a->pc >= run->reg && a->pc < run->reg + run->n)
			poke_word(&c->f, at + (u64)(a->pc - run->reg) * word, same ? XB_PC : XB_PC + 4);
	}
	uint_put(fmt, si, 4, SEGV);
	uint_put(fmt, si + (a->machine == EM_MIPS ? 4 : 8), 4, MAPERR);
	uint_put(fmt, si + (word == 8 ? 16 : 12), word, 0x10);
	poke(&c->f, frame + (u64)row->signo, si, sizeof(si));
}

/* MIPS' o32 saves registers in 64 bits, and where the siginfo is in a frame of 64-bit PowerPC varies: those are not found. */
static const struct signal_frame *row_with_words(const struct arch *a)
{
	for (u16 i = 0; i < a->frame.n_signals && a->machine != EM_PPC64; i++) {
		const struct signal_frame *row = &a->frame.signals[i];

		if (row->signo >= 0 && strstr(row->name, "rt_") && row->saved[0].size != 8)
			return row;
	}
	return NULL;
}

/* The thread's siginfo: the process has sent SIGSEGV to its thread. */
static void send_to_itself(struct cb *cb)
{
	u8 *si = cb_note_at(cb, NT_SIGINFO, 0)->desc.p;
	bool mips = cb->arch.machine == EM_MIPS;

	xb_siginfo(cb, SEGV, 0, 0);
	uint_put(cb->arch.fmt, si + (mips ? 4 : 8), 4, (u32)TKILL);
	uint_put(cb->arch.fmt, si + (cb->arch.word == 8 ? 16 : 12), 4, CB_TID1);
}

static void check_left_frame(const struct arch *a, const struct signal_frame *row, u64 frame, bool same)
{
	struct crashed c = { 0 };

	cb_good_abi(&c.f.o.cb, a->machine, a->fmt, a->flags);
	send_to_itself(&c.f.o.cb);
	xb_open(&c);
	/* sparc's stack pointer has a bias. */
	put_left_frame(&c, row, frame - row->context % 8, same);
	xb_explain(&c);
	if (c.v.caught != same || (same && c.v.access.addr != 0x10))
		fail_msg("%s: %s", a->name, c.v.sentence);
	xb_end(&c);
}

/* On each machine whose kernel puts a siginfo there: below the stack pointer, or elsewhere. */
static void left_frame(void **state)
{
	static const u64 places[] = { XB_SP - 0x800, CB_HEAP + 0x400 };
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		const struct signal_frame *row = row_with_words(arches[i]);

		for (size_t k = 0; row && k < 2 * ARRAY_SIZE(places); k++, n++)
			check_left_frame(arches[i], row, places[k / 2], k % 2);
	}
	assert_true(n >= 16 * 2 * ARRAY_SIZE(places));
}

/* Instructions that are refused, or that are there to stop. */
static void instructions(void **state)
{
	enum { ILL = 4, TRAP = 5 };
	static const struct { s32 signo; u8 code[8], len; const char *kind, *says; enum sure sure; } rows[] = {
		{ ILL, { 0x0f, 0x0f, 0xc1, 0x9e }, 4, "illegal-instruction", "does not have it, of 3dnow", SURE_CERTAIN },
		{ ILL, { 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1 }, 6, "illegal-instruction", "of avx512", SURE_CERTAIN },
		{ ILL, { 0x0f, 0x0b }, 2, "trap-instruction", "ud2", SURE_LIKELY },
		{ ILL, { 0x67, 0x0f, 0xb9, 0x40, 18 }, 5, "undefined-behaviour-trap", "an index is out of bounds", SURE_CERTAIN },
		{ ILL, { 0x67, 0x0f, 0xb9, 0x00 }, 4, "undefined-behaviour-trap", "an addition overflowed", SURE_CERTAIN },
		{ ILL, { 0x67, 0x0f, 0xb9, 0x40, 0xfe }, 5, "undefined-behaviour-trap", "not known", SURE_LIKELY },
	};
	struct crashed c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_x86(&c, rows[i].signo, 2, XB_PC);
		xb_open(&c);
		xb_code(&c, rows[i].code, rows[i].len);
		xb_expect(&c, rows[i].kind, rows[i].sure);
		if (!strstr(c.v.sentence, rows[i].says))
			fail_msg("%zu: %s", i, c.v.sentence);
		xb_end(&c);
	}
	/* After it has stopped, the processor is past int3. */
	begin_x86(&c, TRAP, KERNEL, 0);
	xb_open(&c);
	poke(&c.f, XB_PC - 1, "\xcc", 1);
	xb_expect(&c, "breakpoint", SURE_CERTAIN);
	xb_end(&c);
}

/* The same of arm64. */
static void instructions_arm64(void **state)
{
	enum { ILL = 4, TRAP = 5 };
	static const struct { s32 signo; u32 insn; const char *kind; enum sure sure; } rows[] = {
		{ TRAP, 0xd4200020, "trap-instruction", SURE_LIKELY }, { TRAP, 0xd4207d00, "trap-instruction", SURE_LIKELY },
		{ TRAP, 0xd42aa240, "undefined-behaviour-trap", SURE_CERTAIN }, { TRAP, 0xd43e0000, "breakpoint", SURE_CERTAIN },
		{ ILL, 0, "trap-instruction", SURE_LIKELY }, { ILL, 0x02000000, "illegal-instruction", SURE_CERTAIN },
	};
	struct crashed c;
	u8 code[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		c = (struct crashed){ 0 };
		cb_good(&c.f.o.cb, EM_AARCH64, XB_LE64);
		xb_siginfo(&c.f.o.cb, rows[i].signo, 1, XB_PC);
		xb_open(&c);
		uint_put(XB_LE64, code, 4, rows[i].insn);
		xb_code(&c, code, 4);
		xb_expect(&c, rows[i].kind, rows[i].sure);
		xb_end(&c);
	}
}

/* Every machine, with and without tables: a null pointer, or another end. */
static void machines(void **state)
{
	struct crashed c;

	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		c = (struct crashed){ 0 };
		cb_good_abi(&c.f.o.cb, arches[i]->machine, arches[i]->fmt, arches[i]->flags);
		xb_open(&c);
		xb_explain(&c);
		xb_end(&c);
	}
}

/* Registers and addresses of all kinds, and any code. */
static void anything(void **state)
{
	static const u64 places[] = { 0, 8, CB_TEXT, CB_HEAP, CB_STACK, CB_STACK - 8, UINT64_MAX, UINT64_MAX - 7, 1ull << 47, 1ull << 63 };
	static const char *const names[] = { "rax", "rcx", "rsp", "rbp", "rip", "rdi", "rsi" };
	struct crashed c;

	(void)state;
	srand(3);
	for (int i = 0; i < 300; i++) {
		static const s32 signals[] = { SEGV, SEGV, SEGV, BUS, 8, 4, 5, 31, 6, 24, 25, 3 };
		u8 code[15];

		begin_x86(&c, signals[(size_t)rand() % ARRAY_SIZE(signals)], rand() % 3 ? 1 + rand() % 10 : KERNEL,
			  places[(size_t)rand() % ARRAY_SIZE(places)] + (u64)rand() % 64);
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (rand() % 2)
				xb_reg(&c.f.o.cb, names[k], places[(size_t)rand() % ARRAY_SIZE(places)] + (u64)rand() % 16);
		xb_open(&c);
		for (size_t k = 0; k < sizeof(code); k++)
			code[k] = (u8)rand();
		xb_code(&c, code, sizeof(code));
		xb_explain(&c);
		xb_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_pointer), cmocka_unit_test(null_pointer_without_code), cmocka_unit_test(no_address),
		cmocka_unit_test(no_siginfo), cmocka_unit_test(jumps), cmocka_unit_test(rights), cmocka_unit_test(stack_overflow),
		cmocka_unit_test(bus), cmocka_unit_test(sent), cmocka_unit_test(left_frame),
		cmocka_unit_test(instructions), cmocka_unit_test(instructions_arm64), cmocka_unit_test(machines), cmocka_unit_test(anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
