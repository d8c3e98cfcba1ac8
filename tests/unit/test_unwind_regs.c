#include "unwindbuild.h"

/*
 * Of a thread that did not stop a core has its program counter, its stack pointer and the
 * number of its system call: the other registers are not known, which is not zero.
 */
static const struct { u16 machine; struct elffmt fmt; } machines[] = {
	{ EM_X86_64, { ELFCLASS64, ELFDATA2LSB } }, { EM_AARCH64, { ELFCLASS64, ELFDATA2LSB } },
	{ EM_386, { ELFCLASS32, ELFDATA2LSB } },
};

static u8 *regs_at(struct cb *cb, size_t thread)
{
	struct cb_note *n = cb_note_at(cb, NT_PRSTATUS, thread);
	struct prstatus st;
	struct err e;

	cb_ok(prstatus_get(&cb->arch, (struct bytes){ .p = n->desc.p, .len = n->desc.len }, &st, &e), &e);
	return n->desc.p + (st.regs.p - n->desc.p);
}

static void set_reg(struct cb *cb, size_t thread, s32 index, u64 value)
{
	const struct reg *r = &cb->arch.gregs.regs[index];

	uint_put(cb->arch.fmt, regs_at(cb, thread) + r->off, r->size, value);
}

/* All zeros, but for what is known; of the second thread one more, which did stop. */
static void set_registers(struct cb *cb, size_t thread)
{
	const struct arch *a = &cb->arch;

	memset(regs_at(cb, thread), 0, a->gregs.size);
	set_reg(cb, thread, (s32)a->pc, CB_TEXT);
	set_reg(cb, thread, (s32)a->sp, CB_STACK);
	if (a->syscall.orig_reg >= 0)
		set_reg(cb, thread, a->syscall.orig_reg, 7);
	for (s32 i = 0; thread && i < a->gregs.n_regs; i++)
		if (i != (s32)a->pc && i != (s32)a->sp && i != a->syscall.orig_reg) {
			set_reg(cb, thread, i, 1);
			return;
		}
}

static size_t n_known(const struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < CPU_REGS_MAX; i++)
		n += f->r.have[i];
	return n;
}

static void what_was_not_read_is_not_known(void **state)
{
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct fixture f = { 0 };
		u64 sp;

		cb_good(&f.o.cb, machines[i].machine, machines[i].fmt);
		for (size_t t = 0; t < 2; t++)
			set_registers(&f.o.cb, t);
		open_built(&f.o);
		cb_ok(unwind_open(&f.u, &f.o.core, &opts, &e), &e);
		assert_true(regs_of_thread(f.u, &f.o.core.threads[0], &f.r));
		assert_int_equal(f.r.pc, CB_TEXT);
		assert_true(regs_get(f.u, &f.r, f.o.core.arch->sp, &sp) && sp == CB_STACK);
		assert_in_range(n_known(&f), 1, 2);
		assert_true(regs_of_thread(f.u, &f.o.core.threads[1], &f.r));
		assert_true(n_known(&f) > 4);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_read_is_not_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
