/* test_os.c - threads, signals and registers of FreeBSD, NetBSD, OpenBSD and Solaris. */
#include "coreopen.h"
#include "osbuild.h"

#include "base/util.h"
#include "os/os.h"

enum { PC1 = 0x401230, SP1 = 0x700100, PC2 = 0x402340, SP2 = 0x700200, BUS = 10 };

static void expect_thread(struct opened *o, size_t i, s32 tid, s32 signo, u64 pc, u64 sp)
{
	const struct core_thread *t = &o->core.threads[i];
	struct err e = { 0 };
	u64 v = 0;

	assert_int_equal(t->tid, tid);
	assert_int_equal(t->cursig, signo);
	cb_ok(core_thread_pc(&o->core, t, &v, &e), &e);
	if (v != pc)
		fail_msg("kind %d, machine %u: pc %#llx", o->core.kind, o->core.ehdr.e_machine, (unsigned long long)v);
	cb_ok(core_thread_sp(&o->core, t, &v, &e), &e);
	if (v != sp)
		fail_msg("kind %d, machine %u: sp %#llx", o->core.kind, o->core.ehdr.e_machine, (unsigned long long)v);
}

/* On every machine, by the system's own places; its signal 10 is SIGBUS. */
static void threads_and_registers(void **state)
{
	struct core_procinfo ps;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++) {
		const struct ob_system *s = &ob_systems[i];
		bool all = s->kind == CORE_FREEBSD;	/* every thread has it */

		ob_begin(&o.cb, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
		ob_thread(&o.cb, s, OB_TID2, PC2, SP2, all ? BUS : 0, 0);
		open_built(&o);
		assert_int_equal(o.core.kind, s->kind);
		assert_int_equal(o.core.n_threads, 2);
		expect_thread(&o, 0, OB_TID1, BUS, PC1, SP1);
		expect_thread(&o, 1, OB_TID2, all ? BUS : 0, PC2, SP2);
		assert_ptr_equal(o.core.crashed, &o.core.threads[0]);
		assert_string_equal(core_signal_name(&o.core, BUS), "BUS");
		core_procinfo(&o.core, &ps);
		assert_true(ps.has_pid);
		assert_int_equal(ps.pid, OB_PID);
		assert_string_equal(ps.name, "vi");
		fini(&o);
	}
}

/* What a set of the system lacks is not there; it is not 0. */
static void registers_that_are_not_saved_are_unknown(void **state)
{
	const struct ob_system *s = ob_find(CORE_FREEBSD, EM_X86_64);
	struct core_regset set;
	struct opened o;
	u64 v;

	(void)state;
	ob_begin(&o.cb, s);
	ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
	open_built(&o);
	assert_true(core_thread_regset(&o.core, o.core.threads, "general", &set));
	for (unsigned i = 0; i < set.set->n_regs; i++) {
		const char *name = set.set->regs[i].name;
		bool absent = !strcmp(name, "orig_rax") || !strcmp(name, "fs_base") || !strcmp(name, "gs_base");

		if (reg_get(o.core.arch, set.set, i, set.desc, &v, NULL) != (absent ? ERR_UNSUPPORTED : 0))
			fail_msg("%s", name);
	}
	fini(&o);
}

/* A machine that has no table of ours, and one that the system's tables lack. */
static void machines_without_tables(void **state)
{
	const struct ob_system systems[] = {
		{ CORE_NETBSD, 42 /* EM_SH */, OB_LE32, 35, 100, 0, 4, 0 },
		{ CORE_NETBSD, EM_S390, OB_BE64, 33, 100, 0, 8, 0 },
		{ CORE_SOLARIS, EM_AARCH64, OB_LE64, 16, 1000, 600, 608, 0 },
	};
	struct opened o;
	u64 v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		ob_begin(&o.cb, &systems[i]);
		ob_process(&o.cb, systems[i].kind, BUS, 1, OB_TID1);
		ob_thread(&o.cb, &systems[i], OB_TID1, PC1, SP1, BUS, 1);
		open_built(&o);
		assert_int_equal(o.core.n_threads, 1);
		assert_int_equal(o.core.threads[0].tid, OB_TID1);
		assert_int_equal(o.core.threads[0].cursig, BUS);
		assert_int_equal(core_thread_pc(&o.core, o.core.threads, &v, NULL), ERR_UNSUPPORTED);
		assert_int_equal(core_thread_sp(&o.core, o.core.threads, &v, NULL), ERR_UNSUPPORTED);
		fini(&o);
	}
}

/* LWPs are in the order of their directory on Solaris; NetBSD names the one. */
static void the_thread_that_took_the_signal(void **state)
{
	static const enum core_kind kinds[] = { CORE_SOLARIS, CORE_NETBSD };
	struct core_siginfo si;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct ob_system *s = ob_find(kinds[i], EM_X86_64);

		ob_begin(&o.cb, s);
		ob_process(&o.cb, s->kind, 11, 2, OB_TID2);
		ob_thread(&o.cb, s, OB_TID1, PC1, SP1, 0, 0);
		ob_thread(&o.cb, s, OB_TID2, PC2, SP2, 11, 2);
		open_built(&o);
		assert_ptr_equal(o.core.crashed, &o.core.threads[1]);
		assert_int_equal(o.core.threads[0].cursig, 0);
		assert_true(core_crash_siginfo(&o.core, &si));
		assert_int_equal(si.signo, 11);
		assert_int_equal(si.code, 2);
		fini(&o);
	}
}

/* struct ptrace_lwpinfo after an int: pl_siginfo counts with PL_FLAG_SI. */
static void siginfo_of_freebsd(void **state)
{
	static const struct { u16 machine; u16 at; } of[] = { { EM_X86_64, 52 }, { EM_386, 48 } };
	struct core_siginfo si;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(CORE_FREEBSD, of[i / 2].machine);
		u16 at = of[i / 2].at;
		struct cb_note *n;

		ob_begin(&o.cb, s);
		ob_thread(&o.cb, s, OB_TID1, PC1, SP1, 11, 0);
		n = cb_note_add(&o.cb, "FreeBSD", NT_FREEBSD_PTLWPINFO, NULL, 0);
		ob_uint(&o.cb, n, 12, 4, i % 2 ? 0x20 : 0);
		ob_uint(&o.cb, n, at, 4, 11);
		ob_uint(&o.cb, n, at + 8u, 4, 1);
		ob_uint(&o.cb, n, at + 24u, s->class == ELFCLASS64 ? 8 : 4, 0x1234);
		open_built(&o);
		assert_int_equal(core_crash_siginfo(&o.core, &si), i % 2);
		if (i % 2) {
			assert_int_equal(si.code, 1);
			assert_true(si.has_addr);
			assert_int_equal(si.addr, 0x1234);
		}
		fini(&o);
	}
}

/* siginfo_t of a fault on Solaris: the address is after three ints, aligned. */
static void fault_address_of_solaris(void **state)
{
	static const struct { u16 machine; u16 at; } of[] = { { EM_X86_64, 32 }, { EM_SPARC, 28 } };
	struct core_siginfo si;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(CORE_SOLARIS, of[i].machine);
		struct cb_note *n;

		ob_begin(&o.cb, s);
		n = ob_thread(&o.cb, s, OB_TID1, PC1, SP1, 11, 1);
		ob_uint(&o.cb, n, of[i].at, s->class == ELFCLASS64 ? 8 : 4, 0x1234);
		open_built(&o);
		assert_true(core_crash_siginfo(&o.core, &si));
		assert_true(si.has_addr);
		assert_int_equal(si.addr, 0x1234);
		fini(&o);
	}
}

static void expect_name(struct opened *o, size_t i, const char *want)
{
	char name[CORE_NAME_MAX];

	assert_string_equal(core_thread_name(&o->core, &o->core.threads[i], name), want);
}

static void names_of_threads(void **state)
{
	static const struct { enum core_kind kind; u32 type; u16 at; } of[] = {
		{ CORE_FREEBSD, NT_FREEBSD_THRMISC, 0 }, { CORE_NETBSD, NT_NETBSD_LWPSTATUS, 36 },
		{ CORE_SOLARIS, NT_SOLARIS_LWPNAME, 8 },
	};
	static const char worker[32] = "worker";
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(of[i].kind, EM_X86_64);
		struct cb_note *n;

		ob_begin(&o.cb, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
		n = cb_note_add(&o.cb, ob_owner(s->kind, OB_TID1), of[i].type, NULL, 0);
		ob_put(n, of[i].at, worker, sizeof(worker));
		ob_thread(&o.cb, s, OB_TID2, PC2, SP2, 0, 0);
		open_built(&o);
		expect_name(&o, 0, "worker");
		expect_name(&o, 1, "");
		fini(&o);
	}
}

/* Before threads had notes of their own OpenBSD gave registers no number: it is the process's. */
static void openbsd_without_thread_numbers(void **state)
{
	const struct ob_system *s = ob_find(CORE_OPENBSD, EM_386);
	struct opened o;

	(void)state;
	ob_begin(&o.cb, s);
	ob_process(&o.cb, s->kind, BUS, 1, 0);
	ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1)->owner = "OpenBSD";
	cb_note_add(&o.cb, "OpenBSD", NT_OPENBSD_FPREGS, "12345678", 8);
	open_built(&o);
	assert_int_equal(o.core.n_threads, 1);
	expect_thread(&o, 0, OB_PID, BUS, PC1, SP1);
	assert_int_equal(o.core.notes[2].thread, 0);
	fini(&o);
}

/* The old structures of Solaris with nothing else, which only their size distinguishes from Linux's. */
static void solaris_by_its_old_prstatus_alone(void **state)
{
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++) {
		const struct ob_system *s = &ob_systems[i];

		if (s->kind != CORE_SOLARIS || s->type != NT_PRSTATUS)
			continue;
		ob_begin(&o.cb, s);
		ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
		ob_thread(&o.cb, s, OB_TID2, PC2, SP2, 0, 0);
		open_built(&o);
		assert_int_equal(o.core.kind, CORE_SOLARIS);
		assert_int_equal(o.core.n_threads, 2);
		expect_thread(&o, 1, OB_TID2, 0, PC2, SP2);
		fini(&o);
	}
}

/* Both structures of each thread are there: that is not twice as many threads. */
static void solaris_with_old_and_new_structures(void **state)
{
	const struct ob_system *s = ob_find(CORE_SOLARIS, EM_SPARC);
	struct ob_system old = *s;
	struct opened o;

	(void)state;
	old.type = NT_PRSTATUS;
	old.size = 508;
	old.pc = 488;
	old.sp = 412;
	ob_begin(&o.cb, s);
	ob_thread(&o.cb, &old, OB_TID1, PC2, SP2, BUS, 1);
	ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
	ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
	open_built(&o);
	assert_int_equal(o.core.n_threads, 1);
	expect_thread(&o, 0, OB_TID1, BUS, PC1, SP1);
	fini(&o);
}

static void signals_by_their_own_numbers(void **state)
{
	static const struct { enum core_kind kind; int signo; const char *name; } of[] = {
		{ CORE_FREEBSD, 7, "EMT" }, { CORE_FREEBSD, 32, "THR" }, { CORE_FREEBSD, 30, "USR1" }, { CORE_FREEBSD, 99, NULL },
		{ CORE_NETBSD, 32, "PWR" }, { CORE_NETBSD, 40, NULL }, { CORE_OPENBSD, 16, "URG" },
		{ CORE_SOLARIS, 16, "USR1" }, { CORE_SOLARIS, 18, "CHLD" }, { CORE_SOLARIS, 41, "INFO" },
		{ CORE_SOLARIS, 42, NULL },
	};
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(of[i].kind, EM_X86_64);
		const char *name;

		ob_begin(&o.cb, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		open_built(&o);
		name = core_signal_name(&o.core, of[i].signo);
		if (!name != !of[i].name || (name && strcmp(name, of[i].name)))
			fail_msg("%d of kind %d: %s", of[i].signo, of[i].kind, name ? name : "none");
		fini(&o);
	}
}

/* From the systems' own headers: the first and the last of each, and what differs between them. */
static void auxv_names_are_those_of_the_headers(void **state)
{
	static const struct { enum core_kind kind; u16 machine; u64 type; const char *name; } of[] = {
		{ CORE_FREEBSD, EM_X86_64, 10, "AT_NOTELF" }, { CORE_FREEBSD, EM_X86_64, 36, "AT_USRSTACKLIM" },
		{ CORE_FREEBSD, EM_X86_64, 38, "AT_HWCAP3" }, { CORE_FREEBSD, EM_X86_64, 39, "AT_HWCAP4" },
		{ CORE_FREEBSD, EM_X86_64, 40, NULL }, { CORE_NETBSD, EM_X86_64, 13, "AT_STACKBASE" },
		{ CORE_NETBSD, EM_X86_64, 2000, "AT_EUID" }, { CORE_OPENBSD, EM_X86_64, 2000, "AT_SUN_UID" },
		{ CORE_OPENBSD, EM_X86_64, 2002, "AT_SUN_GID" }, { CORE_OPENBSD, EM_X86_64, 4000, "AT_OPENBSD_TIMEKEEP" },
		{ CORE_OPENBSD, EM_X86_64, 4001, "AT_OPENBSD_EXECPATH" }, { CORE_SOLARIS, EM_X86_64, 25, "AT_RANDOM" },
		{ CORE_SOLARIS, EM_X86_64, 2023, "AT_SUN_HWCAP2" }, { CORE_SOLARIS, EM_X86_64, 2024, "AT_SUN_BRAND_NROOT" },
		{ CORE_SOLARIS, EM_X86_64, 2025, NULL }, { CORE_SOLARIS, EM_X86_64, 2026, "AT_SUN_COMMPAGE" },
		{ CORE_SOLARIS, EM_X86_64, 2029, "AT_SUN_HWCAP3" },
	};
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(of[i].kind, of[i].machine);
		const struct os_auxv *a;

		ob_begin(&o.cb, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		open_built(&o);
		a = os_auxv_find(o.core.os, of[i].type);
		if (!a != !of[i].name || (a && strcmp(a->name, of[i].name)))
			fail_msg("%llu of kind %d: %s", (unsigned long long)of[i].type, of[i].kind, a ? a->name : "none");
		fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_and_registers),
		cmocka_unit_test(registers_that_are_not_saved_are_unknown),
		cmocka_unit_test(machines_without_tables),
		cmocka_unit_test(the_thread_that_took_the_signal),
		cmocka_unit_test(siginfo_of_freebsd),
		cmocka_unit_test(fault_address_of_solaris),
		cmocka_unit_test(names_of_threads),
		cmocka_unit_test(openbsd_without_thread_numbers),
		cmocka_unit_test(solaris_by_its_old_prstatus_alone),
		cmocka_unit_test(solaris_with_old_and_new_structures),
		cmocka_unit_test(signals_by_their_own_numbers),
		cmocka_unit_test(auxv_names_are_those_of_the_headers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
