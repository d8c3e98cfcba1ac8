#include "apiopen.h"

/* The memory of a core by the public interface: areas, pages, bytes, tags, and what is missing. */

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void same_area(const struct tagcore_area *a, const struct vma *v)
{
	assert_int_equal(a->start, v->start);
	assert_int_equal(a->end, v->end);
	assert_int_equal(a->offset, v->pgoff);
	assert_int_equal(a->flags, v->flags);
	assert_int_equal(a->inode, v->ino);
	same_text(a->name, v->name);
}

static void areas_are_iterated(void **state)
{
	const struct tagcore_area *a;
	struct tagcore_error error;
	struct mm mm = { 0 };
	struct err e = { 0 };
	struct both b;
	struct vma *v;
	size_t n = 0;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	cb_ok(mm_open_core(&mm, &b.in.core, &e), &e);
	VMA_ITERATOR(vmi, &mm, 0);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(b.out), 0);
	for_each_vma(vmi, v) {
		a = tagcore_area_next(&it);
		assert_non_null(a);
		same_area(a, v);
		n++;
	}
	assert_null(tagcore_area_next(&it));
	assert_int_equal(tagcore_area_iter_end(&it, &error), 0);
	assert_int_equal(vma_iter_end(&vmi, &e), 0);
	assert_int_equal(n, 3);
	assert_string_equal(tagcore_mm_backend(tagcore_core_mm(b.out)), "core");
	mm_close(&mm);
	close_both(&b);
}

static void a_walk_goes_both_ways(void **state)
{
	const struct tagcore_area *a;
	struct both b;
	size_t n = 0;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	TAGCORE_AREA_ITER(it, tagcore_core_mm(b.out), CB_HEAP + 1);
	tagcore_for_each_area_range(it, a, CB_STACK)
		n++;
	assert_int_equal(n, 1);
	/* By value: a copy of an iterator is an iterator. */
	struct tagcore_area_iter copy = it;

	tagcore_area_iter_set(&copy, CB_STACK);
	assert_int_equal(tagcore_area_next(&copy)->start, CB_STACK);
	assert_int_equal(tagcore_area_prev(&copy)->start, CB_HEAP);
	assert_int_equal(tagcore_area_prev(&copy)->start, CB_TEXT);
	assert_null(tagcore_area_prev(&copy));
	assert_int_equal(tagcore_area_iter_end(&copy, NULL), 0);
	tagcore_area_iter_set(&it, 0);
	n = 0;
	tagcore_for_each_tagged_area(it, a) {
		assert_true(a->flags & TAGCORE_AREA_MTE);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(tagcore_area_iter_end(&it, NULL), 0);
	close_both(&b);
}

struct pages {
	u64 saved, holes, stop_at;
	u64 skip;	/* areas that begin here are not walked */
};

static int not_skipped(const struct tagcore_area *a, void *arg)
{
	const struct pages *p = arg;

	return a->start != p->skip;
}

static int on_run(const struct tagcore_area *a, const struct tagcore_page_run *r, void *arg)
{
	struct pages *p = arg;

	assert_true(r->start >= a->start && r->end <= a->end && r->start < r->end);
	assert_int_equal(r->flags, TAGCORE_PAGE_SAVED);
	p->saved += r->end - r->start;
	return p->stop_at == r->start ? 77 : 0;
}

static int on_hole(const struct tagcore_area *a, uint64_t start, uint64_t end, void *arg)
{
	struct pages *p = arg;

	(void)a;
	p->holes += end - start;
	return p->stop_at == start ? -88 : 0;
}

static const struct tagcore_page_walk_ops page_ops = {
	.size = sizeof(page_ops), .test_area = not_skipped, .run = on_run, .hole = on_hole,
};

static int walk_pages(struct both *b, struct pages *p, struct tagcore_error *error)
{
	return tagcore_page_walk(tagcore_core_mm(b->out), tagcore_core_pages(b->out), 0, UINT64_MAX, &page_ops, p, error);
}

static void pages_are_walked(void **state)
{
	struct tagcore_error error = { .code = 5 };
	struct pages all = { 0 }, no_heap = { .skip = CB_HEAP }, run = { .stop_at = CB_HEAP }, hole = { .stop_at = CB_TEXT + CB_PAGE };
	struct tagcore_page_walk_ops none = { .size = sizeof(none) };
	struct both b;

	(void)state;
	open_good(&b);
	assert_int_equal(walk_pages(&b, &all, &error), 0);
	assert_int_equal(all.saved, 5 * CB_PAGE);
	assert_int_equal(all.holes, CB_PAGE);
	assert_int_equal(walk_pages(&b, &no_heap, &error), 0);
	assert_int_equal(no_heap.saved, 3 * CB_PAGE);
	/* What the caller's function returns is no error of the library's. */
	assert_int_equal(walk_pages(&b, &run, &error), 77);
	assert_int_equal(walk_pages(&b, &hole, &error), -88);
	assert_int_equal(error.code, 5);
	assert_int_equal(tagcore_page_walk(tagcore_core_mm(b.out), tagcore_core_pages(b.out), 0, UINT64_MAX, &none, NULL,
					   NULL), 0);
	close_both(&b);
}

static void memory_has_three_states(void **state)
{
	static const struct { u64 addr; enum tagcore_memory_state want; u64 until; } rows[] = {
		{ CB_TEXT, TAGCORE_MEMORY_PRESENT, CB_TEXT + CB_PAGE },
		{ CB_TEXT + CB_PAGE, TAGCORE_MEMORY_ABSENT, CB_TEXT + 2 * CB_PAGE },
		{ CB_TEXT + 2 * CB_PAGE, TAGCORE_MEMORY_UNMAPPED, CB_HEAP },
		{ CB_HEAP + 5, TAGCORE_MEMORY_PRESENT, CB_HEAP + 2 * CB_PAGE },
	};
	struct tagcore_error error;
	struct both b;
	u8 buf[64];

	(void)state;
	open_good(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum tagcore_memory_state s = 99;
		uint64_t until = 0;
		size_t n = 0;

		assert_int_equal(tagcore_memory_state_at(b.out, rows[i].addr, &until), rows[i].want);
		assert_int_equal(until, rows[i].until);
		api_ok(tagcore_memory_read(b.out, rows[i].addr, buf, sizeof(buf), &s, &n, &error), &error);
		assert_int_equal(s, rows[i].want);
		assert_int_equal(n, sizeof(buf));
		for (size_t k = 0; s == TAGCORE_MEMORY_PRESENT && k < n; k++)
			assert_int_equal(buf[k], cb_byte(rows[i].addr + k));
	}
	assert_int_equal(tagcore_memory_state_at(b.out, CB_TEXT, NULL), TAGCORE_MEMORY_PRESENT);
	api_ok(tagcore_memory_read_all(b.out, CB_HEAP + CB_PAGE - 3, buf, 6, &error), &error);
	assert_int_equal(buf[5], cb_byte(CB_HEAP + CB_PAGE + 2));
	assert_int_equal(tagcore_memory_read_all(b.out, CB_TEXT + CB_PAGE - 3, buf, 6, &error), TAGCORE_ERR_TRUNCATED);
	assert_int_equal(tagcore_memory_read_all(b.out, CB_HEAP + 2 * CB_PAGE - 3, buf, 6, &error), TAGCORE_ERR_INPUT);
	close_both(&b);
}

struct missing_rows {
	struct tagcore_missing row[8];
	char reason[8][160];
	size_t n;
	int stop;
};

static int add_missing(const struct tagcore_missing *m, void *arg)
{
	struct missing_rows *rows = arg;

	snprintf(rows->reason[rows->n], sizeof(rows->reason[0]), "%s", m->reason);
	rows->row[rows->n++] = *m;
	return rows->stop;
}

static void what_is_missing_is_listed(void **state)
{
	static const char text[] = "600000-601000 cannot be read\n"
				   "700000-701000 memory tags cannot be read\n"
				   "? 4096 lost: notes\n"
				   "+3 12288 more ranges\n";
	struct missing_rows rows = { 0 }, first = { .stop = 9 };
	struct tagcore_error error;
	struct both b;

	(void)state;
	cb_good(&b.in.cb, EM_AARCH64, CB_LE64);
	cb_note_add(&b.in.cb, TAGCORE_OWNER, NT_TAGCORE_MISSING, text, sizeof(text) - 1);
	open_both(&b);
	api_ok(tagcore_missing_each(b.out, add_missing, &rows, &error), &error);
	/* The second page of the text is in no note. */
	assert_int_equal(rows.n, 5);
	assert_true(rows.row[0].has_range && rows.row[0].start == CB_HEAP && rows.row[0].bytes == CB_PAGE);
	assert_string_equal(rows.reason[0], "cannot be read");
	assert_true(rows.row[1].tags_only && !rows.row[0].tags_only);
	assert_int_equal(rows.row[2].start, CB_TEXT + CB_PAGE);
	assert_true(!rows.row[3].has_range && rows.row[3].lost && rows.row[3].bytes == 4096);
	assert_true(!rows.row[4].has_range && rows.row[4].bytes == 12288);
	assert_int_equal(tagcore_missing_each(b.out, add_missing, &first, &error), 9);
	assert_int_equal(first.n, 1);
	assert_int_equal(tagcore_core_get_info(b.out)->truncated, 1);
	close_both(&b);
}

static void tags_are_read(void **state)
{
	enum tagcore_tag_state s = 99;
	struct tagcore_error error;
	struct both b;
	u8 tag = 77;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	/* A pointer's own tag does not count. */
	api_ok(tagcore_tag_at(b.out, 0x0b00000000000000 | (CB_HEAP + 35), &s, &tag, &error), &error);
	assert_int_equal(s, TAGCORE_TAG_KNOWN);
	assert_int_equal(tag, cb_tag(CB_HEAP + 35));
	assert_int_equal(tagcore_tag_of_pointer(0x0b00000000000000), 0xb);
	assert_int_equal(tagcore_memory_untag(b.out, 0x0b00000000600000), CB_HEAP);
	tag = 77;
	api_ok(tagcore_tag_at(b.out, CB_TEXT, &s, &tag, &error), &error);
	assert_int_equal(s, TAGCORE_TAG_NONE);
	assert_int_equal(tag, 77);
	close_both(&b);
}

struct tag_walk {
	u64 at;
	int stop;
};

static int next_tag(const struct tagcore_tag_run *run, void *arg)
{
	struct tag_walk *w = arg;

	assert_int_equal(run->start, w->at);
	assert_int_equal(run->state, TAGCORE_TAG_KNOWN);
	for (; w->at < run->end; w->at += TAGCORE_TAG_GRANULE)
		assert_int_equal(run->tag, cb_tag(w->at));
	return w->stop;
}

static void tags_come_in_runs(void **state)
{
	struct tag_walk w = { .at = CB_HEAP + 32 }, first = { .at = CB_HEAP, .stop = 3 };
	struct tagcore_error error;
	struct both b;

	(void)state;
	cb_good_mte(&b.in.cb, CB_LE64);
	open_both(&b);
	api_ok(tagcore_tags_each(b.out, CB_HEAP + 32, CB_HEAP + CB_PAGE, next_tag, &w, &error), &error);
	assert_int_equal(w.at, CB_HEAP + CB_PAGE);
	assert_int_equal(tagcore_tags_each(b.out, 0, UINT64_MAX, next_tag, &first, &error), 3);
	assert_int_equal(first.at, CB_HEAP + 16);
	close_both(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_are_iterated),
		cmocka_unit_test(a_walk_goes_both_ways),
		cmocka_unit_test(pages_are_walked),
		cmocka_unit_test(memory_has_three_states),
		cmocka_unit_test(what_is_missing_is_listed),
		cmocka_unit_test(tags_are_read),
		cmocka_unit_test(tags_come_in_runs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
