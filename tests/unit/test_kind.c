/* test_kind.c - what a core is of, and that no check asks of it what it is not. */
#include "corebuild.h"
#include "coreopen.h"

#include "check/check.h"

/* A machine's memory: CPUs without ids, the same bytes at two addresses, and those not in order. */
static void vmcore(struct opened *o, const char *owner)
{
	*o = (struct opened){ 0 };
	cb_with_note(&o->cb, EM_X86_64, CB_LE64, owner, 0);
	cb_prstatus(&o->cb, 0, 0);
	cb_prstatus(&o->cb, 0, 0);
	cb_seg_add(&o->cb, PT_LOAD, PF_R, 0x1000, CB_PAGE, CB_PAGE)->p_paddr = 0x1000;
}

static void expect_no_findings(struct opened *o)
{
	struct findings l = { 0 };
	struct err e = { 0 };

	cb_ok(check_core(&o->core, &l, &e), &e);
	for (size_t i = 0; i < l.n; i++)
		if (l.f[i].severity != CHECK_INFO)
			fail_msg("%s: %s", l.f[i].check->id, l.f[i].msg);
	findings_fini(&l);
}

static const struct {
	const char *owner;
	u32 type;
	enum core_kind kind;
} rows[] = {
	{ "FreeBSD", 1, CORE_FREEBSD }, { "OpenBSD", 10, CORE_OPENBSD }, { "OpenBSD@77", 20, CORE_OPENBSD },
	{ "NetBSD-CORE", 1, CORE_NETBSD }, { "NetBSD-CORE@2", 33, CORE_NETBSD }, { "CORE", 10, CORE_SOLARIS },
	{ "CORE", 13, CORE_SOLARIS }, { "CORE", 16, CORE_SOLARIS },
};

static void system_is_known_by_a_note(void **state)
{
	static const struct elffmt fmts[] = { { ELFCLASS64, ELFDATA2LSB }, { ELFCLASS32, ELFDATA2MSB } };
	struct opened o = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const u16 machines[] = { EM_X86_64, EM_SPARC };

		for (size_t k = 0; k < 2; k++) {
			cb_with_note(&o.cb, machines[k], fmts[k], rows[i].owner, rows[i].type);
			open_built(&o);
			assert_int_equal(o.core.kind, rows[i].kind);
			expect_no_findings(&o);
			fini(&o);
		}
	}
}

static void owner_is_the_whole_word(void **state)
{
	struct opened o = { 0 };

	(void)state;
	cb_with_note(&o.cb, EM_X86_64, CB_LE64, "OpenBSDish", 10);
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_PROCESS);
	fini(&o);
}

static void freebsd_is_known_by_osabi(void **state)
{
	struct opened o = { 0 };

	(void)state;
	cb_with_note(&o.cb, EM_X86_64, CB_LE64, "OTHER", 10);
	o.cb.ehdr.e_ident[EI_OSABI] = ELFOSABI_FREEBSD;
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_FREEBSD);
	fini(&o);
}

static void machine_memory_is_no_faulty_process(void **state)
{
	static const struct {
		const char *owner;
		enum core_kind kind;
	} of[] = { { "VMCOREINFO", CORE_KDUMP }, { "QEMU", CORE_QEMU }, { "OTHER", CORE_VMCORE } };
	struct opened o = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		vmcore(&o, of[i].owner);
		open_built(&o);
		assert_int_equal(o.core.kind, of[i].kind);
		assert_true(core_kind_is_machine(o.core.kind));
		expect_no_findings(&o);
		fini(&o);
	}
}

static void qemu_goes_before_its_guest(void **state)
{
	struct opened o = { 0 };

	(void)state;
	vmcore(&o, "VMCOREINFO");
	cb_note_add(&o.cb, "QEMU", 0, "12345678", 8);
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_QEMU);
	fini(&o);
}

/* fs/proc/kcore.c; a core of Linux 2.4 has the same notes, of another name. */
static void kcore_is_vmlinux(void **state)
{
	struct opened o = { 0 };
	struct cb_note *ps;

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, "CORE", NT_TASKSTRUCT, "12345678", 8);
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_PROCESS);
	fini(&o);

	o = (struct opened){ 0 };
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	cb_note_add(&o.cb, "CORE", NT_TASKSTRUCT, "12345678", 8);
	ps = cb_note_at(&o.cb, NT_PRPSINFO, 0);
	memcpy(ps->desc.p + 40, "vmlinux", 8);	/* pr_fname */
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_KCORE);
	fini(&o);
}

static void the_rest_is_of_a_process(void **state)
{
	struct opened o = { 0 };

	(void)state;
	cb_good(&o.cb, EM_X86_64, CB_LE64);
	/* Physical addresses alone do not make it a machine's: there is PRPSINFO. */
	o.cb.segs[2].p_paddr = 0x1000;
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_PROCESS);
	assert_string_equal(core_kind_name(CORE_PROCESS), "core");
	fini(&o);
}

/* All segments at their physical addresses; @flags and @align of each, @tids of the threads. */
static enum core_kind kind_of_unmapped(u16 machine, struct elffmt fmt, u32 flags, u64 align, const s32 *tids,
				      size_t n)
{
	struct opened o = { 0 };
	enum core_kind kind;

	cb_with_note(&o.cb, machine, fmt, "OTHER", 7);
	for (size_t i = 0; i < n; i++)
		cb_prstatus(&o.cb, tids[i], 0);
	cb_seg_add(&o.cb, PT_LOAD, flags, CB_HEAP, CB_PAGE, CB_PAGE);
	open_built(&o);
	core_close(&o.core);
	for (size_t i = 1; i < o.cb.n_segs; i++) {
		o.cb.segs[i].p_paddr = o.cb.segs[i].p_vaddr;
		o.cb.segs[i].p_flags = flags;
		o.cb.segs[i].p_align = align;
	}
	close(o.fd);
	open_built(&o);
	kind = o.core.kind;
	fini(&o);
	return kind;
}

/* Without an MMU the two addresses are the same: the memory of an RTOS, and its tasks. */
static void tasks_of_an_rtos_are_no_processors(void **state)
{
	static const s32 pointers[] = { 0x3fc81000, 0x3fc82000 }, small[] = { 1, 2, 3 };
	static const s32 gaps[] = { 1, 3 }, none[] = { 0, 0 };

	(void)state;
	assert_int_equal(kind_of_unmapped(CB_NO_MACHINE, CB_LE32, PF_R | PF_W, 1, pointers, 2), CORE_PROCESS);
	assert_int_equal(kind_of_unmapped(CB_NO_MACHINE, CB_LE32, PF_R | PF_W, 0, small, 3), CORE_PROCESS);
	assert_int_equal(kind_of_unmapped(EM_AARCH64, CB_LE64, PF_R | PF_W, CB_PAGE, small, 3), CORE_PROCESS);
	assert_int_equal(kind_of_unmapped(CB_NO_MACHINE, CB_LE32, 0, 0, pointers, 2), CORE_PROCESS);
	assert_int_equal(kind_of_unmapped(CB_NO_MACHINE, CB_LE32, 0, 0, gaps, 2), CORE_PROCESS);
	/* qemu without paging. */
	assert_int_equal(kind_of_unmapped(EM_AARCH64, CB_LE64, 0, 0, small, 3), CORE_VMCORE);
	assert_int_equal(kind_of_unmapped(CB_NO_MACHINE, CB_BE64, 0, 0, none, 2), CORE_VMCORE);
}

/* A processor's registers, which no process has: of s390, whose kernel is at its physical addresses. */
static void registers_of_a_processor(void **state)
{
	struct opened o = { 0 };

	(void)state;
	cb_good(&o.cb, EM_S390, CB_BE64);
	cb_note_add(&o.cb, "LINUX", NT_S390_PREFIX, "1234", 4);
	open_built(&o);
	assert_int_equal(o.core.kind, CORE_VMCORE);
	fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_is_known_by_a_note),
		cmocka_unit_test(owner_is_the_whole_word),
		cmocka_unit_test(freebsd_is_known_by_osabi),
		cmocka_unit_test(machine_memory_is_no_faulty_process),
		cmocka_unit_test(qemu_goes_before_its_guest),
		cmocka_unit_test(kcore_is_vmlinux),
		cmocka_unit_test(the_rest_is_of_a_process),
		cmocka_unit_test(tasks_of_an_rtos_are_no_processors),
		cmocka_unit_test(registers_of_a_processor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
