#include "checkmut.h"

/*
 * Register sets of varying size, against what their headers say.  They are notes
 * of the second thread only, which thread-sets reports.
 */

/* An X86_XSTATE of AVX for the second thread. */
static void xstate(struct cb *cb, u64 enabled, u64 used, u64 packed, size_t len)
{
	u8 raw[576 + 256] = { 0 };

	uint_put(CB_LE64, raw + 464, 8, enabled);
	uint_put(CB_LE64, raw + 512, 8, used);
	uint_put(CB_LE64, raw + 520, 8, packed);
	cb_note_add(cb, "LINUX", NT_X86_XSTATE, raw, len);
}

static void xstate_good(struct cb *cb) { xstate(cb, 7, 7, 0, 832); }
static void xstate_short(struct cb *cb) { xstate(cb, 7, 7, 0, 575); }
static void xstate_no_room(struct cb *cb) { xstate(cb, 0xe7, 7, 0, 832); }
/* AVX, and APX for which there is no room. */
static void xstate_no_apx(struct cb *cb) { xstate(cb, 1 << 19 | 7, 7, 0, 832); }
static void xstate_stray_part(struct cb *cb) { xstate(cb, 3, 7, 0, 832); }
static void xstate_packed(struct cb *cb) { xstate(cb, 7, 7, 1ULL << 63 | 7, 832); }

/* Rows of part, size and offset, after an X86_XSTATE of AVX; flags are 0. */
static void xsave_layout(struct cb *cb, u32 part, u32 size, u32 at, size_t len)
{
	u8 raw[32] = { 0 };

	xstate_good(cb);
	uint_put(CB_LE64, raw, 4, part);
	uint_put(CB_LE64, raw + 4, 4, size);
	uint_put(CB_LE64, raw + 8, 4, at);
	cb_note_add(cb, "LINUX", NT_X86_XSAVE_LAYOUT, raw, len);
}

static void layout_good(struct cb *cb) { xsave_layout(cb, 2, 256, 576, 16); }
static void layout_odd(struct cb *cb) { xsave_layout(cb, 2, 256, 576, 20); }
static void layout_strange_part(struct cb *cb) { xsave_layout(cb, 64, 256, 576, 16); }
static void layout_early(struct cb *cb) { xsave_layout(cb, 2, 256, 512, 16); }
static void layout_far(struct cb *cb) { xsave_layout(cb, 2, 256, 580, 16); }
static void layout_other_part(struct cb *cb) { xsave_layout(cb, 9, 8, 832, 16); }

/* 592: SVE_PT_SIZE(1, SVE_PT_REGS_SVE). */
static void sve(struct cb *cb, u32 type, u32 size, u16 vl, u16 flags, size_t len)
{
	u8 raw[2048] = { 0 };

	uint_put(CB_LE64, raw, 4, size);
	uint_put(CB_LE64, raw + 8, 2, vl);
	uint_put(CB_LE64, raw + 12, 2, flags);
	cb_note_add(cb, "LINUX", type, raw, len);
}

static void sve_good(struct cb *cb)
{
	sve(cb, NT_ARM_SVE, 592, 16, 1, 592);
	sve(cb, NT_ARM_SSVE, 16, 32, 0, 16);
	sve(cb, NT_ARM_ZA, 16 + 32 * 32, 32, 0, 16 + 32 * 32);
}

static void fpsimd_good(struct cb *cb) { sve(cb, NT_ARM_SVE, 544, 16, 0, 544); }
static void sve_no_header(struct cb *cb) { sve(cb, NT_ARM_SVE, 592, 16, 1, 12); }
static void sve_other_length(struct cb *cb) { sve(cb, NT_ARM_SVE, 592, 32, 1, 592); }
static void sve_odd_length(struct cb *cb) { sve(cb, NT_ARM_SVE, 592, 17, 1, 592); }
static void sve_cut(struct cb *cb) { sve(cb, NT_ARM_SVE, 592, 16, 1, 560); }
static void ssve_other_length(struct cb *cb) { sve(cb, NT_ARM_SSVE, 592, 32, 1, 592); }
static void za_cut(struct cb *cb) { sve(cb, NT_ARM_ZA, 16 + 256, 32, 0, 16 + 256); }

static const struct mutation mutations[] = {
	{ "thread-sets", "good XSTATE", .notes = xstate_good },
	{ "note-xstate", "no header", .notes = xstate_short, .also = "thread-sets", .too = "quirk-gdb-xstate" },
	{ "note-xstate", "no room", .notes = xstate_no_room, .also = "thread-sets", .too = "quirk-gdb-xstate" },
	{ "note-xstate", "no room for APX", .notes = xstate_no_apx, .also = "thread-sets" },
	{ "note-xstate", "a part too many", .notes = xstate_stray_part, .also = "thread-sets" },
	{ "note-xstate", "compacted", .notes = xstate_packed, .also = "thread-sets" },
	{ "thread-sets", "good layout", .notes = layout_good },
	{ "note-xsave-layout", "half a row", .notes = layout_odd, .also = "thread-sets" },
	{ "note-xsave-layout", "part 64", .notes = layout_strange_part, .also = "thread-sets" },
	{ "note-xsave-layout", "in the header", .notes = layout_early, .also = "thread-sets" },
	{ "note-xsave-layout", "past the end", .notes = layout_far, .also = "thread-sets" },
	{ "note-xsave-layout", "another part", .notes = layout_other_part, .also = "thread-sets" },
	{ "thread-sets", "good SVE", .notes = sve_good, .mte = true },
	{ "thread-sets", "good FPSIMD in SVE", .notes = fpsimd_good, .mte = true },
	{ "note-sve", "no header", .notes = sve_no_header, .mte = true, .also = "thread-sets" },
	{ "note-sve", "another length", .notes = sve_other_length, .mte = true, .also = "thread-sets" },
	{ "note-sve", "odd length", .notes = sve_odd_length, .mte = true, .also = "thread-sets" },
	{ "note-sve", "cut", .notes = sve_cut, .mte = true, .also = "thread-sets" },
	{ "note-sve", "another length of SSVE", .notes = ssve_other_length, .mte = true, .also = "thread-sets" },
	{ "note-sve", "ZA cut", .notes = za_cut, .mte = true, .also = "thread-sets" },
};

static void every_check_of_sets_has_a_mutation(void **state)
{
	static const char *const mine[] = { "note-x", "note-sve", NULL };

	(void)state;
	mut_all_there(mutations, ARRAY_SIZE(mutations), mine, false);
}

int main(void)
{
	struct CMUnitTest tests[1 + ARRAY_SIZE(mutations)] = {
		cmocka_unit_test(every_check_of_sets_has_a_mutation),
	};

	mut_tests(mutations, ARRAY_SIZE(mutations), tests + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
