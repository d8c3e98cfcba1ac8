/*
 * fuzz_stack.c - backtraces of the input: of all threads, with all names, as text and as JSON; and why it crashed.
 *
 * What follows STACK_EXE_MARK in the input is the program's file.  No other file is
 * opened: the names in the input are looked for below a directory that cannot be.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/explain_print.h"
#include "cli/stack_folded.h"
#include "cli/stack_print.h"
#include "unwind/unwind.h"

#include "fuzz.h"

/* What the harness does is nothing to find a way through. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum {
	THREADS = 4,		/* of one input */
	FRAMES = 64,		/* of a stack, but for the first thread of some inputs: */
	ALL_FRAMES_ONE_IN = 64,
	REPEATS = 4,		/* of one frame in a stack */
};

/*
 * libelf loses the sections it has read when it then reads the whole file, as libdw
 * makes it do for a program that has PT_GNU_EH_FRAME and sections, but no .eh_frame:
 * elfutils 0.188, libdw/dwarf_getcfi_elf.c: getcfi_gnu_eh_frame(), libelf/elf_end.c.
 * It is no more than the file, once; what we open by libelf, unit tests look after.
 */
const char *__lsan_default_suppressions(void);	/* <sanitizer/lsan_interface.h> */
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf.so\nleak:__libelf_set_rawdata\n";
}

static const char *const unwinders[] = { "auto", "libdw", "libunwind" };

static u32 limit_of(const struct unwind_opts *o)
{
	return o->max_frames ? o->max_frames : UNWIND_FRAMES_MAX;
}

/* A stack that goes round and round is seen to. */
static void assert_repeats(const struct stack *s)
{
	for (size_t i = 0, marked = 0, again = 0; i < s->n; i++) {
		const struct frame *f = &s->frames[i], *m = &s->frames[marked];

		again += i > marked && f->sp && f->pc == m->pc && f->sp == m->sp;
		must(again < REPEATS, "0x%llx again and again", (unsigned long long)f->pc);
		if (i == 2 * marked + 1) {
			marked = i;
			again = 0;
		}
	}
}

static void assert_stack(const struct stack *s, const struct unwind_opts *o)
{
	must(s->thread && s->unwinder, "a stack of nobody");
	must(s->n <= limit_of(o), "%zu frames", s->n);
	must(s->end >= STACK_OUTERMOST && s->end <= STACK_LIMIT, "end %d", s->end);
	must(*s->why && strnlen(s->why, sizeof(s->why)) < sizeof(s->why), "no sentence");
	must(s->n || s->end == STACK_NO_REGISTERS, "no frame, and %s", s->why);
	must(s->end != STACK_LIMIT || s->n == limit_of(o), "%zu frames are the limit", s->n);
	for (size_t i = 0; i < s->n; i++)
		must(frame_by_name(s->frames[i].by) && (s->frames[i].by == FRAME_BY_REGISTERS) == !i, "frame %zu", i);
	assert_printable("why", s->why, strlen(s->why));
	assert_repeats(s);
}

static void assert_notes(const struct unwind *u)
{
	struct unwind_note n;

	for (size_t i = 0; unwind_note(u, &i, &n);)
		must(n.text && *n.text, "a note without a sentence");
}

/* All threads are in a group, and no group is empty. */
static void assert_groups(const struct stack_groups *g, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < g->n; i++) {
		must(g->v[i]->n > 0 && g->v[i]->id == i, "group %zu", i);
		sum += g->v[i]->n;
	}
	must(sum == n, "%zu of %zu threads are in groups", sum, n);
}

static int print_all(struct stack_print *p, const struct stack *stacks, size_t n, bool grouped, struct err *e)
{
	struct stack_groups g scoped(stack_groups_fini) = { 0 };
	const struct stack_group *group;
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		r = stack_groups_add(&g, &stacks[i], &group, e);
		if (!r && !grouped && !p->folded)
			r = stack_print(p, &stacks[i], group, e);
	}
	assert_groups(&g, n);
	for (size_t i = 0; !r && grouped && i < g.n; i++)
		r = stack_print_group(p, g.v[i], e);
	return !r && p->folded ? stack_folded(p, &g, e) : r;
}

static void print(struct core *c, struct unwind *u, const struct stack *stacks, size_t n, u32 h)
{
	struct printed s, notes;
	struct stack_print p = { .name = "core", .json = h & 1, .source = h & 2, .inlines = h & 4, .raw = (h & 0x78) == 0x78 };
	bool grouped = !p.json && (h & 0x180) == 0x80;
	FILE *real = stderr;
	struct err e = { 0 };
	int r;

	printed_begin(&s);
	printed_begin(&notes);
	p.out = s.f;
	p.folded = !p.json && (h & 0x180) == 0x180;
	stderr = notes.f;
	stack_print_begin(&p, c, u);
	r = print_all(&p, stacks, n, grouped, &e);
	stack_print_end(&p);
	stderr = real;
	must(!r, "stack_print: %s", e.msg);
	printed_end(&s, "stack", p.json);
	printed_end(&notes, "stack's notes", false);
}

/* A verdict has a row of the table, evidence and a reason; without one there is a sentence. */
static void explain(struct core *c, struct unwind *u, u32 h)
{
	struct verdict *v auto_free = calloc(1, sizeof(*v));
	struct printed s, notes;
	struct stack_print p = { .name = "core", .json = h & 1, .core = c, .u = u };
	FILE *real = stderr;
	struct err e = { 0 };
	int r;

	must(v, "no memory");
	r = explain_crash(u, &explain_with_names, v, &e);
	must(r >= 0, "explain_crash: %s", e.msg);
	must(r == (v->kind != NULL) && *v->sentence, "verdict %d, \"%s\"", r, v->sentence);
	must(!v->kind || (v->n_evidence && *v->why_sure && v->sure <= SURE_POSSIBLE), "%s without a reason", v->sentence);
	must(v->n_evidence <= EVIDENCE_MAX && v->n_candidates <= CANDIDATES_MAX && v->n_next <= NEXT_MAX, "too much is said");
	printed_begin(&s);
	printed_begin(&notes);
	p.out = s.f;
	stderr = notes.f;
	must(!explain_print(&p, v, &e), "explain_print: %s", e.msg);
	stderr = real;
	printed_end(&s, "explain", p.json);
	printed_end(&notes, "explain's notes", false);
	verdict_fini(v);
}

static void unwind_all(struct core *c, const struct unwind_opts *o, u32 h)
{
	struct stack stacks[THREADS] = { 0 };
	struct unwind_opts alone = *o;
	struct unwind *u = NULL;
	struct err e = { 0 };
	size_t n = 0;
	int r = unwind_open(&u, c, o, &e);

	must(!r || (r < 0 && e.code == r && *e.msg), "unwind_open: %d", r);
	/* Not this core's program: the core alone. */
	if (r && o->exe) {
		alone.exe = NULL;
		r = unwind_open(&u, c, &alone, &e);
	}
	if (r)
		return;
	for (; n < min(c->n_threads, (size_t)THREADS); n++) {
		must(!unwind_thread(u, &c->threads[n], &stacks[n], &e), "unwind_thread: %s", e.msg);
		assert_stack(&stacks[n], o);
	}
	print(c, u, stacks, n, h);
	explain(c, u, h);
	assert_notes(u);
	for (size_t i = 0; i < n; i++)
		stack_fini(&stacks[i]);
	unwind_close(u);
}

/* libdw opens what .gnu_debuglink and .gnu_debugaltlink name, wherever it is. */
static int open_exe(const u8 *data, size_t size, char path[32])
{
	int fd;

	if (!size || memmem(data, size, ".gnu_debug", 10))
		return -1;
	fd = memfd_create("exe", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory file");
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

void fuzz_stack(const u8 *data, size_t size, u32 h)
{
	const u8 *mark = memmem(data, size, STACK_EXE_MARK, STACK_EXE_MARK_LEN);
	size_t core_len = mark ? (size_t)(mark - data) : size, exe_at = mark ? core_len + STACK_EXE_MARK_LEN : size;
	struct mem m = { .p = data, .reads = SIZE_MAX };
	struct core_file file = mem_file(&m, core_len);
	struct core core scoped(core_close) = { 0 };
	char path[32];
	int fd auto_close = open_exe(data + exe_at, size - exe_at, path);
	struct unwind_opts o = {
		.exe = fd < 0 ? NULL : path, .sysroot = "/proc/self/ns", .debuginfo_path = "",
		.unwinder = unwinders[h % ARRAY_SIZE(unwinders)], .max_frames = h / 4 % ALL_FRAMES_ONE_IN ? FRAMES : 0,
	};
	struct err e = { 0 };
	int r;

	/* Names of files, not of hosts. */
	unsetenv("DEBUGINFOD_URLS");
	file.cancel = &cli_cancelled;
	r = core_open_file(&core, &file, "core", &e);
	core_file_close(&file);
	if (!r)
		unwind_all(&core, &o, h >> 8);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
