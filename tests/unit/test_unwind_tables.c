#include "stackbuild.h"

#include "base/util.h"

/* The stack of stackbuild.h by tables, on machines of every class and byte order. */
static const struct {
	u16 machine;
	struct elffmt fmt;
} machines[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
	{ EM_AARCH64, { ELFCLASS64, ELFDATA2LSB } }, { EM_AARCH64, { ELFCLASS64, ELFDATA2MSB } },
	{ EM_ARM, { ELFCLASS32, ELFDATA2LSB } }, { EM_RISCV, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_S390, { ELFCLASS32, ELFDATA2MSB } },
	{ EM_PPC64, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC64, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_PPC, { ELFCLASS32, ELFDATA2MSB } }, { EM_LOONGARCH, { ELFCLASS64, ELFDATA2LSB } },
};

/* @n frames as sb_frames[] has them, of tables all but the first. */
static void expect_frames(const struct stack *s, size_t n, enum stack_end end)
{
	if (s->n != n || s->end != end)
		fail_msg("machine has %zu frames and ends with %d: %s", s->n, s->end, s->why);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(s->frames[i].pc, sb_pc((unsigned)i));
		assert_int_equal(s->frames[i].sp, SB_SP + i * EB_FRAME);
		assert_int_equal(s->frames[i].by, i ? FRAME_BY_CFI : FRAME_BY_REGISTERS);
		assert_int_equal(s->frames[i].signal, eb_funcs[sb_frames[i].f].is_signal);
		assert_int_equal(s->frames[i].exact, i == 0 || i == 2 || i == 3);
	}
}

static struct stack unwind_first(struct sb_open *o)
{
	struct stack s = { 0 };
	struct err e = { 0 };

	cb_ok(unwind_thread(o->u, &o->core.threads[0], &s, &e), &e);
	return s;
}

/* The core's own memory has .eh_frame; .debug_frame is no part of what a loader needs. */
static void of_memory(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(machines); i++) {
		sb_begin(&o.s, machines[i / 2].machine, machines[i / 2].fmt, i % 2 ? ET_EXEC : ET_DYN);
		sb_open(&o, &opts);
		s = unwind_first(&o);
		expect_frames(&s, 4, STACK_NO_TABLE);
		stack_fini(&s);
		sb_close(&o);
	}
}

/*
 * Every machine whose registers have DWARF numbers has tables that are read: by a
 * backend of libdw, or by a substitute.
 */
static void of_every_machine(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };

	(void)state;
	for (const struct arch *const *a = arches; *a; a++) {
		struct sb_open o;
		struct stack s;

		if ((*a)->gregs.regs[(*a)->sp].dwarf < 0)
			continue;
		sb_begin(&o.s, (*a)->machine, (*a)->fmt, ET_DYN);
		sb_open(&o, &opts);
		s = unwind_first(&o);
		if (s.n < 2 || s.frames[1].by != FRAME_BY_CFI)
			fail_msg("%s: its table is not read: %s", (*a)->name, s.why);
		stack_fini(&s);
		sb_close(&o);
	}
}

struct names {
	char text[8][64];
	size_t n;
};

static int add_name(const struct symbol *s, void *arg, struct err *e)
{
	struct names *l = arg;

	(void)e;
	assert_true(l->n < ARRAY_SIZE(l->text));
	snprintf(l->text[l->n++], sizeof(l->text[0]), "%s %s:%u%s", s->function ? s->function : "-",
		 s->file ? s->file : "-", s->line, s->is_inline ? " inlined" : "");
	return 0;
}

static void expect_names(struct sb_open *o, const struct stack *s)
{
	static const char *const want[] = {
		"tiny src/a.c:15 inlined", "leaf src/a.c:42", "a::caller() src/a.c:27", "tramp src/a.c:27",
		"plain src/a.c:27", "_start src/a.c:27",
	};
	struct names l = { .n = 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < s->n; i++)
		cb_ok(unwind_symbols(o->u, &s->frames[i], SYMBOL_SOURCE | SYMBOL_INLINES, add_name, &l, &e), &e);
	assert_int_equal(l.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < l.n; i++)
		assert_string_equal(l.text[i], want[i]);
}

/* A program without .debug_aranges, as clang makes them. */
static void without_aranges(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;
	char exe[32];
	int fd;

	(void)state;
	sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
	eb_fini(&o.s.eb);
	o.s.eb = (struct eb){ .arch = &o.s.cb.arch, .type = ET_DYN, .r_debug = SB_R_DEBUG, .no_aranges = true };
	eb_make(&o.s.eb);
	fd = cb_file_of(&o.s.eb.b, exe);
	opts.exe = exe;
	sb_open(&o, &opts);
	s = unwind_first(&o);
	expect_names(&o, &s);
	stack_fini(&s);
	sb_close(&o);
	close(fd);
}

/* The program's file has all: .debug_frame, symbols, sources. */
static void of_a_file(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;
	char exe[32];
	int fd;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(machines); i++) {
		sb_begin(&o.s, machines[i / 2].machine, machines[i / 2].fmt, i % 2 ? ET_EXEC : ET_DYN);
		fd = cb_file_of(&o.s.eb.b, exe);
		opts.exe = exe;
		sb_open(&o, &opts);
		s = unwind_first(&o);
		expect_frames(&s, SB_FRAMES, STACK_OUTERMOST);
		expect_names(&o, &s);
		stack_fini(&s);
		sb_close(&o);
		close(fd);
	}
}

/* Both unwinders agree; what has no .eh_frame is not libunwind's, so that by itself the better one is taken. */
/* "plain" is gone between "leaf" and "caller". */
static void a_tail_call(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;
	char exe[32];
	int fd;

	(void)state;
	for (size_t i = 0; i < 4 * ARRAY_SIZE(machines); i++) {
		sb_begin_calls(&o.s, machines[i / 4].machine, machines[i / 4].fmt, i % 2 ? ET_EXEC : ET_DYN, true);
		fd = cb_file_of(&o.s.eb.b, exe);
		opts.exe = exe;
		opts.no_tail_calls = i / 2 % 2;
		sb_open(&o, &opts);
		s = unwind_first(&o);
		if (opts.no_tail_calls) {
			expect_frames(&s, SB_FRAMES, STACK_OUTERMOST);
		} else {
			assert_int_equal(s.n, SB_FRAMES + 1);
			assert_int_equal(s.frames[1].pc, CB_TEXT + eb_func_off(EB_PLAIN) + EB_TAIL_CALL_AT);
			assert_int_equal(s.frames[1].by, FRAME_BY_TAIL_CALL);
			assert_false(s.frames[1].gap);
			assert_int_equal(s.frames[2].pc, sb_pc(1));
		}
		stack_fini(&s);
		sb_close(&o);
		close(fd);
	}
}

/* "caller" begins a thread by its table: what its debug information says of calls is not asked. */
static void no_tail_call_of_a_first_function(void **state)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;
	char exe[32];
	int fd;

	(void)state;
	sb_begin_calls(&o.s, EM_X86_64, CB_LE64, ET_DYN, true);
	for (size_t i = 1; i <= o.s.eb.n_sections; i++) {
		const GElf_Shdr *sh = &o.s.eb.sections[i].sh;
		u8 *hdr = o.s.eb.b.p + sh->sh_offset, *fde;

		if (strcmp(o.s.eb.sections[i].name, ".eh_frame_hdr"))
			continue;
		fde = hdr + (s32)uint_get(CB_LE64, hdr + 12 + EB_CALLER * 8 + 4, 4);
		/* After its header, where nothing is. */
		assert_int_equal(uint_get(CB_LE64, fde + 17, 2), 0);
		fde[17] = DW_CFA_undefined;
		fde[18] = eb_ra(&o.s.cb.arch);
	}
	fd = cb_file_of(&o.s.eb.b, exe);
	opts.exe = exe;
	sb_open(&o, &opts);
	s = unwind_first(&o);
	expect_frames(&s, 2, STACK_OUTERMOST);
	stack_fini(&s);
	sb_close(&o);
	close(fd);
}

static void by_either(void **state)
{
	static const char *const ask[] = { "libdw", "libunwind", "auto", NULL };
	struct unwind_opts opts = { 0 };
	struct sb_open o;
	struct stack s;
	char exe[32];
	int fd;

	(void)state;
	if (!arch_native() || arch_native()->machine != EM_X86_64)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(ask); i++) {
		sb_begin(&o.s, EM_X86_64, CB_LE64, ET_DYN);
		fd = cb_file_of(&o.s.eb.b, exe);
		opts = (struct unwind_opts){ .exe = exe, .unwinder = ask[i] };
		sb_open(&o, &opts);
		s = unwind_first(&o);
		/* "_start" has .debug_frame only, which libunwind is not shown: libdw's row leads on. */
		expect_frames(&s, SB_FRAMES, STACK_OUTERMOST);
		assert_string_equal(s.unwinder, i == 1 ? "libunwind" : "libdw");
		stack_fini(&s);
		sb_close(&o);
		close(fd);
	}
}

/* ---- what is hostile */

/* Instead of its tables, "leaf" has this program in its FDE, whose length is changed for it. */
static void set_program(struct sb *s, const u8 *ops, size_t n)
{
	struct elffmt fmt = s->cb.arch.fmt;
	size_t off = 0;

	for (size_t i = 1; i <= s->eb.n_sections; i++)
		if (!strcmp(s->eb.sections[i].name, ".eh_frame"))
			off = s->eb.sections[i].sh.sh_offset;
	/* After the two CIEs: length, CIE, address, size, no augmentation data, and from here on to the end of all FDEs. */
	for (int i = 0; i < 2; i++)
		off += 4 + uint_get(fmt, s->eb.b.p + off, 4);
	uint_put(fmt, s->eb.b.p + off, 4, 13 + n + (-(13 + n) & 3));
	assert_true(n <= 40);
	memset(s->eb.b.p + off + 17, 0, n + 3);
	memcpy(s->eb.b.p + off + 17, ops, n);
}

static struct stack unwind_program_of(struct sb_open *o, u16 machine, const char *unwinder, const u8 *ops, size_t n)
{
	const struct unwind_opts opts = { .unwinder = unwinder };

	sb_begin(&o->s, machine, CB_LE64, ET_DYN);
	set_program(&o->s, ops, n);
	sb_open(o, &opts);
	return unwind_first(o);
}

static struct stack unwind_program(struct sb_open *o, const char *unwinder, const u8 *ops, size_t n)
{
	return unwind_program_of(o, EM_X86_64, unwinder, ops, n);
}

/* The return address is where the expression says: first one that ends, then one that jumps back to itself. */
static void an_expression_without_end(void **state)
{
	static const u8 good[] = { DW_CFA_def_cfa_expression, 2, DW_OP_breg0 + 7, EB_FRAME };
	static const u8 endless[] = { DW_CFA_def_cfa_expression, 5, DW_OP_breg0 + 7, EB_FRAME, DW_OP_skip, 0xfd, 0xff };
	static const char *const ask[] = { "libdw", "libunwind" };
	struct sb_open o;
	struct stack s;

	(void)state;
	alarm(60);
	for (size_t i = 0; i < (arch_native() && arch_native()->machine == EM_X86_64 ? 2 : 1); i++) {
		s = unwind_program(&o, ask[i], good, sizeof(good));
		assert_true(s.n > 1 && s.frames[1].pc == sb_pc(1));
		stack_fini(&s);
		sb_close(&o);
		s = unwind_program(&o, ask[i], endless, sizeof(endless));
		assert_int_equal(s.n, 1);
		assert_int_equal(s.end, STACK_NO_TABLE);
		stack_fini(&s);
		sb_close(&o);
	}
	alarm(0);
}

/* The caller of "leaf" is "leaf" again, with the same stack pointer. */
static void a_frame_that_calls_itself(void **state)
{
	static const u8 self[] = { DW_CFA_def_cfa, 7, 0, DW_CFA_register, 16, 16 };
	struct sb_open o;
	struct stack s;

	(void)state;
	s = unwind_program(&o, "libdw", self, sizeof(self));
	assert_int_equal(s.n, 1);
	assert_int_equal(s.end, STACK_LOOP);
	stack_fini(&s);
	sb_close(&o);
}

/* ---- arm64's registers that are saved relative to a stack pointer that has moved since (cfi.c: sp_of_saves()) */

enum { LR = 30, ADVANCE = DW_CFA_advance_loc | 4 };

/* 16 bytes were made room for when r30 was saved in the upper ones, and as many since. */
static void the_stack_pointer_at_the_save_counts(void **state)
{
	static const u8 moved[] = {
		ADVANCE, DW_CFA_def_cfa_offset, 16, DW_CFA_expression, LR, 2, DW_OP_breg31, 8,
		ADVANCE, DW_CFA_def_cfa_offset, EB_FRAME,
	};
	struct sb_open o;
	struct stack s;

	(void)state;
	s = unwind_program_of(&o, EM_AARCH64, "libdw", moved, sizeof(moved));
	assert_true(s.n > 1);
	assert_int_equal(s.frames[1].pc, sb_pc(1));
	assert_int_equal(s.frames[1].by, FRAME_BY_CFI);
	stack_fini(&s);
	sb_close(&o);
}

/* No row has the stack pointer elsewhere: what the table leads to is no code, and is not believed. */
static void a_save_that_is_nowhere_has_no_table(void **state)
{
	static const u8 never[] = { DW_CFA_expression, LR, 2, DW_OP_breg31, 16 };
	struct sb_open o;
	struct stack s;

	(void)state;
	s = unwind_program_of(&o, EM_AARCH64, "libdw", never, sizeof(never));
	assert_int_equal(s.n, 1);
	assert_int_equal(s.end, STACK_NO_TABLE);
	stack_fini(&s);
	sb_close(&o);
}

/* ---- signed return addresses */

static void add_mask(struct cb *cb, size_t at, size_t len)
{
	u8 masks[16] = { 0 };

	/* data_mask, insn_mask */
	masks[6] = 0x11;
	masks[14] = 0x7f;
	cb_note_add(cb, "LINUX", NT_ARM_PAC_MASK, masks, len);
	cb_note_swap(cb, at, cb->n_notes - 1);
	cb_note_add(cb, "LINUX", NT_ARM_PAC_MASK, masks, sizeof(masks));
}

static void signatures(void **state)
{
	const struct unwind_opts opts = { .unwinder = "libdw" };
	struct sb_open o;
	struct stack s;

	(void)state;
	for (size_t len = 8; len <= 16; len += 8) {
		sb_begin(&o.s, EM_AARCH64, CB_LE64, ET_DYN);
		add_mask(&o.s.cb, 1, len);
		o.s.pac = 0x5aULL << 48;
		sb_open(&o, &opts);
		s = unwind_first(&o);
		expect_frames(&s, 4, STACK_NO_TABLE);
		/* A note that is too short has no mask: memory shows it. */
		assert_int_equal(o.u->insn_mask, len == 16 ? 0x7fULL << 48 : 0xffffULL << 39);
		stack_fini(&s);
		sb_close(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_every_machine),		cmocka_unit_test(of_memory),			cmocka_unit_test(of_a_file),
		cmocka_unit_test(by_either),			cmocka_unit_test(an_expression_without_end),
		cmocka_unit_test(a_frame_that_calls_itself),	cmocka_unit_test(signatures),
		cmocka_unit_test(the_stack_pointer_at_the_save_counts), cmocka_unit_test(a_save_that_is_nowhere_has_no_table),
		cmocka_unit_test(without_aranges),		cmocka_unit_test(a_tail_call), cmocka_unit_test(no_tail_call_of_a_first_function),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
