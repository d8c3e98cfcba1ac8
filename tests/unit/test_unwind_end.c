#include "stackbuild.h"

#include "base/util.h"

/* What proves that a stack is whole: a table or an ABI that says so, and not a word of 0 where a return address belongs. */

static const struct {
	u16 machine;
	struct elffmt fmt;
} machines[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_386, { ELFCLASS32, ELFDATA2LSB } },
	{ EM_AARCH64, { ELFCLASS64, ELFDATA2LSB } }, { EM_AARCH64, { ELFCLASS64, ELFDATA2MSB } },
	{ EM_ARM, { ELFCLASS32, ELFDATA2LSB } }, { EM_RISCV, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_S390, { ELFCLASS64, ELFDATA2MSB } }, { EM_PPC64, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_PPC, { ELFCLASS32, ELFDATA2MSB } },
};

/* An opened core, whose saved words may be changed. */
struct stage {
	struct sb_open o;
	char exe[32];
	int fd;
};

static void begin(struct stage *g, u16 machine, struct elffmt fmt)
{
	sb_begin(&g->o.s, machine, fmt, ET_DYN);
	g->fd = cb_file_of(&g->o.s.eb.b, g->exe);
}

static void set_word(struct stage *g, u64 addr, u64 value)
{
	const struct cb *cb = &g->o.s.cb;
	u8 raw[8];

	uint_put(cb->arch.fmt, raw, cb->arch.word, value);
	for (size_t i = 1; i < cb->n_segs; i++)
		if (cb->segs[i].p_type == PT_LOAD && addr >= cb->segs[i].p_vaddr &&
		    addr - cb->segs[i].p_vaddr + cb->arch.word <= cb->data_len[i]) {
			off_t at = (off_t)(cb->data_at[i] + addr - cb->segs[i].p_vaddr);

			assert_int_equal(pwrite(g->o.fd, raw, cb->arch.word, at), cb->arch.word);
			return;
		}
	fail_msg("nothing is saved at %#llx", (unsigned long long)addr);
}

/* Where frame @i, that begins at @sp, has its return address. */
static u64 ret_at(const struct stage *g, u64 sp, unsigned i)
{
	return sp + i * EB_FRAME + eb_cfa(&g->o.s.cb.arch) - g->o.s.cb.arch.word;
}

static void set_entry(struct stage *g, u64 value)
{
	struct cb_note *n = cb_note_at(&g->o.s.cb, NT_AUXV, 0);
	unsigned word = g->o.s.cb.arch.word;

	uint_put(g->o.s.cb.arch.fmt, n->desc.p + (3 * 2 + 1) * word, word, value);
}

static void open_by(struct stage *g, const char *unwinder)
{
	const struct unwind_opts opts = { .exe = g->exe, .unwinder = unwinder, .no_tail_calls = true };

	sb_open(&g->o, &opts);
}

static void expect(struct stage *g, size_t n, enum stack_end end)
{
	struct stack s = { 0 };
	struct err e = { 0 };

	cb_ok(unwind_thread(g->o.u, &g->o.core.threads[0], &s, &e), &e);
	if (s.n != n || s.end != end)
		fail_msg("%s: %zu frames, end %d: %s", g->o.core.arch->name, s.n, s.end, s.why);
	if (end == STACK_NO_RETURN)
		assert_non_null(strstr(s.why, " is 0"));
	stack_fini(&s);
}

static void end(struct stage *g)
{
	sb_close(&g->o);
	close(g->fd);
}

static void zero_where_the_table_names_a_caller(void **state)
{
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin(&g, machines[i].machine, machines[i].fmt);
		open_by(&g, "libdw");
		expect(&g, SB_FRAMES, STACK_OUTERMOST);
		set_word(&g, ret_at(&g, SB_SP, 1), 0);
		expect(&g, 2, STACK_NO_RETURN);
		set_word(&g, ret_at(&g, SB_SP, 0), 0);
		expect(&g, 1, STACK_NO_RETURN);
		end(&g);
	}
}

static void zero_by_either_unwinder(void **state)
{
	static const char *const ask[] = { "libunwind", "auto" };
	struct stage g;

	(void)state;
	if (!arch_native() || arch_native()->machine != EM_X86_64)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(ask); i++) {
		begin(&g, EM_X86_64, CB_LE64);
		open_by(&g, ask[i]);
		set_word(&g, ret_at(&g, SB_SP, 1), 0);
		expect(&g, 2, STACK_NO_RETURN);
		end(&g);
	}
}

/* The program's first function has no caller, whatever its table says: a compiler's is as that of any other. */
static void zero_in_the_first_function(void **state)
{
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin(&g, machines[i].machine, machines[i].fmt);
		set_entry(&g, CB_TEXT + eb_func_off(EB_CALLER));
		open_by(&g, "libdw");
		set_word(&g, ret_at(&g, SB_SP, 1), 0);
		expect(&g, 2, STACK_OUTERMOST);
		end(&g);
	}
}

/* A coroutine's stack begins with its first frame: above that there is no room for another. */
static void zero_at_the_bottom_of_a_stack(void **state)
{
	const u64 top = CB_STACK + 2 * CB_PAGE;
	struct stage g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		u64 sp;

		begin(&g, machines[i].machine, machines[i].fmt);
		sp = top - EB_FRAME - eb_cfa(&g.o.s.cb.arch);
		sb_set_reg(&g.o.s, cb_note_at(&g.o.s.cb, NT_PRSTATUS, 0), g.o.s.cb.arch.sp, sp);
		open_by(&g, "libdw");
		set_word(&g, ret_at(&g, sp, 0), sb_pc(1));
		set_word(&g, ret_at(&g, sp, 1), 0);
		expect(&g, 2, STACK_OUTERMOST);
		/* There is room. */
		set_word(&g, ret_at(&g, sp, 0), 0);
		expect(&g, 1, STACK_NO_RETURN);
		end(&g);
	}
}

/* PowerPC: a null back chain is the ABI's mark of the first frame, which glibc's start code makes. */
static void zero_at_the_end_of_a_back_chain(void **state)
{
	struct stage g;
	u64 word;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		begin(&g, machines[i].machine, machines[i].fmt);
		open_by(&g, "libdw");
		if (g.o.core.arch->frame.back_chain) {
			word = g.o.core.layout.word;
			set_word(&g, ret_at(&g, SB_SP, 1), 0);
			set_word(&g, SB_SP + EB_FRAME, SB_SP + 2 * EB_FRAME);
			set_word(&g, SB_SP + 2 * EB_FRAME + word * (u64)g.o.core.arch->frame.saved_ret, 0);
			set_word(&g, SB_SP + 2 * EB_FRAME, SB_SP + 3 * EB_FRAME);
			expect(&g, 2, STACK_NO_RETURN);
			set_word(&g, SB_SP + 2 * EB_FRAME, 0);
			expect(&g, 2, STACK_OUTERMOST);
		}
		end(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_where_the_table_names_a_caller), cmocka_unit_test(zero_by_either_unwinder),
		cmocka_unit_test(zero_in_the_first_function), cmocka_unit_test(zero_at_the_bottom_of_a_stack),
		cmocka_unit_test(zero_at_the_end_of_a_back_chain),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
