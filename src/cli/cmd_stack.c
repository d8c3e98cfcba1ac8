#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/box.h"
#include "cli/cmds.h"
#include "cli/dump_args.h"
#include "cli/explain_print.h"
#include "cli/reader.h"
#include "cli/stack_folded.h"
#include "cli/stack_print.h"
#include "cli/subject.h"
#include "unwind/unwind.h"

enum {
	OPT_JSON = 1, OPT_EXE, OPT_SYSROOT, OPT_DEBUGINFO, OPT_THREAD, OPT_UNWINDER, OPT_FRAMES, OPT_SOURCE, OPT_INLINES,
	OPT_RAW, OPT_SNAPSHOT, OPT_GROUP, OPT_NO_GROUP, OPT_FOLDED, OPT_UNPACK_LIMIT
};
const struct opt stack_opts[] = {
	{ "exe", 0, "FILE", "the program itself, instead of what the core names", OPT_EXE },
	{ "sysroot", 0, "DIR", "look below it for every file that the core names", OPT_SYSROOT },
	{ "debuginfo-path", 0, "PATH", "directories of debug files, with \":\" between them; default /usr/lib/debug", OPT_DEBUGINFO },
	{ "thread", 0, "TID", "only this thread", OPT_THREAD },
	{ "unwinder", 0, "auto|libdw|libunwind", "who unwinds (default auto, which takes the better result)", OPT_UNWINDER },
	{ "max-frames", 0, "N", "no more of each thread (default 4096)", OPT_FRAMES },
	{ "source", 0, NULL, "with file and line of the source", OPT_SOURCE },
	{ "inlines", 0, NULL, "with functions that are inlined, a line each", OPT_INLINES },
	{ "raw", 0, NULL, "addresses only", OPT_RAW },
	{ "snapshot", 's', "[=require]", "of a process: stop it only while the kernel makes a copy", OPT_SNAPSHOT },
	{ "group", 0, NULL, "equal stacks once, with their threads (default for text from 20 threads on)", OPT_GROUP },
	{ "no-group", 0, NULL, "every thread by itself", OPT_NO_GROUP },
	{ "folded", 0, NULL, "a line for each stack and its number of threads, for flame graphs", OPT_FOLDED },
	{ READER_UNPACK_LIMIT, OPT_UNPACK_LIMIT },
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ 0 }
};

enum { GROUP_FROM = 20 };	/* threads, from which on text is grouped */

struct stack_args {
	struct stack_print p;
	struct subject of;
	const char *tid;
	bool group, no_group;
};

static int number(const char *option, const char *text, u64 most, u64 *out, struct err *e)
{
	if (text_parse_u64(text, 10, false, out) || !*out || *out > most)
		return err_set(e, ERR_USAGE, "--%s takes a number from 1 to %" PRIu64 ", not %s", option, most, text);
	return 0;
}

static int take_option(struct stack_args *a, int id, const char *arg, struct err *e)
{
	u64 n = 0;
	int r = 0;

	switch (id) {
	case OPT_EXE: a->of.opts.exe = arg; break;
	case OPT_SYSROOT: a->of.opts.sysroot = arg; break;
	case OPT_DEBUGINFO: a->of.opts.debuginfo_path = arg; break;
	case OPT_UNWINDER: a->of.opts.unwinder = arg; break;
	case OPT_THREAD: a->tid = arg; break;
	case OPT_SOURCE: a->p.source = true; break;
	case OPT_INLINES: a->p.inlines = true; break;
	case OPT_RAW: a->p.raw = a->of.opts.no_tail_calls = true; break;
	case OPT_JSON: a->p.json = true; break;
	case OPT_GROUP: a->group = true; break;
	case OPT_NO_GROUP: a->no_group = true; break;
	case OPT_FOLDED: a->p.folded = true; break;
	case OPT_SNAPSHOT: return dump_snapshot_parse(arg, &a->of.snapshot, e);
	case OPT_UNPACK_LIMIT: return reader_unpack_limit(arg, &a->of.unpack_limit, e);
	case OPT_FRAMES:
		r = number("max-frames", arg, 1 << 20, &n, e);
		a->of.opts.max_frames = (u32)n;
		break;
	}
	return r;
}

static int parse(struct stack_args *a, int argc, char **argv, const char **operand, struct err *e)
{
	struct opts_iter it;
	int r;

	opts_begin(&it, stack_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		r = take_option(a, r, it.arg, e);
		if (r)
			return r;
	}
	if (r)
		return r;
	if (a->group && (a->no_group || a->p.json))
		return err_set(e, ERR_USAGE, "stack: --group and %s contradict each other (JSON has each thread's group)",
			       a->no_group ? "--no-group" : "--json");
	if (a->p.folded && (a->group || a->no_group || a->p.json || a->p.source))
		return err_set(e, ERR_USAGE, "stack: --folded and %s contradict each other", a->group ? "--group" :
			       a->no_group ? "--no-group" : a->p.json ? "--json" : "--source");
	if (argc - it.operand != 1)
		return err_set(e, ERR_USAGE, "stack needs one process or core: tagcore stack [OPTION]... PID|CORE");
	*operand = argv[it.operand];
	return 0;
}

/* The threads to show: all, or the one with that id. */
static int choose(const struct core *core, const char *tid, size_t *from, size_t *to, struct err *e)
{
	const struct core_thread *t;
	u64 id = 0;

	*from = 0;
	*to = core->n_threads;
	if (!tid)
		return 0;
	if (number("thread", tid, INT32_MAX, &id, e))
		return ERR_USAGE;
	t = core_thread_find(core, (s32)id);
	if (!t)
		return err_set(e, ERR_USAGE, "there is no thread %s: tagcore inspect threads lists them", tid);
	*from = (size_t)(t - core->threads);
	*to = *from + 1;
	return 0;
}

/* Thread number @i of [from, to) when the one that crashed, if it is among them, comes first. */
static const struct core_thread *in_order(const struct core *core, size_t from, size_t to, size_t i)
{
	size_t crashed = core->crashed ? (size_t)(core->crashed - core->threads) : from;

	if (crashed < from || crashed >= to || i > crashed)
		return &core->threads[i];
	return &core->threads[i == from ? crashed : i - 1];
}

/* Unwinds threads [from, to) into @g; prints each at once unless they are gathered. */
static int unwind_threads(struct stack_args *a, struct core *core, struct unwind *u, size_t from, size_t to,
			  struct stack_groups *g, bool gather, struct err *e)
{
	const struct stack_group *group;
	int r = 0;

	for (size_t i = from; !r && i < to; i++) {
		struct stack s scoped(stack_fini) = { 0 };

		box_next();
		r = unwind_thread(u, in_order(core, from, to, i), &s, e);
		if (!r)
			r = stack_groups_add(g, &s, &group, e);
		if (!r && !gather)
			r = stack_print(&a->p, &s, group, e);
	}
	return r;
}

static int print_groups(struct stack_args *a, const struct stack_groups *g, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < g->n; i++)
		r = stack_print_group(&a->p, g->v[i], e);
	return r;
}

/* In text, where the thread that crashed is the first. */
static bool shows_crash(const struct stack_args *a, const struct core *core, size_t from, size_t to)
{
	size_t crashed = core->crashed ? (size_t)(core->crashed - core->threads) : to;

	return !a->p.json && !a->p.raw && !a->p.folded && crashed >= from && crashed < to;
}

static int print_threads(struct stack_args *a, struct core *core, struct unwind *u, struct err *e)
{
	struct stack_groups g scoped(stack_groups_fini) = { 0 };
	size_t from, to;
	bool grouped;
	int r = choose(core, a->tid, &from, &to, e);

	if (r)
		return r;
	grouped = a->group || (!a->no_group && !a->p.json && to - from >= GROUP_FROM);
	stack_print_begin(&a->p, core, u);
	if (shows_crash(a, core, from, to))
		r = explain_print_line(a->p.out, "crash: ", u, e);
	if (!r)
		r = unwind_threads(a, core, u, from, to, &g, grouped || a->p.folded, e);
	/* For a thread that was asked for and has no registers, choose() has reported it. */
	a->p.one = a->tid;
	if (a->tid)
		a->p.n_unstopped = 0;
	if (!r && a->p.folded)
		r = stack_folded(&a->p, &g, e);
	else if (!r && grouped)
		r = print_groups(a, &g, e);
	if (!r)
		stack_print_end(&a->p);
	return r;
}

/* All that interprets what others have made. */
static int unwind_inside(void *arg, u64 *value, struct err *e)
{
	struct stack_args *a = arg;
	struct unwind *u = NULL;
	int r = subject_read(&a->of, e);

	(void)value;
	if (!r)
		r = unwind_open(&u, &a->of.core, &a->of.opts, e);
	if (!r)
		r = print_threads(a, &a->of.core, u, e);
	unwind_close(u);
	return r < 0 ? r : EXIT_GOOD;
}

static void args_fini(struct stack_args *a)
{
	subject_close(&a->of);
}

static void print_live(struct stack_print *p, const struct dump_report *report)
{
	p->live = report;
	p->unstopped = report->unstopped;
	p->n_unstopped = report->n_unstopped;
}

int cmd_stack(int argc, char **argv, struct err *e)
{
	struct stack_args a scoped(args_fini) = { .p = { .out = stdout } };
	const char *operand = NULL;
	int r = parse(&a, argc, argv, &operand, e);

	if (!r)
		r = subject_open(&a.of, "stack", operand, e);
	if (r)
		return r;
	a.p.name = a.of.path ? operand : "process";
	if (!a.of.path)
		print_live(&a.p, &a.of.report);
	return box_run(unwind_inside, &a, &a.of.opts, e);
}
