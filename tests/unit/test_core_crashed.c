#include "coreopen.h"

#include "base/util.h"

/* Which thread crashed, and what is its signal. */

/* A thread of a row: its PRSTATUS' signal, and its SIGINFO after it when @si is not 0. */
struct thread_row {
	int cursig;
	int si, code;
};

static void put_siginfo(struct cb *cb, int signo, int code)
{
	u8 raw[128] = { 0 };

	uint_put(cb->arch.fmt, raw, 4, (u32)signo);
	uint_put(cb->arch.fmt, raw + 8, 4, (u32)code);
	uint_put(cb->arch.fmt, raw + 16, 8, 0x1234);
	cb_note_add(cb, "CORE", NT_SIGINFO, raw, sizeof(raw));
}

enum { PROCESS_NONE, PROCESS_FAULT, PROCESS_STOP };

static const struct row {
	const char *what;
	struct thread_row threads[3];
	int crashed;	/* index, or -1 */
	int signo, code;	/* 0: none, no SIGINFO that counts */
	int process;	/* a SIGINFO before all threads */
	bool ours;
} rows[] = {
	{ "kernel", { { 11, 11, 1 }, { 11, 0, 0 }, { 11, 0, 0 } }, 0, 11, 1, PROCESS_NONE, false },
	{ "kernel, abort", { { 6, 6, -6 }, { 6, 0, 0 }, { 6, 0, 0 } }, 0, 6, -6, PROCESS_NONE, false },
	{ "createdump", { { 0 }, { 0 }, { 11, 11, 1 } }, 2, 11, 1, PROCESS_NONE, false },
	{ "createdump, abort", { { 0 }, { 6, 0, 0 }, { 0 } }, 1, 6, 0, PROCESS_NONE, false },
	{ "by a signal that is no crash", { { 0 }, { 15, 0, 0 }, { 0 } }, 1, 15, 0, PROCESS_NONE, false },
	{ "gcore, the second", { { 11, 19, -6 }, { 11, 11, 1 }, { 11, 19, -6 } }, 1, 11, 1, PROCESS_NONE, false },
	{ "gcore, no reason", { { 5, 19, 0 }, { 5, 19, 0 }, { 5, 19, 0 } }, 0, 5, 0, PROCESS_NONE, false },
	{ "live", { { 0 }, { 0 }, { 0 } }, -1, 0, 0, PROCESS_NONE, false },
	{ "live, stops", { { 0, 19, -6 }, { 0, 19, -6 }, { 0, 5, 0x8001 } }, -1, 0, 0, PROCESS_NONE, false },
	{ "live, killed by a process", { { 0 }, { 0, 11, -6 }, { 0 } }, -1, 0, 0, PROCESS_NONE, false },
	{ "SIGINFO alone", { { 0, 19, -6 }, { 0, 11, 2 }, { 0, 19, -6 } }, 1, 11, 2, PROCESS_NONE, false },
	{ "SIGINFO of the process", { { 0 }, { 0 }, { 0 } }, 0, 11, 1, PROCESS_FAULT, false },
	{ "process' agrees", { { 0 }, { 11, 0, 0 }, { 0 } }, 1, 11, 1, PROCESS_FAULT, false },
	{ "process' does not agree", { { 0 }, { 11, 0, 0 }, { 0 } }, 1, 11, 0, PROCESS_STOP, false },
	{ "ours, live, about to take one", { { 0 }, { 17, 17, 1 }, { 0 } }, -1, 0, 0, PROCESS_NONE, true },
	{ "ours, live, the first", { { 17, 0, 0 }, { 11, 0, 0 }, { 0 } }, 0, 17, 0, PROCESS_NONE, true },
	{ "ours, a fault", { { 0 }, { 17, 0, 0 }, { 11, 11, 1 } }, 2, 11, 1, PROCESS_NONE, true },
};

static void build(struct cb *cb, const struct row *row)
{
	cb_good(cb, EM_X86_64, CB_LE64);
	for (size_t i = 0; i < cb->n_notes; i++)
		buf_fini(&cb->notes[i].desc);
	cb->n_notes = 0;
	if (row->process)
		put_siginfo(cb, row->process == PROCESS_FAULT ? 11 : 19, row->process == PROCESS_FAULT ? 1 : -6);
	for (size_t i = 0; i < ARRAY_SIZE(row->threads); i++) {
		cb_prstatus(cb, CB_TID1 + (s32)i, row->threads[i].cursig);
		if (row->threads[i].si)
			put_siginfo(cb, row->threads[i].si, row->threads[i].code);
	}
	if (row->ours)
		cb_note_add(cb, TAGCORE_OWNER, NT_TAGCORE_INFO, "version 1\n", 10);
}

static void found_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct core_siginfo si = { 0 };
		struct opened o;

		print_message("# %s\n", row->what);
		build(&o.cb, row);
		open_built(&o);
		assert_int_equal(o.core.crashed ? o.core.crashed - o.core.threads : -1, row->crashed);
		if (row->crashed >= 0)
			assert_int_equal(o.core.crashed->cursig, row->signo);
		if (row->code) {
			assert_true(core_crash_siginfo(&o.core, &si));
			assert_int_equal(si.signo, row->signo);
			assert_int_equal(si.code, row->code);
		} else if (row->crashed >= 0 && core_crash_siginfo(&o.core, &si)) {
			/* Its own, of the debugger that attached. */
			assert_int_not_equal(si.signo, row->signo);
			assert_int_equal(row->process, PROCESS_NONE);
		}
		fini(&o);
	}
}

/* PRPSINFO has the group leader's name and id. */
static void name_is_the_leaders(void **state)
{
	char name[CORE_NAME_MAX];
	struct opened o;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	uint_put(o.cb.arch.fmt, cb_note_at(&o.cb, NT_PRSTATUS, 0)->desc.p + 32, 4, CB_TID2);
	uint_put(o.cb.arch.fmt, cb_note_at(&o.cb, NT_PRSTATUS, 1)->desc.p + 32, 4, CB_TID1);
	open_built(&o);
	assert_int_equal(o.core.crashed->tid, CB_TID2);
	assert_string_equal(core_thread_name(&o.core, &o.core.threads[0], name), "");
	assert_string_equal(core_thread_name(&o.core, &o.core.threads[1], name), "prog");
	fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_wherever_it_stands),
		cmocka_unit_test(name_is_the_leaders),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
