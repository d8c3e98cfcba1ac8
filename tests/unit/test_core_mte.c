#include "coreopen.h"

#include <signal.h>

#include "base/util.h"

/* What else of a core has to do with memory tags: areas, gaps, pointers, threads, faults. */

/* The numbers are anybody's: PT_ARM_EXIDX, PT_MIPS_RTPROC and PT_MIPS_OPTIONS. */
static void other_machines_have_no_tags(void **state)
{
	const u16 *machine = *state;
	struct opened o;

	cb_good(&o.cb, *machine, CB_LE64);
	cb_memtag_add(&o.cb, CB_HEAP, 256, 2 * CB_PAGE);
	cb_memtag_add(&o.cb, CB_STACK, 256, 2 * CB_PAGE)->p_type = CORE_PT_MEMTAG_OLD;
	open_built(&o);
	expect_at(&o, CB_HEAP, TAG_NONE, 0);
	assert_int_equal(o.core.n_tagged, 0);
	assert_false(o.core.areas[1].mte);
	assert_int_equal(core_untag(&o.core, 0x0b00000000600000), 0x0b00000000600000);
	fini(&o);
}

/* An area is tagged also where the tag segment is not exactly its own. */
static void areas_are_marked(void **state)
{
	struct opened o;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	o.cb.segs[4].p_vaddr += CB_PAGE;
	o.cb.segs[4].p_memsz = CB_PAGE;
	o.cb.segs[4].p_filesz = 128;
	open_built(&o);
	assert_false(o.core.areas[0].mte);
	assert_true(o.core.areas[1].mte);
	assert_true(o.core.areas[2].mte);
	expect_at(&o, CB_HEAP, TAG_NONE, 0);
	expect_at(&o, CB_HEAP + CB_PAGE, TAG_KNOWN, cb_tag(CB_HEAP + CB_PAGE));
	fini(&o);
}

/* Reasons that begin "memory tags" take the tags, not the memory; others the memory, not the tags. */
static void gaps_are_of_tags_or_of_memory(void **state)
{
	static const char text[] = "600000-601000 memory tags cannot be read\n"
				   "600000-600800 Input/output error\n";
	enum mem_state mem = 99;
	struct err e = { 0 };
	struct opened o;
	u8 byte[16];
	size_t n;

	(void)state;
	cb_good_mte(&o.cb, CB_LE64);
	cb_note_add(&o.cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text) - 1);
	open_built(&o);
	assert_int_equal(o.core.n_missing, 1);
	assert_int_equal(o.core.n_missing_tags, 1);
	expect_at(&o, CB_HEAP + 0xff0, TAG_ABSENT, 0);
	expect_at(&o, CB_HEAP + 0x1000, TAG_KNOWN, cb_tag(CB_HEAP + 0x1000));
	cb_ok(core_read(&o.core, CB_HEAP + 0x7f0, byte, 16, &mem, &n, &e), &e);
	assert_int_equal(mem, MEM_ABSENT);
	cb_ok(core_read(&o.core, CB_HEAP + 0x800, byte, 16, &mem, &n, &e), &e);
	assert_int_equal(mem, MEM_PRESENT);
	fini(&o);
}

static void pointers_lose_their_tag(void **state)
{
	const struct elffmt *fmt = *state;
	struct opened o;

	cb_good_mte(&o.cb, *fmt);
	open_built(&o);
	assert_int_equal(core_untag(&o.core, 0x0b00000000600010), CB_HEAP + 0x10);
	assert_int_equal(core_untag(&o.core, 0xff7f000000600010), 0x7f000000600010);
	/* A kernel address has no tag. */
	assert_int_equal(core_untag(&o.core, 0xffff800000600010), 0xffff800000600010);
	fini(&o);
}

static void ctrl_of_a_thread(void **state)
{
	const struct elffmt *fmt = *state;
	struct core_tag_ctrl ctrl = { 0 };
	struct err e = { 0 };
	struct opened o;
	u8 raw[8];

	cb_good_mte(&o.cb, *fmt);
	uint_put(*fmt, raw, 8, 1 | 4 | 0x8ffeull << 3 | 1ull << 19);
	/* After the second thread's PRSTATUS: its own. */
	cb_note_add(&o.cb, "LINUX", NT_ARM_TAGGED_ADDR_CTRL, raw, sizeof(raw));
	open_built(&o);
	assert_int_equal(core_tag_ctrl(&o.core, &o.core.threads[0], &ctrl, &e), ERR_INPUT);
	cb_ok(core_tag_ctrl(&o.core, &o.core.threads[1], &ctrl, &e), &e);
	assert_true(ctrl.tagged_addresses && !ctrl.sync && ctrl.async && ctrl.store_only);
	assert_int_equal(ctrl.include_mask, 0x8ffe);
	fini(&o);
}

static void set_siginfo(struct cb *cb, u32 code, u64 addr)
{
	struct cb_note *n = cb_note_at(cb, NT_SIGINFO, 0);

	uint_put(cb->arch.fmt, n->desc.p + 8, 4, code);
	uint_put(cb->arch.fmt, n->desc.p + 16, 8, addr);
}

static void asynchronous_fault_has_no_address(void **state)
{
	static const struct { u16 machine; int code; bool has; } rows[] = {
		{ EM_AARCH64, SEGV_MTESERR, true }, { EM_AARCH64, SEGV_MTEAERR, false }, { EM_X86_64, SEGV_MTEAERR, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_siginfo si;
		struct err e = { 0 };
		struct opened o;

		cb_good(&o.cb, rows[i].machine, CB_LE64);
		set_siginfo(&o.cb, (u32)rows[i].code, 0x0b00000000600010);
		open_built(&o);
		cb_ok(core_siginfo_get(&o.core, core_note_find(&o.core, 0, "CORE", NT_SIGINFO)->note.desc, &si, &e), &e);
		assert_int_equal(si.has_addr, rows[i].has);
		assert_int_equal(si.addr, 0x0b00000000600010);
		fini(&o);
	}
}

int main(void)
{
	static struct elffmt le = CB_LE64, be = CB_BE64;
	static u16 x86 = EM_X86_64, arm = EM_ARM, mips = EM_MIPS;
	const struct CMUnitTest tests[] = {
		{ "pointers_lose_their_tag: little-endian", pointers_lose_their_tag, NULL, NULL, &le },
		{ "pointers_lose_their_tag: big-endian", pointers_lose_their_tag, NULL, NULL, &be },
		{ "ctrl_of_a_thread: little-endian", ctrl_of_a_thread, NULL, NULL, &le },
		{ "ctrl_of_a_thread: big-endian", ctrl_of_a_thread, NULL, NULL, &be },
		{ "other_machines_have_no_tags: x86_64", other_machines_have_no_tags, NULL, NULL, &x86 },
		{ "other_machines_have_no_tags: arm", other_machines_have_no_tags, NULL, NULL, &arm },
		{ "other_machines_have_no_tags: mips", other_machines_have_no_tags, NULL, NULL, &mips },
		cmocka_unit_test(areas_are_marked),
		cmocka_unit_test(gaps_are_of_tags_or_of_memory),
		cmocka_unit_test(asynchronous_fault_has_no_address),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
