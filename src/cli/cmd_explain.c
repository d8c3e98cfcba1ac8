#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/box.h"
#include "cli/cmds.h"
#include "cli/explain_print.h"
#include "cli/live_look.h"
#include "cli/reader.h"
#include "cli/subject.h"

enum { OPT_JSON = 1, OPT_EXE, OPT_SYSROOT, OPT_DEBUGINFO, OPT_LIST, OPT_UNPACK_LIMIT };
const struct opt explain_opts[] = {
	{ "exe", 0, "FILE", "the program itself, instead of what the core names", OPT_EXE },
	{ "sysroot", 0, "DIR", "look below it for every file that the core names", OPT_SYSROOT },
	{ "debuginfo-path", 0, "PATH", "directories of debug files, with \":\" between them; default /usr/lib/debug", OPT_DEBUGINFO },
	{ "list", 0, NULL, "list every diagnosis, and what it rests on", OPT_LIST },
	{ READER_UNPACK_LIMIT, OPT_UNPACK_LIMIT },
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ 0 }
};

struct explain_args {
	struct stack_print p;
	struct subject of;
	bool list;
	struct live live;	/* of a process */
};

static void args_fini(struct explain_args *a)
{
	subject_close(&a->of);
	live_fini(&a->live);
}

static int take_option(struct explain_args *a, int id, const char *arg, struct err *e)
{
	switch (id) {
	case OPT_EXE: a->of.opts.exe = arg; break;
	case OPT_SYSROOT: a->of.opts.sysroot = arg; break;
	case OPT_DEBUGINFO: a->of.opts.debuginfo_path = arg; break;
	case OPT_JSON: a->p.json = true; break;
	case OPT_LIST: a->list = true; break;
	case OPT_UNPACK_LIMIT: return reader_unpack_limit(arg, &a->of.unpack_limit, e);
	}
	return 0;
}

static int parse(struct explain_args *a, int argc, char **argv, const char **operand, struct err *e)
{
	struct opts_iter it;
	int r;

	opts_begin(&it, explain_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		r = take_option(a, r, it.arg, e);
		if (r)
			return r;
	}
	if (r)
		return r;
	if (a->list && it.operand != argc)
		return err_set(e, ERR_USAGE, "explain --list takes no process and no core");
	if (!a->list && argc - it.operand != 1)
		return err_set(e, ERR_USAGE, "explain needs one process or core: tagcore explain [OPTION]... PID|CORE");
	*operand = argv[it.operand];
	return 0;
}

/* All that interprets what others have made: EXIT_GOOD with a verdict, else EXIT_FINDINGS. */
static int explain_inside(void *arg, u64 *value, struct err *e)
{
	struct explain_args *a = arg;
	struct explain_opts opts = explain_with_names;
	struct verdict *v auto_free = calloc(1, sizeof(*v));
	struct unwind *u = NULL;
	bool found = false;
	int r = v ? subject_read(&a->of, e) : err_set(e, -ENOMEM, "explain");

	(void)value;
	opts.next_thread = box_next;
	if (!a->of.path)
		opts.live = &a->live;
	if (!r)
		r = unwind_open(&u, &a->of.core, &a->of.opts, e);
	if (!r)
		r = explain_core(u, &opts, v, e);
	if (r >= 0) {
		found = r;
		a->p.core = &a->of.core;
		a->p.u = u;
		r = explain_print(&a->p, v, e);
		stack_print_notes(&a->p);
	}
	if (v)
		verdict_fini(v);
	unwind_close(u);
	return r < 0 ? r : found ? EXIT_GOOD : EXIT_FINDINGS;
}

int cmd_explain(int argc, char **argv, struct err *e)
{
	struct explain_args a scoped(args_fini) = { .p = { .out = stdout }, .of.waits = true };
	const char *operand = NULL;
	int r = parse(&a, argc, argv, &operand, e);

	if (r)
		return r;
	if (a.list) {
		explain_print_list(stdout, a.p.json);
		return EXIT_GOOD;
	}
	r = subject_open(&a.of, "explain", operand, e);
	if (r)
		return r;
	if (!a.of.path) {
		a.p.live = &a.of.report;
		/* After the stop: /proc may answer as late as it likes. */
		r = live_look(a.of.report.pid, &a.live, e);
	}
	if (r)
		return r;
	return box_run(explain_inside, &a, &a.of.opts, e);
}
