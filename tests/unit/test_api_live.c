#include "apilive.h"

#include "mm/pagewalk.h"

/* Live processes by the public interface: areas and pages, and a stack. */

static void areas_of_all_backends_agree(void **state)
{
	static const char *const backends[] = { "maps", "smaps", "query", NULL };
	struct live l;

	(void)state;
	start(&l);
	for (size_t i = 0; i < 4; i++) {
		const struct tagcore_area *a;
		struct tagcore_mm *mm = NULL;
		struct tagcore_error error;
		struct mm inner = { 0 };
		struct err e = { 0 };
		struct vma *v;
		bool found = false;
		int r = tagcore_mm_open_pid(&mm, l.c.pid, backends[i], &error);

		if (r == TAGCORE_ERR_UNSUPPORTED)
			continue;
		good(r, &error);
		if (backends[i])
			assert_string_equal(tagcore_mm_backend(mm), backends[i]);
		assert_ok(mm_open_pid(&inner, l.c.pid, l.c.pid, tagcore_mm_backend(mm), &e), &e);
		VMA_ITERATOR(vmi, &inner, 0);
		TAGCORE_AREA_ITER(it, mm, 0);
		tagcore_for_each_area(it, a) {
			v = vma_next(&vmi);
			assert_non_null(v);
			assert_true(a->start == v->start && a->end == v->end && a->flags == v->flags);
			assert_true(same_name(a->name, v->name));
			found |= a->start <= (u64)l.s->mapping && (u64)l.s->mapping < a->end;
		}
		good(tagcore_area_iter_end(&it, &error), &error);
		assert_null(vma_next(&vmi));
		assert_true(found);
		mm_close(&inner);
		tagcore_mm_close(mm);
	}
	tagcore_mm_close(NULL);
	finish(&l);
}

/* By any of its threads a process is found. */
static void a_thread_names_its_process(void **state)
{
	struct tagcore_error error;
	struct tagcore_mm *mm;
	struct live l;

	(void)state;
	start(&l);
	good(tagcore_mm_open_pid(&mm, l.s->thread, NULL, &error), &error);
	TAGCORE_AREA_ITER(it, mm, (u64)l.s->mapping);
	assert_true(tagcore_area_next(&it)->start <= (u64)l.s->mapping);
	good(tagcore_area_iter_end(&it, &error), &error);
	tagcore_mm_close(mm);
	finish(&l);
}

static int add_present(const struct tagcore_area *a, const struct tagcore_page_run *r, void *arg)
{
	(void)a;
	if (r->flags & (TAGCORE_PAGE_PRESENT | TAGCORE_PAGE_SWAPPED))
		*(u64 *)arg += r->end - r->start;
	return 0;
}

static void pages_are_walked(void **state)
{
	static const struct tagcore_page_walk_ops ops = { .size = sizeof(ops), .run = add_present };
	static const char *const backends[] = { "pagemap", "scan", NULL };
	struct tagcore_error error;
	struct tagcore_mm *mm;
	struct live l;

	(void)state;
	start(&l);
	good(tagcore_mm_open_pid(&mm, l.c.pid, NULL, &error), &error);
	for (size_t i = 0; i < 3; i++) {
		struct tagcore_pages *pages;
		u64 at = (u64)l.s->mapping, present = 0;
		int r = tagcore_pages_open_pid(&pages, l.c.pid, backends[i], &error);

		if (r == TAGCORE_ERR_UNSUPPORTED)
			continue;
		good(r, &error);
		good(tagcore_page_walk(mm, pages, at, at + MAPPED, &ops, &present, &error), &error);
		/* The kernel may have made huge pages of it. */
		assert_true(present >= MAPPED / 2);
		tagcore_pages_close(pages);
	}
	tagcore_pages_close(NULL);
	tagcore_mm_close(mm);
	finish(&l);
}

static void a_process_that_is_gone(void **state)
{
	struct tagcore_unwind *unwind = NULL;
	struct tagcore_pages *pages = NULL;
	struct tagcore_dump *dump = NULL;
	struct tagcore_mm *mm = NULL, *open;
	struct tagcore_error error;
	struct live l;
	int r;

	(void)state;
	start(&l);
	good(tagcore_mm_open_pid(&open, l.c.pid, NULL, &error), &error);
	child_kill(&l.c);
	TAGCORE_AREA_ITER(it, open, 0);
	assert_null(tagcore_area_next(&it));
	assert_int_equal(tagcore_area_iter_end(&it, &error), TAGCORE_ERR_GONE);
	tagcore_mm_close(open);
	/* A zombie, and after it none. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tagcore_mm_open_pid(&mm, l.c.pid, NULL, &error), TAGCORE_ERR_GONE);
		assert_int_equal(tagcore_pages_open_pid(&pages, l.c.pid, NULL, &error), TAGCORE_ERR_GONE);
		assert_int_equal(tagcore_dump_run(&dump, l.c.pid, NULL, &error), TAGCORE_ERR_GONE);
		r = tagcore_unwind_open_pid(&unwind, l.c.pid, NULL, &error);
		assert_int_equal(r, TAGCORE_ERR_GONE);
		if (!i)
			waitpid(l.c.pid, NULL, 0);
	}
	assert_true(!mm && !pages && !dump && !unwind);
	assert_int_equal(tagcore_dump_run(&dump, getpid(), NULL, &error), TAGCORE_ERR_USAGE);
	l.c.pid = 0;
	finish(&l);
}

static void a_live_stack(void **state)
{
	struct tagcore_unwind *unwind;
	struct tagcore_error error;
	struct tagcore_core *core;
	struct live l;

	(void)state;
	start_traceable(&l);
	good(tagcore_unwind_open_pid(&unwind, l.c.pid, NULL, &error), &error);
	assert_runs(l.c.pid);
	assert_int_equal(tagcore_unwind_get_process(unwind)->pid, l.c.pid);
	assert_true(tagcore_unwind_get_process(unwind)->pause_us > 0);
	assert_int_equal(tagcore_unwind_get_process(unwind)->n_unstopped, 0);
	core = tagcore_unwind_core(unwind);
	assert_int_equal(tagcore_core_threads(core), 2);
	for (size_t i = 0; i < 2; i++) {
		struct tagcore_stack *s;

		good(tagcore_unwind_thread(&s, unwind, tagcore_core_thread(core, i), &error), &error);
		assert_true(tagcore_stack_frames(s) > 1);
		tagcore_stack_free(s);
	}
	tagcore_unwind_close(unwind);
	tagcore_unwind_close(NULL);
	finish(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_of_all_backends_agree),
		cmocka_unit_test(a_thread_names_its_process),
		cmocka_unit_test(pages_are_walked),
		cmocka_unit_test(a_process_that_is_gone),
		cmocka_unit_test(a_live_stack),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
