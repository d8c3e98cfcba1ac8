#include "coreopen.h"

#include "base/util.h"

/*
 * What a SIGINFO note says, by the table of the kernel (kernel/signal.c:
 * siginfo_layout()): only a fault has an address.
 */
static const struct row {
	u16 machine;
	int signo, code;
	const char *name;
	enum siginfo_form form;
	bool has_addr;
} rows[] = {
	{ EM_X86_64, 11, 1, "SEGV", SIGINFO_FAULT, true },
	{ EM_X86_64, 11, 3, "SEGV", SIGINFO_BOUNDS, true },
	{ EM_X86_64, 11, 4, "SEGV", SIGINFO_PKEY, true },
	{ EM_X86_64, 11, 10, "SEGV", SIGINFO_FAULT, true },
	{ EM_X86_64, 11, 11, "SEGV", SIGINFO_SENT, false },	/* beyond NSIGSEGV */
	{ EM_X86_64, 11, 0x80, "SEGV", SIGINFO_SENT, false },	/* SI_KERNEL: a general protection fault */
	{ EM_X86_64, 11, 0x81, "SEGV", SIGINFO_SENT, false },
	{ EM_X86_64, 11, 0, "SEGV", SIGINFO_SENT, false },
	{ EM_X86_64, 11, -1, "SEGV", SIGINFO_QUEUED, false },
	{ EM_X86_64, 11, -6, "SEGV", SIGINFO_SENT, false },
	{ EM_X86_64, 7, 2, "BUS", SIGINFO_FAULT, true },
	{ EM_X86_64, 7, 4, "BUS", SIGINFO_MEMORY, true },
	{ EM_X86_64, 7, 0x80, "BUS", SIGINFO_SENT, false },
	{ EM_X86_64, 10, 1, "USR1", SIGINFO_POLL, false },	/* F_SETSIG */
	{ EM_X86_64, 12, 7, "USR2", SIGINFO_SENT, false },
	{ EM_X86_64, 4, 2, "ILL", SIGINFO_FAULT, true },
	{ EM_X86_64, 4, 0x80, "ILL", SIGINFO_SENT, false },
	{ EM_X86_64, 5, 6, "TRAP", SIGINFO_PERF, true },
	{ EM_X86_64, 5, 0x80, "TRAP", SIGINFO_SENT, false },	/* int3 */
	{ EM_X86_64, 8, 15, "FPE", SIGINFO_FAULT, true },
	{ EM_X86_64, 8, 16, "FPE", SIGINFO_SENT, false },
	{ EM_X86_64, 17, 1, "CHLD", SIGINFO_CHILD, false },
	{ EM_X86_64, 29, 1, "IO", SIGINFO_POLL, false },
	{ EM_X86_64, 29, -5, "IO", SIGINFO_POLL, false },
	{ EM_X86_64, 14, -2, "ALRM", SIGINFO_TIMER, false },
	{ EM_X86_64, 31, 1, "SYS", SIGINFO_CALL, false },
	{ EM_X86_64, 40, -1, NULL, SIGINFO_QUEUED, false },
	{ EM_AARCH64, 11, 8, "SEGV", SIGINFO_PLAIN, false },
	{ EM_AARCH64, 11, 9, "SEGV", SIGINFO_FAULT, true },
	/* These have their own numbers of signals, MIPS of codes, too. */
	{ EM_MIPS, 10, 1, "BUS", SIGINFO_FAULT, true },
	{ EM_MIPS, 7, 1, "EMT", SIGINFO_FAULT, true },
	{ EM_MIPS, 12, 1, "SYS", SIGINFO_CALL, false },
	{ EM_MIPS, 18, 1, "CHLD", SIGINFO_CHILD, false },
	{ EM_MIPS, 16, 7, "USR1", SIGINFO_SENT, false },
	{ EM_MIPS, 14, -3, "ALRM", SIGINFO_TIMER, false },
	{ EM_MIPS, 14, -2, "ALRM", SIGINFO_QUEUED, false },
	{ EM_ALPHA, 10, 4, "BUS", SIGINFO_MEMORY, true },
	{ EM_ALPHA, 8, 3, "FPE", SIGINFO_TRAP, true },
	{ EM_ALPHA, 8, 16, "FPE", SIGINFO_SENT, false },
	{ EM_ALPHA, 5, 5, "TRAP", SIGINFO_TRAP, true },
	{ EM_ALPHA, 5, 1, "TRAP", SIGINFO_FAULT, true },
	{ EM_SPARC, 4, 4, "ILL", SIGINFO_TRAP, true },
	{ EM_SPARCV9, 4, 5, "ILL", SIGINFO_FAULT, true },
	{ EM_ALPHA, 20, 2, "CHLD", SIGINFO_CHILD, false },
	{ EM_SPARCV9, 10, 1, "BUS", SIGINFO_FAULT, true },
	{ EM_SPARCV9, 7, 2, "EMT", SIGINFO_POLL, false },
	{ EM_PARISC, 31, 1, "SYS", SIGINFO_CALL, false },
	{ EM_PARISC, 7, 1, "STKFLT", SIGINFO_POLL, false },
};

static void put_siginfo(struct cb *cb, const struct row *row)
{
	struct cb_note *n = cb_note_at(cb, NT_SIGINFO, 0);
	bool swapped = row->machine == EM_MIPS;

	uint_put(cb->arch.fmt, n->desc.p, 4, (u32)row->signo);
	uint_put(cb->arch.fmt, n->desc.p + (swapped ? 4 : 8), 4, (u32)row->code);
	uint_put(cb->arch.fmt, n->desc.p + (swapped ? 8 : 4), 4, 0);
}

static void layouts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct core_siginfo si;
		struct err e = { 0 };
		struct opened o;

		print_message("# machine %u, signal %d, code %d\n", row->machine, row->signo, row->code);
		cb_good(&o.cb, row->machine, CB_LE64);
		put_siginfo(&o.cb, row);
		open_built(&o);
		cb_ok(core_siginfo_get(&o.core, core_note_find(&o.core, 0, "CORE", NT_SIGINFO)->note.desc, &si, &e), &e);
		assert_int_equal(si.signo, row->signo);
		assert_int_equal(si.code, row->code);
		assert_int_equal(si.form, row->form);
		assert_int_equal(si.has_addr, row->has_addr);
		if (row->name)
			assert_string_equal(core_signal_name(&o.core, si.signo), row->name);
		else
			assert_null(core_signal_name(&o.core, si.signo));
		fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
