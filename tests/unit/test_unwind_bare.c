#include "stackbuild.h"

#include "base/util.h"

/*
 * Cores that say nothing of files, as embedded systems and debug stubs write them: where the
 * program of --exe is, and whether it is the one.
 */

static const struct {
	u16 machine;
	struct elffmt fmt;
} machines[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
	{ EM_AARCH64, { ELFCLASS64, ELFDATA2LSB } }, { EM_ARM, { ELFCLASS32, ELFDATA2LSB } },
	{ EM_RISCV, { ELFCLASS32, ELFDATA2LSB } }, { EM_RISCV, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC, { ELFCLASS32, ELFDATA2MSB } },
};

/* Where else the program may be. */
enum { ELSEWHERE = CB_TEXT + 0x800000 };

struct stage {
	struct sb_open o;
	char exe[32];
	int exe_fd;
	u64 copies[2];		/* the file is in memory there; 0: not */
	u64 changed;		/* a byte of memory that is another; or 0 */
	size_t n_changed;	/* and so many after it */
};

static void drop_notes(struct cb *cb)
{
	for (size_t i = cb->n_notes; i-- > 0;)
		if (cb->notes[i].type != NT_PRSTATUS)
			cb_note_drop(cb, &cb->notes[i]);
}

/* A program of @type for CB_TEXT, which is not in memory. */
static void begin(struct stage *g, u16 machine, struct elffmt fmt, u16 type)
{
	*g = (struct stage){ 0 };
	sb_begin(&g->o.s, machine, fmt, type);
	drop_notes(&g->o.s.cb);
	g->o.s.cb.segs[1].p_filesz = g->o.s.cb.segs[1].p_memsz = 0;
}

/* The file's first pages at @addr, in the midst of a segment. */
static void copy_to(struct stage *g, size_t i, u64 addr, u32 flags)
{
	g->copies[i] = addr;
	cb_seg_add(&g->o.s.cb, PT_LOAD, flags, addr - CB_PAGE, EB_SIZE + CB_PAGE, EB_SIZE + CB_PAGE);
}

static void write_core(struct stage *g)
{
	struct sb_open *o = &g->o;
	struct err e = { 0 };

	sb_write(&o->s);
	for (size_t i = 0; i < 2; i++)
		if (g->copies[i])
			sb_poke(&o->s, g->copies[i], o->s.eb.b.p, EB_SIZE);
	for (size_t i = 0; i < g->n_changed; i++)
		sb_poke(&o->s, g->changed + i, &(u8){ (u8)(o->s.eb.b.p[g->changed + i - g->copies[0]] ^ 0xff) }, 1);
	o->core = (struct core){ 0 };
	o->fd = cb_file_of(&o->s.file, o->path);
	cb_ok(core_open(&o->core, o->path, &e), &e);
	g->exe_fd = cb_file_of(&o->s.eb.b, g->exe);
}

static int open_with(struct stage *g, struct err *e)
{
	const struct unwind_opts opts = { .exe = g->exe, .sysroot = "/proc/self/ns", .debuginfo_path = "", .no_tail_calls = true };

	write_core(g);
	return unwind_open(&g->o.u, &g->o.core, &opts, e);
}

static void end(struct stage *g)
{
	close(g->exe_fd);
	sb_close(&g->o);
}

/* @note: a part of what is said, or NULL for nothing. */
static void expect_note(struct stage *g, const char *note)
{
	struct unwind_note n = { .text = NULL };
	size_t i = 0;
	bool found = unwind_note(g->o.u, &i, &n);

	if (found != (note != NULL) || (note && !strstr(n.text, note)))
		fail_msg("%s: %s", note ? note : "no note", found ? n.text : "(none)");
}

/* The whole stack by tables, in the program at @start. */
static void expect_stack(struct stage *g, u64 start, const char *note)
{
	struct stack s = { 0 };
	struct err e = { 0 };
	struct module *m;

	cb_ok(open_with(g, &e), &e);
	m = module_at(g->o.u, start);
	assert_non_null(m);
	assert_int_equal(m->start, start);
	assert_true(m->is_main);
	assert_string_equal(m->path, g->exe);
	if (start == CB_TEXT) {
		cb_ok(unwind_thread(g->o.u, &g->o.core.threads[0], &s, &e), &e);
		if (s.n != SB_FRAMES || s.end != STACK_OUTERMOST)
			fail_msg("%s: %zu frames: %s", g->o.core.arch->name, s.n, s.why);
		stack_fini(&s);
	}
	assert_non_null(module_elf(g->o.u, m));
	expect_note(g, note);
}

static void expect_refused(struct stage *g, const char *why)
{
	struct err e = { 0 };

	assert_true(open_with(g, &e) < 0);
	if (!strstr(e.msg, why))
		fail_msg("%s is not in: %s", why, e.msg);
	end(g);
}

static void expect_unused(struct stage *g, const char *why)
{
	struct err e = { 0 };

	cb_ok(open_with(g, &e), &e);
	assert_int_equal(g->o.u->n_mods, 0);
	expect_note(g, why);
	end(g);
}

/* ---- of fixed addresses */

static void code_is_in_flash(void **state)
{
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		u8 head[4];

		begin(&g, machines[i].machine, machines[i].fmt, ET_EXEC);
		expect_stack(&g, CB_TEXT, "cannot be verified");
		/* Code, for those who read it, is the file's. */
		assert_true(space_read(g.o.u, CB_TEXT, head, sizeof(head)));
		assert_memory_equal(head, "\177ELF", 4);
		assert_true(space_is_code(g.o.u, sb_pc(0)));
		end(&g);
	}
}

static void code_is_in_memory(void **state)
{
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin(&g, machines[i].machine, machines[i].fmt, ET_EXEC);
		/* Where memory is not protected, its flags are what they are. */
		copy_to(&g, 0, CB_TEXT, PF_R | PF_W);
		expect_stack(&g, CB_TEXT, NULL);
		assert_int_equal(module_at(g.o.u, CB_TEXT)->build_id_len, 20);
		assert_true(space_is_code(g.o.u, sb_pc(0)));
		assert_false(space_is_code(g.o.u, CB_HEAP));
		end(&g);
	}
}

static void remake(struct stage *g, bool no_build_id)
{
	struct eb *eb = &g->o.s.eb;
	const struct eb was = *eb;

	eb_fini(eb);
	*eb = (struct eb){ .arch = was.arch, .base = was.base, .type = was.type, .r_debug = was.r_debug, .no_build_id = no_build_id };
	eb_make(eb);
}

static void memory_is_of_another(void **state)
{
	u8 *id;
	struct stage g;

	(void)state;
	/* Another build-id in its place. */
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
	id = memmem(g.o.s.eb.b.p, g.o.s.eb.b.len, "\xb1\xb1\xb1\xb1", 4);
	g.changed = CB_TEXT + (u64)(id - g.o.s.eb.b.p) + 19;
	g.n_changed = 1;
	expect_refused(&g, "its build-id is b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1, the core has b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b14e");
	/* Other bytes, and no build-id. */
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	remake(&g, true);
	copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
	g.changed = CB_TEXT + EB_CODE;
	g.n_changed = EB_SIZE / 8;
	expect_refused(&g, "1024 of 8192 bytes that the core has of it are others, the first one at 0x400200");
	/* A breakpoint is no other program, but makes one doubt. */
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	remake(&g, true);
	copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
	g.changed = CB_TEXT + EB_CODE;
	g.n_changed = 1;
	expect_stack(&g, CB_TEXT, "1 of 8192 bytes are others, the first one at 0x400200");
	end(&g);
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	remake(&g, true);
	copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
	expect_stack(&g, CB_TEXT, NULL);
	assert_int_equal(module_at(g.o.u, CB_TEXT)->build_id_len, 0);
	end(&g);
}

/* ---- of any address */

static void moved_is_found(void **state)
{
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin(&g, machines[i].machine, machines[i].fmt, ET_DYN);
		copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
		expect_stack(&g, CB_TEXT, NULL);
		assert_int_equal(module_at(g.o.u, CB_TEXT)->build_id_len, 20);
		end(&g);
		/* By its header. */
		begin(&g, machines[i].machine, machines[i].fmt, ET_DYN);
		remake(&g, true);
		copy_to(&g, 0, CB_TEXT, PF_R | PF_X);
		expect_stack(&g, CB_TEXT, NULL);
		end(&g);
	}
}

/* Nothing that marks it is left, but what it does. */
static void moved_is_found_by_code(void **state)
{
	struct stage g;

	(void)state;
	begin(&g, EM_X86_64, CB_LE64, ET_DYN);
	remake(&g, true);
	for (size_t i = 0; i < EB_FUNC_SIZE; i++)
		g.o.s.eb.b.p[EB_SIZE / 2 + i] = (u8)(i * 167 + 13);
	copy_to(&g, 0, ELSEWHERE, PF_R | PF_X);
	g.changed = ELSEWHERE;
	g.n_changed = 64;
	expect_stack(&g, ELSEWHERE, "64 of 8192 bytes are others");
	end(&g);
}

static void moved_is_in_two_places(void **state)
{
	struct stage g;

	(void)state;
	/* One is where a thread is, the other perhaps what it was copied from. */
	for (int i = 0; i < 2; i++) {
		begin(&g, EM_X86_64, CB_LE64, ET_DYN);
		copy_to(&g, (size_t)i, CB_TEXT, PF_R | PF_X);
		copy_to(&g, (size_t)!i, ELSEWHERE, PF_R | PF_X);
		expect_stack(&g, CB_TEXT, NULL);
		end(&g);
	}
	begin(&g, EM_X86_64, CB_LE64, ET_DYN);
	copy_to(&g, 0, ELSEWHERE, PF_R | PF_X);
	copy_to(&g, 1, ELSEWHERE + 0x100000, PF_R | PF_X);
	expect_unused(&g, "is not used: the core's memory has it in 2 places");
}

static void moved_is_nowhere(void **state)
{
	struct stage g;

	(void)state;
	begin(&g, EM_X86_64, CB_LE64, ET_DYN);
	expect_unused(&g, "is not used: the core does not say where its program was");
	/* Firmware that could be anywhere is where it was linked to be, if a thread is in it. */
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	g.o.s.eb.b.p[offsetof(Elf64_Ehdr, e_type)] = ET_DYN;
	expect_stack(&g, CB_TEXT, "cannot be verified");
	end(&g);
}

static void no_program_is_named(void **state)
{
	const struct unwind_opts opts = { .sysroot = "/proc/self/ns", .debuginfo_path = "" };
	struct err e = { 0 };
	struct stage g;

	(void)state;
	begin(&g, EM_X86_64, CB_LE64, ET_EXEC);
	write_core(&g);
	cb_ok(unwind_open(&g.o.u, &g.o.core, &opts, &e), &e);
	expect_note(&g, "--exe FILE gives it");
	end(&g);
}

/* ---- the first function, whose table is as any other's: what it would return to is no code */

static void first_function_returns_to_no_code(void **state)
{
	static const u64 words[] = { 1, CB_HEAP };
	u8 raw[8];
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines) * ARRAY_SIZE(words); i++) {
		u16 machine = machines[i / ARRAY_SIZE(words)].machine;
		struct stack s = { 0 };
		struct err e = { 0 };
		u64 at;

		begin(&g, machine, machines[i / ARRAY_SIZE(words)].fmt, ET_EXEC);
		/* "caller" is the first one then. */
		uint_put(g.o.s.cb.arch.fmt, g.o.s.eb.b.p + offsetof(Elf64_Ehdr, e_entry), g.o.s.cb.arch.word,
			 CB_TEXT + eb_func_off(EB_CALLER));
		cb_ok(open_with(&g, &e), &e);
		at = SB_SP + EB_FRAME + eb_cfa(&g.o.s.cb.arch) - g.o.s.cb.arch.word;
		uint_put(g.o.s.cb.arch.fmt, raw, g.o.s.cb.arch.word, words[i % ARRAY_SIZE(words)]);
		for (size_t k = 1; k < g.o.s.cb.n_segs; k++)
			if (g.o.s.cb.segs[k].p_vaddr == CB_STACK)
				assert_int_equal(pwrite(g.o.fd, raw, g.o.s.cb.arch.word, (off_t)(g.o.s.cb.data_at[k] + at - CB_STACK)),
						 g.o.s.cb.arch.word);
		cb_ok(unwind_thread(g.o.u, &g.o.core.threads[0], &s, &e), &e);
		if (s.n != 2 || s.end != STACK_OUTERMOST)
			fail_msg("%s: %zu frames: %s", g.o.core.arch->name, s.n, s.why);
		stack_fini(&s);
		end(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_in_flash), cmocka_unit_test(code_is_in_memory), cmocka_unit_test(memory_is_of_another),
		cmocka_unit_test(moved_is_found), cmocka_unit_test(moved_is_found_by_code), cmocka_unit_test(moved_is_in_two_places),
		cmocka_unit_test(moved_is_nowhere), cmocka_unit_test(no_program_is_named),
		cmocka_unit_test(first_function_returns_to_no_code),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
