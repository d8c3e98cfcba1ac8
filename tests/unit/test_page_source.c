/* The page sources of a process, against each other and against what the process did. */
#include "helper.h"

#include <pthread.h>
#include "mm/pagewalk.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102	/* since v6.13, commit 662df3e5c376 */
#endif

#define PAGE 4096UL
#define HUGE (2UL << 20)
/* More runs than one PAGEMAP_SCAN hands out, more pages than one read of pagemap. */
#define STRIPES 3001
#define SPARSE (600UL << 20)

struct kinds {
	char *file, *shared, *none, *guard, *huge, *zero, *stripes, *sparse;
	bool has_zero_page;
	bool has_guard;
};

/* Two pages that were only read: not every kernel maps the one page of zeros for both.  Its number is root's to see. */
static bool same_page(const char *a, const char *b)
{
	int fd auto_close = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 x, y;

	child_check(fd >= 0);
	child_check(pread(fd, &x, sizeof(x), (off_t)((uintptr_t)a / PAGE * sizeof(x))) == sizeof(x));
	child_check(pread(fd, &y, sizeof(y), (off_t)((uintptr_t)b / PAGE * sizeof(y))) == sizeof(y));
	return x == y;
}

static void make_kinds(void *arg)
{
	struct kinds *k = arg;
	int fd = memfd_create("pages", MFD_CLOEXEC);

	child_check(fd >= 0 && !ftruncate(fd, 16 * PAGE));
	k->file = child_map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	child_check(write(fd, k, 1) == 1);
	*(volatile char *)k->file;
	k->file[4 * PAGE] = 1;
	k->shared = child_map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	k->shared[5 * PAGE] = 1;
	k->none = child_map(8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	k->guard = child_anon(8 * PAGE);
	memset(k->guard, 1, 8 * PAGE);
	k->has_guard = !madvise(k->guard + 2 * PAGE, 3 * PAGE, MADV_GUARD_INSTALL);
	k->huge = (char *)align_up((u64)child_anon(4 * HUGE), HUGE);
	madvise(k->huge, 3 * HUGE, MADV_HUGEPAGE);
	k->huge[0] = 1;
	*(volatile char *)(k->huge + 2 * HUGE);
	k->zero = child_anon(8 * PAGE);
	madvise(k->zero, 8 * PAGE, MADV_NOHUGEPAGE);
	*(volatile char *)(k->zero + PAGE);
	k->zero[2 * PAGE] = 1;
	*(volatile char *)(k->zero + 7 * PAGE);
	k->has_zero_page = same_page(k->zero + PAGE, k->zero + 7 * PAGE);
	k->stripes = child_anon(2 * STRIPES * PAGE);
	madvise(k->stripes, 2 * STRIPES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < STRIPES; i++)
		k->stripes[2 * i * PAGE] = 1;
	k->sparse = child_map(SPARSE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	madvise(k->sparse, SPARSE, MADV_NOHUGEPAGE);
	k->sparse[SPARSE - PAGE] = 1;
	/* Over the boundary of one read of 65536 words: one run all the same. */
	memset(k->sparse + (256UL << 20) - 2 * PAGE, 1, 4 * PAGE);
}

static struct kinds *kinds;
static struct child child;

static int kinds_setup(void **state)
{
	(void)state;
	kinds = shared_new(sizeof(*kinds));
	child_start(&child, make_kinds, kinds);
	return 0;
}

static int kinds_teardown(void **state)
{
	(void)state;
	child_stop(&child);
	munmap(kinds, sizeof(*kinds));
	return 0;
}

static const char *const backends[] = { "pagemap", "scan" };

/* False where the kernel lacks the backend. */
static bool open_source(struct page_source *src, pid_t pid, const char *backend)
{
	struct err e = { 0 };
	int r = page_source_open_pid(src, pid, pid, backend, &e);

	if (r == ERR_UNSUPPORTED)
		return false;
	assert_ok(r, &e);
	return true;
}

/* The flags of each page of a range, and whether the walk reported each once and in order. */
struct pages {
	u64 start;
	u64 at;
	size_t n_runs;
	u32 *flags;
	u32 last;
};

static int pages_run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	struct pages *p = arg;

	(void)v;
	(void)e;
	assert_int_equal(r->start, p->at);
	assert_true(r->flags != p->last);
	for (; p->at < r->end; p->at += PAGE)
		p->flags[(p->at - p->start) / PAGE] = r->flags;
	p->last = r->flags;
	p->n_runs++;
	return 0;
}

static int pages_hole(const struct vma *v, u64 start, u64 end, void *arg, struct err *e)
{
	return pages_run(v, &(struct page_run){ start, end, 0 }, arg, e);
}

/* The flags of @n pages at @at; the caller frees. */
static u32 *read_pages(struct page_source *src, const char *at, size_t n, size_t *n_runs)
{
	static const struct page_walk_ops ops = { .run = pages_run, .hole = pages_hole };
	struct vma v = { .start = (uintptr_t)at, .end = (uintptr_t)at + n * PAGE, .name = "/any" };
	struct pages p = { .start = v.start, .at = v.start, .last = UINT32_MAX,
			   .flags = calloc(n, sizeof(u32)) };
	struct err e = { 0 };

	assert_ok(page_walk_vma(src, &v, 0, UINT64_MAX, &ops, &p, &e), &e);
	assert_int_equal(p.at, v.end);
	*n_runs = p.n_runs;
	return p.flags;
}

/* What each page is: the same by both. */
static void test_page_flags(void **state)
{
	const u32 p = PAGE_PRESENT, f = PAGE_FILE, z = kinds->has_zero_page ? PAGE_PRESENT | PAGE_ZERO : p;
	const u32 g = kinds->has_guard ? PAGE_GUARD : p;
	const struct {
		const char *at;
		u32 want[8];
	} rows[] = {
		{ kinds->shared, { 0, 0, 0, 0, 0, p | f, 0, 0 } },
		{ kinds->none, { 0 } },
		{ kinds->guard, { p, p, g, g, g, p, p, p } },
		{ kinds->zero, { 0, z, p, 0, 0, 0, 0, z } },
		{ kinds->stripes, { p, 0, p, 0, p, 0, p, 0 } },
		{ kinds->stripes + 2 * (STRIPES - 4) * PAGE, { p, 0, p, 0, p, 0, p, 0 } },
		{ kinds->sparse + (256UL << 20) - 4 * PAGE, { 0, 0, p, p, p, p, 0, 0 } },
		{ kinds->sparse + SPARSE - 8 * PAGE, { 0, 0, 0, 0, 0, 0, 0, p } },
	};

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };

		if (!open_source(&src, child.pid, backends[b]))
			continue;
		assert_string_equal(src.ops->name, backends[b]);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			size_t n;
			u32 *flags auto_free = read_pages(&src, rows[i].at, 8, &n);

			for (size_t j = 0; j < 8; j++) {
				u32 want = rows[i].want[j] & (b ? UINT32_MAX : ~(u32)PAGE_ZERO);
				/* The stripes may have been swapped out. */
				u32 got = flags[j] & PAGE_SWAPPED ? flags[j] ^ PAGE_SWAPPED ^ PAGE_PRESENT
								  : flags[j];

				if (got != want)
					fail_msg("%s: row %zu page %zu: %x, not %x", backends[b], i, j,
						 flags[j], want);
			}
		}
	}
}

/* A private file mapping: a page read is the file's, a page written is not. */
static void test_private_file(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };
		size_t n;

		if (!open_source(&src, child.pid, backends[b]))
			continue;
		u32 *flags auto_free = read_pages(&src, kinds->file, 8, &n);
		assert_int_equal(flags[0], PAGE_PRESENT | PAGE_FILE);
		assert_int_equal(flags[4], PAGE_PRESENT);
		assert_int_equal(flags[7] & ~(u32)(PAGE_FILE | PAGE_PRESENT), 0);
	}
}

/* All of what the child made, page by page; runs as long as they can be. */
static void test_backends_agree(void **state)
{
	const struct {
		const char *at;
		size_t n;
		size_t n_runs;	/* 0: not known beforehand */
	} rows[] = {
		{ kinds->file, 8, 0 },
		{ kinds->shared, 8, 3 },
		{ kinds->none, 8, 1 },
		{ kinds->guard, 8, 0 },
		{ kinds->huge, 3 * HUGE / PAGE, 0 },
		{ kinds->zero, 8, 0 },
		{ kinds->stripes, 2 * STRIPES, 2 * STRIPES },
		{ kinds->sparse, SPARSE / PAGE, 4 },
	};
	struct page_source map scoped(page_source_close) = { 0 };
	struct page_source scan scoped(page_source_close) = { 0 };
	struct err e = { 0 };

	(void)state;
	if (page_source_open_pid(&scan, child.pid, child.pid, "scan", &e) == ERR_UNSUPPORTED)
		skip_because("%s", e.msg);
	assert_true(open_source(&map, child.pid, "pagemap"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n_map, n_scan;
		u32 *a auto_free = read_pages(&map, rows[i].at, rows[i].n, &n_map);
		u32 *b auto_free = read_pages(&scan, rows[i].at, rows[i].n, &n_scan);

		for (size_t j = 0; j < rows[i].n; j++) {
			/* The one difference besides PAGE_ZERO: see page_pagemap_ops. */
			u32 drop = b[j] & PAGE_ZERO ? PAGE_ZERO | PAGE_FILE : 0;

			if ((a[j] & ~drop) != (b[j] & ~drop))
				fail_msg("row %zu page %zu: %x, %x", i, j, a[j], b[j]);
		}
		if (rows[i].n_runs) {
			assert_int_equal(n_map, rows[i].n_runs);
			assert_int_equal(n_scan, rows[i].n_runs);
		}
	}
}

/* The walker's own view of the huge zero page is the same by both but for PAGE_ZERO. */
static int no_file_run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	u64 *present = arg;

	(void)v;
	(void)e;
	assert_int_equal(r->flags & (PAGE_FILE | PAGE_PRESENT), PAGE_PRESENT);
	*present += r->end - r->start;
	return 0;
}

static void test_huge_zero_page(void **state)
{
	static const struct page_walk_ops ops = { .run = no_file_run };
	const struct vma v = { .start = (uintptr_t)kinds->huge, .end = (uintptr_t)kinds->huge + 3 * HUGE };
	u64 present[2] = { 0 };

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };
		struct err e = { 0 };

		if (!open_source(&src, child.pid, backends[b]))
			continue;
		assert_ok(page_walk_vma(&src, &v, 0, UINT64_MAX, &ops, &present[b], &e), &e);
		assert_true(present[b] >= 2 * PAGE);
		if (b)
			assert_int_equal(present[0], present[1]);
	}
}

/* Odd addresses are cut, not refused; no query is answered from old flags. */
static void test_questions(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };
		struct err e = { 0 };
		struct page_run r;

		if (!open_source(&src, getpid(), backends[b]))
			continue;
		char *p = child_anon(8 * PAGE);
		madvise(p, 8 * PAGE, MADV_NOHUGEPAGE);
		u64 at = (uintptr_t)p, end = at + 8 * PAGE;
		assert_int_equal(src.ops->next(&src, at, end, &r, &e), 0);
		p[2 * PAGE] = p[6 * PAGE] = 1;
		assert_int_equal(src.ops->next(&src, at, end, &r, &e), 1);
		assert_int_equal(r.start, at + 2 * PAGE);
		assert_int_equal(r.end, at + 3 * PAGE);
		/* Read ahead or not: a question that is not the next one is asked anew. */
		p[4 * PAGE] = 1;
		assert_int_equal(src.ops->next(&src, at + 4 * PAGE, end, &r, &e), 1);
		assert_int_equal(r.start, at + 4 * PAGE);
		assert_int_equal(src.ops->next(&src, at + 6 * PAGE + 8, at + 6 * PAGE + 16, &r, &e), 1);
		assert_int_equal(r.start, at + 6 * PAGE + 8);
		assert_int_equal(r.end, at + 6 * PAGE + 16);
		assert_int_equal(src.ops->next(&src, end, end, &r, &e), 0);
		assert_int_equal(src.ops->next(&src, end, at, &r, &e), 0);
		munmap(p, 8 * PAGE);
	}
}

/* Area after area, some passed over, some of odd sizes, some asked for twice: read at once, they are the same. */
static void test_ahead(void **state)
{
	const char *at[] = { kinds->stripes, kinds->sparse, kinds->huge };
	const size_t total[] = { 2 * STRIPES, SPARSE / PAGE, 4 * HUGE / PAGE };

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++)
		for (size_t k = 0; k < ARRAY_SIZE(at); k++) {
			struct page_source src scoped(page_source_close) = { 0 }, plain scoped(page_source_close) = { 0 };

			if (!open_source(&src, child.pid, backends[b]) || !open_source(&plain, child.pid, backends[b]))
				continue;
			src.ahead = (uintptr_t)at[k] + total[k] * PAGE;
			for (size_t i = 0, n = 1; i + n <= total[k]; i += n * (1 + n % 3 / 2), n = n * 3 % 1021) {
				for (int again = 0; again <= (n % 5 == 0); again++) {
					size_t runs, want_runs;
					u32 *is = read_pages(&src, at[k] + i * PAGE, n, &runs);
					u32 *want = read_pages(&plain, at[k] + i * PAGE, n, &want_runs);

					assert_memory_equal(is, want, n * sizeof(*is));
					assert_int_equal(runs, want_runs);
					free(is);
					free(want);
				}
			}
		}
}

/* What was read ahead is not for who asks for memory that moves. */
static void test_not_ahead(void **state)
{
	struct page_source src scoped(page_source_close) = { 0 };
	char *p = child_anon(8 * PAGE);
	u64 at = (uintptr_t)p;
	struct err e = { 0 };
	struct page_run r;

	(void)state;
	madvise(p, 8 * PAGE, MADV_NOHUGEPAGE);
	if (!open_source(&src, getpid(), "scan"))
		return;
	src.ahead = at + 8 * PAGE;
	assert_int_equal(src.ops->next(&src, at, at + PAGE, &r, &e), 0);
	p[PAGE] = 1;
	assert_int_equal(src.ops->next(&src, at + PAGE, at + 2 * PAGE, &r, &e), 0);
	src.ahead = 0;
	assert_int_equal(src.ops->next(&src, at + PAGE, at + 2 * PAGE, &r, &e), 1);
	munmap(p, 8 * PAGE);
}

/* [vsyscall] is above the task's addresses: nothing is there, and that is no error. */
static void test_above_the_address_space(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };
		struct err e = { 0 };
		struct page_run r;

		if (!open_source(&src, child.pid, backends[b]))
			continue;
		assert_int_equal(src.ops->next(&src, 0xffffffffff600000, 0xffffffffff601000, &r, &e), 0);
		assert_int_equal(src.ops->next(&src, UINT64_MAX - 10, UINT64_MAX, &r, &e), 0);
	}
}

static void make_nothing(void *arg)
{
	(void)arg;
}

/*
 * The files of a process without memory belong to root (fs/proc/base.c:
 * task_dump_owner()), and pagemap is for its owner alone: another user is
 * refused before the kernel sees that there is nothing to read.
 */
static void expect_no_memory(int r, const struct err *e)
{
	if (r == -EACCES && geteuid())
		return;
	assert_int_equal(r, ERR_GONE);
	assert_non_null(strstr(e->msg, "has exited"));
}

/* "Nothing is there" of a process that is gone would lose its memory without a word. */
static void test_target_exits(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };
		struct page_source late = { 0 };
		struct child c = { 0 };
		struct err e = { 0 };
		struct page_run r;

		child_start(&c, make_nothing, NULL);
		bool has = open_source(&src, c.pid, backends[b]);
		child_kill(&c);
		if (has) {
			assert_int_equal(src.ops->next(&src, (uintptr_t)kinds->stripes,
						       (uintptr_t)kinds->stripes + PAGE, &r, &e), ERR_GONE);
			expect_no_memory(page_source_open_pid(&late, c.pid, c.pid, backends[b], &e), &e);
		}
		child_stop(&c);
	}
}

static void test_choice(void **state)
{
	struct page_source best scoped(page_source_close) = { 0 };
	struct page_source scan scoped(page_source_close) = { 0 };
	struct page_source none = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(open_source(&best, child.pid, NULL));
	bool has_scan = open_source(&scan, child.pid, "scan");
	assert_string_equal(best.ops->name, has_scan ? "scan" : "pagemap");
	assert_int_equal(page_source_open_pid(&none, child.pid, child.pid, "smaps", &e), ERR_USAGE);
	assert_null(none.ops);
}

static void make_churn(void *arg)
{
	pthread_t thread;

	*(char **)arg = child_anon(CHURN_PAGES * PAGE);
	child_check(!pthread_create(&thread, NULL, churn_thread, *(char **)arg));
}

/* read_pages() says that every page of the window is reported once, whatever happens meanwhile. */
static void test_changing_target(void **state)
{
	char **window = shared_new(sizeof(*window));
	struct child c = { 0 };

	(void)state;
	child_start(&c, make_churn, window);
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct page_source src scoped(page_source_close) = { 0 };

		if (!open_source(&src, c.pid, backends[b]))
			continue;
		for (int i = 0; i < 2000; i++) {
			size_t n;

			free(read_pages(&src, *window, CHURN_PAGES, &n));
			assert_true(n >= 1 && n <= CHURN_PAGES);
		}
	}
	child_stop(&c);
	munmap(window, sizeof(*window));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_flags),
		cmocka_unit_test(test_private_file),
		cmocka_unit_test(test_backends_agree),
		cmocka_unit_test(test_huge_zero_page),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_not_ahead),
		cmocka_unit_test(test_above_the_address_space),
		cmocka_unit_test(test_target_exits),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_changing_target),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("page_source", tests, kinds_setup, kinds_teardown);
}
