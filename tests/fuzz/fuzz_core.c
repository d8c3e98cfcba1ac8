/*
 * fuzz_core.c - any bytes as a core: opened, walked, checked and shown in every way there is.
 *
 * The entry of libFuzzer, and of AFL++ (make fuzz-afl).  Most
 * inputs are opened once, from memory, and of the views only some are run, which
 * the input itself chooses: fifty times as many inputs in a second, and what one
 * does not show another will.  Some go through the commands, as a file.
 * fuzz_files.c does both for files.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "check/check.h"
#include "cli/cmds.h"
#include "cli/view.h"

#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum {
	QUICK_VIEWS = 3,	/* of one input */
	COMMANDS_ONE_IN = 256,
	REPAIR_ONE_IN = 4,
	SHRINKS_ONE_IN = 8,
	API_ONE_IN = 8,
	STACK_ONE_IN = 2,
	HASHED = 4096,		/* bytes: where headers and notes are */
};

/* ---- quick: opened once */

/* FNV-1a, of the size, too. */
static u32 hash(const u8 *data, size_t size)
{
	u32 h = 2166136261u ^ (u32)size;

	for (size_t i = 0; i < min(size, (size_t)HASHED); i++)
		h = (h ^ data[i]) * 16777619u;
	return h ^ h >> 15;
}

static void quick_view(struct core *c, const struct view *view, bool json, struct places *p, unsigned nth)
{
	char *operands[] = { p->addr[nth % p->n_addr], "80", NULL };
	struct view_ctx v = { .core = c, .path = "core", .json = json, .operands = operands };
	struct err e = { 0 };
	struct printed s;
	int r;

	v.n_operands = min(view->min, 1) * 2;
	v.tags = view->tags;
	if (view->thread && p->n_tid && nth & 1)
		v.thread = p->tid[nth / 2 % p->n_tid];
	printed_begin(&s);
	v.out = s.f;
	r = view->run(&v, &e);
	must(r >= 0 || (e.code && *e.msg), "%s: %d", view->name, r);
	assert_printable(view->name, e.msg, strlen(e.msg));
	printed_end(&s, view->name, json && r >= 0);
}

static void quick_checks(struct core *c)
{
	struct findings l scoped(findings_fini) = { 0 };
	struct err e = { 0 };
	int r = check_core(c, &l, &e);

	must(!r || e.code, "check_core: %d", r);
	for (size_t i = 0; i < l.n; i++)
		must(*l.f[i].msg, "%s: no sentence", l.f[i].check->id);
}

static void quick(const u8 *data, size_t size, u32 h)
{
	struct mem m = { .p = data, .reads = SIZE_MAX };
	struct core_file file = mem_file(&m, size);
	struct core core scoped(core_close) = { 0 };
	struct places places = { .n_addr = 0 };
	struct err e = { 0 };
	int r;

	if (h % SHRINKS_ONE_IN == 0) {
		m.reads = h >> 8 & 63;
		m.size = size * (h >> 14 & 15) / 16;
	}
	file.cancel = &cli_cancelled;
	r = core_file_unpack(&file, &e);
	if (!r)
		r = core_open_file(&core, &file, "core", &e);
	core_file_close(&file);
	must(!r || (r < 0 && e.code == r && *e.msg), "core_open_file: %d", r);
	if (r)
		return;
	assert_core(&core);
	find_places(&core, &places);
	for (unsigned i = 0; i < QUICK_VIEWS; i++, h = h * 1103515245 + 12345)
		quick_view(&core, &views[(h >> 8) % n_views], h >> 31, &places, h >> 16);
	quick_checks(&core);
}

/* ---- thorough: through the commands */

typedef int (*cmd_fn)(int argc, char **argv, struct err *e);

/* Runs a command and looks at all that it says. */
static void run(cmd_fn fn, int argc, char **argv, bool json)
{
	FILE *real = stdout;
	struct err e = { 0 };
	struct printed s;
	int r;

	printed_begin(&s);
	stdout = s.f;
	r = fn(argc, argv, &e);
	stdout = real;
	must(r == EXIT_GOOD || r == EXIT_FINDINGS || (r < 0 && *e.msg), "%s %s: %d", argv[0], argv[1], r);
	assert_printable(argv[1], e.msg, strlen(e.msg));
	printed_end(&s, argv[1], json && r >= 0);
}

#define RUN(fn, json, ...) do { \
	char *argv_[] = { __VA_ARGS__, NULL }; \
	run(fn, (int)ARRAY_SIZE(argv_) - 1, argv_, json); \
} while (0)

static void run_view(const struct view *v, char *path, struct places *p)
{
	char *name = (char *)v->name;

	for (size_t i = 0; v->min && i < p->n_addr; i++) {
		RUN(cmd_inspect, false, "inspect", name, "--tags", p->addr[i], "80", path);
		RUN(cmd_inspect, true, "inspect", name, "--json", "--tags", p->addr[i], "80", path);
	}
	if (v->min)
		return;
	RUN(cmd_inspect, false, "inspect", name, path);
	RUN(cmd_inspect, true, "inspect", name, "--json", path);
	for (size_t i = 0; v->thread && i < p->n_tid; i++)
		RUN(cmd_inspect, true, "inspect", name, "--json", "--thread", p->tid[i], path);
}

static bool open_by_name(const char *path, struct places *p)
{
	struct core core scoped(core_close) = { 0 };
	struct err e = { 0 };
	int r = core_open(&core, path, &e);

	must(!r || (r < 0 && e.code == r && *e.msg), "core_open: %d", r);
	if (r)
		return false;
	assert_core(&core);
	find_places(&core, p);
	return true;
}

void fuzz_commands(const u8 *data, size_t size)
{
	struct places places = { .n_addr = 0 };
	int fd auto_close = memfd_create("core", MFD_CLOEXEC);
	char path[32];
	bool opens;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opens = open_by_name(path, &places);
	/* All of them open it the same way. */
	for (size_t i = 0; i < (opens ? n_views : 1); i++)
		run_view(&views[i], path, &places);
	RUN(cmd_validate, false, "validate", path);
	RUN(cmd_validate, true, "validate", "--json", path);
}

static void on_limit(int sig)
{
	cli_cancelled = sig;
}

/*
 * A few bytes may stand for gigabytes, which is no fault: after a second of this
 * process's own time, and at 64 MiB of temporary file, it is over.
 */
static void limit_unpacking(bool is_packed)
{
	const struct rlimit size = { .rlim_cur = 64 << 20, .rlim_max = RLIM_INFINITY };
	const struct sigaction limit = { .sa_handler = on_limit }, ignore = { .sa_handler = SIG_IGN };
	const struct itimerval second = { .it_value.tv_sec = is_packed };

	cli_cancelled = 0;
	setrlimit(RLIMIT_FSIZE, &size);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGVTALRM, &limit, NULL);
	setitimer(ITIMER_VIRTUAL, &second, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 h = hash(data, size);

	if (size > strlen(FUZZ_PROC) && !memcmp(data, FUZZ_PROC, strlen(FUZZ_PROC))) {
		fuzz_proc(data + strlen(FUZZ_PROC), size - strlen(FUZZ_PROC));
		return 0;
	}
	limit_unpacking(size < SELFMAG || memcmp(data, ELFMAG, SELFMAG));
	if (h / 4 % COMMANDS_ONE_IN)
		quick(data, size, h);
	else
		fuzz_commands(data, size);
	if (h / 32 % API_ONE_IN == 0)
		fuzz_api(data, size);
	if (h / 1024 % REPAIR_ONE_IN == 0)
		fuzz_repair(data, size);
	/* What has a program is for that. */
	if (h / 4096 % STACK_ONE_IN == 0 || memmem(data, size, STACK_EXE_MARK, STACK_EXE_MARK_LEN))
		fuzz_stack(data, size, h >> 13);
	return 0;
}

#ifdef __clang__
#pragma clang attribute pop
#endif
