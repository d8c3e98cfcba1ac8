#include "osbuild.h"
#include "unwindbuild.h"

#include "unwind/walk/walk.h"

/* Steps without tables, on stacks that are built word by word. */
enum { RET = CB_TEXT + 0x204, FP = CB_STACK + 0x100, CALLER_FP = CB_STACK + 0x200, NULL_PC = 0x10 };

/* ---- frame pointers */

/*
 * Where the ABI of each keeps them, in bytes from the frame pointer, or, for the
 * return address, from @ret_from; what is there is so many bytes before RET.
 */
static const struct {
	u16 machine;
	struct elffmt fmt;
	s32 fp_off;
	u64 ret_from;
	s32 ret_off;
	u64 before;
} abis[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB }, 0, FP, 8, 0 },
	{ EM_386, { ELFCLASS32, ELFDATA2LSB }, 0, FP, 4, 0 },
	{ EM_AARCH64, { ELFCLASS64, ELFDATA2LSB }, 0, FP, 8, 0 },
	{ EM_RISCV, { ELFCLASS64, ELFDATA2LSB }, -16, FP, -8, 0 },
	{ EM_PPC64, { ELFCLASS64, ELFDATA2LSB }, 0, CALLER_FP, 16, 0 },
	{ EM_PPC, { ELFCLASS32, ELFDATA2MSB }, 0, CALLER_FP, 4, 0 },
	{ EM_68K, { ELFCLASS32, ELFDATA2MSB }, 0, FP, 4, 0 },
	{ EM_SPARC, { ELFCLASS32, ELFDATA2MSB }, 56, FP, 60, .before = 8 },
	{ EM_LOONGARCH, { ELFCLASS64, ELFDATA2LSB }, -16, FP, -8, 0 },
	{ EM_PPC64, { ELFCLASS64, ELFDATA2MSB }, 0, CALLER_FP, 16, 0 },
	{ EM_AARCH64, { ELFCLASS64, ELFDATA2MSB }, 0, FP, 8, 0 },
};

static void begin_frame(struct fixture *f, size_t i)
{
	begin(f, abis[i].machine, abis[i].fmt);
	/* Calls of x86, and of m68k: jsr in 4 bytes. */
	poke(f, RET - 5, "\xe8\x4e\xa8", 3);
	poke_word(f, FP + (u64)abis[i].fp_off, CALLER_FP);
	poke_word(f, abis[i].ret_from + (u64)abis[i].ret_off, RET - abis[i].before);
	regs_set(f->u, &f->r, f->o.core.arch->sp, FP);
	regs_set(f->u, &f->r, f->o.core.arch->frame.fp, FP);
}

static void fp_steps_to_the_caller(void **state)
{
	struct fixture f;
	u64 fp;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		begin_frame(&f, i);
		if (!step_fp(f.u, &f.r))
			fail_msg("machine %u", abis[i].machine);
		assert_int_equal(f.r.pc, RET);
		assert_false(f.r.exact);
		assert_true(regs_get(f.u, &f.r, f.o.core.arch->frame.fp, &fp));
		assert_int_equal(fp, CALLER_FP);
		end(&f);
	}
}

/* Misaligned, below the stack pointer, where no memory is, at the very end; a return into data; a caller that is itself. */
static void fp_invents_nothing(void **state)
{
	static const u64 bad[] = { FP + 1, FP - 64, 0x10, CB_STACK + 2 * CB_PAGE, (u64)-8 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		begin_frame(&f, i);
		for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
			struct cpu_regs r = f.r;

			/* In a back chain the frame pointer is the stack pointer: none is below it. */
			if (f.o.core.arch->frame.back_chain && bad[k] == FP - 64)
				continue;
			regs_set(f.u, &r, f.o.core.arch->frame.fp, bad[k]);
			assert_false(step_fp(f.u, &r));
		}
		poke_word(&f, abis[i].ret_from + (u64)abis[i].ret_off, CB_HEAP);
		assert_false(step_fp(f.u, &f.r));
		poke_word(&f, abis[i].ret_from + (u64)abis[i].ret_off, RET - abis[i].before);
		poke_word(&f, FP + (u64)abis[i].fp_off, FP);
		assert_false(step_fp(f.u, &f.r));
		end(&f);
	}
}

/* A whole frame, but misaligned, or below the stack pointer. */
static void fp_refuses_places(void **state)
{
	static const u64 places[] = { CB_STACK + 0x141, CB_STACK + 0x40 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			begin_frame(&f, i);
			/* The frame pointer of a back chain is the stack pointer. */
			if (f.o.core.arch->frame.back_chain && places[k] < FP) {
				end(&f);
				continue;
			}
			poke_word(&f, places[k] + (u64)abis[i].fp_off, CALLER_FP);
			if (abis[i].ret_from == FP)
				poke_word(&f, places[k] + (u64)abis[i].ret_off, RET - abis[i].before);
			regs_set(f.u, &f.r, f.o.core.arch->frame.fp, places[k]);
			assert_false(step_fp(f.u, &f.r));
			end(&f);
		}
}

/* sparc64's stack is 2047 bytes above the stack pointer. */
static void fp_of_sparc64_is_biased(void **state)
{
	enum { BIAS = 2047 };
	struct fixture f;
	u64 sp;

	(void)state;
	begin(&f, EM_SPARCV9, (struct elffmt){ ELFCLASS64, ELFDATA2MSB });
	poke_word(&f, FP + 14 * 8, CALLER_FP - BIAS);
	poke_word(&f, FP + 15 * 8, RET - 8);
	regs_set(f.u, &f.r, f.o.core.arch->sp, FP - BIAS);
	assert_true(step_fp(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	assert_true(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp));
	assert_int_equal(sp, CALLER_FP - BIAS);
	end(&f);
}

/* OpenBSD's StackGhost: the kernel saves return addresses with the process's cookie in them. */
static void fp_of_openbsd_sparc64_has_a_cookie(void **state)
{
	enum { BIAS = 2047 };
	const u64 cookie = 0x3915a5bd152d4ed1;
	struct unwind_opts opts = { 0 };
	struct fixture f = { 0 };
	struct err e = { 0 };

	(void)state;
	cb_good(&f.o.cb, EM_SPARCV9, CB_BE64);
	while (f.o.cb.n_notes)
		cb_note_drop(&f.o.cb, &f.o.cb.notes[0]);
	ob_process(&f.o.cb, CORE_OPENBSD, 11, 1, OB_TID1);
	ob_uint(&f.o.cb, cb_note_add(&f.o.cb, "OpenBSD", NT_OPENBSD_WCOOKIE, NULL, 0), 0, 8, cookie);
	open_built(&f.o);
	cb_ok(unwind_open(&f.u, &f.o.core, &opts, &e), &e);
	poke_word(&f, FP + 14 * 8, CALLER_FP - BIAS);
	poke_word(&f, FP + 15 * 8, (RET - 8) ^ cookie);
	regs_set(f.u, &f.r, f.o.core.arch->sp, FP - BIAS);
	assert_true(step_fp(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	end(&f);
}

/* M68000 Family Programmer's Reference Manual: every form of a call, and what is no call, before a return address. */
static void calls_of_m68k(void **state)
{
	static const struct {
		u8 before[6];
		bool is_call;
	} cases[] = {
		{ { 0, 0, 0, 0, 0x61, 0x10 }, 1 },		/* bsr.s */
		{ { 0, 0, 0x61, 0, 0x12, 0x34 }, 1 },		/* bsr.w */
		{ { 0x61, 0xff, 0, 1, 0x12, 0x34 }, 1 },	/* bsr.l */
		{ { 0, 0, 0, 0, 0x4e, 0x90 }, 1 },		/* jsr (a0) */
		{ { 0, 0, 0x4e, 0xaf, 0, 8 }, 1 },		/* jsr 8(sp) */
		{ { 0, 0, 0x4e, 0xba, 0, 8 }, 1 },		/* jsr 8(pc) */
		{ { 0, 0, 0x4e, 0xb0, 0, 8 }, 1 },		/* jsr 8(a0,d0) */
		{ { 0x4e, 0xb9, 0x80, 0, 0x12, 0x34 }, 1 },	/* jsr 0x80001234 */
		{ { 0, 0, 0, 0, 0x4e, 0xd0 }, 0 },		/* jmp (a0) */
		{ { 0, 0, 0, 0, 0x4e, 0x75 }, 0 },		/* rts */
		{ { 0, 0, 0, 0, 0, 0 }, 0 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&f, EM_68K, (struct elffmt){ ELFCLASS32, ELFDATA2MSB });
		poke(&f, RET - 6, cases[i].before, 6);
		poke_word(&f, FP, CALLER_FP);
		poke_word(&f, FP + 4, RET);
		regs_set(f.u, &f.r, f.o.core.arch->sp, FP);
		regs_set(f.u, &f.r, f.o.core.arch->frame.fp, FP);
		assert_true(step_fp(f.u, &f.r));
		if (f.r.doubt == cases[i].is_call)
			fail_msg("case %zu", i);
		end(&f);
	}
}

static void fp_strips_signatures(void **state)
{
	struct fixture f;

	(void)state;
	begin_frame(&f, 2);
	poke_word(&f, FP + 8, RET | 0x5aULL << 48);
	f.u->insn_mask = 0x7fULL << 48;
	assert_true(step_fp(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	/* The kernel's half is not signed with this mask. */
	assert_int_equal(space_strip(f.u, 0xffULL << 48), 0xffULL << 48);
	end(&f);
}

/* QEMU's cores have no note of the mask: what is above all memory, and above the shortest addresses, is no address. */
static void signatures_without_a_note(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EM_AARCH64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB });
	assert_true(regs_of_thread(f.u, &f.o.core.threads[0], &f.r));
	assert_int_equal(space_strip(f.u, RET | 0x2eULL << 48), RET);
	assert_int_equal(space_strip(f.u, RET | 1ULL << 38), RET | 1ULL << 38);
	f.o.core.areas[f.o.core.n_areas - 1].end = 0xffffff000000;
	assert_true(regs_of_thread(f.u, &f.o.core.threads[0], &f.r));
	assert_int_equal(space_strip(f.u, RET | 0x2effULL << 40), RET | 0xffULL << 40);
	end(&f);
	/* No other machine signs. */
	begin(&f, EM_X86_64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB });
	assert_true(regs_of_thread(f.u, &f.o.core.threads[0], &f.r));
	assert_int_equal(space_strip(f.u, RET | 0x2eULL << 48), RET | 0x2eULL << 48);
	end(&f);
}

/* ---- calls to nowhere, and signals */

static void link_of_a_null_call(void **state)
{
	struct fixture f;
	u64 sp;

	(void)state;
	begin_frame(&f, 0);
	poke_word(&f, FP, RET);
	f.r.pc = NULL_PC;
	assert_false(step_link(f.u, &f.r));
	f.r.exact = true;
	assert_true(step_link(f.u, &f.r));
	assert_int_equal(f.r.pc, RET);
	assert_true(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp));
	assert_int_equal(sp, FP + 8);
	/* No call is before it. */
	poke(&f, RET - 7, "\x90\x90\x90\x90\x90\x90\x90", 7);
	f.r = (struct cpu_regs){ .pc = NULL_PC, .exact = true };
	regs_set(f.u, &f.r, f.o.core.arch->sp, FP);
	assert_false(step_link(f.u, &f.r));
	end(&f);
}

/* Where a call leaves the return address in a register. */
static void link_in_a_register(void **state)
{
	struct fixture f;
	u64 sp;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		begin_frame(&f, i);
		if (f.o.core.arch->frame.lr >= 0) {
			f.r.pc = NULL_PC;
			f.r.exact = true;
			regs_set(f.u, &f.r, f.o.core.arch->frame.lr, CB_HEAP);
			assert_false(step_link(f.u, &f.r));
			regs_set(f.u, &f.r, f.o.core.arch->frame.lr, RET - f.o.core.arch->frame.ret_offset);
			assert_true(step_link(f.u, &f.r));
			assert_int_equal(f.r.pc, RET);
			assert_false(f.r.exact);
			assert_true(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp));
			assert_int_equal(sp, FP);
			/* Not from where code is. */
			f.r.pc = CB_TEXT + 0x100;
			f.r.exact = true;
			assert_false(step_link(f.u, &f.r));
		}
		end(&f);
	}
}

/* ---- memory and stacks */

/* CB_TEXT has a page that is saved and one that is not; after CB_HEAP's two nothing is mapped. */
static void space_ends_where_memory_does(void **state)
{
	static const struct {
		u64 addr;
		size_t len;
		enum mem_state at_end;
		u64 end;	/* 0: it can be read */
	} reads[] = {
		{ CB_TEXT + CB_PAGE - 8, 8, MEM_PRESENT, 0 },
		{ CB_TEXT + CB_PAGE - 8, 9, MEM_ABSENT, CB_TEXT + CB_PAGE },
		{ CB_TEXT + CB_PAGE, 1, MEM_ABSENT, CB_TEXT + CB_PAGE },
		{ CB_TEXT - 1, 2, MEM_UNMAPPED, CB_TEXT - 1 },
		{ CB_HEAP + CB_PAGE - 8, 16, MEM_PRESENT, 0 },
		{ CB_HEAP + 2 * CB_PAGE - 8, 16, MEM_UNMAPPED, CB_HEAP + 2 * CB_PAGE },
		{ UINT64_MAX - 3, 8, MEM_UNMAPPED, UINT64_MAX - 3 },
	};
	struct fixture f;
	u8 buf[16];

	(void)state;
	begin(&f, EM_X86_64, CB_LE64);
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		assert_int_equal(space_read(f.u, reads[i].addr, buf, reads[i].len), !reads[i].end);
		assert_int_equal(f.u->fault.is_set, reads[i].end != 0);
		for (size_t k = 0; !reads[i].end && k < reads[i].len; k++)
			assert_int_equal(buf[k], cb_byte(reads[i].addr + k));
		if (!reads[i].end)
			continue;
		assert_int_equal(f.u->fault.state, reads[i].at_end);
		assert_int_equal(f.u->fault.addr, reads[i].end);
	}
	end(&f);
}

/*
 * Frames @from to @from + @len - 1 again and again; how many there are before that is seen.
 * @gone: after each a tail call is put, whose stack pointer is not known.
 */
static size_t frames_of_circle(size_t from, size_t len, bool has_sp, bool gone)
{
	const struct frame tail = { .pc = CB_TEXT + 77, .by = FRAME_BY_TAIL_CALL };
	struct stack s = { 0 };
	struct err e = { 0 };
	size_t n;

	for (n = 0; n < 1000; n++) {
		size_t i = n < from ? n : from + (n - from) % len;
		struct frame f = { .pc = CB_TEXT + i % 3, .sp = has_sp ? CB_STACK + i : 0 };

		if (stack_loops(&s, &f))
			break;
		cb_ok(stack_add(&s, &f, &e), &e);
		if (gone)
			cb_ok(stack_add(&s, &tail, &e), &e);
	}
	stack_fini(&s);
	return n;
}

static void circles_are_seen(void **state)
{
	(void)state;
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 1; len < 9; len++) {
			assert_in_range(frames_of_circle(from, len, true, false), from + len, 3 * (from + len));
			assert_in_range(frames_of_circle(from, len, true, true), from + len, 3 * (from + len) + 1);
		}
	/* What is deep is no circle, and of a stack pointer that is not known nothing can be said. */
	assert_int_equal(frames_of_circle(0, 2000, true, false), 1000);
	assert_int_equal(frames_of_circle(0, 2, false, false), 1000);
}

/* The better one of each pair first. */
static void better_stacks(void **state)
{
	static struct frame sure[3] = { { .by = FRAME_BY_REGISTERS }, { .by = FRAME_BY_CFI }, { .by = FRAME_BY_CFI } };
	static struct frame guessed[3] = { { .by = FRAME_BY_REGISTERS }, { .by = FRAME_BY_FP }, { .by = FRAME_BY_CFI } };
#define STACK(frames_, n_, end_) { .frames = (frames_), .n = (n_), .end = (end_), .unwinder = "one" }
	static const struct stack pairs[][2] = {
		{ STACK(sure, 1, STACK_NO_TABLE), { .n = 0 } },
		{ STACK(sure, 2, STACK_OUTERMOST), STACK(sure, 3, STACK_NO_TABLE) },
		{ STACK(guessed, 2, STACK_OUTERMOST), STACK(sure, 3, STACK_NO_TABLE) },
		{ STACK(sure, 2, STACK_NO_TABLE), STACK(guessed, 3, STACK_NO_TABLE) },
		{ STACK(sure, 3, STACK_OUTERMOST), STACK(guessed, 3, STACK_OUTERMOST) },
		{ STACK(sure, 3, STACK_NO_MEMORY), STACK(sure, 2, STACK_NO_CODE) },
		{ STACK(guessed, 3, STACK_NO_TABLE), STACK(guessed, 2, STACK_NO_TABLE) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!stack_is_better(&pairs[i][0], &pairs[i][1]))
			fail_msg("pair %zu", i);
		if (pairs[i][1].unwinder && stack_is_better(&pairs[i][1], &pairs[i][0]))
			fail_msg("pair %zu the other way", i);
	}
	/* The first of two that are alike is kept. */
	assert_false(stack_is_better(&pairs[5][0], &pairs[5][0]));
}

/* Two modules, each of a page; the program is in the second. */
static void begin_leaf(struct fixture *f, u16 machine, struct elffmt fmt)
{
	const struct core_module first = { .start = CB_TEXT, .end = CB_TEXT + CB_PAGE };
	const struct core_module second = { .start = CB_TEXT + CB_PAGE, .end = CB_TEXT + 2 * CB_PAGE };
	struct err e = { 0 };

	begin(f, machine, fmt);
	assert_int_equal(f->u->n_mods, 0);
	cb_ok(modules_add(f->u, &first, &e), &e);
	cb_ok(modules_add(f->u, &second, &e), &e);
	f->u->n_sorted = f->u->n_mods;
	f->r = (struct cpu_regs){ .pc = CB_TEXT + CB_PAGE + 0x100, .exact = true };
	regs_set(f->u, &f->r, f->o.core.arch->sp, FP);
	regs_set(f->u, &f->r, f->o.core.arch->frame.lr, RET - f->o.core.arch->frame.ret_offset);
}

static void leaf_by_its_link_register(void **state)
{
	static const struct {
		u16 machine;
		struct elffmt fmt;
	} machines[] = {
		{ EM_MIPS, { ELFCLASS32, ELFDATA2MSB } },	{ EM_S390, { ELFCLASS64, ELFDATA2MSB } },
		{ EM_ALPHA, { ELFCLASS64, ELFDATA2LSB } },	{ EM_PARISC, { ELFCLASS32, ELFDATA2MSB } },
		{ EM_SPARC, { ELFCLASS32, ELFDATA2MSB } },	{ EM_PPC64, { ELFCLASS64, ELFDATA2LSB } },
		{ EM_RISCV, { ELFCLASS64, ELFDATA2LSB } },	{ EM_AARCH64, { ELFCLASS64, ELFDATA2LSB } },
	};
	struct fixture f;
	u64 sp;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin_leaf(&f, machines[i].machine, machines[i].fmt);
		if (!step_leaf(f.u, &f.r))
			fail_msg("machine %u", machines[i].machine);
		assert_int_equal(f.r.pc, RET);
		assert_false(f.r.exact);
		/* Where a function may have moved it, it is not known; a back chain goes on from there. */
		assert_int_equal(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp), f.o.core.arch->frame.back_chain);
		/* A caller has called. */
		assert_false(step_leaf(f.u, &f.r));
		end(&f);
	}
}

/* Perhaps of an earlier call; no code; what the chain says, too; a machine that pushes. */
static void leaf_is_not_guessed(void **state)
{
	const struct elffmt le64 = { ELFCLASS64, ELFDATA2LSB };
	struct fixture f;

	(void)state;
	begin_leaf(&f, EM_AARCH64, le64);
	f.r.pc = CB_TEXT + 0x100;
	assert_false(step_leaf(f.u, &f.r));
	end(&f);
	begin_leaf(&f, EM_AARCH64, le64);
	regs_set(f.u, &f.r, f.o.core.arch->frame.lr, CB_HEAP);
	assert_false(step_leaf(f.u, &f.r));
	end(&f);
	begin_leaf(&f, EM_AARCH64, le64);
	regs_set(f.u, &f.r, f.o.core.arch->frame.fp, FP);
	poke_word(&f, FP, CALLER_FP);
	poke_word(&f, FP + 8, RET);
	assert_false(step_leaf(f.u, &f.r));
	end(&f);
	begin_leaf(&f, EM_X86_64, le64);
	poke_word(&f, FP, RET);
	assert_false(step_leaf(f.u, &f.r));
	end(&f);
}

/* PowerISA's chain ends with 0; from the frame before that the program's start has set the return address to 0. */
static void chain_ends_with_the_first_frame(void **state)
{
	struct fixture f;

	(void)state;
	begin_frame(&f, 4);
	f.r.pc = RET;
	assert_false(step_is_first(f.u, &f.r));
	poke_word(&f, abis[4].ret_from + (u64)abis[4].ret_off, 0);
	assert_false(step_is_first(f.u, &f.r));
	poke_word(&f, abis[4].ret_from, 0);
	assert_true(step_is_first(f.u, &f.r));
	/* The innermost function may have no frame of its own, and a caller therefore. */
	f.r.exact = true;
	assert_false(step_is_first(f.u, &f.r));
	f.r.exact = false;
	poke_word(&f, abis[4].ret_from + (u64)abis[4].ret_off, RET);
	poke_word(&f, FP, 0);
	assert_true(step_is_first(f.u, &f.r));
	end(&f);
	/* Elsewhere a frame pointer of 0 is a number like others. */
	begin_frame(&f, 0);
	f.r.pc = RET;
	regs_set(f.u, &f.r, f.o.core.arch->frame.fp, 0);
	assert_false(step_is_first(f.u, &f.r));
	end(&f);
}

static void signal_frames(void **state)
{
	static const u8 code[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	struct fixture f;
	u64 sp;

	(void)state;
	begin_frame(&f, 0);
	assert_false(step_is_signal(f.u, CB_TEXT + 0x300, 0));
	poke(&f, CB_TEXT + 0x300, code, sizeof(code));
	poke(&f, CB_HEAP, code, sizeof(code));
	assert_true(step_is_signal(f.u, CB_TEXT + 0x300, 0));
	assert_false(step_is_signal(f.u, CB_HEAP, CB_HEAP));
	poke_word(&f, FP + 168, NULL_PC);
	poke_word(&f, FP + 160, CB_STACK + 0x800);
	poke_word(&f, FP + 40 + 88, 0xb0b);
	assert_true(step_signal(f.u, &f.r));
	assert_int_equal(f.r.pc, NULL_PC);
	assert_true(f.r.exact);
	assert_true(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp));
	assert_int_equal(sp, CB_STACK + 0x800);
	/* rbx: not only what frames are found by. */
	assert_true(f.r.have[3]);
	assert_int_equal(f.r.v[3], 0xb0b);
	/* Its stack is not there. */
	regs_set(f.u, &f.r, f.o.core.arch->sp, CB_STACK + 2 * CB_PAGE - 8);
	assert_false(step_signal(f.u, &f.r));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fp_steps_to_the_caller), cmocka_unit_test(fp_invents_nothing),
		cmocka_unit_test(fp_strips_signatures),	cmocka_unit_test(signatures_without_a_note),
		cmocka_unit_test(link_of_a_null_call),	cmocka_unit_test(signal_frames),
		cmocka_unit_test(fp_refuses_places),	cmocka_unit_test(fp_of_sparc64_is_biased),
		cmocka_unit_test(fp_of_openbsd_sparc64_has_a_cookie),
		cmocka_unit_test(calls_of_m68k),
		cmocka_unit_test(link_in_a_register),	cmocka_unit_test(space_ends_where_memory_does),
		cmocka_unit_test(circles_are_seen),	cmocka_unit_test(better_stacks),
		cmocka_unit_test(leaf_by_its_link_register),
		cmocka_unit_test(leaf_is_not_guessed),	cmocka_unit_test(chain_ends_with_the_first_frame),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
