#include "apilive.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>

/* Dumps by the public interface. */

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
	progress = (struct progress){ 0 };
	good(tagcore_dump_run(NULL, l.c.pid, &o, &error), &error);
	if (progress.calls)
		assert_int_equal(progress.pid, l.c.pid);
	unlink(want);
	/* Each dump begins to count anew. */
	o.progress = NULL;
	o.compress_level = 1;
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	good(tagcore_core_open(&core, tagcore_dump_get_report(dump)->path, NULL, &error), &error);
	assert_string_equal(strrchr(tagcore_dump_get_report(dump)->path, '.'), ".zst");
	assert_core_is_of(core, &l);
	tagcore_core_close(core);
	unlink(tagcore_dump_get_report(dump)->path);
	tagcore_dump_free(dump);
	o.compress_level = 0;
	o.flags = TAGCORE_DUMP_SNAPSHOT | TAGCORE_DUMP_FORCE;
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	report = tagcore_dump_get_report(dump);
	/* Where there can be none, that is said. */
	assert_int_equal(report->fork_us == 0, report->no_snapshot != NULL);
	good(tagcore_core_open(&core, report->path, NULL, &error), &error);
	assert_core_is_of(core, &l);
	tagcore_core_close(core);
	unlink(report->path);
	tagcore_dump_free(dump);
	o.compress_level = 99;
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), TAGCORE_ERR_USAGE);
	finish(&l);
}

/* A flag and what contradicts it. */
static void assert_refused(pid_t pid, struct tagcore_dump_options o, const char *why)
{
	struct tagcore_error error;

	o.flags |= TAGCORE_DUMP_NO_STOP;
	assert_int_equal(tagcore_dump_run(NULL, pid, &o, &error), TAGCORE_ERR_USAGE);
	assert_non_null(strstr(error.message, why));
}

static void a_process_is_saved_without_a_stop(void **state)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .output = "saved.%p", .flags = TAGCORE_DUMP_NO_STOP };
	const struct tagcore_dump_report *report;
	struct tagcore_dump *dump;
	struct tagcore_core *core;
	struct tagcore_error error;
	struct tagcore_plan *plan;
	uint64_t value;
	struct live l;

	(void)state;
	start_traceable(&l);
	/* Another has it: no other dump can be made. */
	assert_int_equal(ptrace(PTRACE_SEIZE, l.c.pid, NULL, NULL), 0);
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &(struct tagcore_dump_options){ .size = sizeof(o) }, &error), -EPERM);
	good(tagcore_plan_make(&plan, l.c.pid, &o, &error), &error);
	tagcore_plan_free(plan);
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	report = tagcore_dump_get_report(dump);
	assert_int_equal(report->inconsistent, 1);
	assert_int_equal(report->pause_us, 0);
	assert_int_equal(report->n_unstopped, 2);
	assert_non_null(tagcore_dump_get_unstopped(dump, 1)->reason);
	good(tagcore_core_open(&core, report->path, NULL, &error), &error);
	assert_core_is_of(core, &l);
	/* Of blocked threads pc and sp, and no zeros in place of what was not read. */
	assert_int_equal(tagcore_core_threads(core), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct tagcore_thread *t = tagcore_core_thread(core, i);

		assert_true(t->has_pc && t->pc && t->has_sp && t->sp);
#ifdef __x86_64__
		good(tagcore_register_get(core, t, "general", "rip", &value, &error), &error);
		assert_int_equal(value, t->pc);
		assert_int_equal(tagcore_register_get(core, t, "general", "rbp", &value, &error), TAGCORE_ERR_INPUT);
#else
		(void)value;
#endif
	}
	tagcore_core_close(core);
	unlink(report->path);
	tagcore_dump_free(dump);
	assert_refused(l.c.pid, (struct tagcore_dump_options){ .size = sizeof(o), .flags = TAGCORE_DUMP_SNAPSHOT }, "snapshot");
	assert_refused(l.c.pid, (struct tagcore_dump_options){ .size = sizeof(o), .flags = TAGCORE_DUMP_STACKS }, "stacks");
	assert_refused(l.c.pid, (struct tagcore_dump_options){ .size = sizeof(o), .max_pause_ms = 1 }, "longest stop");
	assert_refused(l.c.pid, (struct tagcore_dump_options){ .size = sizeof(o), .stop_timeout_ms = 1 }, "waited for");
	finish(&l);
}

/* It is our child, and its end is ours to wait for. */
static void a_child_that_is_not_stopped_stays_ours(void **state)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .output = "saved.%p", .flags = TAGCORE_DUMP_NO_STOP };
	struct tagcore_dump *dump;
	struct tagcore_error error;
	struct live l;
	int status;

	(void)state;
	start_traceable(&l);
	assert_int_equal(kill(l.c.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(l.c.pid, &status, WUNTRACED | __WALL), l.c.pid);
	good(tagcore_dump_run(&dump, l.c.pid, &o, &error), &error);
	unlink(tagcore_dump_get_report(dump)->path);
	tagcore_dump_free(dump);
	assert_int_equal(kill(l.c.pid, SIGCONT), 0);
	assert_int_equal(waitpid(l.c.pid, &status, WCONTINUED | __WALL), l.c.pid);
	assert_true(WIFCONTINUED(status));
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
		{ .size = sizeof(o[0]), .flags = TAGCORE_DUMP_REQUIRE },
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

/* A pipe that nobody reads, and then somebody does. */
struct stuck {
	int fds[2];
	pthread_t caller;
	bool in_caller, reading;
	unsigned stopped;	/* calls that said that the process stands still */
	pthread_t reader;
};

static void *drain(void *arg)
{
	const struct stuck *s = arg;
	char buf[4096];

	while (read(s->fds[0], buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void on_phase(void *arg, const struct tagcore_dump_progress *p)
{
	struct stuck *s = arg;

	assert_true(p->total > 0);
	s->in_caller = pthread_equal(s->caller, pthread_self());
	s->stopped += p->phase == TAGCORE_DUMP_STOPPED && p->done > 0;
	if (s->stopped < 2 || s->reading)
		return;
	s->reading = true;
	assert_int_equal(pthread_create(&s->reader, NULL, drain, s), 0);
}

/* A child inherits it: more than pipe and queue hold. */
static void *make_big(void)
{
	void *p = malloc(8 << 20);

	memset(p, 1, 8 << 20);
	return p;
}

static void progress_has_the_phase(void **state)
{
	struct stuck s = { .caller = pthread_self() };
	struct tagcore_dump_options o = {
		.size = sizeof(o), .flags = TAGCORE_DUMP_FD, .output_timeout_ms = UINT32_MAX,
		.progress_phase = on_phase, .progress_arg = &s,
	};
	void *big auto_free = make_big();
	struct tagcore_error error;
	struct live l;

	(void)state;
	start_traceable(&l);
	assert_int_equal(pipe(s.fds), 0);
	o.fd = s.fds[1];
	good(tagcore_dump_run(NULL, l.c.pid, &o, &error), &error);
	assert_true(s.reading && s.in_caller);
	close(s.fds[1]);
	pthread_join(s.reader, NULL);
	close(s.fds[0]);
	assert_runs(l.c.pid);
	finish(&l);
}

static size_t count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* None that is opened for a dump, however it ends. */
static void no_descriptor_is_left(void **state)
{
	struct tagcore_dump_options o = { .size = sizeof(o), .output = "fds.%p", .flags = TAGCORE_DUMP_FORCE };
	struct tagcore_error error;
	size_t before = count_open();
	char path[32];
	struct live l;

	(void)state;
	start_traceable(&l);
	good(tagcore_dump_run(NULL, l.c.pid, &o, &error), &error);
	o.flags |= TAGCORE_DUMP_SNAPSHOT;
	good(tagcore_dump_run(NULL, l.c.pid, &o, &error), &error);
	o.output = "/no/such/directory/%p";
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), -ENOENT);
	snprintf(path, sizeof(path), "fds.%d", l.c.pid);
	unlink(path);
	finish(&l);
	assert_int_equal(count_open(), before);
}

static void an_output_that_stands_still_is_given_up(void **state)
{
	struct tagcore_dump_options o = {
		.size = sizeof(o), .flags = TAGCORE_DUMP_FD, .output_timeout_ms = 300,
	};
	void *big auto_free = make_big();
	struct tagcore_error error;
	struct live l;
	int fds[2];

	(void)state;
	start_traceable(&l);
	assert_int_equal(pipe(fds), 0);
	o.fd = fds[1];
	assert_int_equal(tagcore_dump_run(NULL, l.c.pid, &o, &error), TAGCORE_ERR_TIMEOUT);
	assert_non_null(strstr(error.message, "has stood still for 0.3 s"));
	assert_string_equal(tagcore_error_kind(error.code), "timeout");
	assert_runs(l.c.pid);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_saved_to_a_path),
		cmocka_unit_test(a_process_is_saved_without_a_stop),
		cmocka_unit_test(a_child_that_is_not_stopped_stays_ours),
		cmocka_unit_test(a_process_is_saved_to_a_descriptor),
		cmocka_unit_test(a_dump_can_be_planned),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(a_dump_can_be_cancelled),
		cmocka_unit_test(no_descriptor_is_left),
		cmocka_unit_test(progress_has_the_phase),
		cmocka_unit_test(an_output_that_stands_still_is_given_up),
		cmocka_unit_test(a_closed_pipe_is_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
