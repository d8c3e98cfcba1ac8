/* test_os.c - threads, signals and registers of FreeBSD, NetBSD, OpenBSD and Solaris, and their stacks. */
#include "coreopen.h"
#include "osbuild.h"
#include "stackbuild.h"

#include <tagcore/modules.h>

#include "base/util.h"

enum { PC1 = 0x401230, SP1 = 0x700100, PC2 = 0x402340, SP2 = 0x700200, BUS = 10 };

static void begin(struct opened *o, const struct ob_system *s)
{
	struct elffmt fmt = { s->class, s->data };

	*o = (struct opened){ 0 };
	o->cb.arch = cb_arch(s->machine, fmt, 0);
	o->cb.ehdr = (GElf_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT },
				  .e_type = ET_CORE, .e_machine = s->machine, .e_version = EV_CURRENT };
	cb_seg_add(&o->cb, PT_NOTE, 0, 0, 0, 0);
	cb_seg_add(&o->cb, PT_LOAD, PF_R | PF_X, CB_TEXT, CB_PAGE, 2 * CB_PAGE);
}

static const struct ob_system *find(enum core_kind kind, u16 machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++)
		if (ob_systems[i].kind == kind && ob_systems[i].machine == machine)
			return &ob_systems[i];
	fail();
	return NULL;
}

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

		begin(&o, s);
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
	const struct ob_system *s = find(CORE_FREEBSD, EM_X86_64);
	struct core_regset set;
	struct opened o;
	u64 v;

	(void)state;
	begin(&o, s);
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
		begin(&o, &systems[i]);
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
		const struct ob_system *s = find(kinds[i], EM_X86_64);

		begin(&o, s);
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

/* struct ptrace_lwpinfo behind an int: pl_siginfo counts with PL_FLAG_SI. */
static void siginfo_of_freebsd(void **state)
{
	static const struct { u16 machine; u16 at; } of[] = { { EM_X86_64, 52 }, { EM_386, 48 } };
	struct core_siginfo si;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(of); i++) {
		const struct ob_system *s = find(CORE_FREEBSD, of[i / 2].machine);
		u16 at = of[i / 2].at;
		struct cb_note *n;

		begin(&o, s);
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

/* siginfo_t of a fault on Solaris: the address is behind three ints, aligned. */
static void fault_address_of_solaris(void **state)
{
	static const struct { u16 machine; u16 at; } of[] = { { EM_X86_64, 32 }, { EM_SPARC, 28 } };
	struct core_siginfo si;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = find(CORE_SOLARIS, of[i].machine);
		struct cb_note *n;

		begin(&o, s);
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
		const struct ob_system *s = find(of[i].kind, EM_X86_64);
		struct cb_note *n;

		begin(&o, s);
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
	const struct ob_system *s = find(CORE_OPENBSD, EM_386);
	struct opened o;

	(void)state;
	begin(&o, s);
	ob_process(&o.cb, s->kind, BUS, 1, 0);
	ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1)->owner = "OpenBSD";
	cb_note_add(&o.cb, "OpenBSD", NT_OPENBSD_FPREGS, "12345678", 8);
	open_built(&o);
	assert_int_equal(o.core.n_threads, 1);
	expect_thread(&o, 0, OB_PID, BUS, PC1, SP1);
	assert_int_equal(o.core.notes[2].thread, 0);
	fini(&o);
}

/* The old structures of Solaris with nothing else, which only their size tells from Linux's. */
static void solaris_by_its_old_prstatus_alone(void **state)
{
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++) {
		const struct ob_system *s = &ob_systems[i];

		if (s->kind != CORE_SOLARIS || s->type != NT_PRSTATUS)
			continue;
		begin(&o, s);
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
	const struct ob_system *s = find(CORE_SOLARIS, EM_SPARC);
	struct ob_system old = *s;
	struct opened o;

	(void)state;
	old.type = NT_PRSTATUS;
	old.size = 508;
	old.pc = 488;
	old.sp = 412;
	begin(&o, s);
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
		const struct ob_system *s = find(of[i].kind, EM_X86_64);
		const char *name;

		begin(&o, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		open_built(&o);
		name = core_signal_name(&o.core, of[i].signo);
		if (!name != !of[i].name || (name && strcmp(name, of[i].name)))
			fail_msg("%d of kind %d: %s", of[i].signo, of[i].kind, name ? name : "none");
		fini(&o);
	}
}

/* ---- the auxiliary vector, mapped files and stacks */

/* An entry, whose type has four bytes but on FreeBSD; the rest of that long is not zero. */
static void aux(struct cb *cb, enum core_kind kind, struct cb_note *n, u64 type, u64 value)
{
	unsigned word = ob_is_wide(cb) ? 8 : 4;
	size_t at = n->desc.len;

	if (kind != CORE_FREEBSD && word == 8)
		ob_uint(cb, n, at + 4, 4, 0xdeadbeef);
	ob_uint(cb, n, at, kind == CORE_FREEBSD ? word : 4, type);
	ob_uint(cb, n, at + word, word, value);
}

static struct cb_note *auxv_note(struct cb *cb, enum core_kind kind)
{
	struct cb_note *n;

	if (kind == CORE_OPENBSD)
		return cb_note_add(cb, "OpenBSD", NT_OPENBSD_AUXV, NULL, 0);
	if (kind == CORE_NETBSD)
		return cb_note_add(cb, "NetBSD-CORE", NT_NETBSD_AUXV, NULL, 0);
	if (kind == CORE_SOLARIS)
		return cb_note_add(cb, "CORE", NT_AUXV, NULL, 0);
	n = cb_note_add(cb, "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV, NULL, 0);
	ob_uint(cb, n, 0, 4, ob_is_wide(cb) ? 16 : 8);
	return n;
}

/* AT_ENTRY is the same for all; AT_SYSINFO_EHDR and AT_EXECFN are other numbers, or none. */
static void auxiliary_vector_by_its_own_numbers(void **state)
{
	static const struct { enum core_kind kind; u16 machine; u64 execfn, vdso; } of[] = {
		{ CORE_FREEBSD, EM_X86_64, 15, 34 }, { CORE_FREEBSD, EM_PPC64, 15, 34 }, { CORE_FREEBSD, EM_386, 15, 34 },
		{ CORE_NETBSD, EM_SPARCV9, 2014, 0 }, { CORE_OPENBSD, EM_SPARCV9, 0, 0 }, { CORE_SOLARIS, EM_SPARC, 2014, 0 },
		{ CORE_SOLARIS, EM_X86_64, 2014, 0 },
	};
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = find(of[i].kind, of[i].machine);
		struct cb_note *n;
		u64 v = 0;

		begin(&o, s);
		ob_process(&o.cb, s->kind, BUS, 1, OB_TID1);
		n = auxv_note(&o.cb, s->kind);
		aux(&o.cb, s->kind, n, 9, 0x401000);
		aux(&o.cb, s->kind, n, 31, 1);
		aux(&o.cb, s->kind, n, 33, 2);
		if (of[i].execfn)
			aux(&o.cb, s->kind, n, of[i].execfn, 3);
		if (of[i].vdso)
			aux(&o.cb, s->kind, n, of[i].vdso, 4);
		open_built(&o);
		assert_true(core_auxv(&o.core, AT_ENTRY, &v));
		assert_int_equal(v, 0x401000);
		assert_int_equal(core_auxv(&o.core, AT_EXECFN, &v), of[i].execfn != 0);
		assert_true(!of[i].execfn || v == 3);
		assert_int_equal(core_auxv(&o.core, AT_SYSINFO_EHDR, &v), of[i].vdso != 0);
		assert_true(!of[i].vdso || v == 4);
		fini(&o);
	}
}

/* With four bytes before it, as BFD expects it of NetBSD, and without, as the kernel writes it. */
static void auxiliary_vector_of_netbsd(void **state)
{
	const struct ob_system *s = find(CORE_NETBSD, EM_X86_64);
	struct opened o;
	u64 v = 0;

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct cb_note *n;

		begin(&o, s);
		n = cb_note_add(&o.cb, "NetBSD-CORE", NT_NETBSD_AUXV, "1234", before ? 4 : 0);
		aux(&o.cb, s->kind, n, 9, 0x401000);
		aux(&o.cb, s->kind, n, 0, 0);
		open_built(&o);
		assert_true(core_auxv(&o.core, AT_ENTRY, &v));
		assert_int_equal(v, 0x401000);
		fini(&o);
	}
}

/* struct kinfo_vmentry, cut behind its path. */
static void mapping(struct cb *cb, struct cb_note *n, u64 start, u64 end, u64 off, const char *path)
{
	size_t at = n->desc.len, size = align_up(136 + strlen(path) + 1, 8);

	ob_put(n, at + size - 1, "", 1);
	ob_uint(cb, n, at, 4, size);
	ob_uint(cb, n, at + 8, 8, start);
	ob_uint(cb, n, at + 16, 8, end);
	ob_uint(cb, n, at + 24, 8, off);
	ob_put(n, at + 136, path, strlen(path) + 1);
}

/* Files have names; what is not in a segment is known, and absent. */
static void mapped_files_of_freebsd(void **state)
{
	const struct ob_system *s = find(CORE_FREEBSD, EM_386);
	const struct core_map *m;
	struct cb_note *n;
	struct opened o;
	u64 until;

	(void)state;
	begin(&o, s);
	ob_thread(&o.cb, s, OB_TID1, PC1, SP1, BUS, 1);
	n = cb_note_add(&o.cb, "FreeBSD", NT_FREEBSD_PROCSTAT_VMMAP, NULL, 0);
	ob_uint(&o.cb, n, 0, 4, 1160);
	mapping(&o.cb, n, 0x900000, 0x902000, 0x3000, "/lib/libc.so.7");
	mapping(&o.cb, n, CB_TEXT, CB_TEXT + 2 * CB_PAGE, 0, "/bin/vi");
	mapping(&o.cb, n, CB_HEAP, CB_HEAP + CB_PAGE, 0, "");
	/* Cut off: not read. */
	ob_uint(&o.cb, n, n->desc.len, 4, 144);
	open_built(&o);
	assert_int_equal(o.core.n_maps, 2);
	m = core_map_at(&o.core, CB_TEXT);
	assert_non_null(m);
	assert_true(core_text_is(m->name, "/bin/vi"));
	m = core_map_at(&o.core, 0x901000);
	assert_non_null(m);
	assert_int_equal(m->pgoff, 0x3000);
	assert_int_equal(core_mem_state(&o.core, 0x901000, &until), MEM_ABSENT);
	fini(&o);
}

/* The core of stackbuild.h, with its notes as the system has them. */
static void use_system(struct sb_open *o, const struct ob_system *s)
{
	struct cb *cb = &o->s.cb;
	struct cb_note *n;

	sb_begin(&o->s, s->machine, (struct elffmt){ s->class, s->data }, ET_DYN);
	while (cb->n_notes)
		cb_note_drop(cb, &cb->notes[cb->n_notes - 1]);
	ob_process(cb, s->kind, 11, 1, OB_TID1);
	n = auxv_note(cb, s->kind);
	aux(cb, s->kind, n, AT_PAGESZ, CB_PAGE);
	aux(cb, s->kind, n, AT_PHDR, CB_TEXT + elffmt_ehdr_size(cb->arch.fmt));
	aux(cb, s->kind, n, AT_PHNUM, o->s.eb.n_phdrs);
	aux(cb, s->kind, n, AT_ENTRY, CB_TEXT + eb_func_off(EB_START));
	aux(cb, s->kind, n, AT_NULL, 0);
	ob_thread(cb, s, OB_TID1, sb_pc(0), SB_SP, 11, 1);
}

/* Unwound by the .eh_frame in memory, on every machine of which libdw has a backend. */
static void stacks(void **state)
{
	static const u16 machines[] = { EM_X86_64, EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_PPC, EM_PPC64 };
	struct unwind_opts opts = { .unwinder = "libdw" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ob_systems); i++) {
		const struct ob_system *sys = &ob_systems[i];
		struct stack s = { 0 };
		struct err e = { 0 };
		struct sb_open o;
		bool tried = false;

		for (size_t k = 0; k < ARRAY_SIZE(machines); k++)
			tried |= machines[k] == sys->machine;
		if (!tried)
			continue;
		use_system(&o, sys);
		sb_open(&o, &opts);
		cb_ok(unwind_thread(o.u, &o.core.threads[0], &s, &e), &e);
		if (s.n != 4)
			fail_msg("kind %d, machine %u: %zu frames: %s", sys->kind, sys->machine, s.n, s.why);
		for (unsigned f = 0; f < s.n; f++)
			assert_int_equal(s.frames[f].pc, sb_pc(f));
		stack_fini(&s);
		sb_close(&o);
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
		cmocka_unit_test(auxiliary_vector_by_its_own_numbers),
		cmocka_unit_test(auxiliary_vector_of_netbsd),
		cmocka_unit_test(mapped_files_of_freebsd),
		cmocka_unit_test(stacks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
