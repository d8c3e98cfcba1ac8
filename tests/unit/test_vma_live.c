/* Address spaces that change under the walk, go away, or may not be looked into. */
#include "helper.h"
#include "soak.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const backends[] = { "maps", "query", "smaps" };

/* False where the kernel lacks the backend. */
static bool open_mm(struct mm *mm, pid_t pid, pid_t tid, const char *backend)
{
	struct err e = { 0 };
	int r = mm_open_pid(mm, pid, tid, backend, &e);

	if (r == ERR_UNSUPPORTED)
		return false;
	assert_ok(r, &e);
	return true;
}

static void make_nothing(void *arg)
{
	(void)arg;
}

static void make_churn(void *arg)
{
	char **window = arg;
	pthread_t thread;

	*window = child_anon(CHURN_PAGES * (size_t)sysconf(_SC_PAGESIZE));
	child_check(!pthread_create(&thread, NULL, churn_thread, *window));
}

/* One walk: rises, repeats nothing, ends.  The number of areas in the window. */
static int churn_walk(struct mm *mm, u64 window)
{
	struct err e = { 0 };
	struct vma *v;
	u64 last = 0;
	int n = 0, inside = 0;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, v) {
		assert_true(v->start >= last);
		assert_true(v->end > v->start);
		last = v->end;
		inside += v->start >= window && v->end <= window + CHURN_PAGES * 4096;
		assert_true(++n < 10000);
	}
	assert_ok(vma_iter_end(&vmi, &e), &e);
	assert_true(n > 5);
	return inside;
}

/* As often as that; more often only until a walk has met a change. */
static void walk_changing(const char *backend, size_t walks)
{
	char **window = shared_new(sizeof(*window));
	struct mm mm scoped(mm_close) = { 0 };
	struct child c = { 0 };
	int least = 1 << 20, most = 0;

	child_start(&c, make_churn, window);
	if (open_mm(&mm, c.pid, c.pid, backend)) {
		for (size_t i = 0; i < walks || (i < 2000 && most <= least); i++) {
			int n = churn_walk(&mm, (uintptr_t)*window);

			least = min(least, n);
			most = max(most, n);
		}
		/* It did change, and the walks saw it. */
		assert_true(most > least);
	}
	child_stop(&c);
	munmap(window, sizeof(*window));
}

static void test_changing_maps(void **state)
{
	(void)state;
	walk_changing("maps", soak_or(200, 2000));
}

static void test_changing_query(void **state)
{
	(void)state;
	walk_changing("query", soak_or(400, 2000));
}

static void test_changing_smaps(void **state)
{
	(void)state;
	walk_changing("smaps", soak_or(50, 500));
}

/* Backward on a target that changes: always lower, to the end. */
static void test_changing_backward(void **state)
{
	char **window = shared_new(sizeof(*window));
	struct child c = { 0 };

	(void)state;
	child_start(&c, make_churn, window);
	for (size_t b = 0; b < 2; b++) {
		struct mm mm scoped(mm_close) = { 0 };

		if (!open_mm(&mm, c.pid, c.pid, backends[b]))
			continue;
		for (int i = 0; i < (b ? 200 : 20); i++) {
			struct err e = { 0 };
			struct vma *v;
			u64 last = UINT64_MAX;

			VMA_ITERATOR(vmi, &mm, UINT64_MAX);
			while ((v = vma_prev(&vmi))) {
				assert_true(v->start < last);
				last = v->start;
			}
			assert_ok(vma_iter_end(&vmi, &e), &e);
			assert_true(last < UINT64_MAX);
		}
	}
	child_stop(&c);
	munmap(window, sizeof(*window));
}

/* The same mm, walked again, shows what has changed since. */
static void test_new_walk_sees_new_state(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct err e = { 0 };
		struct vma v;

		if (!open_mm(&mm, getpid(), getpid(), backends[b]))
			continue;
		char *p = child_map(3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_int_equal(mm_find(&mm, (uintptr_t)p, &v, &e), 1);
		assert_int_equal(mprotect(p, 3 * 4096, PROT_NONE), 0);
		assert_int_equal(mm_find(&mm, (uintptr_t)p, &v, &e), 1);
		assert_int_equal(v.flags & (VM_READ | VM_WRITE | VM_EXEC), 0);
		munmap(p, 3 * 4096);
		if (mm_find(&mm, (uintptr_t)p, &v, &e))
			assert_true(v.start > (uintptr_t)p || v.end <= (uintptr_t)p ||
				    v.flags & (VM_READ | VM_WRITE | VM_EXEC));
	}
}

static void test_target_exits_during_walk(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++)
		for (int reaped = 0; reaped < 2; reaped++) {
			struct mm mm scoped(mm_close) = { 0 };
			struct child c = { 0 };
			struct err e = { 0 };

			child_start(&c, make_nothing, NULL);
			if (open_mm(&mm, c.pid, c.pid, backends[b])) {
				VMA_ITERATOR(vmi, &mm, 0);
				assert_non_null(vma_next(&vmi));
				child_kill(&c);
				if (reaped)
					child_stop(&c);
				while (vma_next(&vmi))
					;
				assert_int_equal(vma_iter_end(&vmi, &e), ERR_GONE);
				assert_non_null(strstr(e.msg, reaped ? "no process" : "has exited"));
			}
			child_stop(&c);
		}
}

static void test_zombie(void **state)
{
	struct child c = { 0 };

	(void)state;
	child_start(&c, make_nothing, NULL);
	child_kill(&c);
	for (size_t b = 0; b <= ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct err e = { 0 };
		int r = mm_open_pid(&mm, c.pid, c.pid, b < ARRAY_SIZE(backends) ? backends[b] : NULL, &e);

		if (r == ERR_UNSUPPORTED)
			continue;
		assert_int_equal(r, ERR_GONE);
		assert_non_null(strstr(e.msg, "has exited"));
		assert_null(mm.ops);
	}
	child_stop(&c);
}

static void test_no_such_process(void **state)
{
	struct child c = { 0 };
	struct err e = { 0 };
	struct mm mm = { 0 };

	(void)state;
	child_start(&c, make_nothing, NULL);
	pid_t pid = c.pid;
	child_stop(&c);
	assert_int_equal(mm_open_pid(&mm, pid, pid, NULL, &e), ERR_GONE);
	assert_non_null(strstr(e.msg, "no process"));
	assert_int_equal(mm_open_pid(&mm, getpid(), pid, NULL, &e), ERR_GONE);
	assert_non_null(strstr(e.msg, "no thread"));
	assert_int_equal(mm_open_pid(&mm, getpid(), getpid(), "text", &e), ERR_USAGE);
	assert_null(mm.ops);
}

static void test_kernel_thread(void **state)
{
	struct err e = { 0 };
	struct mm mm = { 0 };
	char link[64];

	(void)state;
	/* Kernel threads have no executable; 2 is kthreadd outside containers. */
	if (access("/proc/2/task/2/maps", R_OK) || readlink("/proc/2/exe", link, sizeof(link)) >= 0)
		skip_because("process 2 is no kernel thread here");
	assert_int_equal(mm_open_pid(&mm, 2, 2, "maps", &e), ERR_GONE);
	assert_non_null(strstr(e.msg, "no memory"));
}

/* The leader has exited, another thread goes on: its own files show the memory. */
static void *report_tid(void *tid)
{
	*(volatile pid_t *)tid = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static void leave_leader(void *arg)
{
	pthread_t thread;
	volatile pid_t *tid = arg;

	child_check(!pthread_create(&thread, NULL, report_tid, arg));
	while (!*tid)
		sched_yield();
}

static void exit_leader(int sig)
{
	(void)sig;
	syscall(SYS_exit, 0);
}

static void make_leaderless(void *arg)
{
	leave_leader(arg);
	signal(SIGUSR1, exit_leader);
}

/* Waits, with a limit, for the leader to be a zombie. */
static void wait_leader(pid_t pid)
{
	u64 limit = now_ns() + 10000000000;
	struct err e = { 0 };
	struct mm mm = { 0 };

	for (;;) {
		int r = mm_open_pid(&mm, pid, pid, "maps", &e);

		mm_close(&mm);
		if (r == ERR_GONE)
			return;
		assert_ok(r, &e);
		assert_true(now_ns() < limit);
		sched_yield();
	}
}

static void test_exited_leader(void **state)
{
	pid_t *tid = shared_new(sizeof(*tid));
	struct child c = { 0 };

	(void)state;
	child_start(&c, make_leaderless, tid);
	assert_int_equal(syscall(SYS_tgkill, c.pid, c.pid, SIGUSR1), 0);
	wait_leader(c.pid);
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct vma_list l scoped(vma_list_fini) = { 0 };
		struct mm mm scoped(mm_close) = { 0 };
		struct err e = { 0 };

		if (!open_mm(&mm, c.pid, *tid, backends[b]))
			continue;
		assert_ok(vma_snapshot(&mm, &l, &e), &e);
		assert_true(l.n > 5);
	}
	child_stop(&c);
	munmap(tid, sizeof(*tid));
}

/* In a child without privileges: may process 1 be looked into?  Its exit status says. */
static void look_as_nobody(pid_t pid)
{
	struct err e = { 0 };
	struct mm mm = { 0 };

	if (setuid(65534))
		_exit(3);
	int r = mm_open_pid(&mm, pid, pid, NULL, &e);
	if (r != -EACCES && r != -EPERM)
		_exit(1);
	_exit(strstr(e.msg, "may not look into") && strstr(e.msg, "/maps") ? 0 : 2);
}

static void test_no_permission(void **state)
{
	int status;

	(void)state;
	if (geteuid())
		skip_because("only root can become somebody else");
	pid_t target = getpid();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		look_as_nobody(target);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 3 << 8)
		skip_because("may not become somebody else");
	assert_int_equal(status, 0);
}

/* 30,000 areas, half of them of a file: the same by every backend, and to be found. */
static void make_many(void *arg)
{
	int fd = memfd_create("many", MFD_CLOEXEC);

	child_check(fd >= 0 && !ftruncate(fd, 65536));
	*(char **)arg = child_map(30000 * 4096UL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < 30000; i += 2)
		child_check(mmap(*(char **)arg + i * 4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED,
				 fd, 4096) != MAP_FAILED);
}

static void test_many_areas(void **state)
{
	char **at = shared_new(sizeof(*at));
	struct vma_list first scoped(vma_list_fini) = { 0 };
	struct child c = { 0 };

	(void)state;
	child_start(&c, make_many, at);
	for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
		struct mm mm scoped(mm_close) = { 0 };
		struct vma_list l scoped(vma_list_fini) = { 0 };
		struct err e = { 0 };

		if (!open_mm(&mm, c.pid, c.pid, backends[b]))
			continue;
		assert_ok(vma_snapshot(&mm, &l, &e), &e);
		assert_true(l.n >= 30000);
		for (size_t i = 0; b && i < min(l.n, first.n); i++)
			if (l.v[i].start < 0xffffffffff600000)
				assert_same_vma(&l.v[i], &first.v[i]);
		if (!b) {
			first = l;
			l = (struct vma_list){ 0 };
		}
	}
	child_stop(&c);
	munmap(at, sizeof(*at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changing_maps),
		cmocka_unit_test(test_changing_query),
		cmocka_unit_test(test_changing_smaps),
		cmocka_unit_test(test_changing_backward),
		cmocka_unit_test(test_new_walk_sees_new_state),
		cmocka_unit_test(test_target_exits_during_walk),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_no_such_process),
		cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_exited_leader),
		cmocka_unit_test(test_no_permission),
		cmocka_unit_test(test_many_areas),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vma_live", tests, NULL, NULL);
}
