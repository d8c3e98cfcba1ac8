/* The page walker, on made-up sources. */
#include "helper.h"

#include "mm/pagewalk.h"

/* What a walk reported, run by run; holes have flags 0. */
struct log {
	struct page_run r[8192];
	int n;
	int stop_at;	/* the callback of this number (from 1) returns @stop */
	int stop;
	u64 skip_from;	/* test_vma: areas from here on are not walked */
	u32 ignore;	/* flags that are left out */
};

/* Runs that touch and became equal by @ignore are one. */
static int log_add(struct log *l, const struct page_run *r)
{
	struct page_run *last = l->n ? &l->r[l->n - 1] : NULL;

	if (last && l->ignore && last->end == r->start && last->flags == (r->flags & ~l->ignore)) {
		last->end = r->end;
		return 0;
	}
	assert_true(l->n < (int)ARRAY_SIZE(l->r));
	l->r[l->n] = *r;
	l->r[l->n++].flags &= ~l->ignore;
	return l->n == l->stop_at ? l->stop : 0;
}

static int log_run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	(void)e;
	assert_true(r->flags);
	assert_true(r->start >= v->start && r->end <= v->end && r->start < r->end);
	return log_add(arg, r);
}

static int log_hole(const struct vma *v, u64 start, u64 end, void *arg, struct err *e)
{
	(void)e;
	assert_true(start >= v->start && end <= v->end && start < end);
	return log_add(arg, &(struct page_run){ start, end, 0 });
}

static int log_test(const struct vma *v, void *arg, struct err *e)
{
	const struct log *l = arg;

	if (v->start == l->skip_from)
		return err_set(e, ERR_INPUT, "this one not");
	return v->start < l->skip_from;
}

static const struct page_walk_ops log_ops = { .run = log_run, .hole = log_hole };
static const struct page_walk_ops log_test_ops = { .run = log_run, .hole = log_hole,
						   .test_vma = log_test };

/* A source that answers from a table. */
struct fake {
	struct page_source src;
	const struct page_run *r;
	size_t n;
	int fail_at, asked;
	bool raw;	/* answers as the table says, right or wrong */
};

static int fake_next(struct page_source *src, u64 start, u64 end, struct page_run *out, struct err *e)
{
	struct fake *f = src->priv;

	if (++f->asked == f->fail_at)
		return err_set(e, ERR_GONE, "fake is gone");
	for (size_t i = 0; i < f->n; i++) {
		if (!f->raw && (f->r[i].end <= start || f->r[i].start >= end))
			continue;
		*out = f->r[i];
		if (f->raw)
			return 1;
		out->start = max(out->start, start);
		out->end = min(out->end, end);
		return 1;
	}
	return 0;
}

static const struct page_source_ops fake_ops = { .name = "fake", .next = fake_next };

static void fake_init(struct fake *f, const struct page_run *r, size_t n)
{
	*f = (struct fake){ .src = { .ops = &fake_ops, .priv = f }, .r = r, .n = n };
}

static const struct vma area = { .start = 0x10000, .end = 0x20000, .ino = 1, .name = "/f" };
static const struct page_run table[] = {
	{ 0x0f000, 0x11000, PAGE_PRESENT },		/* begins before the area */
	{ 0x11000, 0x12000, PAGE_PRESENT },		/* touches its equal: one run */
	{ 0x12000, 0x13000, PAGE_PRESENT | PAGE_FILE },	/* touches, unequal */
	{ 0x15000, 0x16000, PAGE_SWAPPED },
	{ 0x17000, 0x18000, PAGE_SWAPPED },		/* equal, but a hole between */
	{ 0x1f000, 0x30000, PAGE_GUARD },		/* ends after the area */
};

static void assert_log(const struct log *l, const struct page_run *want, int n)
{
	assert_int_equal(l->n, n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(l->r[i].start, want[i].start);
		assert_int_equal(l->r[i].end, want[i].end);
		assert_int_equal(l->r[i].flags, want[i].flags);
	}
}

static const struct page_run whole[] = {
	{ 0x10000, 0x12000, PAGE_PRESENT },	{ 0x12000, 0x13000, PAGE_PRESENT | PAGE_FILE },
	{ 0x13000, 0x15000, 0 },		{ 0x15000, 0x16000, PAGE_SWAPPED },
	{ 0x16000, 0x17000, 0 },		{ 0x17000, 0x18000, PAGE_SWAPPED },
	{ 0x18000, 0x1f000, 0 },		{ 0x1f000, 0x20000, PAGE_GUARD },
};

static void test_walk_covers_area(void **state)
{
	struct log l = { 0 };
	struct err e = { 0 };
	struct fake f;

	(void)state;
	fake_init(&f, table, ARRAY_SIZE(table));
	assert_ok(page_walk_vma(&f.src, &area, 0, UINT64_MAX, &log_ops, &l, &e), &e);
	assert_log(&l, whole, ARRAY_SIZE(whole));
}

static void test_walk_cuts_to_range(void **state)
{
	static const struct {
		u64 start, end;
		int n;
		struct page_run want[3];
	} rows[] = {
		{ 0x11800, 0x12800, 2, { { 0x11800, 0x12000, PAGE_PRESENT },
					 { 0x12000, 0x12800, PAGE_PRESENT | PAGE_FILE } } },
		{ 0x13000, 0x14000, 1, { { 0x13000, 0x14000, 0 } } },
		{ 0x14000, 0x15800, 2, { { 0x14000, 0x15000, 0 }, { 0x15000, 0x15800, PAGE_SWAPPED } } },
		{ 0x12000, 0x12000, 0, { { 0 } } },
		{ 0x12000, 0x11000, 0, { { 0 } } },
		{ 0x00000, 0x10000, 0, { { 0 } } },
		{ 0x20000, 0x30000, 0, { { 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log l = { 0 };
		struct err e = { 0 };
		struct fake f;

		fake_init(&f, table, ARRAY_SIZE(table));
		assert_ok(page_walk_vma(&f.src, &area, rows[i].start, rows[i].end, &log_ops, &l, &e), &e);
		assert_log(&l, rows[i].want, rows[i].n);
	}
}

/* > 0 stops the walk, < 0 is an error: at whichever callback. */
static void test_walk_stops(void **state)
{
	static const int stops[] = { 1, 7, ERR_LIMIT };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(stops); s++)
		for (int at = 1; at <= (int)ARRAY_SIZE(whole); at++) {
			struct log l = { .stop_at = at, .stop = stops[s] };
			struct fake f;

			fake_init(&f, table, ARRAY_SIZE(table));
			assert_int_equal(page_walk_vma(&f.src, &area, 0, UINT64_MAX, &log_ops, &l, NULL),
					 stops[s]);
			assert_log(&l, whole, at);
		}
}

static void test_walk_without_callbacks(void **state)
{
	static const struct page_walk_ops none = { 0 };
	struct fake f;

	(void)state;
	fake_init(&f, table, ARRAY_SIZE(table));
	assert_int_equal(page_walk_vma(&f.src, &area, 0, UINT64_MAX, &none, NULL, NULL), 0);
}

static void test_source_error(void **state)
{
	struct log l = { 0 };
	struct err e = { 0 };
	struct fake f;

	(void)state;
	fake_init(&f, table, ARRAY_SIZE(table));
	f.fail_at = 4;
	assert_int_equal(page_walk_vma(&f.src, &area, 0, UINT64_MAX, &log_ops, &l, &e), ERR_GONE);
	assert_string_equal(e.msg, "fake is gone");
}

/* A source that does not advance, or leaves the range, is an error and not an endless walk. */
static void test_wrong_source(void **state)
{
	static const struct page_run wrong[] = {
		{ 0x0f000, 0x11000, PAGE_PRESENT },
		{ 0x10000, 0x10000, PAGE_PRESENT },
		{ 0x12000, 0x11000, PAGE_PRESENT },
		{ 0x1f000, 0x21000, PAGE_PRESENT },
		{ 0x11000, 0x12000, 0 },
		{ 0x11000, 0x12000, PAGE_PRESENT },	/* right the first time, then the same again */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct log l = { 0 };
		struct fake f;

		fake_init(&f, &wrong[i], 1);
		f.raw = true;
		assert_int_equal(page_walk_vma(&f.src, &area, 0, UINT64_MAX, &log_ops, &l, NULL), ERR_INPUT);
	}
}

/* pagemap calls the huge zero page a file's; private anonymous memory has no file. */
static void test_no_file_page_in_anonymous(void **state)
{
	static const struct page_run file = { 0x10000, 0x11000, PAGE_PRESENT | PAGE_FILE };
	static const struct {
		struct vma v;
		u32 flags;
	} rows[] = {
		{ { .start = 0x10000, .end = 0x11000 }, PAGE_PRESENT },
		{ { .start = 0x10000, .end = 0x11000, .name = "[heap]" }, PAGE_PRESENT },
		{ { .start = 0x10000, .end = 0x11000, .flags = VM_SHARED }, PAGE_PRESENT | PAGE_FILE },
		{ { .start = 0x10000, .end = 0x11000, .name = "/f" }, PAGE_PRESENT | PAGE_FILE },
		{ { .start = 0x10000, .end = 0x11000, .name = "[vdso]" }, PAGE_PRESENT | PAGE_FILE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log l = { 0 };
		struct fake f;

		fake_init(&f, &file, 1);
		assert_int_equal(page_walk_vma(&f.src, &rows[i].v, 0, UINT64_MAX, &log_ops, &l, NULL), 0);
		assert_int_equal(l.n, 1);
		assert_int_equal(l.r[0].flags, rows[i].flags);
	}
}

/* Areas of an address space: only those in the range, only those test_vma wants. */
static void test_walk_areas(void **state)
{
	struct vma_list areas scoped(vma_list_fini) = { 0 };
	static const struct page_run want[] = {
		{ 0x10800, 0x11000, PAGE_PRESENT }, { 0x12000, 0x13000, PAGE_PRESENT | PAGE_FILE },
		{ 0x13000, 0x14000, 0 },
	};
	struct log l = { .skip_from = 0x16001 };
	struct err e = { 0 };
	struct fake f;
	struct mm mm;

	(void)state;
	for (u64 at = 0x10000; at < 0x1a000; at += 0x2000)
		assert_ok(vma_list_add(&areas, &(struct vma){ .start = at,
				       .end = at + (at == 0x10000 ? 0x1000 : 0x2000), .ino = 1,
				       .name = "/f" }, &e), &e);
	mm_open_list(&mm, &areas);
	fake_init(&f, table, ARRAY_SIZE(table));
	assert_ok(page_walk(&mm, &f.src, 0x10800, 0x14000, &log_test_ops, &l, &e), &e);
	assert_log(&l, want, ARRAY_SIZE(want));
	/* From 0x14000 on they are not asked for; at exactly the one of skip_from it is an error. */
	l = (struct log){ .skip_from = 0x13fff };
	assert_ok(page_walk(&mm, &f.src, 0x14000, UINT64_MAX, &log_test_ops, &l, &e), &e);
	assert_int_equal(l.n, 0);
	l.skip_from = 0x14000;
	assert_int_equal(page_walk(&mm, &f.src, 0, UINT64_MAX, &log_test_ops, &l, &e), ERR_INPUT);
	assert_string_equal(e.msg, "this one not");
	/* A stop ends the whole walk. */
	l = (struct log){ .stop_at = 2, .stop = 5 };
	assert_int_equal(page_walk(&mm, &f.src, 0, UINT64_MAX, &log_ops, &l, &e), 5);
	assert_int_equal(l.n, 2);
}

static void test_zeroed_may_be_closed(void **state)
{
	struct page_source src = { 0 };

	(void)state;
	page_source_close(&src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_covers_area),
		cmocka_unit_test(test_walk_cuts_to_range),
		cmocka_unit_test(test_walk_stops),
		cmocka_unit_test(test_walk_without_callbacks),
		cmocka_unit_test(test_source_error),
		cmocka_unit_test(test_wrong_source),
		cmocka_unit_test(test_no_file_page_in_anonymous),
		cmocka_unit_test(test_walk_areas),
		cmocka_unit_test(test_zeroed_may_be_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pagewalk", tests, NULL, NULL);
}
