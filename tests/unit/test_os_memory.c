/* test_os_memory.c - auxiliary vectors, mapped files and stacks of FreeBSD, NetBSD, OpenBSD and Solaris. */
#include "coreopen.h"
#include "osbuild.h"
#include "stackbuild.h"

#include "base/util.h"

enum { PC1 = 0x401230, SP1 = 0x700100, BUS = 10 };

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
		{ CORE_NETBSD, EM_SPARCV9, 2014, 0 }, { CORE_OPENBSD, EM_SPARCV9, 4001, 0 }, { CORE_SOLARIS, EM_SPARC, 2014, 0 },
		{ CORE_SOLARIS, EM_X86_64, 2014, 0 },
	};
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct ob_system *s = ob_find(of[i].kind, of[i].machine);
		struct cb_note *n;
		u64 v = 0;

		ob_begin(&o.cb, s);
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
	const struct ob_system *s = ob_find(CORE_NETBSD, EM_X86_64);
	struct opened o;
	u64 v = 0;

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct cb_note *n;

		ob_begin(&o.cb, s);
		n = cb_note_add(&o.cb, "NetBSD-CORE", NT_NETBSD_AUXV, "1234", before ? 4 : 0);
		aux(&o.cb, s->kind, n, 9, 0x401000);
		aux(&o.cb, s->kind, n, 0, 0);
		open_built(&o);
		assert_true(core_auxv(&o.core, AT_ENTRY, &v));
		assert_int_equal(v, 0x401000);
		fini(&o);
	}
}

/* struct kinfo_vmentry, cut after its path. */
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
	const struct ob_system *s = ob_find(CORE_FREEBSD, EM_386);
	const struct core_map *m;
	struct cb_note *n;
	struct opened o;
	u64 until;

	(void)state;
	ob_begin(&o.cb, s);
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
		cmocka_unit_test(auxiliary_vector_by_its_own_numbers),
		cmocka_unit_test(auxiliary_vector_of_netbsd),
		cmocka_unit_test(mapped_files_of_freebsd),
		cmocka_unit_test(stacks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
