#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/reader.h"
#include "cli/table.h"
#include "cli/view.h"

const struct view views[] = {
	{ "summary", "what it is of, who made it, how it ended (default)", .run = view_summary },
	{ "headers", "the ELF header and every segment", .run = view_headers },
	{ "notes", "every note, decoded; or those of a kind, or one: notes [TYPE|NUMBER]", .run = view_notes,
	  .operands = "[TYPE|NUMBER]", .max = 1 },
	{ "threads", "threads, with name, signal, pc and sp", .run = view_threads },
	{ "registers", "the registers of every thread, or of one", .run = view_registers, .thread = true },
	{ "maps", "the areas of memory, and how much of each is saved", .run = view_maps },
	{ "modules", "programs and libraries, with their build-ids", .run = view_modules },
	{ "auxv", "the auxiliary vector, from the kernel to the program", .run = view_auxv },
	{ "files", "the mapped files, as the FILE note has them", .run = view_files },
	{ "tags", "memory tags, as runs of equal ones: tags [START-END]", .run = view_tags, .operands = "[START-END]", .max = 1 },
	{ "memory", "memory's bytes, and with --tags its tags: memory ADDR [LEN]", .run = view_memory,
	  .operands = "ADDR [LEN]", .min = 1, .max = 2, .tags = true },
	{ "missing", "what is not in the file, and why", .run = view_missing },
};
const size_t n_views = ARRAY_SIZE(views);

enum { OPT_JSON = 1, OPT_TAGS, OPT_THREAD, OPT_UNPACK_LIMIT };
const struct opt inspect_opts[] = {
	{ "json", 0, NULL, "print one JSON document", OPT_JSON },
	{ "tags", 0, NULL, "view memory: each granule's tag, too", OPT_TAGS },
	{ "thread", 0, "TID", "view registers: only those of this thread", OPT_THREAD },
	{ READER_UNPACK_LIMIT, OPT_UNPACK_LIMIT },
	{ 0 }
};

void inspect_help_views(FILE *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		fprintf(f, "  %-10s %s\n", views[i].name, views[i].help);
}

static int unknown_view(const char *name, struct err *e)
{
	char hint[CLOSEST_MAX];

	return err_set(e, ERR_USAGE, "inspect has no view %s%s", name,
		       table_hint(TABLE(views), name, "", "; see tagcore help inspect", hint));
}

static int usage(const struct view *view, struct err *e)
{
	return err_set(e, ERR_USAGE, "usage: tagcore inspect %s%s%s CORE", view->name, view->operands ? " " : "",
		       view->operands ? view->operands : "");
}

/*
 * [VIEW [OPERAND]...] CORE: the first is the view, the last the core.  One alone
 * is the core, whatever it is called.
 */
static int operands(char **argv, int n, const struct view **view, struct view_ctx *v, struct err *e)
{
	if (n < 1)
		return err_set(e, ERR_USAGE, "inspect needs a core file: tagcore inspect [VIEW] CORE");
	*view = n > 1 ? table_find(TABLE(views), argv[0]) : &views[0];
	if (!*view)
		return unknown_view(argv[0], e);
	v->path = argv[n - 1];
	v->operands = argv + 1;
	v->n_operands = n > 1 ? n - 2 : 0;
	if (v->n_operands < (*view)->min || v->n_operands > (*view)->max)
		return usage(*view, e);
	if (v->tags && !(*view)->tags)
		return err_set(e, ERR_USAGE, "--tags is for the view memory, not for %s", (*view)->name);
	if (v->thread && !(*view)->thread)
		return err_set(e, ERR_USAGE, "--thread is for the view registers, not for %s", (*view)->name);
	if (n == 1 && table_find(TABLE(views), argv[0]) && access(argv[0], F_OK) < 0)
		return err_set(e, ERR_USAGE, "inspect %s: the core file is missing", argv[0]);
	return 0;
}

int cmd_inspect(int argc, char **argv, struct err *e)
{
	struct view_ctx v = { .out = stdout };
	struct core core scoped(core_close) = { 0 };
	const struct view *view = NULL;
	struct opts_iter it;
	u64 unpack_limit = 0;
	int r;

	opts_begin(&it, inspect_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		v.json |= r == OPT_JSON;
		v.tags |= r == OPT_TAGS;
		if (r == OPT_THREAD)
			v.thread = it.arg;
		if (r == OPT_UNPACK_LIMIT && reader_unpack_limit(it.arg, &unpack_limit, e))
			return ERR_USAGE;
	}
	if (!r)
		r = operands(argv + it.operand, argc - it.operand, &view, &v, e);
	if (!r)
		r = reader_open(&core, v.path, unpack_limit, e);
	if (r)
		return r;
	v.core = &core;
	r = view->run(&v, e);
	return r < 0 ? r : EXIT_GOOD;
}
