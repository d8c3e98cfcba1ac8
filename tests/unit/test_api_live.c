#include "helper.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include <tagcore/tagcore.h>

#include "mm/pagewalk.h"

/* Live processes by the public interface: areas and pages, a dump, a stack. */

enum { MAPPED = 64 * 4096 };

struct shared {
	char *mapping;	/* MAPPED bytes, of which the first half is written */
	pid_t thread;
};

static void *wait_for_ever(void *arg)
{
	struct shared *s = arg;

	s->thread = gettid();
	for (;;)
		pause();
	return NULL;
}

static void set_up(void *arg)
{
	struct shared *s = arg;
	pthread_t t;

	s->mapping = child_anon(MAPPED);
	memset(s->mapping, 7, MAPPED / 2);
	child_check(pthread_create(&t, NULL, wait_for_ever, s) == 0);
	while (!((volatile struct shared *)s)->thread)
		sched_yield();
}

struct live {
	struct child c;
	struct shared *s;
};

static void start(struct live *l)
{
	l->s = shared_new(sizeof(*l->s));
	child_start(&l->c, set_up, l->s);
}

static void finish(struct live *l)
{
	child_stop(&l->c);
	munmap(l->s, sizeof(*l->s));
}

static void start_traceable(struct live *l)
{
	start(l);
	if (ptrace(PTRACE_SEIZE, l->c.pid, NULL, NULL)) {
		int why = errno;

		finish(l);
		skip_because("ptrace is not permitted: %s", strerror(why));
	}
	ptrace(PTRACE_INTERRUPT, l->c.pid, NULL, NULL);
	waitpid(l->c.pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, l->c.pid, NULL, NULL);
}

static void good(int r, const struct tagcore_error *error)
{
	if (r < 0)
		fail_msg("%d: %s", r, error->message);
}

/* Nobody traces it any more, and it is not stopped. */
static void assert_runs(pid_t pid)
{
	char path[64], text[4096] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	assert_non_null(strstr(text, "TracerPid:\t0\n"));
	assert_null(strstr(text, "State:\tT"));
}

/* ---- areas and pages */

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

/* ---- dumps */

struct progress {
	pid_t pid;
	u64 calls, done, total;
};

static void on_progress(void *arg, pid_t pid, uint64_t done, uint64_t total)
{
	struct progress *p = arg;

	assert_true(done >= p->done);
	*p = (struct progress){ .pid = pid, .calls = p->calls + 1, .done = done, .total = total };
}

static void assert_core_is_of(struct tagcore_core *core, const struct live *l)
{
	struct tagcore_error error;
	char bytes[16];

	assert_int_equal(tagcore_core_get_info(core)->pid, l->c.pid);
	assert_int_equal(tagcore_core_threads(core), 2);
	assert_non_null(tagcore_core_thread_find(core, l->s->thread));
	good(tagcore_memory_read_all(core, (u64)l->s->mapping, bytes, sizeof(bytes), &error), &error);
	assert_int_equal(bytes[15], 7);
	good(tagcore_memory_read_all(core, (u64)l->s->mapping + MAPPED - 16, bytes, sizeof(bytes), &error), &error);
	assert_int_equal(bytes[0], 0);
}

static void a_process_is_saved_to_a_path(void **state)
{
	struct progress progress = { 0 };
	struct tagcore_dump_options o = {
		.size = sizeof(o), .output = "saved.%p", .progress = on_progress, .progress_arg = &progress,
	};
	const struct tagcore_dump_report *report;
	struct tagcore_dump *dump;
	struct tagcore_core *core;
	struct tagcore_error error;
	char want[32];
	struct live l;

	(void)state;
	start_traceable(&l);
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	assert_runs(l.c.pid);
	report = tagcore_dump_get_report(dump);
	snprintf(want, sizeof(want), "saved.%d", l.c.pid);
	assert_string_equal(report->path, want);
	assert_int_equal(report->pid, l.c.pid);
	assert_int_equal(report->threads, 2);
	assert_true(report->areas > 5 && report->bytes > MAPPED && report->pause_us > 0);
	assert_int_equal(report->n_unstopped, 0);
	assert_null(tagcore_dump_get_unstopped(dump, 0));
	assert_null(tagcore_dump_get_missing(dump, report->n_missing));
	assert_null(tagcore_dump_get_unmatched(dump, 0));
	good(tagcore_core_open(&core, want, NULL, &error), &error);
	assert_core_is_of(core, &l);
	tagcore_core_close(core);
	tagcore_dump_free(dump);
	/* It is there now. */
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), -EEXIST);
	o.flags = TAGCORE_DUMP_FORCE;
	good(tagcore_dump_run(NULL, l.c.pid, &o, &error), &error);
	if (progress.calls)
		assert_int_equal(progress.pid, l.c.pid);
	unlink(want);
	finish(&l);
}

static void a_process_is_saved_to_a_descriptor(void **state)
{
	int fd = memfd_create("core", MFD_CLOEXEC);
	char exclude[64];
	const char *const select[] = { exclude, "-*no_such*", NULL };
	struct tagcore_dump_options o = { .size = sizeof(o), .flags = TAGCORE_DUMP_FD, .fd = fd, .select = select };
	struct tagcore_dump *dump;
	struct tagcore_core *core;
	struct tagcore_error error;
	struct live l;

	(void)state;
	start_traceable(&l);
	snprintf(exclude, sizeof(exclude), "-%lx-%lx", (long)l.s->mapping, (long)l.s->mapping + 4096);
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	assert_null(tagcore_dump_get_report(dump)->path);
	assert_int_equal(tagcore_dump_get_report(dump)->n_unmatched, 1);
	assert_string_equal(tagcore_dump_get_unmatched(dump, 0)->select, "-*no_such*");
	assert_null(tagcore_dump_get_unmatched(dump, 0)->reason);
	tagcore_dump_free(dump);
	tagcore_dump_free(NULL);
	good(tagcore_core_open_fd(&core, fd, NULL, NULL, &error), &error);
	assert_int_equal(tagcore_memory_state_at(core, (u64)l.s->mapping, NULL), TAGCORE_MEMORY_ABSENT);
	assert_int_equal(tagcore_memory_state_at(core, (u64)l.s->mapping + 4096, NULL), TAGCORE_MEMORY_PRESENT);
	tagcore_core_close(core);
	close(fd);
	finish(&l);
}

static void a_dump_can_be_planned(void **state)
{
	char exclude[64];
	const char *const select[] = { exclude, NULL };
	struct tagcore_dump_options o = { .size = sizeof(o), .select = select, .output = "core.%p" };
	const struct tagcore_plan_total *total;
	const struct tagcore_plan_area *a;
	struct tagcore_error error;
	struct tagcore_plan *plan;
	char path[32];
	struct live l;
	u64 end = 0, at;
	bool found = false;

	(void)state;
	start_traceable(&l);
	at = (u64)l.s->mapping;
	snprintf(exclude, sizeof(exclude), "-%llx-%llx", (unsigned long long)at, (unsigned long long)at + 4096);
	snprintf(path, sizeof(path), "core.%d", l.c.pid);
	good(tagcore_plan_make(&plan, l.c.pid, &o, &error), &error);
	total = tagcore_plan_get_total(plan);
	assert_string_equal(total->path, path);
	assert_true(total->n_areas > 5 && total->size > 0 && total->free_bytes > 0);
	for (size_t i = 0; (a = tagcore_plan_get_area(plan, i)); i++) {
		assert_true(a->area->start >= end && *a->rule && *a->reason);
		end = a->area->end;
		if (a->area->start != at)
			continue;
		found = true;
		assert_string_equal(a->action, "omit");
		assert_int_equal(a->filesz, 0);
	}
	assert_true(found);
	tagcore_plan_free(plan);
	tagcore_plan_free(NULL);
	assert_int_equal(access(path, F_OK), -1);
	o.flags = TAGCORE_DUMP_STACKS;
	assert_int_equal(tagcore_plan_make(&plan, l.c.pid, &o, &error), TAGCORE_ERR_USAGE);
	assert_runs(l.c.pid);
	finish(&l);
}

static void wrong_options_are_refused(void **state)
{
	const char *const select[] = { "heap", NULL };
	struct tagcore_dump_options o[] = {
		{ .size = sizeof(o[0]), .flags = TAGCORE_DUMP_ALL | TAGCORE_DUMP_STACKS },
		{ .size = sizeof(o[0]), .select = select },
		{ .size = sizeof(o[0]), .output = "-" },
		{ .size = sizeof(o[0]), .output = "core.%Z" },
		{ .size = 3 },
	};
	struct tagcore_dump_options unknown = { .size = sizeof(unknown), .flags = 1u << 30 };
	struct tagcore_dump_options small = { .size = sizeof(small), .limit = 4096 };
	struct tagcore_error error;
	struct live l;

	(void)state;
	start_traceable(&l);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o[i], &error), TAGCORE_ERR_USAGE);
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &unknown, &error), TAGCORE_ERR_UNSUPPORTED);
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &small, &error), TAGCORE_ERR_LIMIT);
	assert_true(*error.message);
	assert_runs(l.c.pid);
	finish(&l);
}

struct cancel {
	volatile sig_atomic_t flag;
	int pipe_end;
};

/* When the pipe is full, and so the dump waits for its reader. */
static void *cancel_when_full(void *arg)
{
	struct cancel *c = arg;
	struct pollfd fd = { .fd = c->pipe_end, .events = POLLOUT };
	int quiet = 0;

	for (int i = 0; i < 2000 && quiet < 5; i++) {
		quiet = poll(&fd, 1, 0) == 0 ? quiet + 1 : 0;
		poll(NULL, 0, 10);
	}
	c->flag = SIGKILL;	/* any number but 0: it is sent to nobody */
	return NULL;
}

/* By another thread, while it waits for a reader; the flag's value is no signal that is sent. */
static void a_dump_can_be_cancelled(void **state)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .flags = TAGCORE_DUMP_FD };
	struct tagcore_error error;
	struct cancel c = { 0 };
	pthread_t t;
	struct live l;
	int fds[2];

	(void)state;
	start_traceable(&l);
	assert_int_equal(pipe(fds), 0);
	c.pipe_end = o.fd = fds[1];
	o.cancel = &c.flag;
	assert_int_equal(pthread_create(&t, NULL, cancel_when_full, &c), 0);
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), TAGCORE_ERR_CANCELLED);
	pthread_join(t, NULL);
	assert_runs(l.c.pid);
	/* Now nothing is begun at all, neither with a FIFO that nobody reads. */
	assert_int_equal(mkfifo("fifo", 0600), 0);
	o = (struct tagcore_dump_options){ .size = sizeof(o), .output = "fifo", .cancel = &c.flag };
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), TAGCORE_ERR_CANCELLED);
	unlink("fifo");
	close(fds[0]);
	close(fds[1]);
	finish(&l);
}

/* Whatever SIGPIPE does in this process: here, by default, it would end it. */
static void a_closed_pipe_is_an_error(void **state)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .flags = TAGCORE_DUMP_FD };
	struct tagcore_error error;
	sigset_t before, after;
	struct live l;
	int fds[2];

	(void)state;
	start_traceable(&l);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	o.fd = fds[1];
	signal(SIGPIPE, SIG_DFL);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), -EPIPE);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	assert_runs(l.c.pid);
	close(fds[1]);
	finish(&l);
}

/* ---- stacks */

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
		cmocka_unit_test(a_process_is_saved_to_a_path),
		cmocka_unit_test(a_process_is_saved_to_a_descriptor),
		cmocka_unit_test(a_dump_can_be_planned),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(a_dump_can_be_cancelled),
		cmocka_unit_test(a_closed_pipe_is_an_error),
		cmocka_unit_test(a_live_stack),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
