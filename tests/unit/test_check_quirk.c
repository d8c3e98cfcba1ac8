#include "checkmut.h"

#include "base/uapi.h"

/* A core that a reader stumbles over is found by that reader's quirk. */

static void os_unknown(struct cb *cb) { cb->ehdr.e_ident[EI_OSABI] = ELFOSABI_NONE; }
static void spare_note(struct cb *cb) { cb_note_add(cb, "CORE", 0x777, "abcde", 5); }

/* The spare note's name of @namesz bytes, the rest of which becomes a part of its descriptor. */
static void rename_spare(struct cb *cb, struct buf *b, u32 namesz)
{
	u8 *p = b->p + cb->data_at[0] + cb_notes_len(cb, 0, cb->n_notes - 1);

	uint_put(cb->arch.fmt, p, 4, namesz);
	uint_put(cb->arch.fmt, p + 4, 4, 8 - namesz + 5);
}

static void owner_none(struct cb *cb, struct buf *b) { rename_spare(cb, b, 0); }
/* Without its NUL, as early kernels wrote it. */
static void owner_of_old(struct cb *cb, struct buf *b) { rename_spare(cb, b, 4); }

static void align_16(struct cb *cb) { cb->segs[0].p_align = 16; }
static void xstate_as_core(struct cb *cb) { cb_note_add(cb, "CORE", NT_X86_XSTATE, "", 0); }

/* AVX and protection keys as AMD has them: 832 + 8, where gdb knows Intel's place of the latter. */
static void xstate_of_amd(struct cb *cb)
{
	u8 raw[2440] = { 0 };

	uint_put(CB_LE64, raw + 464, 8, 0x207);
	uint_put(CB_LE64, raw + 512, 8, 0x207);
	cb_note_add(cb, "LINUX", NT_X86_XSTATE, raw, sizeof(raw));
}

/* The last two notes, of the second thread, become a segment of their own. */
static void second_segment(struct cb *cb) { cb->n_late_notes = 2; }

static void set_tid(struct cb *cb, s32 tid)
{
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_PRSTATUS, 1)->desc.p + 32, 4, (u32)tid);
}

static void tid_0(struct cb *cb) { set_tid(cb, 0); }
static void tid_below_0(struct cb *cb) { set_tid(cb, -5); }

/* Both sp are at the stack's second page.  Its place in the file is past the end, or that of other bytes. */
static void stack_none(struct cb *cb) { cb->segs[3].p_filesz = 0; }
static void stack_early(struct cb *cb) { cb->segs[3].p_filesz = 0; cb->segs[3].p_offset = 0; }

/* The FILE note's only entry begins at the file's begin, but nothing is saved of it. */
static void text_none(struct cb *cb)
{
	cb->segs[1].p_filesz = 0;
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_FILE, 0)->desc.p + 4 * 8, 8, 0);
}

/* AT_PAGESZ becomes AT_ENTRY, in the second file of two. */
static void other_file_first(struct cb *cb)
{
	const u64 longs[] = { 2, CB_PAGE, CB_TEXT, CB_TEXT + CB_PAGE, 0, CB_TEXT + CB_PAGE, CB_TEXT + 2 * CB_PAGE, 1 };
	struct cb_note *n = cb_note_at(cb, NT_FILE, 0);
	u8 *auxv = cb_note_at(cb, NT_AUXV, 0)->desc.p;
	struct err e;

	n->desc.len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		cb_long(cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/lib/low.so\0/bin/prog", 22, &e), &e);
	uint_put(cb->arch.fmt, auxv, 8, AT_ENTRY);
	uint_put(cb->arch.fmt, auxv + 8, 8, CB_TEXT + CB_PAGE);
}

/* All notes again, padded to 8. */
static void padded(struct cb *cb, struct buf *out)
{
	struct err e;

	for (size_t i = 0; i < cb->n_notes; i++) {
		const struct cb_note *n = &cb->notes[i];
		u8 head[24] = { 0 };

		uint_put(cb->arch.fmt, head, 4, 5);
		uint_put(cb->arch.fmt, head + 4, 4, n->desc.len);
		uint_put(cb->arch.fmt, head + 8, 4, n->type);
		memcpy(head + 12, "CORE", 5);
		cb_ok(buf_add(out, head, sizeof(head), &e), &e);
		cb_ok(buf_add(out, n->desc.p, n->desc.len, &e), &e);
		cb_ok(buf_align(out, 8, &e), &e);
	}
}

static void notes_at_end(struct cb *cb)
{
	struct buf b = { 0 };

	padded(cb, &b);
	cb->segs[0].p_offset = cb->segs[3].p_offset + 2 * CB_PAGE;
	cb->segs[0].p_filesz = b.len;
	cb->segs[0].p_align = 8;
	buf_fini(&b);
}

static const struct mutation mutations[] = {
	{ "quirk-gdb-machine", "sparc64", .machine = EM_SPARCV9, .data = ELFDATA2MSB, .also = "quirk-lldb-machine" },
	{ "quirk-gdb-machine", "riscv64, where gdb is not built for it", .machine = EM_RISCV },
	{ "quirk-lldb-machine", "alpha", .machine = EM_ALPHA, .also = "quirk-gdb-machine",
	  .too = "quirk-elfutils-machine" },
	{ "quirk-elfutils-machine", "alpha", .machine = EM_ALPHA, .also = "quirk-gdb-machine",
	  .too = "quirk-lldb-machine" },
	{ "quirk-gdb-notes", "aligned to 16", .late = align_16, .also = "note-padding" },
	{ "quirk-gdb-owner", "XSTATE of CORE", .notes = xstate_as_core, .also = "thread-sets" },
	{ "quirk-gdb-xstate", "AMD's place of protection keys", .notes = xstate_of_amd, .also = "thread-sets" },
	{ "quirk-lldb-notes", "no owner", .notes = spare_note, .bytes = owner_none, .also = "note-owner" },
	{ "note-owner", "CORE without NUL, which is taken", .notes = spare_note, .bytes = owner_of_old },
	{ "quirk-lldb-notes", "padded to 8", .late = notes_at_end, .bytes = padded },
	{ "quirk-lldb-os", "no hint", .late = os_unknown },
	{ "quirk-lldb-executable", "a library", .notes = other_file_first },
	{ "quirk-elfutils-absent", "no stack", .late = stack_early, .also = "thread-stack", .too = "file-tail" },
	{ "quirk-elfutils-notes", "second segment", .notes = second_segment },
	{ "quirk-elfutils-tid", "0", .notes = tid_0 },
	{ "quirk-elfutils-tid", "-5", .notes = tid_below_0 },
	{ "quirk-elfutils-modules", "no text", .notes = text_none },
};

/* A gdb that is built for this machine knows it, and its 32-bit programs. */
static void own_machines_are_no_quirk(void **state)
{
	static const struct mutation own[] = {
		{ .machine = UAPI_NATIVE_MACHINE },
		{ .machine = UAPI_NATIVE_MACHINE == EM_X86_64 ? EM_386 : EM_ARM, .class = ELFCLASS32 },
	};

	(void)state;
	if (UAPI_NATIVE_MACHINE == EM_NONE)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		struct findings l = { 0 };

		check_mutated(&own[i], &l);
		for (size_t k = 0; k < l.n; k++)
			assert_string_not_equal(l.f[k].check->id, "quirk-gdb-machine");
		findings_fini(&l);
	}
}

static void every_quirk_has_a_mutation(void **state)
{
	static const char *const mine[] = { "quirk-", NULL };

	(void)state;
	mut_all_there(mutations, ARRAY_SIZE(mutations), mine, false);
}

/* What no reader makes anything of, none is said to: bytes past the end of the file. */
static void stack_at_end_is_no_quirk(void **state)
{
	static const struct mutation m = { "thread-stack", "at the end", .notes = stack_none };
	void *only = (void *)&m;

	(void)state;
	mutation_is_found_by_its_check(&only);
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_SIZE(mutations)] = {
		cmocka_unit_test(every_quirk_has_a_mutation),
		cmocka_unit_test(stack_at_end_is_no_quirk),
		cmocka_unit_test(own_machines_are_no_quirk),
	};

	mut_tests(mutations, ARRAY_SIZE(mutations), tests + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
