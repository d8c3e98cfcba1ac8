#include "checkmut.h"

/* Where a finding begins and ends: what is just one, and what is just none. */

static bool has(const struct findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->f[i].check->id, id))
			return true;
	return false;
}

static void expect_one_of(const struct mutation *m, const char *found, const char *not_found)
{
	struct findings l = { 0 };

	check_mutated(m, &l);
	assert_true(has(&l, found));
	assert_false(has(&l, not_found));
	findings_fini(&l);
}

/* AT_PAGESZ becomes an entry of @type. */
static void auxv_entry(struct cb *cb, u64 type, u64 value)
{
	u8 *p = cb_note_at(cb, NT_AUXV, 0)->desc.p;

	uint_put(cb->arch.fmt, p, cb->arch.word, type);
	uint_put(cb->arch.fmt, p + cb->arch.word, cb->arch.word, value);
}

static void static_program(struct cb *cb) { auxv_entry(cb, AT_BASE, 0); }
static void no_entry(struct cb *cb) { auxv_entry(cb, AT_ENTRY, 0x1000); }
static void heap_up_to_stack(struct cb *cb) { cb->segs[2].p_memsz = CB_STACK - CB_HEAP; }
static void heap_into_stack(struct cb *cb) { cb->segs[2].p_memsz = CB_STACK - CB_HEAP + 1; }
/* And so do its tags. */
static void heap_tags_into_stack(struct cb *cb)
{
	for (size_t i = 0; i < cb->n_segs; i++)
		if (cb->segs[i].p_vaddr == CB_HEAP)
			cb->segs[i].p_memsz = CB_STACK - CB_HEAP + 1;
}
static void no_text(struct cb *cb) { cb->segs[1].p_type = PT_NULL; }

static void near_misses_have_no_finding(void **state)
{
	static const struct mutation good[] = {
		{ .what = "AT_BASE 0: it has no interpreter", .notes = static_program },
		{ .what = "areas that touch", .late = heap_up_to_stack },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		mut_good(&good[i]);
}

/* The FILE note alone has the code, which says nothing of permissions: not known is not forbidden. */
static void unknown_permissions_are_no_finding(void **state)
{
	static const struct mutation m = { .what = "no segment for the code", .late = no_text };

	(void)state;
	expect_one_of(&m, "file-range", "thread-pc");
}

/* In the first note's descriptor. */
static void cut_in_notes(struct cb *cb, struct buf *b) { b->len = cb->data_at[0] + 40; }

/* That bytes are missing is said once; the note at the cut is no other fault. */
static void a_cut_is_no_malformed_note(void **state)
{
	static const struct mutation m = { .what = "cut in a note", .bytes = cut_in_notes };

	(void)state;
	expect_one_of(&m, "seg-truncated", "note-malformed");
}

static void no_entry_and_a_loss(struct cb *cb)
{
	static const char text[] = "402000-403000 lost\n";

	no_entry(cb);
	cb_note_add(cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text) - 1);
}

/* What is strange in the kernel's core is so in the process, unless something of it was lost since. */
static void a_repaired_core_is_not_the_kernels(void **state)
{
	static const struct { void (*notes)(struct cb *cb); enum check_severity severity; } rows[] = {
		{ no_entry, CHECK_INFO }, { no_entry_and_a_loss, CHECK_WARNING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mutation m = { .what = "AT_ENTRY", .notes = rows[i].notes };
		struct findings l = { 0 };
		size_t k = 0;

		check_mutated(&m, &l);
		while (k < l.n && strcmp(l.f[k].check->id, "auxv-address"))
			k++;
		assert_true(k < l.n);
		assert_int_equal(l.f[k].severity, rows[i].severity);
		findings_fini(&l);
	}
}

/* As many as are listed: no more are spoken of. */
static void findings_up_to_the_bound(void **state)
{
	static const struct mutation m = { .what = "one byte", .late = heap_into_stack };
	struct findings l = { .max = 1 };

	(void)state;
	check_mutated(&m, &l);
	assert_true(has(&l, "seg-overlap"));
	assert_int_equal(l.n, 1);
	findings_fini(&l);
}

static const struct mutation mutations[] = {
	{ "seg-overlap", "one byte", .late = heap_into_stack },
	{ "mte-overlap", "one byte", .late = heap_tags_into_stack, .mte = true, .also = "seg-overlap",
	  .too = "mte-load" },
};

int main(void)
{
	struct CMUnitTest tests[5 + ARRAY_SIZE(mutations)] = {
		cmocka_unit_test(near_misses_have_no_finding),
		cmocka_unit_test(unknown_permissions_are_no_finding),
		cmocka_unit_test(a_cut_is_no_malformed_note),
		cmocka_unit_test(a_repaired_core_is_not_the_kernels),
		cmocka_unit_test(findings_up_to_the_bound),
	};

	mut_tests(mutations, ARRAY_SIZE(mutations), tests + 5);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
