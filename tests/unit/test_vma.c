/* The backends of struct mm, on a process: against each other and against what it did. */
#include "helper.h"

#include <limits.h>
#include <sys/stat.h>

static const char *const backends[] = { "maps", "query", "smaps" };

/* Opens by @backend, or skips the test where the kernel has none. */
static void open_or_skip(struct mm *mm, pid_t pid, const char *backend)
{
	struct err e = { 0 };
	int r = mm_open_pid(mm, pid, pid, backend, &e);

	if (r == ERR_UNSUPPORTED)
		skip_because("%s", e.msg);
	assert_ok(r, &e);
	if (backend)
		assert_string_equal(mm->ops->name, backend);
}

static bool has_backend(pid_t pid, const char *backend)
{
	struct mm mm scoped(mm_close) = { 0 };

	return !mm_open_pid(&mm, pid, pid, backend, NULL);
}

static void snapshot(pid_t pid, const char *backend, struct vma_list *out)
{
	struct mm mm scoped(mm_close) = { 0 };
	struct err e = { 0 };

	open_or_skip(&mm, pid, backend);
	assert_ok(vma_snapshot(&mm, out, &e), &e);
}

/* [vsyscall] is the one area that only the texts show. */
static size_t n_without_vsyscall(const struct vma_list *l)
{
	const struct vma *last = &l->v[l->n - 1];

	return l->n - (last->name && !strcmp(last->name, "[vsyscall]"));
}

static void assert_same_areas(const struct vma_list *a, const struct vma_list *b)
{
	size_t n = n_without_vsyscall(a);

	assert_int_equal(n, n_without_vsyscall(b));
	for (size_t i = 0; i < n; i++)
		assert_same_vma(&a->v[i], &b->v[i]);
}

static void assert_backends_agree(pid_t pid)
{
	struct vma_list maps scoped(vma_list_fini) = { 0 };

	snapshot(pid, "maps", &maps);
	assert_true(maps.n > 0);
	for (size_t i = 1; i < ARRAY_SIZE(backends); i++) {
		struct vma_list other scoped(vma_list_fini) = { 0 };

		if (!has_backend(pid, backends[i]))
			continue;
		snapshot(pid, backends[i], &other);
		assert_same_areas(&maps, &other);
	}
}

/* Every kind of area that has a name, flag or offset of its own. */
struct kinds {
	char dir[256];
	char *newline, *deleted_name, *deleted, *memfd, *shared, *none, *plain;
	char *dontdump, *dontfork, *wipeonfork, *written;
};

static char *child_file(const char *dir, const char *name, bool keep, int flags, off_t off)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	child_check(fd >= 0 && !ftruncate(fd, 65536));
	char *p = child_map(8192, PROT_READ | PROT_WRITE, flags, fd, off);
	child_check(!close(fd) && (keep || !unlink(path)));
	return p;
}

#define NEWLINE_NAME "a b\nc\\d\te"
#define DELETED_NAME "not (deleted)"

static void make_kinds(void *arg)
{
	struct kinds *k = arg;

	k->newline = child_file(k->dir, NEWLINE_NAME, true, MAP_PRIVATE, 4096);
	k->deleted_name = child_file(k->dir, DELETED_NAME, true, MAP_SHARED, 0);
	k->deleted = child_file(k->dir, "gone", false, MAP_PRIVATE, 0);
	k->deleted[0] = 1;
	int fd = memfd_create("mem fd\nx", MFD_CLOEXEC);
	child_check(fd >= 0 && !ftruncate(fd, 65536));
	k->memfd = child_map(8192, PROT_READ, MAP_SHARED, fd, 8192);
	k->shared = child_map(8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	k->none = child_map(8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Each with protection of its own between them, lest they merge. */
	k->plain = child_anon(3 * 4096);
	k->dontdump = child_anon(5 * 4096);
	k->dontfork = child_anon(7 * 4096);
	k->wipeonfork = child_anon(9 * 4096);
	k->written = k->dontdump + 4096;
	child_check(!madvise(k->dontdump, 5 * 4096, MADV_DONTDUMP));
	child_check(!madvise(k->dontfork, 7 * 4096, MADV_DONTFORK));
	child_check(!madvise(k->wipeonfork, 9 * 4096, MADV_WIPEONFORK));
	memset(k->written, 1, 2 * 4096);
}

static struct kinds *kinds;
static struct child kinds_child;

static int kinds_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	kinds = shared_new(sizeof(*kinds));
	snprintf(kinds->dir, sizeof(kinds->dir), "%.200s/vma-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(kinds->dir));
	child_start(&kinds_child, make_kinds, kinds);
	return 0;
}

static int kinds_teardown(void **state)
{
	static const char *const names[] = { NEWLINE_NAME, DELETED_NAME };

	(void)state;
	child_stop(&kinds_child);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", kinds->dir, names[i]);
		unlink(path);
	}
	rmdir(kinds->dir);
	munmap(kinds, sizeof(*kinds));
	return 0;
}

static void test_backends_agree(void **state)
{
	(void)state;
	assert_backends_agree(kinds_child.pid);
}

/* What the name of each area reads, by each backend. */
static void test_names(void **state)
{
	const struct {
		const char *at, *name;
		u64 pgoff;
		bool in_dir, shared, anon;
	} rows[] = {
		{ kinds->newline, "a b\\012c\\d\te", 4096, true, false, false },
		{ kinds->deleted_name, "not (deleted)", 0, true, true, false },
		{ kinds->deleted, "gone (deleted)", 0, true, false, false },
		{ kinds->memfd, "/memfd:mem fd\\012x (deleted)", 8192, false, true, false },
		{ kinds->shared, "/dev/zero (deleted)", 0, false, true, false },
		{ kinds->none, NULL, 0, false, false, true },
		{ kinds->plain, NULL, 0, false, false, true },
	};

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct err e = { 0 };

		if (!has_backend(kinds_child.pid, backends[b]))
			continue;
		open_or_skip(&mm, kinds_child.pid, backends[b]);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			char want[512];
			struct vma v;

			assert_int_equal(mm_find(&mm, (uintptr_t)rows[i].at, &v, &e), 1);
			assert_in_range((uintptr_t)rows[i].at, v.start, v.end - 1);
			snprintf(want, sizeof(want), "%s%s%s", rows[i].in_dir ? kinds->dir : "",
				 rows[i].in_dir ? "/" : "", rows[i].name ? rows[i].name : "");
			if (!same_name(v.name, rows[i].name ? want : NULL))
				fail_msg("%s: \"%s\", not \"%s\"", backends[b], v.name, want);
			assert_int_equal(v.pgoff, rows[i].pgoff);
			assert_int_equal(!!(v.flags & VM_SHARED), rows[i].shared);
			assert_int_equal(vma_is_anon(&v), rows[i].anon);
		}
	}
}

static void find_in(struct mm *mm, const char *at, struct vma *v)
{
	struct err e = { 0 };

	assert_int_equal(mm_find(mm, (uintptr_t)at, v, &e), 1);
	assert_true(v->start <= (uintptr_t)at);
}

static void test_smaps_flags(void **state)
{
	const struct {
		const char *at;
		u32 flag;
	} rows[] = {
		{ kinds->plain, 0 },
		{ kinds->dontdump, VM_DONTDUMP },
		{ kinds->dontfork, VM_DONTCOPY },
		{ kinds->wipeonfork, VM_WIPEONFORK },
	};
	struct mm mm scoped(mm_close) = { 0 };
	struct vma v;

	(void)state;
	open_or_skip(&mm, kinds_child.pid, "smaps");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		find_in(&mm, rows[i].at, &v);
		assert_int_equal(v.flags & (VM_KNOWN | VM_DONTDUMP | VM_DONTCOPY | VM_WIPEONFORK | VM_IO),
				 VM_KNOWN | rows[i].flag);
	}
	find_in(&mm, kinds->dontdump, &v);
	assert_int_equal(v.anon + v.swap, 2 * 4096);
	find_in(&mm, kinds->deleted, &v);
	assert_int_equal(v.anon + v.swap, 4096);
}

/* The others know nothing of it. */
static void test_only_smaps_knows(void **state)
{
	struct vma_list l scoped(vma_list_fini) = { 0 };

	(void)state;
	snapshot(kinds_child.pid, NULL, &l);
	for (size_t i = 0; i < l.n; i++) {
		assert_int_equal(l.v[i].flags & ~(VM_READ | VM_WRITE | VM_EXEC | VM_SHARED), 0);
		assert_int_equal(l.v[i].anon + l.v[i].swap, 0);
	}
}

/* The start of [vsyscall], or 0. */
static u64 vsyscall_start(pid_t pid)
{
	struct vma_list maps scoped(vma_list_fini) = { 0 };

	snapshot(pid, "maps", &maps);
	if (n_without_vsyscall(&maps) == maps.n)
		return 0;
	assert_true(vma_is_special(&maps.v[maps.n - 1]));
	return maps.v[maps.n - 1].start;
}

static void test_vsyscall_is_text_only(void **state)
{
	u64 start = vsyscall_start(kinds_child.pid);
	struct err e = { 0 };
	struct vma v;

	(void)state;
	if (!start)
		skip_because("this machine has no [vsyscall]");
	struct mm query scoped(mm_close) = { 0 };
	open_or_skip(&query, kinds_child.pid, "query");
	assert_int_equal(mm_find(&query, start, &v, &e), 0);
}

/* Backward is forward reversed, also where prev is found by questions of find alone. */
static void test_backward(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct vma_list l scoped(vma_list_fini) = { 0 };
		struct err e = { 0 };
		struct vma *v;

		if (!has_backend(kinds_child.pid, backends[b]))
			continue;
		snapshot(kinds_child.pid, backends[b], &l);
		open_or_skip(&mm, kinds_child.pid, backends[b]);
		size_t n = l.n;
		VMA_ITERATOR(vmi, &mm, UINT64_MAX);
		while ((v = vma_prev(&vmi)))
			assert_same_vma(v, &l.v[--n]);
		assert_int_equal(n, 0);
		/* From the middle of each area, which begins below it. */
		for (size_t i = 0; i < l.n; i++) {
			vma_iter_set(&vmi, l.v[i].start + vma_len(&l.v[i]) / 2);
			assert_same_vma(vma_prev(&vmi), &l.v[i]);
		}
		assert_ok(vma_iter_end(&vmi, &e), &e);
	}
}

/* Any address, in any order: the list of the same target knows the answer. */
static void test_find_anywhere(void **state)
{
	struct vma_list l scoped(vma_list_fini) = { 0 };
	struct mm list;

	(void)state;
	snapshot(kinds_child.pid, "maps", &l);
	l.n = n_without_vsyscall(&l);
	mm_open_list(&list, &l);
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct err e = { 0 };

		if (!has_backend(kinds_child.pid, backends[b]))
			continue;
		open_or_skip(&mm, kinds_child.pid, backends[b]);
		for (size_t i = 0; i < 3 * l.n; i++) {
			const struct vma *at = &l.v[i * 7 % l.n];
			const u64 addrs[] = { at->start, at->end - 1, at->end };
			struct vma want, got;

			if (!mm_find(&list, addrs[i % 3], &want, NULL))
				continue;
			assert_int_equal(mm_find(&mm, addrs[i % 3], &got, &e), 1);
			assert_same_vma(&got, &want);
		}
	}
}

/* A path that PATH_MAX does not hold: the query cannot return it, the text can. */
static void make_deep_path(void *arg)
{
	char name[251];

	memset(name, 'd', 250);
	name[250] = '\0';
	child_check(!chdir(arg));
	for (int i = 0; i < 20; i++)
		child_check(!mkdir(name, 0700) && !chdir(name));
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	child_check(fd >= 0 && !ftruncate(fd, 65536));
	child_map(4096, PROT_READ, MAP_SHARED, fd, 4096);
	child_check(!unlink("f"));
	for (int i = 0; i < 20; i++)
		child_check(!chdir("..") && !rmdir(name));
}

static void test_long_name(void **state)
{
	struct child c = { 0 };
	struct vma_list l scoped(vma_list_fini) = { 0 };
	size_t n = 0;

	(void)state;
	child_start(&c, make_deep_path, kinds->dir);
	snapshot(c.pid, NULL, &l);
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].name && strlen(l.v[i].name) > PATH_MAX)
			n++;
	assert_int_equal(n, 1);
	assert_backends_agree(c.pid);
	child_stop(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backends_agree),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_smaps_flags),
		cmocka_unit_test(test_only_smaps_knows),
		cmocka_unit_test(test_vsyscall_is_text_only),
		cmocka_unit_test(test_backward),
		cmocka_unit_test(test_find_anywhere),
		cmocka_unit_test(test_long_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vma", tests, kinds_setup, kinds_teardown);
}
