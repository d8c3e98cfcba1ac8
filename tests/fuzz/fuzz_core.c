/*
 * fuzz_core.c - any bytes as a core file: opened, walked, checked and shown in every way there is.
 *
 * The entry of libFuzzer; AFL++ takes it too (afl-clang-fast -fsanitize=fuzzer).
 * fuzz_files.c calls it for files.  Besides what the sanitizers see, it holds
 * that walks advance, that --json prints JSON, and that nothing printed can
 * drive a terminal.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>

#include <tagcore/core.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

/* main.c has it, which has a main() of its own. */
volatile sig_atomic_t cli_cancelled;

enum {
	VIEWS_MAX = 32,
	VIEW_NAME_MAX = 32,
	PLACES = 3,		/* where memory is shown, and threads whose registers are */
	PLACE_MAX = 32,
	TAG_WALK_MAX = 1 << 20,	/* bytes of memory */
};

#define must(cond, ...) do { if (!(cond)) broken(#cond, __VA_ARGS__); } while (0)

static void printf_like(2, 3) broken(const char *cond, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "fuzz: not true: %s: ", cond);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* ---- what must hold of an open core */

static void hold_areas(const struct core *c)
{
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];

		must(a->start < a->end, "area %zu", i);
		must(a->start <= a->saved_end && a->saved_end <= a->end, "area %zu", i);
		must(!i || c->areas[i - 1].end <= a->start, "area %zu", i);
		must(a->seg == CORE_NO_SEG || a->seg < c->n_segs, "area %zu", i);
	}
	for (size_t i = 0; i < c->n_threads; i++)
		must(c->threads[i].note < c->n_notes && c->by_tid[i] < c->n_threads, "thread %zu", i);
}

static void hold_state_walk(const struct core *c)
{
	u64 addr = 0, until;
	size_t steps = 0, most = 4 * (c->n_areas + c->n_missing) + 8;

	for (; core_mem_state(c, addr, &until), until > addr; addr = until)
		must(steps++ < most, "%zu steps over %zu areas", steps, c->n_areas);
	must(addr == UINT64_MAX && until == addr, "stands still at 0x%llx", (unsigned long long)addr);
}

static void hold_reads(struct core *c)
{
	u8 buf[300];

	for (size_t i = 0; i < c->n_areas; i++) {
		u64 ends[] = { c->areas[i].start, c->areas[i].saved_end - 7, c->areas[i].end - 7 };

		for (size_t k = 0; k < ARRAY_SIZE(ends); k++) {
			enum mem_state state;
			struct err e = { 0 };
			size_t n = 0;

			if (core_read(c, ends[k], buf, sizeof(buf), &state, &n, &e))
				continue;
			must(n > 0 && n <= sizeof(buf), "%zu bytes", n);
		}
	}
}

static int hold_run(const struct core_tag_run *run, void *arg, struct err *e)
{
	u64 *last = arg;

	(void)e;
	must(run->start < run->end && run->start >= *last, "run at 0x%llx", (unsigned long long)run->start);
	must(run->state == TAG_KNOWN || !run->tag, "tag %u", run->tag);
	must(run->tag < 16, "tag %u", run->tag);
	*last = run->end;
	return 0;
}

static void hold_tags(struct core *c)
{
	for (size_t i = 0; i < c->n_tagged; i++) {
		u64 start = c->tagged[i].start, end, last = 0;
		struct err e = { 0 };

		must(start < c->tagged[i].end && c->tagged[i].have_end <= c->tagged[i].end, "tagged %zu", i);
		if (add_overflow(start, (u64)TAG_WALK_MAX, &end))
			end = UINT64_MAX;
		if (core_tag_runs(c, start, end, hold_run, &last, &e))
			must(e.code, "an error without a sentence");
	}
}

static int hold_page_run(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	u64 *last = arg;

	(void)e;
	must(r->start < r->end && r->start >= *last, "run at 0x%llx", (unsigned long long)r->start);
	must(r->start >= v->start && r->end <= v->end, "run at 0x%llx", (unsigned long long)r->start);
	*last = r->end;
	return 0;
}

static void hold_pages(struct core *c)
{
	static const struct page_walk_ops ops = { .run = hold_page_run };
	struct page_source src scoped(page_source_close) = { 0 };
	struct mm mm scoped(mm_close) = { 0 };
	struct err e = { 0 };
	u64 last = 0;

	page_source_open_core(&src, c);
	if (mm_open_core(&mm, c, &e) || page_walk(&mm, &src, 0, UINT64_MAX, &ops, &last, &e))
		must(e.code, "an error without a sentence");
}

/* Addresses and thread ids that are of interest in this core, for the command line. */
struct places {
	char addr[PLACES][PLACE_MAX];
	char tid[PLACES][PLACE_MAX];
	size_t n_addr;
	size_t n_tid;
};

static void add_place(struct places *p, u64 addr)
{
	if (p->n_addr < PLACES)
		snprintf(p->addr[p->n_addr++], PLACE_MAX, "0x%llx", (unsigned long long)addr);
}

static void find_places(const struct core *c, struct places *p)
{
	add_place(p, UINT64_MAX - 20);
	if (c->n_tagged)
		add_place(p, c->tagged[0].have_end - 40);
	for (size_t i = 0; i < min(c->n_threads, (size_t)2); i++)
		snprintf(p->tid[p->n_tid++], PLACE_MAX, "%d", c->threads[i].tid);
	for (size_t i = 0; i < c->n_areas && p->n_addr < PLACES; i++)
		add_place(p, (i & 1 ? c->areas[i].end : c->areas[i].saved_end) - 40);
}

static void hold_library(const char *path, struct places *p)
{
	struct core core scoped(core_close) = { 0 };
	struct err e = { 0 };
	int r = core_open(&core, path, &e);

	must(!r || (r < 0 && e.code == r && *e.msg), "core_open: %d", r);
	if (r)
		return;
	hold_areas(&core);
	hold_state_walk(&core);
	hold_reads(&core);
	hold_tags(&core);
	hold_pages(&core);
	find_places(&core, p);
}

/* ---- what must hold of the commands */

static void hold_json(const char *what, const char *text, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *o;

	must(len && text[len - 1] == '\n', "%s --json: no newline at the end", what);
	must(!memchr(text, 0, len), "%s --json: a NUL", what);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len - 1);
	must(json_tokener_get_error(t) == json_tokener_success, "%s --json: %s\n%s", what,
	     json_tokener_error_desc(json_tokener_get_error(t)), text);
	json_object_put(o);
	json_tokener_free(t);
}

/* All of it is printable: ASCII, or UTF-8 above the second row of control characters. */
static void hold_text(const char *what, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		u8 ch = (u8)text[i];

		must((ch >= 0x20 && ch != 0x7f) || ch == '\n', "%s: character 0x%02x in\n%s", what, ch, text);
		must(ch != 0xc2 || (u8)text[i + 1] >= 0xa0, "%s: control character in\n%s", what, text);
	}
}

typedef int (*cmd_fn)(int argc, char **argv, struct err *e);

/* Runs a command and looks at all that it says. */
static void run(cmd_fn fn, int argc, char **argv, bool json)
{
	FILE *real = stdout;
	struct err e = { 0 };
	char *text = NULL;
	size_t len = 0;
	int r;

	stdout = open_memstream(&text, &len);
	must(stdout, "no memory");
	r = fn(argc, argv, &e);
	must(!fclose(stdout), "no memory");
	stdout = real;
	must(r == EXIT_GOOD || r == EXIT_FINDINGS || (r < 0 && *e.msg), "%s %s: %d", argv[0], argv[1], r);
	hold_text(argv[1], text, len);
	hold_text(argv[1], e.msg, strlen(e.msg));
	if (json && r >= 0)
		hold_json(argv[1], text, len);
	free(text);
}

#define RUN(fn, json, ...) do { \
	char *argv_[] = { __VA_ARGS__, NULL }; \
	run(fn, (int)ARRAY_SIZE(argv_) - 1, argv_, json); \
} while (0)

static void hold_view(const char *name, char *path, struct places *p)
{
	char *view = (char *)name;

	if (!strcmp(view, "memory")) {
		for (size_t i = 0; i < p->n_addr; i++) {
			RUN(cmd_inspect, false, "inspect", view, "--tags", p->addr[i], "80", path);
			RUN(cmd_inspect, true, "inspect", view, "--json", "--tags", p->addr[i], "80", path);
		}
		return;
	}
	RUN(cmd_inspect, false, "inspect", view, path);
	RUN(cmd_inspect, true, "inspect", view, "--json", path);
	for (size_t i = 0; !strcmp(view, "registers") && i < p->n_tid; i++)
		RUN(cmd_inspect, true, "inspect", view, "--json", "--thread", p->tid[i], path);
}

/* The names of the views as the help lists them, so that a new one is looked at, too. */
struct view_list {
	char name[VIEWS_MAX][VIEW_NAME_MAX];
	size_t n;
};

static void list_views(struct view_list *l)
{
	char *text = NULL, *line, *rest;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	must(f, "no memory");
	inspect_help_views(f);
	fclose(f);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, " %31s", l->name[l->n]) == 1)
			must(++l->n < VIEWS_MAX, "more views than room for their names");
	must(l->n >= 8, "only %zu views", l->n);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct view_list views;	/* read once: it is the same for every input */
	struct places places = { .n_addr = 0 };
	int fd auto_close = memfd_create("core", MFD_CLOEXEC);
	char path[32];

	if (!views.n)
		list_views(&views);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	hold_library(path, &places);
	for (size_t i = 0; i < views.n; i++)
		hold_view(views.name[i], path, &places);
	RUN(cmd_validate, false, "validate", path);
	RUN(cmd_validate, true, "validate", "--json", path);
	return 0;
}

#ifdef __clang__
#pragma clang attribute pop
#endif
