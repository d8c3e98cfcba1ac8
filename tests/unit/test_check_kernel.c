#include "cmocka_all.h"

#include "checkmut.h"

/* What kernels write by their settings and versions is as it should be: no error and no warning. */

static void swap_segs(struct cb *cb, size_t a, size_t b)
{
	GElf_Phdr tmp = cb->segs[a];

	cb->segs[a] = cb->segs[b];
	cb->segs[b] = tmp;
}

/* The FILE note has the second page of the text first. */
static void files_descend(struct cb *cb)
{
	const u64 longs[] = { 2, CB_PAGE, CB_TEXT + CB_PAGE, CB_TEXT + 2 * CB_PAGE, 1, CB_TEXT, CB_TEXT + CB_PAGE, 0 };
	struct cb_note *n = cb_note_at(cb, NT_FILE, 0);
	struct err e;

	n->desc.len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		cb_long(cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/bin/prog\0/bin/prog", 20, &e), &e);
}

/*
 * Linux fs/coredump.c: cmp_vma_size(), with kernel.core_sort_vma=1: of the text less is
 * saved, of heap and stack as much.
 */
static void by_size(struct cb *cb)
{
	swap_segs(cb, 2, 3);
	if (cb->n_segs > 5)
		swap_segs(cb, 4, 5);
	files_descend(cb);
}

/* PRPSINFO first: not the kernel. */
static void by_size_of_another(struct cb *cb)
{
	by_size(cb);
	cb_note_swap(cb, 0, 1);
}

/* The larger ones first: not that order, either. */
static void by_no_size(struct cb *cb) { swap_segs(cb, 1, 2); }

/* The severity of the first finding of @check, or -1. */
static int severity_of(const struct findings *l, const char *check)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->f[i].check->id, check))
			return (int)l->f[i].severity;
	return -1;
}

static size_t n_found(const struct findings *l, const char *check)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += !strcmp(l->f[i].check->id, check);
	return n;
}

static void order_by_size_is_the_kernels(void **state)
{
	struct findings l = { 0 };

	(void)state;
	check_mutated(&(struct mutation){ .notes = by_size }, &l);
	assert_int_equal(severity_of(&l, "seg-order"), CHECK_INFO);
	assert_int_equal(severity_of(&l, "file-order"), CHECK_INFO);
	assert_int_equal(n_found(&l, "seg-order"), 1);
	assert_int_equal(findings_count(&l, CHECK_ERROR) + findings_count(&l, CHECK_WARNING), 0);
	findings_fini(&l);
}

static void tags_have_the_order_of_their_areas(void **state)
{
	struct findings l = { 0 };

	(void)state;
	check_mutated(&(struct mutation){ .notes = by_size, .mte = true }, &l);
	assert_int_equal(severity_of(&l, "seg-order"), CHECK_INFO);
	assert_int_equal(severity_of(&l, "mte-order"), -1);
	assert_int_equal(findings_count(&l, CHECK_ERROR) + findings_count(&l, CHECK_WARNING), 0);
	findings_fini(&l);
}

static void order_of_another_tool_is_a_fault(void **state)
{
	struct findings l = { 0 };

	(void)state;
	check_mutated(&(struct mutation){ .notes = by_size_of_another }, &l);
	assert_int_equal(severity_of(&l, "seg-order"), CHECK_WARNING);
	assert_int_equal(severity_of(&l, "file-order"), CHECK_WARNING);
	findings_fini(&l);
	check_mutated(&(struct mutation){ .late = by_no_size }, &l);
	assert_int_equal(severity_of(&l, "seg-order"), CHECK_WARNING);
	findings_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_by_size_is_the_kernels),
		cmocka_unit_test(tags_have_the_order_of_their_areas),
		cmocka_unit_test(order_of_another_tool_is_a_fault),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
